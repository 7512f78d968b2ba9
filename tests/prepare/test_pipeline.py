"""`prepare` through a real Ray: what it writes, that it always writes the same, and what it refuses."""

from __future__ import annotations

import gzip
import io
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, replace
from itertools import pairwise
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest
from rich.console import Console
from rich.progress import Progress

from hrm_ray import settings
from hrm_ray.collect import records
from hrm_ray.collect.records import PullRequest
from hrm_ray.config import Config
from hrm_ray.errors import UserError
from hrm_ray.files import locked
from hrm_ray.prepare import card, data_card, pipeline
from hrm_ray.prepare.shards import Shards
from hrm_ray.prepare.split import FOLDS
from hrm_ray.prepare.tokenizer import CONTROL, FIRST_TEXT, Control, Tokenizer
from tests.prepare import factory

pytestmark = pytest.mark.usefixtures("ray_session")


def chosen_config(data: Path, source: Path | None, **prepare: Any) -> Config:
    chosen = {"vocab_size": 530, "window": 256, "input": source and str(source), **prepare}
    return settings.parse({"name": "t", "data": str(data), "prepare": chosen}, "test")


def run(data: Path, source: Path | None, **prepare: Any) -> tuple[dict[str, Any], str]:
    """Return the card and what was printed."""
    printed = io.StringIO()
    progress = Progress(console=Console(file=printed, width=1000), disable=True)
    return pipeline.prepare(chosen_config(data, source, **prepare), progress), printed.getvalue()


def contents(data: Path) -> dict[str, bytes]:
    """Return every file but the lock, and the cards, which tell how they were made."""
    own = (card.CARD, data_card.NAME, ".lock")
    return {str(p.relative_to(data)): p.read_bytes() for p in data.rglob("*") if p.is_file() and p.name not in own}


@pytest.fixture(scope="module")
def source(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return factory.write_parquet(tmp_path_factory.mktemp("input") / "prs.parquet", factory.history(), group=8)


@pytest.fixture(scope="module")
def prepared(source: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    data = tmp_path_factory.mktemp("prepared")
    run(data, source, jsonl=True)
    return data


def test_every_fold_has_whole_repositories(prepared: Path) -> None:
    facts = card.read(prepared)
    repositories = [set(map(str, Shards(prepared / fold).column("repository").to_pylist())) for fold in FOLDS]
    assert sorted(name for names in repositories for name in names) == [f"acme/repo{number}" for number in range(5)]
    assert [set(facts["folds"][fold]["repositories"]) for fold in FOLDS] == repositories


def test_card_counts_what_the_shards_hold(prepared: Path) -> None:
    facts = card.read(prepared)
    for fold in FOLDS:
        shards, counted = Shards(prepared / fold), facts["folds"][fold]
        pull_requests = {(row["repository"], row["number"]) for row in map(shards.row, range(len(shards)))}
        assert (counted["examples"], counted["pull_requests"]) == (len(shards), len(pull_requests))
        assert counted["tokens"]["code"] == sum(len(shards.ids(row, "code_ids")) for row in range(len(shards)))
        assert counted["changes"]["added"] + counted["changes"]["modified"] == len(shards)
        assert counted["solve_tokens"]["max"] <= 256
        code = sum(len(shards.example(row).code.encode()) for row in range(len(shards)))
        assert counted["bytes_per_token"]["code"] == pytest.approx(
            code / (counted["tokens"]["code"] - 2 * len(shards)), abs=1e-4
        )
    assert sum(facts["folds"][fold]["examples"] for fold in FOLDS) == 40
    assert facts["synthetic"] is False
    assert facts["folds"]["train"]["licences"] == {"MIT": facts["folds"]["train"]["examples"]}
    assert set(facts["shards"]) == {name for name in contents(prepared) if name.endswith(".arrow")}


def test_columns_decode_to_the_example(prepared: Path) -> None:
    tokenizer, shards = Tokenizer.load(prepared / "tokenizer.json"), Shards(prepared / "train")
    assert tokenizer.sha256 == card.read(prepared)["tokenizer"]["sha256"]
    ids = [str(id_) for id_ in shards.column("id").to_pylist()]
    assert ids == sorted(ids)
    for row in range(len(shards)):
        assert tokenizer.decode(shards.ids(row, "code_ids")) == shards.example(row).code
        assert tokenizer.decode(shards.ids(row, "plan_ids")) == shards.example(row).plan
        assert shards.ids(row, "code_ids")[-1] == Control.END


def test_judge_documents_come_from_all_folds_but_train(prepared: Path) -> None:
    assert sorted(path.name for path in (prepared / "judgements").iterdir()) == ["judge", "test", "validation"]
    for fold in FOLDS[1:]:
        rows, examples = Shards(prepared / "judgements" / fold), Shards(prepared / fold)
        assert set(rows.column("example_id").to_pylist()) <= set(examples.column("id").to_pylist())
        counted = card.read(prepared)["folds"][fold]["judgements"]
        assert counted["count"] == len(rows) == sum(counted["labels"].values()) == sum(counted["origins"].values())
        assert rows.ids(0, "prefix_ids")[-1] == Control.DIRECT
        assert rows.ids(0, "attempt_ids")[-1] == Control.JUDGE


def test_more_than_one_task_ran(prepared: Path) -> None:
    assert card.read(prepared)["ran"]["extract"] == 18  # three row groups
    assert card.read(prepared)["ran"]["tokenise"] == 4


def test_one_worker_writes_the_same_bytes(prepared: Path, source: Path, tmp_path: Path) -> None:
    facts, _ = run(tmp_path, source, jsonl=True, workers=1)
    assert facts["processes"] == {"extract": 1, "tokenise": 1}
    assert contents(tmp_path) == contents(prepared)
    assert facts["hash"] == card.read(prepared)["hash"]


def test_json_lines_give_the_same_shards(prepared: Path, tmp_path: Path) -> None:
    again, _ = run(tmp_path, prepared / "jsonl")
    assert again["hash"] == card.read(prepared)["hash"]
    expected = {name: data for name, data in contents(prepared).items() if not name.startswith("jsonl/")}
    assert contents(tmp_path) == expected


def test_second_prepare_does_nothing_until_something_changes(source: Path, tmp_path: Path) -> None:
    first, printed = run(tmp_path, source)
    assert printed == ""
    stamps = {path: path.stat().st_mtime_ns for path in tmp_path.rglob("*")}
    again, printed = run(tmp_path, source, workers=1)
    assert "up to date" in printed
    assert again == json.loads(json.dumps(first))
    assert stamps == {path: path.stat().st_mtime_ns for path in tmp_path.rglob("*")}
    (tmp_path / next(iter(first["shards"]))).unlink()
    (tmp_path / "test_reads.jsonl").write_text("{}\n")
    mended, _ = run(tmp_path, source)
    assert mended["hash"] == first["hash"]
    changed, _ = run(tmp_path, source, window=200)
    assert changed["made_from"] != first["made_from"]
    assert (tmp_path / "test_reads.jsonl").exists()


def stopped(data: Path, source: Path, monkeypatch: pytest.MonkeyPatch, module: Any, stage: str, **prepare: Any) -> None:
    def stop(*_: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patched:
        patched.setattr(module, stage, stop)
        with pytest.raises(KeyboardInterrupt):
            run(data, source, **prepare)


def published(data: Path) -> dict[str, bytes]:
    """Everything but the lock and what is still being made."""
    return {name: content for name, content in contents(data).items() if not name.startswith(".")}


@pytest.mark.fault
def test_a_stopped_run_leaves_the_old_dataset(source: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    stopped(tmp_path, source, monkeypatch, card, "describe")
    assert published(tmp_path) == {}
    old, _ = run(tmp_path, source)
    kept = published(tmp_path)
    stopped(tmp_path, source, monkeypatch, card, "describe", window=200)
    assert published(tmp_path) == kept
    assert card.read(tmp_path)["made_from"] == old["made_from"]


@pytest.mark.parametrize(("module", "stage", "left"), [(pipeline, "assign", (0, 4)), (card, "describe", (0, 0))])
@pytest.mark.fault
def test_a_stopped_run_goes_on(
    prepared: Path, source: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, module: Any, stage: str, left: Any
) -> None:
    stopped(tmp_path, source, monkeypatch, module, stage, jsonl=True)
    assert (tmp_path / ".preparing").is_dir()
    facts, _ = run(tmp_path, source, jsonl=True)
    assert (facts["ran"]["extract"], facts["ran"]["tokenise"]) == left
    assert published(tmp_path) == published(prepared)
    assert not (tmp_path / ".preparing").exists()


@pytest.mark.fault
def test_a_run_that_was_killed_goes_on(prepared: Path, source: Path, tmp_path: Path) -> None:
    file = tmp_path / "t.yaml"
    file.write_text(settings.dump(chosen_config(tmp_path / "data", source, jsonl=True)))
    command = [sys.executable, "-m", "hrm_ray", "prepare", str(file)]
    process = subprocess.Popen(command, start_new_session=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        while not list((tmp_path / "data").glob(".preparing/*/finished/extract-*")):
            assert process.poll() is None
            time.sleep(0.01)
    finally:
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()
    facts, _ = run(tmp_path / "data", source, jsonl=True)
    assert facts["ran"]["extract"] < 18, "what was finished was done again"
    assert published(tmp_path / "data") == published(prepared)


def spoil(folder: Path) -> None:
    """Leave of what a stopped run made what a power cut may leave."""
    next((folder / "extracted").glob("part-*")).unlink()
    (shard := folder / "train" / "part-00000.arrow").write_bytes(bytes(shard.stat().st_size))
    (folder / "judge").rename(folder.parents[1] / "judge")  # a half of what `publish` does
    (folder / "finished" / "extract-00004.json").write_bytes(b"")
    (folder / "test" / ".part-00000.arrow.123").write_bytes(b"half a sha")
    (folder.parent / "other").mkdir()


@pytest.mark.fault
def test_a_run_that_goes_on_trusts_nothing_that_is_torn(
    prepared: Path, source: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    stopped(tmp_path, source, monkeypatch, card, "describe", jsonl=True)
    spoil(next((tmp_path / ".preparing").iterdir()))
    facts, _ = run(tmp_path, source, jsonl=True)
    assert (facts["ran"]["extract"], facts["ran"]["tokenise"]) == (2, 2)
    assert published(tmp_path) == published(prepared)
    assert card.read(tmp_path)["folds"] == card.read(prepared)["folds"]
    assert not (tmp_path / ".preparing").exists()


def test_another_library_makes_another_dataset(source: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def made_from() -> str:
        return pipeline._made_from(chosen_config(tmp_path, source), {"": source})

    ours = made_from()
    assert made_from() == ours
    monkeypatch.setattr(pipeline, "version", lambda name: "9")
    assert made_from() != ours


def test_what_was_made_from_something_else_is_not_gone_on_with(
    source: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    stopped(tmp_path, source, monkeypatch, card, "describe")
    facts, _ = run(tmp_path, source, window=200)
    assert facts["ran"]["extract"] == 18


def test_two_at_once_are_refused(source: Path, tmp_path: Path) -> None:
    with locked(tmp_path), pytest.raises(UserError, match="another process is working in it"):
        run(tmp_path, source)


def test_control_tokens_written_in_a_pull_request_stay_text(tmp_path: Path) -> None:
    poison = " ".join(CONTROL)
    poisoned = []
    for made in factory.history():
        code = made.files[0].content_after.replace("return a", f"/* {poison} */ return a")
        file = replace(made.files[0], content_after=code)
        described = replace(made.pull_request, title=poison, body=f"{poison}\n{poison}")
        poisoned.append(replace(made, pull_request=described, files=(file,)))
    source = factory.write_parquet(tmp_path / "prs.parquet", poisoned, group=8)
    run(tmp_path / "data", source, window=8192)
    shards = Shards(tmp_path / "data" / "train")
    placed = {"problem_ids": [1, 2], "plan_ids": [7], "code_ids": [8, 9]}
    for row in range(len(shards)):
        for name, expected in placed.items():
            assert [id_ for id_ in shards.ids(row, name) if id_ < FIRST_TEXT] == expected
        assert poison in shards.example(row).title


def test_exact_duplicates_are_dropped_once(tmp_path: Path) -> None:
    history = factory.history()
    copied = replace(history[0], repo=replace(history[0].repo, full_name="acme/repo4"))
    later = replace(copied, pull_request=replace(copied.pull_request, number=99, merged_at="2030-01-01T00:00:00Z"))
    source = factory.write_parquet(tmp_path / "prs.parquet", [*history, later], group=30)
    facts, _ = run(tmp_path / "data", source)
    assert facts["drops"]["exact duplicate"] == 2
    assert sum(facts["folds"][fold]["examples"] for fold in FOLDS) == 40


def test_time_split_takes_consecutive_periods(source: Path, tmp_path: Path) -> None:
    facts, _ = run(tmp_path, source, split={"by": "time"})
    periods = [facts["folds"][fold]["merged_at"] for fold in FOLDS]
    assert all(last[1] < first[0] for last, first in pairwise(periods))


def gzipped(path: Path, pull_requests: list[PullRequest]) -> Path:
    with gzip.open(path, "wt") as file:
        file.writelines(json.dumps(asdict(made)) + "\n" for made in pull_requests)
    return path


def test_bad_input_is_refused_by_name(tmp_path: Path) -> None:
    history = factory.history()
    odd = replace(history[3], pull_request=replace(history[3].pull_request, merged_at="yesterday"))
    unchanged = replace(history[0].files[0], content_after=history[0].files[0].content_before)
    torn = tmp_path / "torn.jsonl.gz"
    with gzip.open(torn, "wt") as file:
        file.write(json.dumps(asdict(history[0])) + "\n{\n")
    cases = [
        (tmp_path / "absent.parquet", "absent.parquet: there is no such file"),
        (tmp_path, "must hold train.jsonl"),
        (torn, r"torn.jsonl.gz: line 2"),
        (gzipped(tmp_path / "odd.jsonl.gz", [odd]), r"odd.jsonl.gz: acme/repo0#3: merged_at is 'yesterday'"),
        (gzipped(tmp_path / "none.jsonl.gz", [replace(history[0], files=(unchanged,))]), "there is no example in it"),
        (gzipped(tmp_path / "few.jsonl.gz", history[:4]), r"has 1 .*use split\.by: time"),
    ]
    for path, message in cases:
        with pytest.raises(UserError, match=message):
            run(tmp_path / "data", path)
    assert not [path for path in (tmp_path / "data").rglob("*") if path.name != ".lock"]


def test_what_cannot_be_read_is_skipped_and_named_where_that_is_wanted(tmp_path: Path) -> None:
    history = factory.history()
    odd = replace(history[3], pull_request=replace(history[3].pull_request, merged_at="yesterday"))
    lines = [json.dumps(asdict(made)) for made in (*history[:3], odd, *history[4:])]
    source = tmp_path / "prs.jsonl"
    source.write_text("\n".join([lines[0], "{", *lines[1:], '{"repo": {}}']))
    facts, _ = run(tmp_path / "data", source, unreadable="skip")
    assert facts["unreadable"] == [
        f"{source}: acme/repo0#3: merged_at is 'yesterday', not an ISO 8601 time",
        f"{source}: line 2 is not JSON in UTF-8 (Expecting property name enclosed in double quotes: "
        "line 2 column 1 (char 2))",
        f"{source}: line 22: pull_request is missing or is not an object",
    ]
    assert sum(facts["folds"][fold]["examples"] for fold in FOLDS) == 38
    assert "acme/repo0#3" in (tmp_path / "data" / data_card.NAME).read_text()


def test_a_number_that_is_none_is_named(tmp_path: Path) -> None:
    history = factory.history()
    history[0] = replace(history[0], pull_request=replace(history[0].pull_request, number=2**31))
    source = tmp_path / "prs.jsonl"
    source.write_text("\n".join(json.dumps(asdict(made)) for made in history))
    with pytest.raises(UserError, match=r"prs\.jsonl: acme/repo0#2147483648: that is no number"):
        run(tmp_path / "data", source)
    facts, _ = run(tmp_path / "data", source, unreadable="skip")
    assert len(facts["unreadable"]) == 1
    assert sum(facts["folds"][fold]["examples"] for fold in FOLDS) == 38


def test_functions_and_given_examples_are_cleaned_like_changes(prepared: Path, tmp_path: Path) -> None:
    secret = "ghp_" + "a1B2c3D4e5F6g7H8i9J0" * 2
    (tmp_path / "jsonl").mkdir()
    (tmp_path / "collection.json").write_text("{}")  # that of the folder's parent is none of its own
    lines = (prepared / "jsonl" / "train.jsonl").read_text().splitlines()
    odd = json.loads(lines[0]) | {"title": f"Use {secret}", "body": "Signed-off-by: Ann Other <ann@acme.io>"}
    lines[:2] = [json.dumps(odd), json.dumps(json.loads(lines[1]) | {"license": "GPL-3.0"})]
    (tmp_path / "jsonl" / "train.jsonl").write_text("\n".join(lines))
    common = {"merged_at": "2024-01-01T00:00:00Z", "path": "a.go", "kind": "function", "outline": "", "anchor": ""}
    written = [
        {**common, "repository": "zoo/lib", "license": given, "name": name, "doc": f"{name} tells {given} things"}
        | {"code": f'func {name}(to string) {{\n\tlogin(to, "{secret}")\n\t{name}Again(to, to, "{name}")\n}}'}
        for name, given in (("Log", "MIT"), ("Hide", "GPL-3.0"))
    ]
    (tmp_path / "functions.jsonl").write_text("\n".join(map(json.dumps, written)))
    facts, _ = run(tmp_path / "data", tmp_path / "jsonl", functions=str(tmp_path / "functions.jsonl"))
    train = Shards(tmp_path / "data" / "train")
    kept = [train.example(row) for row in range(len(train))]
    assert facts["drops"]["example under GPL-3.0"] == facts["drops"]["function under GPL-3.0"] == 1
    assert [each.names for each in kept if each.repository == "zoo/lib"] == [("Log",)]
    assert secret not in repr(kept)
    assert "ann@acme.io" not in repr(kept)
    assert facts["scrubbed"] == {"GitHub token": 2, "text that names people": 1}


@pytest.mark.fault
def test_a_corrupt_page_is_fatal_or_skipped_by_file_and_row_group(source: Path, tmp_path: Path) -> None:
    spoilt = tmp_path / "spoilt.parquet"
    records.write(tmp_path / "whole.parquet", factory.history(repositories=40, each=8))
    content = bytearray((tmp_path / "whole.parquet").read_bytes())
    with pq.ParquetFile(tmp_path / "whole.parquet") as file:
        assert file.num_row_groups == 3
        group = file.metadata.row_group(1)
        columns = [group.column(at) for at in range(group.num_columns)]
        texts = next(column for column in columns if "content_after" in column.path_in_schema)
    begin = texts.dictionary_page_offset or texts.data_page_offset
    content[begin + texts.total_compressed_size - 8] ^= 1
    spoilt.write_bytes(content)
    with pytest.raises(UserError, match=r"spoilt\.parquet: row group 1, \d+ of its 128 records, cannot be read"):
        run(tmp_path / "data", spoilt)
    facts, _ = run(tmp_path / "data", spoilt, unreadable="skip")
    assert [place.partition(",")[0] for place in facts["unreadable"]] == [f"{spoilt}: row group 1"]
    lost = int(facts["unreadable"][0].split()[4])
    good = list(records.read(tmp_path / "whole.parquet"))
    records.write(tmp_path / "good.parquet", [*good[: 256 - lost], *good[256:]])
    assert run(tmp_path / "good", tmp_path / "good.parquet")[0]["hash"] == facts["hash"], "a good record was lost"


def test_examples_that_share_a_text_with_a_task_are_left_out(prepared: Path, source: Path, tmp_path: Path) -> None:
    leaked = Shards(prepared / "train").example(0)
    tasks = tmp_path / "tasks.jsonl"
    tasks.write_text(json.dumps({"id": 1, "canonical_solution": leaked.code}) + '\n{"prompt": "Add two numbers"}\n')
    facts, _ = run(tmp_path / "data", source, decontaminate={"tasks": [str(tasks)], "words": 10})
    assert facts["drops"]["shares a text with an evaluation task"] >= 1
    left = {str(id_) for fold in FOLDS for id_ in Shards(tmp_path / "data" / fold).column("id").to_pylist()}
    assert leaked.id not in left
    assert facts["evaluation_tasks"] == {"count": 2, "too_short": 1}
    assert "Of 2 tasks 1 have no text of so many words" in (tmp_path / "data" / data_card.NAME).read_text()
    with pytest.raises(UserError, match=r"none\.jsonl: the evaluation tasks cannot be read"):
        run(tmp_path / "data", source, decontaminate={"tasks": [str(tmp_path / "none.jsonl")]})


def test_ray_starts_only_when_there_is_work(source: Path, tmp_path: Path) -> None:
    started: list[int] = []

    @contextmanager
    def session(cpus: int) -> Iterator[None]:
        started.append(cpus)
        yield

    def attempt(path: Path) -> None:
        given = chosen_config(tmp_path / "data", path, workers=3)
        pipeline.prepare(given, Progress(console=Console(file=io.StringIO()), disable=True), session)

    rowless = factory.write_parquet(tmp_path / "rowless.parquet", [], group=1)
    for path, message in (
        (tmp_path / "absent", "no such file"),
        (rowless, r"rowless.parquet: there is no pull request in it"),
    ):
        with pytest.raises(UserError, match=message):
            attempt(path)
    assert started == []
    attempt(source)
    attempt(source)
    assert started == [3]
    (tmp_path / "data" / card.CARD).write_text("{")
    attempt(source)
    assert started == [3, 3], "a damaged card is no dataset"


def test_folder_with_a_training_file_alone_has_empty_folds(prepared: Path, tmp_path: Path) -> None:
    (tmp_path / "train.jsonl").write_bytes((prepared / "jsonl" / "train.jsonl").read_bytes())
    facts, _ = run(tmp_path / "data", tmp_path)
    assert facts["folds"]["train"]["examples"] == len(Shards(tmp_path / "data" / "train")) > 0
    for fold in FOLDS[1:]:
        assert facts["folds"][fold] == {"examples": 0, "repositories": {}, "judgements": {"count": 0}}
        assert len(Shards(tmp_path / "data" / fold)) == len(Shards(tmp_path / "data" / "judgements" / fold)) == 0
    assert set(facts["shards"]) == {name for name in contents(tmp_path / "data") if name.endswith(".arrow")}


def test_training_fold_must_have_examples(prepared: Path, tmp_path: Path) -> None:
    (tmp_path / "train.jsonl").touch()
    with pytest.raises(UserError, match="there is no example in it"):
        run(tmp_path / "data", tmp_path)
    (tmp_path / "val.jsonl").write_bytes((prepared / "jsonl" / "val.jsonl").read_bytes())
    with pytest.raises(UserError, match="the train fold is left without examples"):
        run(tmp_path / "data", tmp_path)


def test_window_that_nothing_fits_is_refused_with_the_reasons(tmp_path: Path) -> None:
    long = [replace(made, pull_request=replace(made.pull_request, title="why " * 100)) for made in factory.history()]
    source = factory.write_parquet(tmp_path / "prs.parquet", long, group=20)
    with pytest.raises(UserError, match=r"fold is left without examples \(.*larger than the window: 40"):
        run(tmp_path / "data", source, window=64)


def test_unprepared_folder_says_so(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="no dataset there"):
        card.read(tmp_path)


def test_real_sample(shared_data: Path, tmp_path: Path) -> None:
    facts, _ = run(tmp_path, shared_data / "go_prs_small.jsonl.gz", window=1024, vocab_size=1024, split={"by": "time"})
    assert all(facts["folds"][fold]["examples"] > 0 for fold in FOLDS)
    assert facts["folds"]["test"]["bytes_per_token"]["code"] > 2
