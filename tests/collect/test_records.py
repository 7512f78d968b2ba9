from __future__ import annotations

import gzip
import json
from collections.abc import Iterator
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from hrm_ray.collect import records
from hrm_ray.collect.filters import Dropped
from hrm_ray.collect.licenses import check_license
from hrm_ray.collect.records import ChangedFile, Issue, PullRequest, Repository, Request
from hrm_ray.config import Clean
from hrm_ray.errors import UserError


def pull_request(number: int) -> PullRequest:
    request = Request(number, "Add F", "", "2020-01-01T00:00:00Z", "2020-01-02T00:00:00Z", "a" * 40, "b" * 40, False)
    file = ChangedFile("a.go", "added", 1, 0, "@@ -0,0 +1 @@\n+package a\n", "", f"package a{number}\n" * 50, True)
    return PullRequest(Repository("o/n", "MIT"), request, (file,))


def many(count: int) -> list[PullRequest]:
    return [pull_request(number) for number in range(count)]


def test_parquet_gives_back_what_was_written_in_groups(tmp_path: Path) -> None:
    path = tmp_path / "deep" / "pull_requests.parquet"
    assert records.write(path, iter(many(300))) == 300
    assert list(records.read(path)) == many(300)
    assert len(records.row_groups(path)) == 3
    assert list(records.read_row_group(path, 2)) == many(300)[256:]
    assert [each.name for each in path.parent.iterdir()] == [path.name]


def test_large_records_are_held_a_few_at_a_time(tmp_path: Path) -> None:
    path = tmp_path / "pull_requests.parquet"
    (small,) = pull_request(1).files
    large = replace(small, content_before="a" * (records.GROUP_CHARACTERS // 2), content_after="b")
    written = [replace(pull_request(number), files=(large,)) for number in range(5)]
    assert records.write(path, written) == 5
    assert len(records.row_groups(path)) == 3
    assert list(records.read(path)) == written


@pytest.mark.fault
def test_a_write_that_fails_leaves_the_old_file(tmp_path: Path) -> None:
    path = tmp_path / "pull_requests.parquet"
    records.write(path, many(3))

    def failing() -> Iterator[PullRequest]:
        yield pull_request(9)
        raise RuntimeError("source is gone")

    with pytest.raises(RuntimeError, match="source is gone"):
        records.write(path, failing())
    assert list(records.read(path)) == many(3)


@pytest.mark.fault
def test_a_group_of_large_texts_is_read_record_by_record(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    records.write(path := tmp_path / "pulls.parquet", many(20))
    monkeypatch.setattr(records, "LARGE", 1)
    asked: list[int] = []
    batches = pq.ParquetFile.iter_batches

    def noted(file: pq.ParquetFile, size: int, **more: Any) -> Iterator[pa.RecordBatch]:
        asked.append(size)
        return batches(file, size, **more)

    monkeypatch.setattr(pq.ParquetFile, "iter_batches", noted)
    assert list(records.read(path)) == many(20)
    assert asked == [1]


def test_a_flipped_byte_in_a_page_names_the_file_and_row_group(tmp_path: Path) -> None:
    path = tmp_path / "pull_requests.parquet"
    records.write(path, many(200))
    content = bytearray(path.read_bytes())
    for position in range(len(content) // 3, len(content) // 3 + 8):
        content[position] ^= 0x40
    path.write_bytes(bytes(content))
    with pytest.raises(
        UserError, match=r"pull_requests\.parquet: row group \d, \d+ of its \d+ records, cannot be read"
    ):
        list(records.read(path))


def test_jsonl_plain_and_gzipped(tmp_path: Path) -> None:
    lines = "\n".join(json.dumps(asdict(each)) for each in many(3)) + "\n\n"
    (tmp_path / "a.jsonl").write_text(lines)
    (tmp_path / "a.jsonl.gz").write_bytes(gzip.compress(lines.encode()))
    assert list(records.read(tmp_path / "a.jsonl")) == many(3)
    assert list(records.read(tmp_path / "a.jsonl.gz")) == many(3)


@pytest.mark.parametrize(
    ("spoil", "said"),
    [
        (lambda row: row["pull_request"].pop("title"), r"line 2: pull_request\.title is missing"),
        (lambda row: row["files"][0].pop("content_after"), r"line 2: files\[0\]\.content_after is missing"),
        (lambda row: row.pop("repo"), r"line 2: repo is missing or is not an object"),
        (lambda row: row.update(files=None), r"line 2: files is missing or is not a list"),
        (lambda row: row["pull_request"].update(title=None), r"line 2: pull_request\.title is None, not of type str"),
        (
            lambda row: row["files"][0].update(patch="+a\ud800"),
            r"line 2: files\[0\]\.patch holds \\ud800, half of a surrogate pair, at character 2",
        ),
        (lambda row: row["repo"].update(fork_of=1), r"line 2: repo\.fork_of is 1, not of type str"),
        (lambda row: row["pull_request"].update(ci=["x"]), r"line 2: pull_request\.ci is \['x'\], not of type str"),
        (
            lambda row: row["pull_request"].update(labels="bug"),
            r"line 2: pull_request\.labels is missing or is not a list",
        ),
        (
            lambda row: row["pull_request"].update(comments=["a", 1]),
            r"line 2: pull_request\.comments\[1\] is 1, not of",
        ),
        (
            lambda row: row["pull_request"].update(issues=[{"number": 1, "body": ""}]),
            r"line 2: pull_request\.issues\[0\]\.title is missing",
        ),
    ],
)
def test_a_bad_line_names_the_file_the_line_and_what_is_missing(tmp_path: Path, spoil: object, said: str) -> None:
    good, bad = asdict(pull_request(1)), json.loads(json.dumps(asdict(pull_request(2))))
    assert callable(spoil)
    spoil(bad)
    path = tmp_path / "a.jsonl"
    path.write_text(f"{json.dumps(good)}\n{json.dumps(bad)}\n")
    with pytest.raises(UserError, match=rf"a\.jsonl: {said}"):
        list(records.read(path))


def test_null_is_an_empty_body_and_a_whole_surrogate_pair_is_text(tmp_path: Path) -> None:
    row = asdict(pull_request(1))
    row["pull_request"] |= {"body": None, "title": "\U0001f680"}
    (tmp_path / "a.jsonl").write_text(json.dumps(row))
    pq.write_table(pa.Table.from_pylist([row], schema=records.SCHEMA), tmp_path / "a.parquet")
    for name in ("a.jsonl", "a.parquet"):
        (read,) = records.read(tmp_path / name)
        assert (read.pull_request.body, read.pull_request.title) == ("", "\U0001f680")


def test_a_null_license_is_none_that_is_known(tmp_path: Path) -> None:
    row = asdict(pull_request(1))
    row["repo"]["license"] = None
    (tmp_path / "a.jsonl").write_text(json.dumps(row))
    pq.write_table(pa.Table.from_pylist([row], schema=records.SCHEMA), tmp_path / "a.parquet")
    for name in ("a.jsonl", "a.parquet"):
        (read,) = records.read(tmp_path / name)
        assert read.repo.license == "NOASSERTION"
        with pytest.raises(Dropped, match="pull request under no known license"):
            check_license(read.repo.license, Clean())


def test_a_file_without_a_license_of_its_own_has_none(tmp_path: Path) -> None:
    row = asdict(pull_request(1))
    for given, expected in (("ISC", "ISC"), (None, ""), ("absent", "")):
        row["files"] = [row["files"][0] | {"license": given}]
        pq.write_table(pa.Table.from_pylist([row], schema=records.SCHEMA), tmp_path / "a.parquet")
        (tmp_path / "a.jsonl").write_text(json.dumps(row).replace(', "license": "absent"', ""))
        for name in ("a.jsonl", *(["a.parquet"] if given != "absent" else [])):
            (read,) = records.read(tmp_path / name)
            assert read.files[0].license == expected


def rich() -> PullRequest:
    """A record with everything that GitHub adds."""
    plain = pull_request(1)
    request = replace(
        plain.pull_request, labels=("bug", "go"), issues=(Issue(7, "F is gone", ""),), ci="success", comments=("Fine.",)
    )
    return replace(plain, repo=Repository("o/n", "MIT", "up/n"), pull_request=request)


def test_what_github_adds_comes_back_in_both_forms(tmp_path: Path) -> None:
    records.write(tmp_path / "a.parquet", [rich()])
    (tmp_path / "a.jsonl").write_text(json.dumps(asdict(rich())))
    for name in ("a.parquet", "a.jsonl"):
        assert list(records.read(tmp_path / name)) == [rich()]


@pytest.mark.parametrize("how", ["absent", "null"])
def test_what_github_adds_may_be_absent_or_null_and_is_then_empty(tmp_path: Path, how: str) -> None:
    row = json.loads(json.dumps(asdict(rich())))
    for part, names in (("repo", ["fork_of"]), ("pull_request", ["labels", "issues", "ci", "comments"])):
        for name in names:
            row[part].pop(name) if how == "absent" else row[part].update({name: None})
    (tmp_path / "a.jsonl").write_text(json.dumps(row))
    old = pa.Table.from_pylist([row]) if how == "absent" else pa.Table.from_pylist([row], schema=records.SCHEMA)
    pq.write_table(old, tmp_path / "a.parquet")
    for name in ("a.parquet", "a.jsonl"):
        assert list(records.read(tmp_path / name)) == [pull_request(1)]


def test_a_null_body_of_an_issue_is_an_empty_one(tmp_path: Path) -> None:
    row = json.loads(json.dumps(asdict(rich())))
    row["pull_request"]["issues"][0]["body"] = None
    (tmp_path / "a.jsonl").write_text(json.dumps(row))
    assert list(records.read(tmp_path / "a.jsonl")) == [rich()]


@pytest.mark.parametrize("groups", [0, 1])
def test_a_parquet_file_without_rows_has_no_row_groups_to_read(tmp_path: Path, groups: int) -> None:
    path = tmp_path / "a.parquet"
    with pq.ParquetWriter(path, records.SCHEMA) as writer:
        for _ in range(groups):
            writer.write_table(records.SCHEMA.empty_table())
    assert records.row_groups(path) == []
    assert list(records.read(path)) == []


@pytest.mark.parametrize("name", ["a.parquet", "a.jsonl", "a.jsonl.gz"])
def test_readers_that_share_a_file_read_each_record_once(tmp_path: Path, name: str) -> None:
    path, lines = tmp_path / name, "\n".join(json.dumps(asdict(each)) for each in many(150))
    if name == "a.parquet":
        records.write(path, many(150))
    else:
        path.write_bytes(lines.encode() if name == "a.jsonl" else gzip.compress(lines.encode()))
    shares = [list(records.read(path, every=records.Every(at, 4))) for at in range(4)]
    assert all(20 < len(share) < 60 for share in shares)
    assert sorted(each.pull_request.number for share in shares for each in share) == list(range(150))


@pytest.mark.fault
def test_broken_files_are_user_errors(tmp_path: Path) -> None:
    (tmp_path / "a.jsonl").write_text("{\n")
    (tmp_path / "b.parquet").write_text("PAR")
    (tmp_path / "c.jsonl.gz").write_bytes(gzip.compress(json.dumps(asdict(pull_request(1))).encode() * 50)[:-12])
    (tmp_path / "d.txt").write_text("")
    for name, said in (
        ("a.jsonl", "line 1 is not JSON"),
        ("b.parquet", "not a readable Parquet"),
        ("c.jsonl.gz", "cannot be read after line|is not JSON"),
        ("d.txt", "are read from"),
        ("e.jsonl", "no such file"),
    ):
        with pytest.raises(UserError, match=said):
            list(records.read(tmp_path / name))


def test_the_real_files(shared_data: Path) -> None:
    small = list(records.read(shared_data / "go_prs_small.jsonl.gz"))
    assert len(small) == 60
    assert small[0].repo.full_name == "urfave/cli"
    path = shared_data / "go_prs_train.parquet"
    last = list(records.read_row_group(path, len(records.row_groups(path)) - 1))
    assert last
    assert all(file.status in {"added", "modified", "removed", "renamed"} for each in last for file in each.files)


def test_records_are_frozen_values() -> None:
    assert replace(pull_request(1)) == pull_request(1)
    with pytest.raises(AttributeError):
        pull_request(1).repo = Repository("x/y", "MIT")  # type: ignore[misc]


def test_a_line_nested_beyond_reason_is_named(tmp_path: Path) -> None:
    (tmp_path / "a.jsonl").write_text("[" * 200_000)
    with pytest.raises(UserError, match=r"a\.jsonl: line 1 is not JSON"):
        list(records.read(tmp_path / "a.jsonl"))


def test_a_wrong_value_is_shown_in_short(tmp_path: Path) -> None:
    row = asdict(pull_request(1))
    row["pull_request"]["title"] = ["x"] * 100_000
    (tmp_path / "a.jsonl").write_text(json.dumps(row))
    with pytest.raises(UserError, match=r"pull_request\.title is .{,80}, not of type str$"):
        list(records.read(tmp_path / "a.jsonl"))
