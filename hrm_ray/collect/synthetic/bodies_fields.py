"""Bodies that work on single values: updates, checks, descriptions, registrations, parsing, retries."""

from __future__ import annotations

from collections.abc import Callable

from hrm_ray.collect.synthetic.drafts import Draft, block, error, give_up, parameters, uses
from hrm_ray.collect.synthetic.grammar import (
    Scope,
    Value,
    condition,
    expression,
    fields_of,
    literal,
    phrase,
    total,
    zero,
)
from hrm_ray.collect.synthetic.tree import Variable
from hrm_ray.collect.synthetic.vocabulary import camel, label, number, words


def _settable(scope: Scope) -> list[Value]:
    return [value for value in scope.of("int", "string", "bool", "float64") if "." in value.code]


def _change(scope: Scope, value: Value) -> tuple[str, str]:
    """A statement that changes the value, and what it does."""
    rest = scope.inner(other for other in scope.values if other.code != value.code)
    new = expression(rest, value.type)
    if value.type == "int" and scope.rng.random() < 0.5:
        return f"{value.code} += {new.code}", f"raises {value.words} by {new.words}"
    return f"{value.code} = {new.code}", f"sets {value.words} to {new.words}"


def assign(scope: Scope) -> Draft | None:
    """Change one to three fields; with an error or a bool where a check comes first."""
    if not _settable(scope):
        return None
    rows = parameters(scope, 1, 2, ("int", "string", "string", "bool"))
    scope.results = scope.rng.choice([(), (), ("error",), ("bool",)])
    chosen = scope.rng.sample(_settable(scope), min(len(_settable(scope)), scope.rng.randint(1, 3)))
    changes = [_change(scope, value) for value in chosen]
    lines = [line for line, _ in changes]
    said = condition(scope) if scope.results else None
    if said is not None:
        lines = [*block(f"if {said.code}", [give_up(scope, said.words)]), *lines]
    done = {"error": ["return nil"], "bool": ["return true"]}.get("".join(scope.results), [])
    summary = " and ".join(told for _, told in changes)
    thing = camel(*chosen[0].words.split())
    return Draft(("set", "update", "change", "apply"), thing, scope.results, (*lines, *done), summary, rows)


def nested(scope: Scope) -> Draft | None:
    """Changes that all stand inside one condition, with nothing after it."""
    if not _settable(scope):
        return None
    rows = parameters(scope, 0, 2)
    said = condition(scope)
    if said is None:
        return None
    changes = [_change(scope, scope.rng.choice(_settable(scope))) for _ in range(scope.rng.randint(2, 3))]
    lines = tuple(block(f"if {said.code}", dict.fromkeys(line for line, _ in changes)))
    thing = camel(*scope.rng.choice(_settable(scope)).words.split())
    return Draft(("touch", "tune", "advance"), thing, (), lines, f"{changes[0][1]} where {said.words}", rows)


def check(scope: Scope) -> Draft | None:
    """Refuse by two to four conditions, each with its error."""
    rows = parameters(scope, 0 if scope.values else 2, 2, ("int", "string", "time.Duration"))
    scope.results = ("error",)
    lines: list[str] = []
    told: list[str] = []
    for _ in range(scope.rng.randint(2, 4)):
        said = condition(scope)
        if said is not None and f"if {said.code} {{" not in lines:
            lines += block(f"if {said.code}", [give_up(scope, said.words)])
            told.append(said.words)
    if not told:
        return None
    thing = scope.rng.choice([*scope.domain.nouns, "state", "limits", "input"])
    return Draft(("check", "validate", "verify", "ensure"), thing, ("error",), (*lines, "return nil"),
                 f"refuses it when {' or when '.join(told[:2])}", rows)  # fmt: skip


def describe(scope: Scope) -> Draft | None:
    """A text made of the values, in one expression or piece by piece."""
    rows = parameters(scope, 0 if scope.values else 2, 2, ("string", "int"))
    if scope.rng.random() < 0.4:
        made = phrase(scope)
        lines: tuple[str, ...] = (f"return {made.code}",)
        summary = f"returns {made.words}"
    else:
        name = scope.named("parts", "pieces", "lines", "labels")
        first = phrase(scope)
        body = [f"{name} := []string{{{literal(scope, 'string').code}}}", f"{name} = append({name}, {first.tight})"]
        told = []
        for _ in range(scope.rng.randint(1, 3)):
            said, piece = condition(scope), phrase(scope)
            if said is not None:
                body += block(f"if {said.code}", [f"{name} = append({name}, {piece.tight})"])
                told.append(f"{piece.words} when {said.words}")
        joint = scope.rng.choice([", ", " ", "; ", "/", "|"])
        lines = (*body, f'return strings.Join({name}, "{joint}")')
        summary = f"returns {', '.join([first.words, *told])}, joined by {joint!r}"
    thing = scope.rng.choice(["summary", "label", "title", "key", "line", "caption"])
    return Draft(("format", "render", "describe"), thing, ("string",), lines, summary, rows)


def measure(scope: Scope) -> Draft | None:
    """A number in a few conditional adjustments."""
    rows = parameters(scope, 1, 2, ("int", "int", "string"))
    name = scope.named("result", "value", "computed", "estimate", camel(scope.rng.choice(scope.domain.ints)))
    start = total(scope)
    lines, told = [f"{name} := {start.code}"], [f"starts from {start.words}"]
    for _ in range(scope.rng.randint(1, 3)):
        said = condition(scope)
        if said is not None:
            operator, verb = scope.rng.choice([("+=", "adds"), ("-=", "takes off"), ("*=", "multiplies by")])
            amount = number(scope.rng)
            lines += block(f"if {said.code}", [f"{name} {operator} {amount}"])
            told.append(f"{verb} {amount} when {said.words}")
    thing = scope.rng.choice(scope.domain.ints)
    return Draft(("compute", "estimate", "project"), thing, ("int",), (*lines, f"return {name}"), ", ".join(told), rows)


def register(scope: Scope) -> Draft | None:
    """Put an element into a collection of the receiver, after a check."""
    kinds = [value for value in scope.values if "*" in value.type and value.type.startswith(("[]", "map"))]
    if not kinds:
        return None
    many = scope.rng.choice(kinds)
    kind = many.type.split("*", 1)[1]
    struct = scope.package.struct(kind)
    if struct is None:
        return None
    stem = words(kind).split()
    element = scope.named(stem[-1], stem[0], camel(*stem), "added")
    inner = scope.inner([*fields_of(struct, element), *scope.values])
    inner.results = scope.results = ("error",)
    said = condition(inner)
    key = inner.inner(fields_of(struct, element)).pick("string")
    lines = block(f"if {said.code}", [give_up(inner, said.words)]) if said else []
    if many.type.startswith("map"):
        if key is None:
            return None
        taken = give_up(inner, f"{key.words} is taken")
        lines += block(f"if _, taken := {many.code}[{key.code}]; taken", [taken])
        lines.append(f"{many.code}[{key.code}] = {element}")
    else:
        bound = number(scope.rng)
        lines += block(f"if len({many.code}) >= {bound}", [give_up(inner, f"more than {bound} {many.words}")])
        lines.append(f"{many.code} = append({many.code}, {element})")
    refused = f" unless {said.words}" if said else ""
    return Draft(("add", "register", "attach", "insert"), camel(*stem), ("error",), (*lines, "return nil"),
                 f"puts one more into {many.words}{refused}", (Variable(element, f"*{kind}"),))  # fmt: skip


def parse(scope: Scope) -> Draft | None:
    """Split a text and read a number from it."""
    (source,) = parameters(scope, 1, 1, ("string",))
    scope.results = kinds = scope.rng.choice([("string", "int", "error"), ("int", "error")])
    joint = scope.rng.choice([":", "=", "/", "@", "#", "-"])
    head, tail = scope.named("head", "left", "name", "prefix"), scope.named("tail", "right", "rest", "digits")
    found, value = scope.named("found", "split"), scope.named("value", "parsed", "n", "amount")
    zeros = ", ".join(zero(kind) for kind in kinds[:-1])
    first = scope.inner([Value(source.name, "string", source.name)])
    first.results = kinds
    left = head if len(kinds) == 3 else "_"
    lines = [f'{left}, {tail}, {found} := strings.Cut({source.name}, "{joint}")',
             *block(f"if !{found}", [give_up(first, f"{words(source.name)} lacks {joint}")]),
             f"{value}, err := strconv.Atoi({tail})",
             *block("if err != nil", [f"return {zeros}, err"])]  # fmt: skip
    inner = first.inner([Value(value, "int", words(value))])
    inner.results = kinds
    said = condition(inner)
    if said is not None:
        lines += block(f"if {said.code}", [give_up(inner, said.words)])
    given = total(inner)
    lines.append(f"return {head}, {given.code}, nil" if len(kinds) == 3 else f"return {given.code}, nil")
    limit = f", refusing one where {said.words}" if said else ""
    return Draft(("parse", "decode", "read"), source.name, kinds, tuple(lines),
                 f"splits {words(source.name)} at {joint} and reads a number{limit}", (source,))  # fmt: skip


def retry(scope: Scope) -> Draft | None:
    """Run a function that may fail a number of times."""
    run = Variable(scope.named("run", "attempt", "operation", "do"), "func() error")
    tries, turn = number(scope.rng) % 17 + 2, scope.named("try", "round", "turn")
    pause = literal(scope, "time.Duration")
    wait = f"time.Sleep({pause.code.replace('*', ' * ')})"
    said = condition(scope)
    stop = block(f"if {said.code}", ["break"]) if said else []
    failure = error(scope.inner([]), f"gave up after {tries} tries")
    body = [*block(f"if err := {run.name}(); err == nil", ["return nil"]), *stop, wait]
    lines = (*block(f"for {turn} := 0; {turn} < {tries}; {turn}++", body), f"return {failure}")
    early = f" or until {said.words}" if said else ""
    return Draft(("retry", "repeat", "attempt"), scope.rng.choice(scope.domain.nouns), ("error",), lines,
                 f"runs the operation up to {tries} times{early}, {pause.words} apart", (run,))  # fmt: skip


def switch(scope: Scope) -> Draft | None:
    """Choose a number or a text by the value of a string."""
    rows = () if scope.of("string") else parameters(scope, 1, 1, ("string",))
    subject = scope.pick("string")
    if subject is None:
        return None
    kind = scope.rng.choice(["int", "string"])
    labels = sorted({label(scope.rng, scope.domain) for _ in range(scope.rng.randint(3, 5))})
    lines, told = [f"switch {subject.code} {{"], []
    for each in labels:
        new = literal(scope, kind)
        lines += [f'case "{each}":', f"\treturn {new.code}"]
        told.append(f'{new.words} for "{each}"')
    last = literal(scope, kind)
    lines += ["default:", f"\treturn {last.code}", "}"]
    thing = scope.rng.choice(["class", "grade", "band", "weight", "rank", "color", "share"])
    return Draft(("assign", "choose", "map"), camel(thing, "for", *subject.words.split()), (kind,), tuple(lines),
                 f"returns {', '.join(told[:3])} by {subject.words}", rows)  # fmt: skip


def hand_over(scope: Scope) -> Draft | None:
    """Call a function of the package that returns a value and an error, and go on with the value."""
    callees = [
        each for each in scope.package.code
        if each.receiver is None and len(each.results) == 2 and each.results[1] == "error" and each.results[0] == "int"
    ]  # fmt: skip
    if not callees:
        return None
    from_callee = scope.rng.choice(callees)
    rows = tuple(Variable(scope.named(each.name), each.type) for each in from_callee.parameters)
    value = scope.named("value", "parsed", "loaded", "got1", "outcome")
    scope.results = ("int", "error")
    given = ", ".join(each.name for each in rows)
    lines = [f"{value}, err := {from_callee.name}({given})", *block("if err != nil", ["return 0, err"])]
    inner = scope.inner([*scope.values, Value(value, "int", words(value)), Value(value, "int", words(value))])
    changes = [_change(inner, each) for each in _settable(scope)[:1]]
    lines += [line for line, _ in changes]
    result = total(inner)
    shown = result if uses([*lines[3:], result.code], value) else expression(inner.inner([inner.values[-1]]), "int")
    thing = camel(scope.rng.choice(scope.domain.nouns))
    return Draft(("load", "fetch", "apply"), thing, ("int", "error"), (*lines, f"return {shown.code}, nil"),
                 f"takes the number from {from_callee.name} and returns {shown.words}", rows)  # fmt: skip


FIELD_BODIES: tuple[Callable[[Scope], Draft | None], ...] = (
    assign, assign, nested, check, check, describe, measure, register, register, parse, retry, switch, hand_over
)  # fmt: skip
