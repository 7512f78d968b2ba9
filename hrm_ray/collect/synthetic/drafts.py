"""How a function is written: its body as a draft, the statements that any body may open with, its final text."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from random import Random

from hrm_ray.collect.synthetic.grammar import (
    Scope,
    argument,
    condition,
    expression,
    fields_of,
    parameter,
    zero,
)
from hrm_ray.collect.synthetic.tree import Function, Package, Struct, Variable
from hrm_ray.collect.synthetic.vocabulary import Domain, action, camel, fresh, number, upper, words


@dataclass(frozen=True)
class Draft:
    """A function without its name: `summary` completes "It ...", `thing` is what the name is about."""

    verbs: tuple[str, ...]
    thing: str
    results: tuple[str, ...]
    lines: tuple[str, ...]
    summary: str
    parameters: tuple[Variable, ...] = ()


@dataclass(frozen=True)
class Written:
    """A finished declaration with its doc comment; `label` is `Type.Name` for a method."""

    name: str
    label: str
    text: str
    summary: str
    details: tuple[str, ...] = ()


@dataclass(frozen=True)
class Place:
    """Where a declaration is to be written: the package, and the struct whose method it will be (None: a function)."""

    rng: Random
    domain: Domain
    package: Package
    owner: Struct | None = None


def indent(lines: Iterable[str]) -> list[str]:
    """Lines one level deeper."""
    return [f"\t{line}" if line else "" for line in lines]


def block(head: str, lines: Iterable[str]) -> list[str]:
    """`head {` lines `}`."""
    return [f"{head} {{", *indent(lines), "}"]


def uses(lines: Iterable[str], name: str) -> bool:
    """Whether the lines mention the identifier, other than as a field or within a text."""
    return any(re.search(rf"(?<!\.)\b{name}\b", re.sub(r'"[^"]*"', '""', line)) for line in lines)


def receiver_name(package: Package, struct: Struct) -> str:
    """The name that the struct's methods already use, else one made from its own."""
    for each in package.functions:
        if each.receiver and each.receiver.type == struct.name:
            return each.receiver.name
    parts = re.findall(r"[A-Z][a-z0-9]*", struct.name)
    choices = [parts[0][0], "".join(part[0] for part in parts), parts[-1], parts[0][:3], parts[-1][:4], struct.name]
    name = choices[sum(map(ord, struct.name)) % len(choices)]
    return fresh(Random(struct.name), package.names, lambda: camel(name) if len(name) > 1 else name.lower())


def new_scope(place: Place) -> Scope:
    """The values that a new function's body has in reach: its receiver's fields, or one to three parameters."""
    scope = Scope(place.rng, place.domain, place.package, [], (), _globals(place.package))
    if place.owner is not None:
        holder = receiver_name(place.package, place.owner)
        scope.taken.add(holder)
        scope.values += fields_of(place.owner, holder)
    return scope


def _globals(package: Package) -> set[str]:
    """Package-level names: a local of the same name would hide them."""
    return {each.name for each in package.functions if each.receiver is None} | set(package.constants)


def parameters(scope: Scope, low: int, high: int, kinds: tuple[str, ...] = ("int", "string")) -> tuple[Variable, ...]:
    """New scalar parameters, put in reach."""
    count = scope.rng.randint(low, high)
    return tuple(parameter(scope, scope.rng.choice(kinds)) for _ in range(count))


def error(scope: Scope, said: str) -> str:
    """An error value whose message holds `said`, sometimes with a value of the place."""
    shown = scope.pick("string", "int")
    verb = scope.rng.choice(["", "", scope.rng.choice(scope.domain.verbs) + ": "])
    said = said.replace('"', "'")
    if shown is None or scope.rng.random() < 0.5:
        return f'errors.New("{verb}{said}")'
    mark = "%d" if shown.type == "int" else scope.rng.choice(["%q", "%s"])
    return f'fmt.Errorf("{verb}{said}: {mark}", {shown.code})'


def give_up(scope: Scope, said: str) -> str:
    """The return statement of a failed check: an error that says why where the function can return one."""
    if not scope.results:
        return "return"
    if scope.results[-1] != "error":
        return f"return {', '.join(zero(kind) for kind in scope.results)}"
    return f"return {', '.join([*(zero(kind) for kind in scope.results[:-1]), error(scope, said)])}"


def _guard(scope: Scope) -> tuple[list[str], str] | None:
    said = condition(scope)
    if said is None:
        return None
    return block(f"if {said.code}", [give_up(scope, said.words)]), f"gives up when {said.words}"


def _clamp(scope: Scope) -> tuple[list[str], str] | None:
    value = scope.pick("int")
    if value is None:
        return None
    bound = number(scope.rng)
    operator, said = scope.rng.choice([(">", "above"), ("<", "below")])
    lines = block(f"if {value.code} {operator} {bound}", [f"{value.code} = {bound}"])
    return lines, f"replaces {value.words} {said} {bound} by {bound}"


def _default(scope: Scope) -> tuple[list[str], str] | None:
    value = scope.pick("string")
    if value is None:
        return None
    fallback = expression(scope.inner(other for other in scope.values if other.code != value.code), "string")
    lines = block(f'if {value.code} == ""', [f"{value.code} = {fallback.code}"])
    return lines, f"fills an empty {value.words} with {fallback.words}"


def _delegate(scope: Scope) -> tuple[list[str], str] | None:
    """Call a function of the package that only returns an error, and pass that on."""
    if not scope.results or scope.results[-1] != "error":
        return None
    callees = [each for each in scope.package.code if each.results == ("error",) and each.receiver is None]
    if not callees:
        return None
    callee = scope.rng.choice(callees)
    call = call_of(scope, callee)
    zeros = [zero(kind) for kind in scope.results[:-1]]
    wrapped = f'fmt.Errorf("{words(callee.name)}: %w", err)' if scope.rng.random() < 0.3 else "err"
    back = f"return {', '.join([*zeros, wrapped])}"
    return block(f"if err := {call}; err != nil", [back]), f"relies on {callee.name}"


def _measure(scope: Scope) -> tuple[list[str], str] | None:
    """Call a function of the package for a number, and guard on it."""
    callees = [each for each in scope.package.code if each.results == ("int",) and each.receiver is None]
    if not callees:
        return None
    callee = scope.rng.choice(callees)
    call = call_of(scope, callee)
    name = scope.named("measured", "computed", "current", camel(words(callee.name).split()[-1]))
    bound = number(scope.rng)
    reason = f"{words(callee.name)} is above {bound}"
    return [f"{name} := {call}", *block(f"if {name} > {bound}", [give_up(scope, reason)])], f"gives up when {reason}"


def call_of(scope: Scope, callee: Function) -> str:
    """A call of a function of the package with arguments in reach."""
    arguments = ", ".join(argument(scope, each.type).code for each in callee.parameters)
    return f"{callee.name}({arguments})"


_OPENINGS: tuple[Callable[[Scope], tuple[list[str], str] | None], ...] = (
    _guard, _guard, _clamp, _default, _delegate, _delegate, _measure, _measure
)  # fmt: skip


def openings(scope: Scope, draft: Draft) -> list[tuple[list[str], str]]:
    """Up to two statements for the body to open with, each with what it does."""
    scope.results = draft.results
    many = scope.rng.choice([0, 0, 1, 1, 2])
    return [made for made in (scope.rng.choice(_OPENINGS)(scope) for _ in range(many)) if made]


def finish(place: Place, scope: Scope, draft: Draft, opening: list[tuple[list[str], str]]) -> Written:
    """The declaration: a name, a doc comment, the opening statements and the draft's body."""
    rng, domain = place.rng, place.domain
    exported = place.owner is not None or rng.random() < 0.6
    name = function_name(place, scope.taken, exported, lambda: action(rng, domain, draft.verbs, draft.thing))
    lines = [line for added, _ in opening for line in added] + list(draft.lines)
    details = tuple(said for _, said in opening)
    text = "\n".join([*comment(name, draft.summary, details), *block(_head(place, name, draft), lines)]) + "\n"
    label = f"{place.owner.name}.{name}" if place.owner else name
    return Written(name, label, text, draft.summary, details)


def comment(name: str, summary: str, details: tuple[str, ...] = ()) -> list[str]:
    """A doc comment of at most 100 columns a line."""
    sentences = f"{name} {summary}." + "".join(f" It {said}." for said in details)
    lines, line = [], "//"
    for word in sentences.split(" "):
        if len(line) + len(word) > 99:
            lines.append(line)
            line = "//"
        line += f" {word}"
    return [*lines, line]


def function_name(place: Place, taken: set[str], exported: bool, make: Callable[[], str]) -> str:
    """A new function's name that differs from every other by more than its first letter: their tests would clash."""
    avoided = {upper(name) for name in place.package.names | taken}
    name = fresh(place.rng, avoided, make)
    return name if exported else camel(name)


def _head(place: Place, name: str, draft: Draft) -> str:
    rows = ", ".join(f"{each.name} {each.type}" for each in draft.parameters)
    receiver = f"({receiver_name(place.package, place.owner)} *{place.owner.name}) " if place.owner else ""
    return f"func {receiver}{name}({rows}){result_list(draft.results)}"


def result_list(results: tuple[str, ...]) -> str:
    """Results as they stand in a signature, with the space before them."""
    if not results:
        return ""
    return f" {results[0]}" if len(results) == 1 else f" ({', '.join(results)})"


def with_error(rng: Random, draft: Draft, share: float) -> Draft:
    """Sometimes the same draft with an error as second result; its only `return` must be its last line."""
    if rng.random() >= share:
        return draft
    *lines, last = draft.lines
    return replace(draft, results=(*draft.results, "error"), lines=(*lines, f"{last}, nil"))
