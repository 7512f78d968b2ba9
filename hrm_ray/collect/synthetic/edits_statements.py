"""Edits within a function: checks, error messages, bounds, control flow, literals."""

from __future__ import annotations

import re

from tree_sitter import Node

from hrm_ray.collect.synthetic.drafts import Place, block, give_up, uses
from hrm_ray.collect.synthetic.edits_base import Edit, edited, lead, open_with, pick, scope_in, statements
from hrm_ray.collect.synthetic.grammar import Value, literal, negate, predicate
from hrm_ray.collect.synthetic.tree import Function, Splice, Variable, above, find, indentation, insert, replace, text
from hrm_ray.collect.synthetic.vocabulary import label, number, words


def _within(place: Place, *kinds: str) -> list[tuple[Function, Node]]:
    return [(each, node) for each in place.package.code for node in find(each.body, *kinds)]


def _field(node: Node | None, name: str) -> Node | None:
    return node.child_by_field_name(name) if node is not None else None


def nil_check(place: Place) -> Edit | None:
    """Check a pointer parameter, or the receiver, before anything else."""
    found = [(function, row) for function in place.package.code for row in _pointers(function)
             if f"{row.name} == nil" not in text(function.node)]  # fmt: skip
    chosen = pick(place, [each for each in found if each[1] in each[0].parameters] or found)
    if chosen is None:
        return None
    function, row = chosen
    outer = scope_in(place, function)
    scope = outer.inner(value for value in outer.values if not value.code.startswith(f"{row.name}."))
    noun = words(row.type.lstrip("*"))
    reason = place.rng.choice([f"{words(row.name)} is nil", f"no {noun} given", f"nil {noun}", f"missing {noun}"])
    lines = block(f"if {row.name} == nil", [give_up(scope, reason)])
    facts = {"label": function.label, "name": row.name, "type": row.type, "reason": reason}
    return Edit(edited(place.package, function.path, [open_with(function, lines)]), facts)


def _pointers(function: Function) -> list[Variable]:
    own = [Variable(function.receiver.name, f"*{function.receiver.type}")] if function.receiver else []
    return [row for row in function.parameters if row.type.startswith("*")] + own


def nil_element(place: Place) -> Edit | None:
    """Skip nil elements of a collection of pointers."""
    found = []
    for function, clause in _within(place, "range_clause"):
        left = text(clause.child_by_field_name("left")).split(", ")
        many = text(clause.child_by_field_name("right"))
        known = {value.code: value.type for value in scope_in(place, function).values}
        loop = clause.parent
        if "*" in known.get(many, "") and left[-1] != "_" and len(left) == 2 and f"{left[-1]} == nil" not in text(loop):
            found.append((function, clause, left[-1], many))
    chosen = pick(place, found)
    body = _field(chosen[1].parent, "body") if chosen else None
    if chosen is None or body is None:
        return None
    function, clause, element, many = chosen
    depth = indentation(body) + "\t"
    lines = lead(block(f"if {element} == nil", ["continue"]), depth)
    facts = {"label": function.label, "name": element, "many": many.split(".")[-1]}
    return Edit(edited(place.package, function.path, [insert(body.start_byte + 1, f"\n{depth}{lines}")]), facts)


def wrap_error(place: Place) -> Edit | None:
    """Say in a returned error what failed, keeping the cause."""
    found = []
    for function, node in _within(place, "return_statement"):
        last = node.named_children[0].named_children[-1] if node.named_children else None
        if function.fails and last is not None and text(last) == "err" and above(node, "func_literal") is None:
            found.append((function, last))
    chosen = pick(place, found)
    if chosen is None:
        return None
    function, node = chosen
    shown = pick(place, [row for row in function.parameters if row.type in ("string", "int")])
    verb = place.rng.choice([*place.domain.verbs, "handle", "prepare", "complete", "process"])
    message = f"{words(verb)} {place.rng.choice([words(function.name), *place.domain.nouns])}"
    if shown is None or place.rng.random() < 0.4:
        new = f'fmt.Errorf("{message}: %w", err)'
    else:
        new = f'fmt.Errorf("{message} {"%q" if shown.type == "string" else "%d"}: %w", {shown.name}, err)'
    facts = {"label": function.label, "message": message, "value": shown.name if shown else "the cause"}
    return Edit(edited(place.package, function.path, [replace(node, new)]), facts)


def detail_error(place: Place) -> Edit | None:
    """Put a value into a constant error message."""
    found = []
    for function, call in _within(place, "call_expression"):
        if text(call.child_by_field_name("function")) == "errors.New" and above(call, "func_literal") is None:
            known = scope_in(place, function).of("string", "int", "time.Duration")
            found += [(function, call, value) for value in known]
    chosen = pick(place, found)
    if chosen is None:
        return None
    function, call, value = chosen
    message = text(find(call, "interpreted_string_literal")[0]).strip('"').replace("%", "%%")
    mark = {"string": place.rng.choice(["%q", "%s"]), "int": "%d"}.get(value.type, "%s")
    tail = place.rng.choice([f"{value.words} {mark}", mark, f"{value.words}={mark}"])
    new = f'fmt.Errorf("{message}{place.rng.choice([": ", ", ", " "])}{tail}", {value.code})'
    facts = {"label": function.label, "value": value.words, "message": message}
    return Edit(edited(place.package, function.path, [replace(call, new)]), facts)


def validate_input(place: Place) -> Edit | None:
    """Refuse a bad argument of a function that can return an error."""
    found = [(function, row) for function in place.package.code for row in function.parameters
             if function.fails and row.type in {"int", "string", "time.Duration", "float64"}]  # fmt: skip
    chosen = pick(place, found)
    if chosen is None:
        return None
    function, row = chosen
    scope = scope_in(place, function)
    said = predicate(scope, Value(row.name, row.type, words(row.name)))
    if f"if {said.code} {{" in text(function.node):
        return None
    lines = block(f"if {said.code}", [give_up(scope, said.words)])
    facts = {"label": function.label, "name": row.name, "reason": said.words}
    return Edit(edited(place.package, function.path, [open_with(function, lines)]), facts)


def normalize_input(place: Place) -> Edit | None:
    """Bring a string parameter into one form first."""
    found = [(function, row) for function in place.package.code for row in function.parameters
             if row.type == "string" and len(statements(function.body)) > 1 and uses([text(function.body)], row.name)
             and not function.name.startswith("New")]  # fmt: skip
    chosen = pick(place, found)
    if chosen is None:
        return None
    function, row = chosen
    word = label(place.rng, place.domain)
    forms = [
        (f"strings.TrimSpace({row.name})", "without spaces around it"),
        (f"strings.ToLower({row.name})", "in lower case"),
        (f"strings.ToLower(strings.TrimSpace({row.name}))", "in lower case and without spaces around it"),
        (f'strings.Trim({row.name}, "{word[0]}-")', f'without "{word[0]}" and dashes around it'),
        (f'strings.TrimPrefix({row.name}, "{word}:")', f'without the prefix "{word}:"'),
        (f'strings.TrimSuffix({row.name}, "/{word}")', f'without the suffix "/{word}"'),
        (f'strings.ReplaceAll({row.name}, " ", "-")', "with dashes for spaces"),
    ]
    code, told = place.rng.choice(forms)
    line = f"{row.name} = {code}"
    if line in text(function.node):
        return None
    facts = {"label": function.label, "name": row.name, "form": told}
    return Edit(edited(place.package, function.path, [open_with(function, [line])]), facts)


_STRICT = {">": ">=", ">=": ">", "<": "<=", "<=": "<"}
_TOLD = {">": "above", ">=": "at least", "<": "below", "<=": "at most"}


def off_by_one(place: Place) -> Edit | None:
    """Move a comparison with a number by one."""
    found = []
    for function, node in _within(place, "binary_expression"):
        sign, other = node.child_by_field_name("operator"), node.child_by_field_name("right")
        plain = other is not None and (other.type == "int_literal" or text(other) in place.package.constants)
        if text(sign) in _STRICT and sign is not None and plain and above(node, "for_clause") is None:
            found.append((function, node, sign))
    chosen = pick(place, found)
    if chosen is None:
        return None
    function, node, sign = chosen
    left, right, old = text(_field(node, "left")), text(_field(node, "right")), text(sign)
    new = _STRICT[old]
    subject = words(re.sub(r"^len\((.*)\)$", r"\1", left).split(".")[-1])
    splices = [replace(sign, new), *_retell(function, f" {_TOLD[old]} {words(right)}", f" {_TOLD[new]} {words(right)}")]
    facts = {"label": function.label, "subject": subject, "bound": right, "old": _TOLD[old], "new": _TOLD[new]}
    return Edit(edited(place.package, function.path, splices), facts)


def _retell(function: Function, old: str, new: str) -> list[Splice]:
    """The same change in the doc comment where it says it in one line."""
    line = function.node.prev_named_sibling
    while line is not None and line.type == "comment":
        if old in text(line):
            return [replace(line, re.sub(rf"{re.escape(old)}\b", new, text(line)))]
        line = line.prev_named_sibling
    return []


def early_return(place: Place) -> Edit | None:
    """Turn a body that is all inside one condition into an early return or continue."""
    found = []
    for function, node in _within(place, "if_statement"):
        simple = node.child_by_field_name("alternative") is None and node.child_by_field_name("initializer") is None
        body = above(node, "block")
        last = body is not None and node == statements(body)[-1]
        home = body.parent if body is not None else None
        if home is None or not (simple and last) or home.type not in {"for_statement", *_FUNCTIONS}:
            continue
        inner = statements(node.child_by_field_name("consequence") or node)
        leaves = "continue" if home.type == "for_statement" else "return"
        worth = inner and inner[-1].type not in {"return_statement", "continue_statement", "break_statement"}
        if worth and (leaves == "continue" or not function.results):
            found.append((function, node, leaves))
    chosen = pick(place, found)
    if chosen is None:
        return None
    function, node, leaves = chosen
    condition, depth = text(_field(node, "condition")), indentation(node)
    inner_lines = text(_field(node, "consequence")).strip("{}").strip("\n").rstrip("\t").rstrip("\n").split("\n")
    kept = [line.removeprefix(f"{depth}\t") for line in inner_lines]
    new = lead([*block(f"if {negate(condition)}", [leaves]), *kept], depth)
    facts = {"label": function.label, "condition": condition, "leaves": leaves}
    return Edit(edited(place.package, function.path, [replace(node, new)]), facts)


_FUNCTIONS = ("function_declaration", "method_declaration")


def switch_case(place: Place) -> Edit | None:
    """Handle one more value in a switch."""
    found = [
        (function, node)
        for function, node in _within(place, "expression_switch_statement")
        if any(each.type == "default_case" for each in node.named_children)
    ]
    chosen = pick(place, found)
    if chosen is None:
        return None
    function, node = chosen
    last = next(each for each in node.named_children if each.type == "default_case")
    new, answer = label(place.rng, place.domain), literal(scope_in(place, function), function.results[0])
    if f'"{new}"' in text(node):
        return None
    depth = indentation(node)
    given = f"{answer.code}, nil" if function.fails else answer.code
    lines = f'case "{new}":\n{depth}\treturn {given}\n{depth}'
    facts = {"label": function.label, "case": new, "answer": answer.words, "subject": text(_field(node, "value"))}
    return Edit(edited(place.package, function.path, [insert(last.start_byte, lines)]), facts)


def preallocate(place: Place) -> Edit | None:
    """Make a slice that a loop fills with room for every element."""
    found = []
    for function, loop in _within(place, "for_statement"):
        before = loop.prev_named_sibling
        shape = re.fullmatch(r"var (\w+) (\[\]\S+)|(\w+) := (\[\]\S+)\{\}", text(before))
        clauses = find(loop, "range_clause")
        if before is not None and shape is not None and clauses:
            found.append((function, before, shape[1] or shape[3], shape[2] or shape[4], clauses[0]))
    chosen = pick(place, found)
    if chosen is None:
        return None
    function, before, name, kind, clause = chosen
    many = text(clause.child_by_field_name("right"))
    new = f"{name} := make({kind}, 0, len({many}))"
    facts = {"label": function.label, "name": name, "many": many}
    return Edit(edited(place.package, function.path, [replace(before, new)]), facts)


def limit_results(place: Place) -> Edit | None:
    """Stop a loop that collects when it has enough."""
    found = []
    for function, node in _within(place, "assignment_statement"):
        filled = re.fullmatch(r"(\w+) = append\(\1, .*\)", text(node))
        loop = above(node, "for_statement")
        if filled and loop is not None and f"len({filled[1]}) >=" not in text(loop):
            found.append((function, node, filled[1]))
    chosen = pick(place, found)
    if chosen is None:
        return None
    function, node, name = chosen
    bound, depth = number(place.rng), indentation(node)
    lines = lead(block(f"if len({name}) >= {bound}", ["break"]), depth)
    facts = {"label": function.label, "name": name, "bound": str(bound)}
    return Edit(edited(place.package, function.path, [insert(node.end_byte, f"\n{depth}{lines}")]), facts)


def change_literal(place: Place) -> Edit | None:
    """Another number in a comparison or an answer."""
    found = [
        (function, node)
        for function, node in _within(place, "int_literal")
        if len(text(node)) > 1
        and node.parent is not None
        and node.parent.type in {"binary_expression", "expression_list"}
    ]
    chosen = pick(place, found)
    if chosen is None:
        return None
    function, node = chosen
    old, new = text(node), str(number(place.rng))
    if old == new:
        return None
    same = [each for each in find(function.body, "int_literal") if text(each) == old]
    splices = [*(replace(each, new) for each in same), *_retell(function, f" {old}", f" {new}")]
    holder = above(node, "if_statement", "return_statement", "assignment_statement", "short_var_declaration")
    facts = {"label": function.label, "old": old, "new": new, "where": text(holder).split("\n")[0].rstrip(" {")}
    return Edit(edited(place.package, function.path, splices), facts)
