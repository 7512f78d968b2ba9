from __future__ import annotations

import re
from functools import cache
from random import Random

import pytest

from hrm_ray.collect.synthetic.drafts import Place
from hrm_ray.collect.synthetic.edits import EDITS, Applied, apply, apply_any
from hrm_ray.collect.synthetic.layout import tidy
from hrm_ray.collect.synthetic.packages import new_package
from hrm_ray.collect.synthetic.requests import changed_files
from hrm_ray.collect.synthetic.tree import Package, parse
from hrm_ray.collect.synthetic.vocabulary import DOMAINS
from hrm_ray.collect.synthetic.wording import BODIES, TITLES, body, title


@cache
def grown(seed: int) -> Place:
    """A package after some edits, so that every kind has something to work on."""
    rng = Random(f"edits {seed}")
    place = Place(rng, DOMAINS[seed % len(DOMAINS)], new_package(rng, DOMAINS[seed % len(DOMAINS)], "shop"))
    for _ in range(12):
        place = Place(rng, place.domain, apply_any(place).package)
    return place


def first(kind: str, seed: int) -> Applied | None:
    place = grown(seed)
    return apply(kind, Place(Random(f"{kind} {seed}"), place.domain, place.package))


@pytest.mark.parametrize("kind", EDITS)
def test_every_kind_changes_packages_into_tidy_ones(kind: str) -> None:
    made = [(seed, applied) for seed in range(12) if (applied := first(kind, seed)) is not None]
    assert len(made) >= 2
    for seed, applied in made:
        before, after = grown(seed).package.files, applied.package.files
        assert before != after
        for source in after.values():
            assert not parse(source).has_error, source
            assert tidy(source) == source
        for said in (*TITLES[kind], *BODIES[kind]):
            assert "{" not in said.format_map(dict.fromkeys(applied.facts, "x"))


def test_the_wording_covers_the_edits() -> None:
    assert set(TITLES) == set(BODIES) == set(EDITS)
    assert len(EDITS) >= 12


def written(kind: str) -> list[tuple[dict[str, str], str, Package]]:
    """(facts, added lines, package after) of an edit of this kind in many packages."""
    found = []
    for seed in range(12):
        applied = first(kind, seed)
        if applied is not None:
            files = changed_files(grown(seed).package.files, applied.package.files)
            lines = [line[1:] for file in files for line in file.patch.splitlines() if line.startswith("+")]
            found.append((applied.facts, "\n".join(lines), applied.package))
    assert found
    return found


def test_a_parameter_reaches_every_call() -> None:
    called = 0
    for facts, lines, package in written("add_parameter"):
        name = facts["label"].split(".")[-1]
        function = next(each for each in package.code if each.label == facts["label"])
        assert function.parameters[-1].name == facts["name"]
        assert facts["name"] in lines
        for _, call in package.calls(name):
            arguments = call.child_by_field_name("arguments")
            assert arguments is not None
            assert len(arguments.named_children) == len(function.parameters)
            called += 1
    assert called


def test_a_rename_leaves_no_trace_of_the_old_name() -> None:
    for facts, _, package in written("rename"):
        if facts["kind"] != "field":
            assert facts["old"] not in package.names
            assert not any(re.search(rf"\b{facts['old']}\b", source) for source in package.files.values())
        assert facts["new"] in package.names


def test_the_title_holds_what_the_code_needs() -> None:
    for facts, lines, _ in written("name_number"):
        assert f"{facts['name']} " in lines
        assert facts["value"] in lines
    for facts, lines, _ in written("wrap_error"):
        assert facts["message"] in lines
        assert "%w" in lines
    for facts, lines, _ in written("guard_field"):
        assert f"{facts['lock']} " in lines
        assert "Lock()" in lines
    for _, lines, _ in written("thread_context"):
        assert "ctx context.Context" in lines
    for facts, _, package in written("return_error"):
        assert next(each for each in package.code if each.label == facts["label"]).fails


def test_an_early_return_takes_one_level_of_nesting_away() -> None:
    for facts, lines, package in written("early_return"):
        function = next(each for each in package.code if each.label == facts["label"])
        assert facts["leaves"] in lines
        assert f"if {facts['condition']} {{" not in lines
        assert function.body is not None


def test_styles_and_bodies() -> None:
    facts = {"label": "Cart.Add", "name": "line", "type": "*Line", "reason": "no line given"}
    edits = [("nil_check", facts)]
    assert title(Random(1), "conventional", "carts", edits).startswith("fix(carts): ")
    assert title(Random(1), "package", "carts", edits).startswith("carts: ")
    assert "; " in title(Random(1), "plain", "carts", edits * 2)
    bodies = [body(Random(seed), edits) for seed in range(500)]
    assert 0.33 < sum(not each for each in bodies) / 500 < 0.47
    assert "- " in next(each for seed in range(9) if (each := body(Random(seed), edits * 2)))


def test_functions_differ_by_more_than_their_first_letter() -> None:
    for seed in range(12):
        names = [each.name for each in grown(seed).package.functions if each.receiver is None]
        assert len({name[0].upper() + name[1:] for name in names}) == len(names)
