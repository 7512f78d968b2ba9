"""Bodies that go through a collection: sums, counts, searches, selections, groupings, removals."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from random import Random

from hrm_ray.collect.synthetic.drafts import Draft, block, error, uses, with_error
from hrm_ray.collect.synthetic.grammar import Said, Scope, Value, condition, fields_of, literal, phrase
from hrm_ray.collect.synthetic.tree import Struct, Variable
from hrm_ray.collect.synthetic.vocabulary import camel, number, plural, words


@dataclass(frozen=True)
class Loop:
    """A `for range` over a collection; `inner` has the element's values in reach."""

    many: Value
    key: str
    element: str
    struct: Struct | None
    inner: Scope
    parameters: tuple[Variable, ...]

    def lines(self, body: list[str]) -> list[str]:
        """The loop around `body`, with blanks for the variables that it does not use."""
        key = self.key if uses(body, self.key) else "_"
        element = self.element if uses(body, self.element) else "_"
        names = key if element == "_" else f"{key}, {element}"
        return block(f"for {names} := range {self.many.code}" if names != "_" else f"for range {self.many.code}", body)

    @property
    def each(self) -> str:
        """The element's type in Go."""
        return f"*{self.struct.name}" if self.struct else _element_type(self.many.type)


def _element_type(kind: str) -> str:
    return kind.removeprefix("[]") if kind.startswith("[]") else kind.split("]", 1)[1]


def open_loop(scope: Scope, structs_only: bool = False) -> Loop | None:
    """A loop over a collection in reach, or over a new parameter; None where the package has no struct to hold."""
    known = [value for value in scope.values if value.type.startswith(("[]", "map[string]"))]
    if structs_only:
        known = [value for value in known if "*" in value.type]
    added: tuple[Variable, ...] = ()
    if known and scope.rng.random() < 0.8:
        many = scope.rng.choice(known)
    else:
        made = _parameter(scope, structs_only)
        if made is None:
            return None
        added, many = (made,), Value(made.name, made.type, words(made.name))
    kind = _element_type(many.type)
    struct = scope.package.struct(kind) if "*" in kind else None
    if "*" in kind and struct is None:
        return None
    stem = words(kind.lstrip("*")).split() if struct else ["item", "entry", "value", words(many.words).split()[0]]
    key = scope.named("key", "id", "position") if many.type.startswith("map") else scope.named("i", "at", "index")
    element = scope.named(stem[-1], stem[0], stem[0][0], camel(*stem))
    values = fields_of(struct, element) if struct else [Value(element, kind, stem[0])]
    outer = [value for value in scope.values if value.type in {"int", "string"}]
    return Loop(many, key, element, struct, scope.inner([*values, *values, *outer]), added)


def _parameter(scope: Scope, structs_only: bool) -> Variable | None:
    if structs_only or scope.rng.random() < 0.7:
        if not scope.package.structs:
            return None
        struct = scope.rng.choice(scope.package.structs)
        name = scope.named(plural(camel(struct.name)), plural(words(struct.name).split()[-1]), "items")
        return Variable(name, scope.rng.choice(["[]*", "[]*", "map[string]*"]) + struct.name)
    kind = scope.rng.choice(["[]string", "[]int", "map[string]int"])
    noun = scope.rng.choice(scope.domain.strings if kind == "[]string" else scope.domain.ints)
    return Variable(scope.named(plural(noun), plural(noun) + "List"), kind)


def _filter(loop: Loop, share: float) -> tuple[list[str], str]:
    said = condition(loop.inner) if loop.inner.rng.random() < share else None
    if said is None:
        return [], ""
    return block(f"if {said.code}", ["continue"]), f", skipping those where {said.words}"


def _things(loop: Loop) -> str:
    return loop.many.words if loop.many.words != "items" else plural(words(loop.each.lstrip("*")))


def fold(scope: Scope) -> Draft | None:
    """Sum a number of the elements."""
    loop = open_loop(scope)
    if loop is None:
        return None
    value = loop.inner.pick("int", "float64")
    if value is None or not uses([value.code], loop.element):
        return None
    rng, total = scope.rng, scope.named("total", "sum", "acc", "tally", "result")
    skip, said = _filter(loop, 0.75)
    factor = f" * {number(rng)}" if rng.random() < 0.4 else ""
    start = literal(scope, value.type).code if rng.random() < 0.25 else "0"
    start = f"{float(start)}" if value.type == "float64" else start
    lines = [f"{total} := {start}", *loop.lines([*skip, f"{total} += {value.code}{factor}"])]
    cap = ""
    if rng.random() < 0.45:
        bound = literal(scope, value.type).code
        lines += block(f"if {total} > {bound}", [f"{total} = {bound}"])
        cap = f", up to {bound}"
    scaled = f" times{factor[2:]}" if factor else ""
    summary = f"adds up {value.words}{scaled} over {_things(loop)}{said}{cap}"
    draft = Draft(("sum", "total", "tally"), value.words.title().replace(" ", ""), (value.type,),
                  (*lines, f"return {total}"), summary, loop.parameters)  # fmt: skip
    return with_error(rng, draft, 0.3)


def count(scope: Scope) -> Draft | None:
    """Count the elements that meet a condition."""
    loop = open_loop(scope)
    said = condition(loop.inner) if loop else None
    if loop is None or said is None:
        return None
    name = scope.named("count", "matches", "hits", "seen", "n")
    step = f"{name} += {number(scope.rng)}" if scope.rng.random() < 0.2 else f"{name}++"
    skip, but = _filter(loop, 0.4)
    lines = [f"{name} := 0", *loop.lines([*skip, *block(f"if {said.code}", [step])]), f"return {name}"]
    draft = Draft(("count", "tally", "measure"), _thing(loop), ("int",), tuple(lines),
                  f"counts {_things(loop)} where {said.words}{but}", loop.parameters)  # fmt: skip
    return with_error(scope.rng, draft, 0.3)


def decide(scope: Scope) -> Draft | None:
    """Tell whether any element, or every one, meets a condition."""
    loop = open_loop(scope)
    said = condition(loop.inner) if loop else None
    if loop is None or said is None:
        return None
    skip, but = _filter(loop, 0.5)
    found = scope.rng.choice(["true", "false"])
    lines = [*loop.lines([*skip, *block(f"if {said.code}", [f"return {found}"])])]
    lines.append(f"return {'false' if found == 'true' else 'true'}")
    told = "any has" if found == "true" else "none of them has"
    summary = f"reports whether, of {_things(loop)}, {told} {said.words}{but}"
    return Draft(("has", "needs", "allows"), _thing(loop), ("bool",), tuple(lines), summary, loop.parameters)


def select(scope: Scope) -> Draft | None:
    """Collect elements, or a text made of each."""
    loop = open_loop(scope)
    if loop is None:
        return None
    name = scope.named("out", "selected", "result", "kept", "matching")
    made = phrase(loop.inner) if loop.struct is None or scope.rng.random() < 0.5 else Said(loop.element, "each")
    kind = "[]string" if made.code != loop.element else f"[]{loop.each}"
    if loop.struct is None and made.code == loop.element:
        return None
    skip, said = _filter(loop, 0.85)
    begin = scope.rng.choice([f"var {name} {kind}", f"{name} := {kind}{{}}"])
    lines = [begin, *loop.lines([*skip, f"{name} = append({name}, {made.tight})"])]
    if kind == "[]string" and scope.rng.random() < 0.4:
        lines.append(f"sort.Strings({name})")
    summary = f"returns {made.words} of {_things(loop)}{said}"
    draft = Draft(("list", "select", "collect", "filter"), _thing(loop), (kind,), (*lines, f"return {name}"), summary,
                  loop.parameters)  # fmt: skip
    return with_error(scope.rng, draft, 0.3)


def group(scope: Scope) -> Draft | None:
    """Group the elements by one of their strings."""
    loop = open_loop(scope, structs_only=True)
    by = loop.inner.pick("string") if loop else None
    if loop is None or by is None or not uses([by.code], loop.element):
        return None
    name = scope.named("groups", "index", "lookup", "counts", camel("by", by.words.split()[-1]))
    skip, said = _filter(loop, 0.7)
    number_of = loop.inner.pick("int")
    if number_of is not None and scope.rng.random() < 0.5:
        kind, step, told = "map[string]int", f"{name}[{by.code}] += {number_of.code}", f"{number_of.words} per"
    else:
        kind, told = f"map[string][]{loop.each}", f"{_things(loop)} by"
        step = f"{name}[{by.code}] = append({name}[{by.code}], {loop.element})"
    lines = (f"{name} := make({kind})", *loop.lines([*skip, step]), f"return {name}")
    draft = Draft(("group", "index", "bucket"), _thing(loop), (kind,), lines, f"returns {told} {by.words}{said}",
                  loop.parameters)  # fmt: skip
    return with_error(scope.rng, draft, 0.2)


def search(scope: Scope) -> Draft | None:
    """Return the first element that meets a condition, or an error."""
    loop = open_loop(scope, structs_only=True)
    said = condition(loop.inner) if loop else None
    if loop is None or said is None:
        return None
    skip, but = _filter(loop, 0.4)
    body = [*skip, *block(f"if {said.code}", [f"return {loop.element}, nil"])]
    reason = f"no {words(loop.each.lstrip('*'))} where {said.words}"
    lines = (*loop.lines(body), f"return nil, {error(scope, reason)}")
    return Draft(("find", "lookup", "first"), _thing(loop), (loop.each, "error"), lines,
                 f"returns one of {_things(loop)} where {said.words}{but}", loop.parameters)  # fmt: skip


def best(scope: Scope) -> Draft | None:
    """Return the element with the largest or smallest number."""
    loop = open_loop(scope, structs_only=True)
    value = loop.inner.pick("int", "float64", "time.Duration") if loop else None
    if loop is None or value is None or not uses([value.code], loop.element):
        return None
    name = scope.named("best", "top", "found", "chosen", "winner")
    operator, told = scope.rng.choice([(">", "largest"), ("<", "smallest"), (">=", "last of the largest")])
    held = value.code.replace(f"{loop.element}.", f"{name}.", 1)
    skip, said = _filter(loop, 0.7)
    test = f"if {name} == nil || {value.code} {operator} {held}"
    pass_over = loop.lines([*skip, *block(test, [f"{name} = {loop.element}"])])
    lines = (f"var {name} {loop.each}", *pass_over, f"return {name}")
    summary = f"returns the one of {_things(loop)} with the {told} {value.words}{said}"
    return Draft(("pick", "choose", "best"), _thing(loop), (loop.each,), lines, summary, loop.parameters)


def update(scope: Scope) -> Draft | None:
    """Change a field of the elements that meet a condition; the whole body of the loop is nested."""
    loop = open_loop(scope, structs_only=True)
    said = condition(loop.inner) if loop else None
    value = loop.inner.pick("int", "string", "bool") if loop else None
    if loop is None or said is None or value is None or not uses([value.code], loop.element):
        return None
    new = literal(scope, value.type)
    operator = "+=" if value.type == "int" and scope.rng.random() < 0.5 else "="
    change = f"{value.code} {operator} {new.code}"
    extra = [f"{other.code}++" for other in loop.inner.of("int") if uses([other.code], loop.element)][:1]
    body = [change, *(extra if scope.rng.random() < 0.5 else [])]
    lines = loop.lines(block(f"if {said.code}", body))
    summary = f"sets {value.words} of {_things(loop)} to {new.words} where {said.words}"
    return Draft(("mark", "adjust", "refresh", "reset"), _thing(loop), (), tuple(lines), summary, loop.parameters)


def drop(scope: Scope) -> Draft | None:
    """Delete entries of a map that meet a condition and say how many."""
    maps = [value for value in scope.values if value.type.startswith("map[string]*")]
    loop = open_loop(scope.inner(maps), structs_only=True)
    said = condition(loop.inner) if loop else None
    if loop is None or said is None or not loop.many.type.startswith("map"):
        return None
    name = scope.named("removed", "dropped", "gone", "evicted")
    body = block(f"if {said.code}", [f"delete({loop.many.code}, {loop.key})", f"{name}++"])
    lines = (f"{name} := 0", *loop.lines(body), f"return {name}")
    return Draft(("prune", "drop", "evict", "purge"), _thing(loop), ("int",), lines,
                 f"removes {_things(loop)} where {said.words} and returns how many", loop.parameters)  # fmt: skip


def order(scope: Scope) -> Draft | None:
    """Return a sorted copy, sometimes its head only."""
    loop = open_loop(scope, structs_only=True)
    if loop is None or not loop.many.type.startswith("[]"):
        return None
    value = loop.inner.pick("int", "float64", "string")
    if value is None or not uses([value.code], loop.element):
        return None
    name = scope.named("sorted", "ordered", "ranked")
    left, right = (value.code.replace(loop.element, f"{name}[{at}]", 1) for at in "ij")
    operator, told = scope.rng.choice([("<", "rising"), (">", "falling")])
    lines = [f"{name} := slices.Clone({loop.many.code})", f"sort.Slice({name}, func(i, j int) bool {{",
             f"\treturn {left} {operator} {right}", "})"]  # fmt: skip
    cut = number(scope.rng)
    if scope.rng.random() < 0.6:
        lines += block(f"if len({name}) > {cut}", [f"{name} = {name}[:{cut}]"])
        told = f"{told}, at most {cut}"
    return Draft(("sort", "rank", "order"), _thing(loop), (loop.many.type,), (*lines, f"return {name}"),
                 f"returns {_things(loop)} by {told} {value.words}", loop.parameters)  # fmt: skip


def _thing(loop: Loop) -> str:
    rng: Random = loop.inner.rng
    return rng.choice([plural(words(loop.each.lstrip("*")).split()[-1]), camel(*loop.many.words.split())])


COLLECTION_BODIES: tuple[Callable[[Scope], Draft | None], ...] = (
    fold, count, decide, select, group, search, best, update, drop, order
)  # fmt: skip
