"""A file of problems: results as they come, bad lines named, nothing good lost."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest

from hrm_ray.errors import UnusableError, UserError
from hrm_ray.evaluate.opened import Network
from hrm_ray.golang.syntax import validate
from hrm_ray.patch import batch, writer
from hrm_ray.patch.batch import write_results
from hrm_ray.patch.writer import Proposal, Task
from tests.collect.repository import Repo
from tests.patch.conftest import Written

GOOD: list[dict[str, Any]] = [
    {"file": "shop.go", "declaration": "Show", "title": "Say more"},
    {"file": "shop.go", "declaration": "Cart", "add": True, "title": "Count", "body": "Lines."},
    {"file": "money/money.go", "declaration": "Parse", "title": "Round"},
]


@pytest.fixture
def problems(tmp_path: Path) -> Path:
    path = tmp_path / "problems.jsonl"
    path.write_text("\n".join(map(json.dumps, GOOD)))
    return path


VALID = {
    "Show": ("modify function Show", "func Show(c *Cart) {\n\tfmt.Println(c.lines)\n}"),
    "Cart": ("add method Cart.Count", "func (c *Cart) Count() int {\n\treturn len(c.lines)\n}"),
    "Parse": ("modify function Parse", "func Parse( {"),
}


@pytest.fixture(autouse=True)
def what_the_network_writes(written: Written) -> Written:
    written.update(VALID)
    return written


def rows(path: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in path.read_text().splitlines()]


def test_every_problem_has_a_result_and_a_patch_that_applies(repo: Repo, problems: Path, tmp_path: Path) -> None:
    write_results(tmp_path / "run", [], problems, repo.path, None)
    found = rows(tmp_path / "run" / "patches" / "problems.results.jsonl")
    assert [row["line"] for row in found] == [1, 2, 3]
    for row, given in zip(found, GOOD, strict=True):
        assert {name: row[name] for name in given} == given
        assert row["valid"] is (row["diagnostic"] is None)
        assert row["decision"] in {"CONTINUE", "REFINE", "DONE"}
        assert bool(row["patch"]) is row["valid"]
        (tmp_path / "x.patch").write_text(row["patch"])
        assert not row["patch"] or repo.git("apply", "--check", str(tmp_path / "x.patch")) == ""
    assert [row["valid"] for row in found] == [True, True, False]
    assert repo.git("status", "--porcelain") == ""


def test_bad_lines_are_named_and_cost_the_others_nothing(
    repo: Repo, problems: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    bad = ["{", "[1]", '{"title": "x", "titel": "y"}', '{"title": "x"}', '{"title": "x", "file": "none.go"}']
    bad += ['{"title": "x", "file": "shop.go", "repo": "/nowhere"}', "[" * 100_000]
    bad += [r'{"title": "x", "file": "shop.go", "declaration": "Show", "body": "\ud800"}']
    bad += [rf'{{"title": "x", "file": "shop.go", "repo": "{name}"}}' for name in (r"\ud800", r"a\u0000")]
    lines = [*bad, "", *map(json.dumps, GOOD)]
    problems.write_text("\n".join(lines))
    with pytest.raises(UserError, match=r"problems.jsonl:1: not JSON .*\(10 such lines in all\)"):
        write_results(tmp_path, [], problems, repo.path, tmp_path / "out.jsonl")
    assert [row["line"] for row in rows(tmp_path / "out.jsonl")] == [12, 13, 14]
    said = capsys.readouterr().out
    for number, sentence in [
        (2, "expected keys and values, found [1]"),
        (3, "problem: titel is not a key; did you mean title?"),
        (4, "problem: file is missing"),
        (5, "none.go: no such file"),
        (6, "/nowhere: there is no such folder"),
        (7, "not JSON"),
        (8, "problem: body: "),
        (9, "problem: repo: expected a path"),
        (10, "problem: repo: expected a path"),
    ]:
        assert f"problems.jsonl:{number}: {sentence}" in said


def test_a_stop_loses_nothing(
    repo: Repo, problems: Path, tmp_path: Path, network: Network, monkeypatch: pytest.MonkeyPatch
) -> None:
    out, honest, asked = tmp_path / "out.jsonl", writer.propose, list[int]()

    def stopped(network: Network, tasks: Sequence[Task]) -> Iterator[Proposal]:
        asked.append(len(tasks))
        yield from honest(network, tasks[:1] if len(asked) == 1 else tasks)
        if len(asked) == 1:
            raise KeyboardInterrupt

    monkeypatch.setattr(batch, "propose", stopped)
    with pytest.raises(KeyboardInterrupt):
        write_results(tmp_path, [], problems, repo.path, out)
    first = rows(out)
    with out.open("a") as stream:
        stream.write('{"key": "cut')
    write_results(tmp_path, [], problems, repo.path, out)
    assert asked == [3, 2]
    assert rows(out)[:1] == first
    assert [row["line"] for row in rows(out)] == [1, 2, 3]
    (repo.path / "money" / "money.go").write_text("package money\n\nfunc Parse() {}\n")
    write_results(tmp_path, [], problems, repo.path, out)
    assert asked == [3, 2, 1]  # only what changed is written again
    assert [row["line"] for row in rows(out)] == [1, 2, 3]


def test_a_mistake_takes_no_file_away(repo: Repo, problems: Path, tmp_path: Path) -> None:
    given, out = problems.read_text(), tmp_path / "out.jsonl"
    write_results(tmp_path, [], problems, repo.path, out)
    before = out.read_text()
    with pytest.raises(UserError, match=r"nowhere: there is no such folder \(3 such lines in all\)"):
        write_results(tmp_path, [], problems, tmp_path / "nowhere", out)
    assert out.read_text() == before
    (tmp_path / "link").symlink_to(problems)
    with pytest.raises(UserError, match="results would take their place"):
        write_results(tmp_path, [], problems, repo.path, tmp_path / "link")
    assert problems.read_text() == given
    with pytest.raises(UserError, match=r"cannot be written .*folder"):
        write_results(tmp_path, [], problems, repo.path, tmp_path)


def test_a_file_that_is_not_there(repo: Repo, tmp_path: Path) -> None:
    with pytest.raises(UserError, match=r"none.jsonl: cannot be read"):
        write_results(tmp_path, [], tmp_path / "none.jsonl", repo.path, None)


def test_a_file_of_problems_that_nothing_came_of(repo: Repo, problems: Path, tmp_path: Path, written: Written) -> None:
    out = tmp_path / "out.jsonl"
    written.clear()
    for _ in range(2):
        with pytest.raises(UnusableError) as caught:
            write_results(tmp_path, [], problems, repo.path, out)
        assert caught.value.exit_code == 3
        assert [row["patch"] for row in rows(out)] == ["", "", ""]


def test_a_row_alone_writes_what_it_writes_in_a_batch(repo: Repo, problems: Path, tmp_path: Path) -> None:
    write_results(tmp_path, [], problems, repo.path, tmp_path / "all.jsonl")
    problems.write_text(json.dumps(GOOD[1]))
    write_results(tmp_path, [], problems, repo.path, tmp_path / "one.jsonl")
    (alone,), beside = rows(tmp_path / "one.jsonl"), rows(tmp_path / "all.jsonl")[1]
    assert {**alone, "line": 2} == beside
    assert beside["valid"] is False or validate(beside["code"]) is None
