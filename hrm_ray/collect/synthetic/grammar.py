"""A small typed grammar of Go expressions and conditions, each with the English that says the same.

Operands of comparisons and arguments of calls are never sums, so that gofmt's spacing rules need no printer here.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from random import Random

from hrm_ray.collect.synthetic.tree import Package, Struct, Variable
from hrm_ray.collect.synthetic.vocabulary import Domain, field_name, fresh, label, number, words


@dataclass(frozen=True)
class Said:
    """A piece of Go and what it means in English."""

    code: str
    words: str

    @property
    def tight(self) -> str:
        """The code as gofmt spaces it among several arguments of a call."""
        return self.code.replace(" + ", "+")


@dataclass(frozen=True)
class Value:
    """An operand: an expression without operators, its Go type, and its name in English."""

    code: str
    type: str
    words: str


@dataclass
class Scope:
    """Where code is being written: the values in reach, the names that are taken, the results to return."""

    rng: Random
    domain: Domain
    package: Package
    values: list[Value]
    results: tuple[str, ...] = ()
    taken: set[str] = field(default_factory=set)

    def of(self, *types: str) -> list[Value]:
        """Values in reach of one of these types."""
        return [value for value in self.values if value.type in types]

    def pick(self, *types: str) -> Value | None:
        """One of them, or None."""
        found = self.of(*types)
        return self.rng.choice(found) if found else None

    def local(self, make: Callable[[], str]) -> str:
        """A new local name."""
        name = fresh(self.rng, self.taken, make)
        self.taken.add(name)
        return name

    def named(self, *choices: str) -> str:
        """A new local name, one of these if one is free."""
        return self.local(lambda: self.rng.choice(choices))

    def inner(self, values: Iterable[Value]) -> Scope:
        """The same place with other values in reach."""
        return Scope(self.rng, self.domain, self.package, list(values), self.results, self.taken)


SCALARS = ("int", "string", "bool", "float64", "time.Duration", "time.Time")
ZEROS = {"int": "0", "string": '""', "bool": "false", "float64": "0", "time.Duration": "0", "time.Time": "time.Time{}"}


def zero(kind: str) -> str:
    """The zero value of a type."""
    return ZEROS.get(kind, "nil")


def fields_of(struct: Struct, holder: str) -> list[Value]:
    """The struct's fields as values `holder.field`; locks are left out."""
    return [
        Value(f"{holder}.{each.name}", each.type, words(each.name))
        for each in struct.fields
        if not each.type.startswith("sync.")
    ]


def variables(rows: Iterable[Variable]) -> list[Value]:
    """Parameters as values."""
    return [Value(each.name, each.type, words(each.name)) for each in rows]


def parameter(scope: Scope, kind: str) -> Variable:
    """A new parameter of a scalar type; from now on it is in reach."""
    short = {"string": ("key", "value", "text", "input"), "int": ("n", "size", "index")}.get(kind, ())
    rng, domain = scope.rng, scope.domain
    name = scope.local(lambda: rng.choice(short) if short and rng.random() < 0.15 else field_name(rng, domain, kind))
    scope.values.append(Value(name, kind, words(name)))
    return Variable(name, kind)


def literal(scope: Scope, kind: str) -> Said:
    """A constant of a scalar type."""
    rng = scope.rng
    if kind == "string":
        word = label(rng, scope.domain)
        return Said(f'"{word}"', f'"{word}"')
    if kind == "float64":
        share = rng.randrange(1, 400) / rng.choice([4, 10, 20, 100])
        return Said(f"{share:g}", f"{share:g}")
    if kind == "time.Duration":
        count, unit = number(rng), rng.choice(["Second", "Minute", "Millisecond"])
        return Said(f"{count}*time.{unit}", f"{count} {unit.lower()}s")
    if kind == "bool":
        word = rng.choice(["true", "false"])
        return Said(word, word)
    value = str(number(rng))
    return Said(value, value)


_ORDER = {">": "above", ">=": "at least", "<": "below", "<=": "at most"}
_NEGATED = {">": "<=", ">=": "<", "<": ">=", "<=": ">", "==": "!=", "!=": "=="}


def compare(scope: Scope, value: Value) -> Said:
    """An ordering of a number against a literal or against another value of its type."""
    operator, said = scope.rng.choice(list(_ORDER.items()))
    others = [other for other in scope.of(value.type) if other.code != value.code]
    if value.type == "int":
        named = [name for name, given in scope.package.constants.items() if given.isdigit()]
        others += [Value(name, "int", words(name)) for name in named[:6]]
    if others and scope.rng.random() < 0.35:
        other = scope.rng.choice(others)
        return Said(f"{value.code} {operator} {other.code}", f"{value.words} is {said} {other.words}")
    constant = literal(scope, value.type)
    return Said(f"{value.code} {operator} {constant.code}", f"{value.words} is {said} {constant.words}")


def _of_string(scope: Scope, value: Value) -> Said:
    rng, word = scope.rng, label(scope.rng, scope.domain)
    other = rng.choice([each for each in scope.of("string") if each.code != value.code] or [value])
    count = number(rng)
    choices = [
        Said(f'{value.code} == ""', f"{value.words} is empty"),
        Said(f'{value.code} == "{word}"', f'{value.words} is "{word}"'),
        Said(f'{value.code} != "{word}"', f'{value.words} is not "{word}"'),
        Said(f'strings.HasPrefix({value.code}, "{word}")', f'{value.words} starts with "{word}"'),
        Said(f'strings.HasSuffix({value.code}, "{word}")', f'{value.words} ends with "{word}"'),
        Said(f'strings.Contains({value.code}, "{word}")', f'{value.words} contains "{word}"'),
        Said(f'!strings.Contains({value.code}, "{word}")', f'{value.words} lacks "{word}"'),
        Said(f"len({value.code}) > {count}", f"{value.words} is longer than {count}"),
    ]
    if other is not value:
        choices.append(Said(f"{value.code} == {other.code}", f"{value.words} equals {other.words}"))
        choices.append(Said(f"strings.EqualFold({value.code}, {other.code})", f"{value.words} matches {other.words}"))
    return rng.choice(choices)


def _of_time(scope: Scope, value: Value) -> Said:
    span = literal(scope, "time.Duration")
    choices = [
        Said(f"{value.code}.IsZero()", f"{value.words} is not set"),
        Said(f"time.Since({value.code}) > {span.code}", f"{value.words} is more than {span.words} ago"),
        Said(f"time.Until({value.code}) < {span.code}", f"{value.words} is less than {span.words} away"),
    ]
    return scope.rng.choice(choices)


def _of_many(scope: Scope, value: Value) -> Said:
    count = number(scope.rng)
    choices = [
        Said(f"len({value.code}) == 0", f"there are no {value.words}"),
        Said(f"len({value.code}) > {count}", f"there are more than {count} {value.words}"),
        Said(f"len({value.code}) < {count}", f"there are fewer than {count} {value.words}"),
    ]
    return scope.rng.choice(choices)


def predicate(scope: Scope, value: Value) -> Said:
    """A condition on one value of any type."""
    if value.type in {"int", "float64", "time.Duration"}:
        return compare(scope, value)
    if value.type == "string":
        return _of_string(scope, value)
    if value.type == "time.Time":
        return _of_time(scope, value)
    if value.type == "bool":
        negated = scope.rng.random() < 0.5
        return Said(f"!{value.code}" if negated else value.code, f"{value.words} is {'not ' * negated}set")
    if value.type.startswith(("[]", "map[")):
        return _of_many(scope, value)
    return Said(f"{value.code} == nil", f"{value.words} is missing")


def condition(scope: Scope) -> Said | None:
    """A condition on the values in reach, sometimes of two parts; None where nothing is in reach."""
    testable = [value for value in scope.values if value.type in SCALARS or value.type.startswith(("[]", "map["))]
    if not testable:
        return None
    subject = scope.rng.choice(testable)
    first = predicate(scope, subject)
    others = [value for value in testable if value.code not in first.code]
    if not others or scope.rng.random() < 0.72:
        return first
    second = predicate(scope, scope.rng.choice(others))
    operator, said = scope.rng.choice([("&&", "and"), ("||", "or")])
    return Said(f"{first.code} {operator} {second.code}", f"{first.words} {said} {second.words}")


def negate(code: str) -> str:
    """The negation of a condition that `condition` may have written."""
    for joint, other in ((" && ", "||"), (" || ", "&&")):
        if joint in code:
            return f" {other} ".join(negate(part) for part in code.split(joint))
    for operator, other in _NEGATED.items():
        if f" {operator} " in code:
            return code.replace(f" {operator} ", f" {other} ")
    return code[1:] if code.startswith("!") else f"!{code}"


def total(scope: Scope) -> Said:
    """An integer expression to stand alone on the right of `=` or after `return`."""
    rng = scope.rng
    value = scope.pick("int")
    if value is None:
        return literal(scope, "int")
    count, other = number(rng), scope.pick("int") or value
    choices = [
        value_said(value),
        Said(f"{value.code} + {count}", f"{value.words} plus {count}"),
        Said(f"{value.code} - {count}", f"{value.words} less {count}"),
        Said(f"{value.code} * {count}", f"{value.words} times {count}"),
        Said(f"{value.code} / {count}", f"{value.words} over {count}"),
        Said(f"{value.code} % {count}", f"{value.words} modulo {count}"),
        Said(f"min({value.code}, {count})", f"{value.words}, at most {count}"),
        Said(f"max({value.code}, {count})", f"{value.words}, at least {count}"),
        Said(f"{value.code}*{count} + {number(rng)}", f"{value.words} scaled by {count}"),
    ]
    if other is not value:
        choices.append(Said(f"{value.code} + {other.code}", f"{value.words} plus {other.words}"))
        choices.append(Said(f"max({value.code}, {other.code})", f"the larger of {value.words} and {other.words}"))
        choices.append(Said(f"{value.code} - {other.code}*{count}", f"{value.words} less {count} {other.words}"))
    return rng.choice(choices)


_VERBS = {"int": "%d", "string": "%s", "float64": "%.2f", "bool": "%t", "time.Duration": "%s"}


def phrase(scope: Scope) -> Said:
    """A string expression to stand alone, usually formatted from several values."""
    rng = scope.rng
    shown = [value for value in scope.values if value.type in _VERBS]
    value = scope.pick("string")
    if value is not None and rng.random() < 0.4:
        word = label(rng, scope.domain)
        choices = [
            Said(f"strings.ToLower({value.code})", f"{value.words} in lower case"),
            Said(f"strings.TrimSpace({value.code})", f"{value.words} trimmed"),
            Said(f'strings.TrimPrefix({value.code}, "{word}")', f'{value.words} without "{word}"'),
            Said(f'strings.ReplaceAll({value.code}, "{word}", "-")', f'{value.words} with "{word}" dashed'),
            Said(f'"{word}:" + {value.code}', f'"{word}" and {value.words}'),
            Said(f'{value.code} + "/{word}"', f'{value.words} under "{word}"'),
        ]
        return rng.choice(choices)
    if not shown:
        return literal(scope, "string")
    picked = rng.sample(shown, min(len(shown), rng.randrange(1, 4)))
    joint = rng.choice([" ", "/", ", ", "-", ":"])
    parts = [f"{each.words}={_VERBS[each.type]}" if rng.random() < 0.5 else _VERBS[each.type] for each in picked]
    codes = ", ".join(each.code for each in picked)
    start = rng.choice(["", label(rng, scope.domain) + joint])
    return Said(f'fmt.Sprintf("{start}{joint.join(parts)}", {codes})', " and ".join(each.words for each in picked))


def value_said(value: Value) -> Said:
    """The value itself."""
    return Said(value.code, value.words)


def expression(scope: Scope, kind: str) -> Said:
    """An expression of a scalar type, to stand alone."""
    if kind == "int":
        return total(scope)
    if kind == "string":
        return phrase(scope)
    if kind == "bool":
        return condition(scope) or literal(scope, "bool")
    if kind == "time.Time":
        return Said("time.Now()", "the current time")
    value = scope.pick(kind)
    if value is not None and scope.rng.random() < 0.6:
        return value_said(value)
    constant = literal(scope, kind)
    return Said(constant.code.replace("*", " * "), constant.words)


def argument(scope: Scope, kind: str) -> Said:
    """An argument of any type: a value in reach, else a literal or the zero value."""
    value = scope.pick(kind)
    if value is not None and (kind not in SCALARS or scope.rng.random() < 0.7):
        return value_said(value)
    if kind == "context.Context":
        return Said("context.Background()", "the background context")
    if kind == "time.Time":
        return Said("time.Now()", "the current time")
    if kind == "time.Duration":
        unit = scope.rng.choice(["Second", "Minute", "Hour"])
        return Said(f"time.{unit}", f"one {unit.lower()}")
    return literal(scope, kind) if kind in SCALARS else Said(zero(kind), "nothing")
