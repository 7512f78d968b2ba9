from __future__ import annotations

from random import Random

import pytest

from hrm_ray.collect.synthetic.grammar import SCALARS, Scope, Value, condition, expression, negate
from hrm_ray.collect.synthetic.tree import Package, parse
from hrm_ray.collect.synthetic.vocabulary import DOMAINS, RESERVED, field_name, fresh, plural, words


def scope(seed: int) -> Scope:
    values = [
        Value(f"s.{kind[-3:].lower()}{n}", kind, f"word {n}") for n, kind in enumerate((*SCALARS, "[]int", "int"))
    ]
    return Scope(Random(seed), DOMAINS[seed % len(DOMAINS)], Package("a", {}), values)


@pytest.mark.parametrize(
    ("code", "negated"),
    [
        ("a > 3", "a <= 3"),
        ("a != b && !c", "a == b || c"),
        ('strings.Contains(a, "x")', '!strings.Contains(a, "x")'),
        ("len(a) == 0 || a.b", "len(a) != 0 && !a.b"),
    ],
)
def test_negations(code: str, negated: str) -> None:
    assert negate(code) == negated
    assert negate(negated) == code


def test_conditions_and_expressions_parse_and_vary() -> None:
    made = set()
    for seed in range(300):
        said = condition(scope(seed))
        assert said is not None
        values = [expression(scope(seed), kind).code for kind in SCALARS]
        body = "".join(f"\tx = {each}\n" for each in [*values, negate(said.code)])
        source = f"package a\n\nfunc f() {{\n\tif {said.code} {{\n\t}}\n{body}}}\n"
        assert not parse(source).has_error, source
        made.add(said.code)
    assert len(made) > 200


def test_names_are_fresh_and_allowed() -> None:
    rng = Random(1)
    taken = {"a", "b"}
    assert fresh(rng, taken, lambda: rng.choice("ab"))[:1] in taken
    assert fresh(rng, taken, lambda: rng.choice("ab")) not in taken
    names = {field_name(rng, domain, kind) for domain in DOMAINS for kind in SCALARS for _ in range(20)}
    assert all(name.isidentifier() and name[0].islower() for name in names)
    assert {"range", "copy", "err"} <= RESERVED


def test_english() -> None:
    assert words("maxRetries") == "max retries"
    assert [plural(noun) for noun in ("box", "entry", "day", "lane")] == ["boxes", "entries", "days", "lanes"]
