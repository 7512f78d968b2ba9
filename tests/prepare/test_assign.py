"""The same pull request, fork or near duplicate is never on both sides, and every copy that goes is counted."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from hrm_ray.config import Prepare
from hrm_ray.errors import UserError
from hrm_ray.prepare.assign import Assignment, assign
from hrm_ray.prepare.examples import NO_PULL_REQUEST, Example
from hrm_ray.prepare.shards import Shards
from hrm_ray.prepare.split import FOLDS
from tests.prepare.factory import example, extracted

Row = tuple[Example, dict[str, str]]


def change(repository: str, day: int, name: str, **other: Any) -> Example:
    """An addition of twelve lines that no other name writes."""
    lines = "\n".join(f"\t{name}{at} := {name}.Call{at}({at})" for at in range(12))
    made = {"before": "", "change": "added", "code": f"func {name}() {{\n{lines}\n}}", "number": day, **other}
    return example(repository=repository, merged_at=f"2024-01-{day:02d}T00:00:00Z", **made)


def ten_repositories() -> list[Row]:
    return [(change(f"acme/r{at}", day, f"F{at}x{day}"), {}) for at in range(10) for day in range(1, 21)]


def assigned(folder: Path, rows: list[Row], **settings: Any) -> tuple[Assignment, Shards, Counter[str]]:
    drops: Counter[str] = Counter()
    shards = extracted(folder, rows)
    return assign(shards, Prepare(**settings), 0, drops), shards, +drops


def fold_of(made: Assignment, shards: Shards) -> dict[str, str]:
    return {shards.example(row).id: fold for fold, rows in made.folds.items() for row in rows}


def test_ten_repositories_make_four_honest_folds(tmp_path: Path) -> None:
    made, shards, drops = assigned(tmp_path, ten_repositories())
    assert {fold: len(rows) for fold, rows in made.folds.items()} == dict(zip(FOLDS, (140, 20, 20, 20), strict=True))
    of_repository = {(shards.example(row).repository, fold) for fold, rows in made.folds.items() for row in rows}
    assert len(of_repository) == 10
    assert drops == {}
    for rows in made.folds.values():
        ids = [shards.example(row).id for row in rows]
        assert ids == sorted(ids)


@pytest.mark.parametrize("by", ["repository", "time"])
def test_planted_copies_are_found_across_repositories_and_folds(tmp_path: Path, by: str) -> None:
    rows = ten_repositories()
    original = rows[0][0]
    near = original.code.replace("func F0x1(", "func Renamed(")
    copies: list[Row] = [
        (change("fork/r9", 28, "", code=original.code), {}),
        (change("fork/r9", 28, "", code=near), {}),
        (example(**{**vars(original), "merged_at": "2030-01-01T00:00:00Z", "code": f"{original.code}\n"}), {}),
    ]
    made, shards, drops = assigned(tmp_path, [*rows, *copies], split={"by": by})
    assert drops == {"exact duplicate": 1, "near duplicate": 1, "change that is there twice": 1}
    where = fold_of(made, shards)
    assert original.id in where
    assert len(where) == len(rows)
    assert made.duplicates["across_repositories"] == 1


def test_near_duplicates_that_would_cross_are_counted_by_time(tmp_path: Path) -> None:
    rows = ten_repositories()
    late, soon = (
        change("acme/r0", day, "", number=day + 100, code=rows[0][0].code.replace("func F0x1(", f"func N{day}("))
        for day in (20, 2)
    )
    made, _, drops = assigned(tmp_path, [*rows, (late, {}), (soon, {})], split={"by": "time"})
    assert drops == {"near duplicate": 2}
    assert made.duplicates["across_folds"] == 1


def test_near_duplicates_that_would_cross_are_counted_by_repository(tmp_path: Path) -> None:
    rows = ten_repositories()
    made, shards, _ = assigned(tmp_path, rows)
    held_out, where = shards.example(made.folds["test"][0]), fold_of(made, shards)
    copies = [
        change(repository, 28, "", number=90, code=held_out.code.replace("func F", "func G"))
        for repository in ("zoo/lone", held_out.repository)
    ]
    kept, shards, _ = assigned(tmp_path / "kept", [*rows, (copies[0], {})], near_duplicate=1.0)
    assert fold_of(kept, shards)[copies[0].id] != where[held_out.id] == "test"
    for copy, crosses in zip(copies, (1, 0), strict=True):
        told, _, drops = assigned(tmp_path / str(crosses), [*rows, (copy, {})])
        assert drops == {"near duplicate": 1}
        assert told.duplicates["across_folds"] == told.duplicates["across_repositories"] == crosses


@pytest.mark.parametrize("told", ["fork_of", "head_sha"])
def test_a_fork_lies_with_its_source(tmp_path: Path, told: str) -> None:
    rows = ten_repositories()
    fork = [(change("zoo/fork", day, f"Own{day}"), {"fork_of": "acme/r3"}) for day in range(1, 3)]
    if told == "head_sha":
        fork = [(made, {"head_sha": "c0ffee"}) for made, _ in fork]
        rows = [(made, {"head_sha": "c0ffee"} if made.repository == "acme/r3" else {}) for made, _ in rows]
    made, shards, _ = assigned(tmp_path, [*rows, *fork])
    where = fold_of(made, shards)
    assert len({where[each.id] for each, _ in [*rows, *fork] if each.repository in ("acme/r3", "zoo/fork")}) == 1


def test_one_pull_request_has_one_time_whatever_its_records_say(tmp_path: Path) -> None:
    rows = ten_repositories()
    rows.append((change("acme/r0", 28, "Late", number=1), {}))
    made, shards, _ = assigned(tmp_path, rows, split={"by": "time"})
    where = fold_of(made, shards)
    assert where[rows[-1][0].id] == where[rows[0][0].id] == "train"


def test_functions_are_trained_on_where_nothing_held_out_shows_in_them(tmp_path: Path) -> None:
    rows = ten_repositories()
    made, shards, _ = assigned(tmp_path, rows)
    held_out = shards.example(made.folds["test"][0])
    late = change(held_out.repository, 20, "Late", number=90, before="func Late() {}", change="modified")
    late = replace(late, code=f"// Late is documented.\n{late.code}")
    theirs = [at for at, (each, _) in enumerate(rows) if each.repository == held_out.repository and each != held_out]
    rows[theirs[0]] = (late, {})
    functions = {
        "own": change("other/lib", 5, "Own", number=NO_PULL_REQUEST),
        "held out": change(held_out.repository, 5, "Other", number=NO_PULL_REQUEST),
        "near": change("other/lib", 5, "", number=NO_PULL_REQUEST, code=held_out.code.replace("func F", "func G")),
        "rewritten": change("other/lib", 5, "Late", number=NO_PULL_REQUEST),
        "exact": change("other/lib", 5, "", number=NO_PULL_REQUEST, code=held_out.code),
    }
    given = [*rows, *((each, {"fold": "functions"}) for each in functions.values())]
    made, shards, drops = assigned(tmp_path / "with", given)
    where = fold_of(made, shards)
    assert [name for name, each in functions.items() if each.id in where] == ["own"]
    assert where[functions["own"].id] == "train"
    assert drops == {
        "function of a repository with held-out pull requests": 1,
        "near duplicate": 1,
        "exact duplicate": 2,
    }


def test_what_training_shows_of_the_text_before_is_told(tmp_path: Path) -> None:
    rows = ten_repositories()
    made, shards, _ = assigned(tmp_path, rows, split={"by": "time"})
    shown, merged = shards.example(made.folds["train"][0]), shards.example(made.folds["test"][0])
    lines = "\n".join(f"\tnew{at}.Write{at}(again, {at})" for at in range(12))
    again = [
        change(merged.repository, 20, "", number=90, before=f" {shown.code}", code=f"func A() {{\n{lines}\n}}"),
        change(merged.repository, 20, "Unseen", number=91, before="func Unseen() {}"),
    ]
    told, _, _ = assigned(tmp_path / "with", [*rows, *((each, {}) for each in again)], split={"by": "time"})
    assert told.duplicates["seen_before"]["test"] == {"modified": 2, "seen": 1}


def test_ids_of_any_length_and_letters_are_told_apart(tmp_path: Path) -> None:
    ids = [f"acme/rocket/pull/1/files/engine/stärt.go/{name}" for name in ("One", "Two", "Three")]
    rows = [(change("acme/r0", 1, each[-3:], id=each), {"fold": "train"}) for each in ids]
    made, shards, drops = assigned(tmp_path, rows)
    assert sorted(fold_of(made, shards)) == sorted(ids)
    assert drops == {}


def test_a_pull_request_that_is_given_in_two_folds_is_refused(tmp_path: Path) -> None:
    rows = [(change("acme/r0", 1, "One"), {"fold": "test"}), (change("Acme/r0", 1, "Two"), {"fold": "train"})]
    with pytest.raises(UserError, match=r"cme/r0: the examples \w+ \(\w+\) and \w+ \(\w+\) are of one pull request"):
        assigned(tmp_path, rows)
    lone = [(replace(each, number=NO_PULL_REQUEST), given) for each, given in rows]
    assert len(fold_of(*assigned(tmp_path / "functions", lone)[:2])) == 2


def test_given_folds_are_kept_but_for_copies(tmp_path: Path) -> None:
    rows = [(change("acme/r0", 1, "One"), {"fold": "test"}), (change("acme/r0", 2, "Two"), {"fold": "train"})]
    rows.append((change("acme/r0", 3, "", number=7, code=rows[0][0].code.replace("One()", "Won()")), {"fold": "train"}))
    made, shards, drops = assigned(tmp_path, rows)
    assert fold_of(made, shards) == {rows[0][0].id: "test", rows[1][0].id: "train"}
    assert drops == {"near duplicate": 1}
    assert made.duplicates["across_folds"] == 1
