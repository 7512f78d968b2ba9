from __future__ import annotations

import gzip
from dataclasses import asdict, replace
from pathlib import Path

import pytest

from hrm_ray.collect.github.journal import Journal, Settled, check_settings
from hrm_ray.errors import UserError
from tests.collect.test_records import pull_request


def kept(number: int) -> Settled:
    return Settled.kept(pull_request(number), {"generated file": 1})


def left_out(number: int, reason: str) -> Settled:
    return Settled(number, pull_request(number).pull_request.created_at, reason)


def test_a_journal_gives_back_what_was_written(tmp_path: Path) -> None:
    journal = Journal(tmp_path / "o+n")
    assert (journal.settled, journal.kept) == ({}, 0)
    journal.add(3, [kept(9), left_out(8, "a reason")])
    journal.add(2, [kept(7)])
    for each in (journal, Journal(tmp_path / "o+n")):
        assert (each.settled, each.kept, each.requests) == ({9: True, 8: False, 7: True}, 2, 5)
        found = list(each.pulls(most=10))
        assert [record for _, record in found] == [pull_request(9), None, pull_request(7)]
        assert [(settled.number, settled.reason) for settled, _ in found] == [(9, ""), (8, "a reason"), (7, "")]
        assert found[0][0].files == {"generated file": 1}


def test_no_more_are_given_back_than_asked_for(tmp_path: Path) -> None:
    journal = Journal(tmp_path)
    journal.add(1, [kept(3), left_out(2, "x"), kept(1), left_out(0, "y")])
    assert [settled.number for settled, _ in journal.pulls(most=1)] == [3]
    assert [settled.number for settled, _ in journal.pulls(most=2)] == [3, 2, 1]
    assert [settled.number for settled, _ in journal.pulls(most=3)] == [3, 2, 1, 0]


def test_the_newest_come_first_whenever_they_were_settled(tmp_path: Path) -> None:
    journal = Journal(tmp_path)
    for numbers in ((7, 5), (9, 8), (6,)):
        journal.add(1, [kept(number) for number in numbers])
    assert [settled.number for settled, _ in journal.pulls(most=4)] == [9, 8, 7, 6]
    moved = replace(kept(1), created_at="2999-01-01T00:00:00Z")  # numbers of an import say nothing of time
    journal.add(1, [moved])
    assert [settled.number for settled, _ in journal.pulls(most=2)] == [1, 9]


@pytest.mark.fault
def test_a_step_that_was_torn_never_happened(tmp_path: Path) -> None:
    Journal(tmp_path).add(1, [kept(9)])
    (tmp_path / ".000001.jsonl.gz.partial").write_bytes((tmp_path / "000000.jsonl.gz").read_bytes()[:40])
    journal = Journal(tmp_path)
    assert journal.settled == {9: True}
    journal.add(1, [kept(8)])
    assert sorted(each.name for each in tmp_path.iterdir()) == ["000000.jsonl.gz", "000001.jsonl.gz"]


@pytest.mark.parametrize("spoil", [lambda raw: raw[:60], lambda raw: b"x" + raw, lambda raw: gzip.compress(b"[]")])
@pytest.mark.fault
def test_a_step_that_cannot_be_read_is_named(tmp_path: Path, spoil: object) -> None:
    Journal(tmp_path).add(1, [kept(9)])
    assert callable(spoil)
    step = tmp_path / "000000.jsonl.gz"
    step.write_bytes(spoil(step.read_bytes()))
    with pytest.raises(UserError, match=rf"000000\.jsonl\.gz: cannot be read .*; remove {tmp_path} to collect"):
        Journal(tmp_path)


def test_the_same_steps_are_the_same_bytes(tmp_path: Path) -> None:
    for name in ("a", "b"):
        Journal(tmp_path / name).add(1, [kept(9)])
    first, second = (tmp_path / name / "000000.jsonl.gz" for name in ("a", "b"))
    assert first.read_bytes() == second.read_bytes()


def test_other_settings_are_refused_by_name(tmp_path: Path) -> None:
    check_settings(tmp_path, {"collect.github.comments": False, "clean.go_files": (1, 20)})
    check_settings(tmp_path, {"collect.github.comments": False, "clean.go_files": [1, 20]})
    with pytest.raises(UserError, match=rf"{tmp_path} was begun with another clean\.go_files; set it back, or remove"):
        check_settings(tmp_path, {"collect.github.comments": False, "clean.go_files": [1, 21]})
    (tmp_path / "settings.json").write_text("{")
    with pytest.raises(UserError, match=r"settings\.json: cannot be read"):
        check_settings(tmp_path, {})


def test_a_settled_pull_request_holds_nothing_but_json() -> None:
    assert asdict(kept(1))["row"]["pull_request"]["number"] == 1
