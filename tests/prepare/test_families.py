"""A fork and its source are one family, however that is known."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from hrm_ray.prepare.families import families

names = st.sampled_from("abcdefgh")
pairs = st.lists(st.tuples(names, names), max_size=12)


def test_strangers_are_families_of_their_own() -> None:
    assert families(["b/x", "a/x"], [], [("b/x", "1"), ("a/x", "2")]) == {"a/x": "a/x", "b/x": "b/x"}


def test_a_fork_joins_its_source_though_that_is_not_there() -> None:
    found = families(["b/x", "c/x", "d/y"], [("b/x", "a/x"), ("c/x", "a/x")], [])
    assert found["b/x"] == found["c/x"] == "a/x"
    assert found["d/y"] == "d/y"


def test_one_commit_in_two_repositories_makes_them_relatives() -> None:
    assert families(["b/x", "a/y"], [], [("b/x", "1"), ("a/y", "1")]) == {"b/x": "a/y", "a/y": "a/y"}


def test_capitals_make_no_other_repository() -> None:
    found = families(["Acme/Rocket", "acme/rocket", "zoo/fork"], [("zoo/fork", "ACME/rocket")], [])
    assert {found[name] for name in ("Acme/Rocket", "acme/rocket", "zoo/fork")} == {"ACME/rocket"}


@given(pairs, pairs, st.randoms(use_true_random=False))
def test_neither_order_nor_the_way_round_matters(
    forks: list[tuple[str, str]], commits: list[tuple[str, str]], rng: object
) -> None:
    found = families("abcdefgh", forks, commits)
    assert found == families("hgfedcba", [(b, a) for a, b in reversed(forks)], list(reversed(commits)))
    assert all(found[a] == found[b] for a, b in forks)
    assert all(found[family] == family for family in found.values())
