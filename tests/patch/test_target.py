"""Which declaration is meant, and that a model is told what `prepare` would have told it."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from hrm_ray.collect import clean, records
from hrm_ray.collect.filters import Dropped
from hrm_ray.collect.records import PullRequest
from hrm_ray.config import Clean
from hrm_ray.errors import UserError
from hrm_ray.evaluate.opened import Network
from hrm_ray.golang.declarations import declarations
from hrm_ray.patch.request import Problem
from hrm_ray.patch.target import Target, locate
from hrm_ray.patch.tree import WorkingTree
from hrm_ray.patch.writer import task
from hrm_ray.prepare import sections
from hrm_ray.prepare.examples import Example
from hrm_ray.prepare.extract import extract
from tests.collect.repository import Repo
from tests.patch.conftest import SHOP
from tests.prepare import factory


@pytest.mark.parametrize(
    ("name", "found"),
    [("Show", "Show"), ("Cart.Add", "Cart.Add"), ("(*Cart).Add", "Cart.Add"), ("Cart", "Cart"), ("large", "small")],
)
def test_a_declaration_is_found_by_any_of_its_names(tree: WorkingTree, name: str, found: str) -> None:
    target = locate(tree, "shop.go", name, add=False)
    assert target.declaration is not None
    assert target.declaration.name == found


def test_an_addition_stands_behind_what_is_named_or_at_the_end(tree: WorkingTree) -> None:
    behind, last = (locate(tree, "shop.go", name, add=True) for name in ("Cart", ""))
    assert behind.declaration is not None
    assert last.declaration is not None
    assert (behind.declaration.name, last.declaration.name) == ("Cart", "Show")
    assert locate(tree, "money/new.go", "", add=True) == Target("money/new.go", "", None, add=True)


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (("shpo.go", "Show", False), r"shpo.go: no such file in .*; near it: shop.go"),
        (("shpo.go", "Show", True), r"shpo.go: no such file"),
        (("none/new.go", "", True), r"none/new.go: no such file"),
        (("folder.go", "", True), r"folder.go: no such file"),
        (("shop.go", "Shwo", False), r"shop.go: does not declare Shwo; near it: Show"),
        (("shop.go", "Xyzzy", False), r"does not declare Xyzzy; it declares Cart, Cart.Add, small, Show"),
        (("shop.go", "", False), r"name a --declaration, or --add one"),
        (("twice.go", "init", False), r"declares init 2 times"),
        (("broken.go", "F", False), r"broken.go: has a syntax error"),
    ],
)
def test_what_is_not_there_is_named_with_what_is_near(repo: Repo, words: tuple[Any, ...], sentence: str) -> None:
    (repo.path / "twice.go").write_text("package shop\n\nfunc init() {}\n\nfunc init() {}\n")
    (repo.path / "broken.go").write_text("package shop\n\nfunc F( {\n")
    (repo.path / "folder.go").mkdir()
    file, name, add = words
    with pytest.raises(UserError, match=sentence):
        locate(WorkingTree(repo.path), file, name, add=add)


def prepared(network: Network, example: Example) -> list[int]:
    """The prefix of the row that `prepare` writes."""
    settings = network.config.prepare
    given = sections.shorten(
        sections.prefix(example, network.tokenizer, settings.form), settings.window, settings.budgets
    )
    row = sections.solve(example, given, network.tokenizer, 1 << 20, settings.form)
    assert row is not None
    ids: list[int] = row["problem_ids"] + row["context_ids"]
    return ids


def told(network: Network, folder: Path, given: PullRequest, example: Example) -> list[int]:
    """The prefix that `generate` makes in a working tree of the state before."""
    source = next(file.content_before for file in given.files if file.filename == example.path)
    if source:
        (folder / example.path).parent.mkdir(parents=True, exist_ok=True)
        (folder / example.path).write_bytes(source.encode())
    text = example.before or example.anchor
    tree = WorkingTree(folder)
    if not text:
        (folder / example.path).unlink(missing_ok=True)
        (folder / example.path).parent.mkdir(parents=True, exist_ok=True)
        target = Target(example.path, source, None, add=True)
        assert source or locate(tree, example.path, "", add=True) == target
    else:
        where = [one for one in declarations(source) if one.text == text]
        target = replace(locate(tree, example.path, "", add=True), declaration=where[0], add=not example.before)
    problem = Problem(given.pull_request.title, given.pull_request.body)
    return list(task(network, target, problem).request.prefix)


def test_the_sections_are_those_of_training(network: Network, repo: Repo) -> None:
    after = SHOP.replace("c.total += price", "if price > 0 {\n\t\tc.total += price\n\t}")
    after = after.replace("const (", "func (c *Cart) Empty() bool { return len(c.lines) == 0 }\n\nconst (")
    given = factory.pull_request("acme/shop", 3, SHOP, after, title="Cart.Add: no negative prices")
    given = replace(
        given, pull_request=replace(given.pull_request, body="Ask @someone.\n\nSigned-off-by: A B <a@b.org>")
    )
    cleaned = clean.cleaned(given, Clean(), Counter(), Counter())
    examples = extract(cleaned, 12, Counter())
    assert [one.change for one in examples] == ["modified", "added"]
    for one in examples:
        assert told(network, repo.path, given, one) == prepared(network, one)
    named = locate(WorkingTree(repo.path), "pkg/file3.go", "Cart.Add", add=False)
    assert list(
        task(network, named, Problem(given.pull_request.title, given.pull_request.body)).request.prefix
    ) == prepared(network, examples[0])


def test_the_sections_of_real_changes_are_those_of_training(network: Network, repo: Repo, shared_data: Path) -> None:
    counts: Counter[str] = Counter()
    for given in records.read(shared_data / "go_prs_small.jsonl.gz"):
        try:
            cleaned = clean.cleaned(given, Clean(), Counter(), Counter())
        except Dropped:
            continue
        untouched = {file.filename for file in cleaned.files if file in given.files}
        for one in extract(cleaned, 12, Counter()):
            whole = prepared(network, one)
            if one.path in untouched and len(whole) < network.config.prepare.window:
                assert told(network, repo.path, given, one) == whole, (one.repository, one.number, one.path, one.names)
                counts[one.change] += 1
        if min(counts["added"], counts["modified"]) >= 20:
            break
    assert min(counts["added"], counts["modified"]) >= 20


def test_a_declaration_with_more_lines_than_an_edit_can_number_is_refused(network: Network, repo: Repo) -> None:
    (repo.path / "long.go").write_text("package shop\n\nfunc Long() {\n" + "\tf()\n" * 127 + "}\n")
    (repo.path / "short.go").write_text("package shop\n\nfunc Short() {\n" + "\tf()\n" * 126 + "}\n")
    prepare = network.config.prepare.model_copy(update={"form": "edit", "window": 4096})
    edits = replace(network, config=network.config.model_copy(update={"prepare": prepare}))
    tree = WorkingTree(repo.path)
    assert task(edits, locate(tree, "short.go", "Short", add=False), Problem("x")).request.before.count("\n") == 127
    with pytest.raises(UserError, match=r"Long: .*128 lines"):
        task(edits, locate(tree, "long.go", "Long", add=False), Problem("x"))
