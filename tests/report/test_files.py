"""A broken file is named with its line or field; a missing one is missing."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from hrm_ray.errors import UserError
from hrm_ray.report.files import read
from tests.report.conftest import Folder


def test_a_whole_folder_is_read_with_its_baselines(folder: Folder, tmp_path: Path) -> None:
    run = read(folder.write(tmp_path))
    assert run.run.name == "first-run"
    assert list(run.baselines) == ["equal_parameters", "equal_flops"]
    assert run.metrics is not None
    assert len(run.metrics.series("train", "code_loss")) == 200
    assert run.evaluation is not None
    assert run.evaluation.generation.modified.count == 110
    assert run.samples is not None
    assert len(run.samples) == 240


@pytest.mark.parametrize("name", ["metrics.jsonl", "evaluation.json", "generations.jsonl", "checkpoints/best.json"])
def test_optional_files_may_be_missing(folder: Folder, tmp_path: Path, name: str) -> None:
    (folder.write(tmp_path) / name).unlink()
    run = read(tmp_path)
    assert [run.metrics, run.evaluation, run.samples, run.best].count(None) == 1


@pytest.mark.parametrize("name", ["run.json", "config.yaml"])
def test_other_files_may_not(folder: Folder, tmp_path: Path, name: str) -> None:
    (folder.write(tmp_path) / name).unlink()
    with pytest.raises(UserError, match=name):
        read(tmp_path)


@pytest.mark.parametrize(
    ("keys", "value", "sentence"),
    [
        (("generation", "all", "valid_share"), "high", r"evaluation.json: generation.all.valid_share: .*'high'"),
        (("generation", "all", "valid_share"), 1.2, r"evaluation.json: generation.all.valid_share: .*1.2"),
        (("losses", "code_bits_per_byte"), float("nan"), r"evaluation.json: losses.code_bits_per_byte: .*nan"),
        (("decisions", "constructed", "hidden", "confusion"), [[1, 2]], "confusion"),
        (("synthetic",), None, "evaluation.json: synthetic"),
    ],
)
def test_a_broken_field_is_named(
    folder: Folder, tmp_path: Path, keys: tuple[str, ...], value: object, sentence: str
) -> None:
    tree: Any = folder.evaluation
    for key in keys[:-1]:
        tree = tree[key]
    tree[keys[-1]] = value
    with pytest.raises(UserError, match=sentence):
        read(folder.write(tmp_path))


def test_a_missing_field_is_named_with_its_line(folder: Folder, tmp_path: Path) -> None:
    assert folder.samples is not None
    del folder.samples[2]["predicted_plan"]
    with pytest.raises(UserError, match=r"generations.jsonl line 3: predicted_plan: Field required"):
        read(folder.write(tmp_path))


def test_text_that_is_not_json_or_not_utf8_is_named(folder: Folder, tmp_path: Path) -> None:
    path = folder.write(tmp_path) / "evaluation.json"
    path.write_text('{"split": ', "utf-8")
    with pytest.raises(UserError, match=r"evaluation.json: not valid JSON"):
        read(tmp_path)
    path.write_bytes(b"\xff\xfe")
    with pytest.raises(UserError, match=r"evaluation.json: cannot be read"):
        read(tmp_path)


def test_no_generations_and_empty_intervals_are_absent_not_broken(folder: Folder, tmp_path: Path) -> None:
    assert folder.evaluation is not None
    folder.evaluation["generation"]["added"]["improved_interval"] = [None, None]
    folder.samples = []
    run = read(folder.write(tmp_path))
    assert run.samples == ()
    assert run.evaluation is not None
    assert run.evaluation.generation.added.improved_interval is None


def test_line_separators_inside_a_string_do_not_end_a_line(folder: Folder, tmp_path: Path) -> None:
    path = folder.write(tmp_path) / "generations.jsonl"
    text = path.read_text("utf-8")
    path.write_text(text.replace("Pop left", "Pop\u2028left"), "utf-8")
    run = read(tmp_path)
    assert run.samples is not None
    assert run.samples[1].body.startswith("Pop\u2028left")
