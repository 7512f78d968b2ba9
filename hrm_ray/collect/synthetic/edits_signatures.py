"""Edits that reach across files: a new parameter, a context, an error result, a new name, each with every use."""

from __future__ import annotations

import re

from tree_sitter import Node

from hrm_ray.collect.synthetic.drafts import Place, block, function_name, give_up, result_list
from hrm_ray.collect.synthetic.edits_base import (
    Edit,
    edited_files,
    free_functions,
    lead,
    open_with,
    pick,
    pick_called,
    scope_in,
    statements,
)
from hrm_ray.collect.synthetic.grammar import (
    Said,
    Scope,
    Value,
    condition,
    literal,
    parameter,
    predicate,
    zero,
)
from hrm_ray.collect.synthetic.packages import constant_name, new_field
from hrm_ray.collect.synthetic.tables import tables
from hrm_ray.collect.synthetic.tree import (
    Function,
    Package,
    Splice,
    above,
    find,
    indentation,
    insert,
    parse,
    replace,
    text,
)
from hrm_ray.collect.synthetic.vocabulary import action, fresh, type_name, upper, words


def _use(scope: Scope, row: Value) -> tuple[list[str], str]:
    """Statements that use a new parameter, and what they do."""
    settable = [value for value in scope.of(row.type) if "." in value.code]
    others = scope.inner(value for value in scope.values if value.code != row.code)
    if row.type == "bool":
        said = condition(others) or Said("false", "never")
        head = f"if !{row.code} && {said.code}" if "||" not in said.code else f"if !{row.code}"
        return block(head, [give_up(scope, said.words)]), f"allows it although {said.words}"
    if settable and scope.rng.random() < 0.4:
        target = scope.rng.choice(settable)
        return [f"{target.code} = {row.code}"], f"sets {target.words}"
    against = others.of(row.type)
    if against and row.type != "string" and scope.rng.random() < 0.6:
        other = scope.rng.choice(against)
        return block(f"if {other.code} > {row.code}", [give_up(scope, f"{other.words} is above {row.words}")]), (
            f"bounds {other.words}"
        )
    refused = predicate(scope, row)
    return block(f"if {refused.code}", [give_up(scope, refused.words)]), f"is refused when {refused.words}"


def add_parameter(place: Place) -> Edit | None:
    """A new last parameter, its use, and an argument in every call."""
    function = pick_called(place, [each for each in free_functions(place) if not each.name.startswith("New")])
    if function is None:
        return None
    scope = scope_in(place, function)
    added = parameter(scope, place.rng.choice(["int", "int", "string", "bool", "time.Duration"]))
    lines, told = _use(scope, Value(added.name, added.type, words(added.name)))
    given = literal(scope, added.type)
    splices = [_append_row(function, f"{added.name} {added.type}"), (function.path, open_with(function, lines))]
    calls = place.package.calls(function.name)
    splices += [_append_argument(path, call, given.code) for path, call in calls]
    facts = {"label": function.label, "name": added.name, "type": added.type, "use": told, "value": given.words,
             "callers": _callers(place.package, calls)}  # fmt: skip
    return Edit(edited_files(place.package, splices), facts)


def _append_row(function: Function, row: str) -> tuple[str, Splice]:
    rows = function.node.child_by_field_name("parameters")
    assert rows is not None
    return function.path, insert(rows.end_byte - 1, f", {row}" if function.parameters else row)


def _append_argument(path: str, call: Node, code: str) -> tuple[str, Splice]:
    arguments = call.child_by_field_name("arguments")
    assert arguments is not None
    return path, insert(arguments.end_byte - 1, f", {code}" if arguments.named_children else code)


def _callers(package: Package, calls: list[tuple[str, Node]]) -> str:
    holders = {_holder(package, path, call).label for path, call in calls}
    return " and ".join(sorted(holders)) or "no caller yet"


def _holder(package: Package, path: str, node: Node) -> Function:
    within = [each for each in package.functions if each.path == path]
    return next(each for each in within if each.node.start_byte <= node.start_byte < each.node.end_byte)


def thread_context(place: Place) -> Edit | None:
    """A context as first parameter, heeded at once, and passed by every caller."""
    fit = [each for each in free_functions(place) if "ctx" not in each.identifiers and not each.name.startswith("New")]
    function = pick_called(place, [each for each in fit if each.fails or len(statements(each.body)) > 2])
    if function is None:
        return None
    rows = function.node.child_by_field_name("parameters")
    assert rows is not None
    start = "ctx context.Context, " if function.parameters else "ctx context.Context"
    heed = open_with(function, _heed(place, function))
    splices = [(function.path, insert(rows.start_byte + 1, start)), (function.path, heed)]
    calls = place.package.calls(function.name)
    for path, call in calls:
        arguments = call.child_by_field_name("arguments")
        assert arguments is not None
        known = any(each.name == "ctx" for each in _holder(place.package, path, call).parameters)
        given = "ctx" if known else "context.Background()"
        splices.append((path, insert(arguments.start_byte + 1, f"{given}, " if arguments.named_children else given)))
    facts = {"label": function.label, "callers": _callers(place.package, calls), "verb": words(function.name)}
    return Edit(edited_files(place.package, splices), facts)


def _heed(place: Place, function: Function) -> list[str]:
    zeros = [zero(kind) for kind in function.results]
    if not function.fails:
        return block("if ctx.Err() != nil", [f"return {', '.join(zeros)}".rstrip()])
    wrapped = f'fmt.Errorf("{words(function.name)}: %w", err)'
    shown = place.rng.choice(["err", wrapped, wrapped, "context.Cause(ctx)"])
    return block("if err := ctx.Err(); err != nil", [f"return {', '.join([*zeros[:-1], shown])}"])


def return_error(place: Place) -> Edit | None:
    """A result becomes (result, error): a check gains its error, and every caller handles it."""
    fit = [each for each in free_functions(place) if len(each.results) == 1 and not each.fails
           and not each.name.startswith("New")]  # fmt: skip
    fit = [each for each in fit if all(_takes_error(place.package, *call) for call in place.package.calls(each.name))]
    function = pick_called(place, fit)
    scope = scope_in(place, function) if function else None
    said = condition(scope) if scope else None
    if function is None or scope is None or said is None:
        return None
    scope.results = (*function.results, "error")
    result = function.node.child_by_field_name("result")
    assert result is not None
    refuse = open_with(function, block(f"if {said.code}", [give_up(scope, said.words)]))
    returns = [node for node in find(function.body, "return_statement") if _leaves(node, function)]
    values = [insert(node.end_byte, ", nil") for node in returns]
    new = [replace(result, result_list(scope.results).strip()), refuse, *values]
    splices = [(function.path, each) for each in new]
    calls = place.package.calls(function.name)
    splices += [splice for path, call in calls for splice in _handle(place, path, call)]
    facts = {"label": function.label, "reason": said.words, "callers": _callers(place.package, calls)}
    return Edit(edited_files(place.package, splices), facts)


def _leaves(node: Node, function: Function) -> bool:
    return above(node, "func_literal", "function_declaration", "method_declaration") == function.node


def _takes_error(package: Package, path: str, call: Node) -> bool:
    """Whether the call is the whole right side of `v := f()` in a function that can return an error."""
    statement = call.parent.parent if call.parent else None
    if statement is None or statement.type != "short_var_declaration" or above(call, "func_literal") is not None:
        return False
    alone = "," not in text(statement.child_by_field_name("left"))
    plain = statement.parent is not None and statement.parent.type == "statement_list"
    return alone and plain and _holder(package, path, call).fails


def _handle(place: Place, path: str, call: Node) -> list[tuple[str, Splice]]:
    statement = above(call, "short_var_declaration")
    assert statement is not None
    holder, left = _holder(place.package, path, call), statement.child_by_field_name("left")
    assert left is not None
    zeros = [zero(kind) for kind in holder.results[:-1]]
    back = place.rng.choice(["err", f'fmt.Errorf("{words(holder.name)}: %w", err)'])
    depth = indentation(statement)
    lines = lead(block("if err != nil", [f"return {', '.join([*zeros, back])}"]), depth)
    return [(path, insert(left.end_byte, ", err")), (path, insert(statement.end_byte, f"\n{depth}{lines}"))]


def rename(place: Place) -> Edit | None:
    """Another name for a function, method, type, constant or field, wherever it is used."""
    return place.rng.choice([_rename_function, _rename_function, _rename_type, _rename_constant, _rename_field])(place)


def _rename_function(place: Place) -> Edit | None:
    many = [each.name for each in place.package.functions]
    tested = {each.function.name for each in tables(place.package)}
    once = [each for each in place.package.code if many.count(each.name) == 1]
    function = pick(place, [each for each in once if not each.name.startswith("New")])
    if function is None:
        return None
    thing = place.rng.choice([words(function.name).split()[-1], *place.domain.nouns])
    verbs, exported = tuple(place.domain.verbs), function.name[0].isupper()
    new = function_name(place, set(), exported, lambda: action(place.rng, place.domain, verbs, thing))
    changes = {function.name: new}
    if function.name in tested:
        changes[f"Test{upper(function.name)}"] = f"Test{upper(new)}"
    return _renamed(place, changes, "function" if function.receiver is None else "method", function.label)


def _rename_type(place: Place) -> Edit | None:
    struct = pick(place, place.package.structs)
    if struct is None:
        return None
    new = fresh(place.rng, place.package.names, lambda: type_name(place.rng, place.domain))
    if f"New{new}" in place.package.names:
        return None
    changes = {old.format(struct.name): old.format(new) for old in ("{}", "New{}", "TestNew{}")}
    return _renamed(place, changes, "type", struct.name)


def _rename_constant(place: Place) -> Edit | None:
    old = pick(place, sorted(place.package.constants))
    if old is None:
        return None
    value = place.package.constants[old]
    kind = "string" if value.startswith('"') else "time.Duration" if "time." in value else "int"
    new = constant_name(place.rng, place.domain, place.package.names, kind)
    return _renamed(place, {old: new}, "constant", old)


def _rename_field(place: Place) -> Edit | None:
    owners: dict[str, list[str]] = {}
    for struct in place.package.structs:
        for row in struct.fields:
            owners.setdefault(row.name, []).append(struct.name)
    tests = [parse(source) for path, source in place.package.files.items() if path.endswith("_test.go")]
    tables_too = {text(node) for root in tests for rows in find(root, "field_declaration")
                  for node in rows.children_by_field_name("name")}  # fmt: skip
    found = [(struct, row) for struct in place.package.structs for row in struct.fields
             if len(owners[row.name]) == 1 and row.name not in tables_too and "." not in row.type]  # fmt: skip
    chosen = pick(place, found)
    if chosen is None or chosen[1].type not in ("int", "string", "bool", "float64"):
        return None
    struct, row = chosen
    new = new_field(place.rng, place.domain, place.package, struct.fields, row.type).name
    if new in place.package.names:
        return None
    return _renamed(place, {row.name: new}, "field", f"{struct.name}.{row.name}")


def _renamed(place: Place, changes: dict[str, str], kind: str, label: str) -> Edit:
    splices = [(path, splice) for path, source in place.package.files.items()
               for splice in _uses(parse(source), changes, kind)]  # fmt: skip
    old, new = next(iter(changes.items()))
    facts = {"label": label, "old": old, "new": new, "kind": kind, "files": str(len({path for path, _ in splices}))}
    return Edit(edited_files(place.package, splices), facts)


def _uses(root: Node, changes: dict[str, str], kind: str) -> list[Splice]:
    """Every use of the names, a field's only where a field can stand; failure messages and comments follow."""
    every = ["identifier", "field_identifier", "type_identifier"]
    kinds = {"field": ["field_identifier"], "constant": ["identifier"]}.get(kind, every)
    found = [replace(node, changes[text(node)]) for node in find(root, *kinds) if text(node) in changes]
    for call in find(root, "call_expression"):
        if text(call.child_by_field_name("function")) == "t.Errorf":
            found += [_retold(each, changes) for each in find(call, "interpreted_string_literal")[:1]]
    if kind == "field":
        keys = [each.child_by_field_name("key") for each in find(root, "keyed_element")]
        return found + [replace(key, changes[text(key)]) for key in keys if key is not None and text(key) in changes]
    return found + [_retold(comment, changes) for comment in find(root, "comment")]


def _retold(node: Node, changes: dict[str, str]) -> Splice:
    return replace(node, re.sub(r"\b\w+\b", lambda word: changes.get(word[0], word[0]), text(node)))
