"""What a network is asked, and what it says, in words."""

from __future__ import annotations

from dataclasses import replace

import pytest

from hrm_ray.errors import UserError
from hrm_ray.evaluate.opened import Network
from hrm_ray.golang.syntax import validate
from hrm_ray.patch.request import Problem
from hrm_ray.patch.target import locate
from hrm_ray.patch.tree import WorkingTree
from hrm_ray.patch.writer import Proposal, propose, task
from hrm_ray.prepare.plan import kinds_of
from tests.collect.repository import Repo


def test_a_prefix_that_fills_the_window_is_refused(repo: Repo, network: Network) -> None:
    (repo.path / "long.go").write_text("package shop\n\nvar x = []int{" + "1234567, " * 600 + "}\n")
    target = locate(WorkingTree(repo.path), "long.go", "x", add=False)
    with pytest.raises(UserError, match=r"long.go x: is \d+ tokens .* windows of 512"):
        task(network, target, Problem("Shorten"))


def test_what_is_said_does_not_depend_on_who_else_is_asked(tree: WorkingTree, network: Network) -> None:
    targets = [locate(tree, "shop.go", name, add=False) for name in ("Show", "Cart", "Cart.Add")]
    evaluate = network.config.evaluate.model_copy(update={"temperature": 1.0})
    drawn = replace(network, config=network.config.model_copy(update={"evaluate": evaluate}))
    tasks = [task(drawn, target, Problem("Say more")) for target in targets]
    together = list(propose(drawn, tasks))
    assert [one.target for one in together] == targets
    assert together == [one for each in tasks for one in propose(drawn, [each])]
    assert len({one.code for one in together}) > 1
    for one in together:
        assert one.diagnostic == validate(one.code, kinds_of(one.plan))


def test_the_seed_is_that_of_place_and_problem(tree: WorkingTree, network: Network) -> None:
    show, cart = (locate(tree, "shop.go", name, add=False) for name in ("Show", "Cart"))
    ids = [
        task(network, *given).request.id for given in ((show, Problem("a")), (cart, Problem("a")), (show, Problem("b")))
    ]
    assert len(set(ids)) == 3
    assert task(network, show, Problem("a")).request.id == ids[0]


@pytest.mark.parametrize(
    ("code", "finished", "words"),
    [
        ("func F() {}", True, "valid Go"),
        ("func F() {", True, "not valid: 1:10 { is never closed"),
        ("func F() {", False, "not valid: 1:10 { is never closed; cut where it might have ended"),
    ],
)
def test_a_verdict_in_words(tree: WorkingTree, code: str, finished: bool, words: str) -> None:
    target = locate(tree, "shop.go", "Show", add=False)
    assert Proposal(target, "", code, finished, validate(code), "DONE").verdict == words
