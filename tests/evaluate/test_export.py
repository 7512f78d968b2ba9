"""An exported run: what the card says runs, writes what we write, and nothing good is ever lost."""

from __future__ import annotations

import ast
import json
import re
import shutil
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from hrm_ray.config import Config
from hrm_ray.config.prepare import Form
from hrm_ray.errors import UserError
from hrm_ray.evaluate import export as exporting
from hrm_ray.evaluate import model_card
from hrm_ray.evaluate.export import export
from hrm_ray.evaluate.opened import open_run
from hrm_ray.model import hf_folder
from hrm_ray.model.generate import generate
from hrm_ray.model.sampling import Sampling
from hrm_ray.prepare import edits
from hrm_ray.prepare.plan import header
from hrm_ray.prepare.tokenizer import Control
from hrm_ray.train.corpus import read_datasets
from hrm_ray.train.run import read_run
from tests.conftest import ROOT


@pytest.fixture(scope="module")
def run_dir(smoke: Config, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of the smoke run that no other test evaluates."""
    folder = tmp_path_factory.mktemp("export") / "run"
    shutil.copytree(smoke.run_dir, folder, ignore=shutil.ignore_patterns("evaluation.json", "ray"))
    return folder


@pytest.fixture(scope="module")
def folder(run_dir: Path) -> Path:
    export(run_dir, to := run_dir.parent / "hrm-go")
    return to


def names(folder: Path) -> set[str]:
    return {path.name for path in folder.iterdir()}


BEFORE = "func Open(name string) (*Store, error) {\n\treturn &Store{name: name}, nil\n}"


@pytest.mark.parametrize("form", ["whole", "edit"])
def test_what_the_card_shows_runs_and_writes_what_we_write(
    form: Form, run_dir: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pytest.importorskip("transformers")
    opened = open_run(run_dir, config := read_run(run_dir))
    facts, prepared = read_datasets(config), config.prepare.model_copy(update={"form": form})
    monkeypatch.setattr(model_card, "read_datasets", lambda _: facts)
    opened = replace(opened, config=config.model_copy(update={"prepare": prepared}))
    (folder := tmp_path / "hrm-go").mkdir()
    hf_folder.write(folder, opened.engine.model, opened.tokenizer, prepared.window, form)
    (snippet,) = re.findall(r"```python\n(.*?)```", model_card.render(opened, folder.name), re.DOTALL)
    monkeypatch.chdir(tmp_path)
    found: dict[str, Any] = {}
    exec(snippet, found)
    encode = opened.tokenizer.encode
    prefix = [Control.PROBLEM, *encode("Return an error when the name is empty")]
    prefix += [Control.PATH, *encode("store/open.go")]
    outline = 'package store\n\nimport "errors"\n\nfunc Open(name string) (*Store, error)'
    numbered = edits.numbered(BEFORE, found.get("START", 0), opened.tokenizer)
    prefix += [Control.OUTLINE, *encode(outline), Control.BEFORE, *(numbered if form == "edit" else encode(BEFORE))]
    limits = config.evaluate
    sampling = Sampling(limits.max_plan_tokens, limits.max_code_tokens)
    (ours,) = generate(opened.engine.model, [prefix], [0], sampling, given=[encode(header(BEFORE))])
    assert (found["plan"], found["code"]) == (ours.plan, ours.code)
    assert len(ours.plan) * len(ours.code) > 1
    if form == "edit":
        applied = edits.texts(ours.plan, ours.code, prefix, BEFORE, opened.tokenizer)[1]
        assert found["apply"](BEFORE, ours.code) == applied
        hunk = [edits.Hunk(1, 1, ('\tif name == "" {', "\t}", "")), edits.Hunk(2, 3, ())]
        ids = edits.encode(hunk, found["START"], opened.tokenizer)
        assert found["apply"](BEFORE, ids) == edits.apply(BEFORE, hunk) != BEFORE


def test_the_card_says_what_a_reader_must_know(smoke: Config, folder: Path) -> None:
    card = (folder / "README.md").read_text()
    assert card.startswith("---\nlibrary_name: transformers\n")
    facts = json.loads((smoke.data / "dataset.json").read_text())
    assert "Learnt from made-up pull requests" in card
    assert facts["hash"][:16] in card
    for fold in ("train", "judge"):
        assert all(f"| {name} |" in card for name in facts["folds"][fold]["repositories"])
        assert all(f"| {name} |" in card for name in facts["folds"][fold]["licences"])
    assert "Nothing of this checkpoint" in card
    assert re.search(r"exported on \d{4}-\d\d-\d\d", card)


def test_the_card_has_the_figures_of_this_very_checkpoint(run_dir: Path, tmp_path: Path) -> None:
    step = json.loads((run_dir / "checkpoints" / "best.json").read_text())["step"]
    found = {
        "checkpoint": {"step": step},
        "split": "test",
        "test_reads": 3,
        "repositories": ["a/b"],
        "losses": {"examples": 1234, "plan_bits_per_byte": 1.5, "code_bits_per_byte": 2.25}
        | {"code_bits_per_byte_no_plan": None},
        "generation": {
            "all": {"count": 7, "valid_share": 0.125, "improved_share": 0.0}
            | {"edit_similarity": 0.5, "copy_edit_similarity": 0.625}
        },
        "unchecked": {"all": {"valid_share": 0.0625}},
        "decisions": {"constructed": {"hidden": {"balanced_accuracy": 0.75}}},
    }
    evaluation = run_dir / "evaluation.json"
    try:
        evaluation.write_text(json.dumps(found))
        export(run_dir, tmp_path / "with")
        evaluation.write_text(json.dumps(found | {"checkpoint": {"step": step - 1}}))
        export(run_dir, tmp_path / "of another")
    finally:
        evaluation.unlink()
    card = (tmp_path / "with" / "README.md").read_text()
    assert "On the test fold (read 3 times): 1 repositories, 1,234 examples, 7 of them written." in card
    assert re.findall(r"\| ([\d.]{5}|not measured) \|", card) == ["1.500", "2.250", "not measured"] + [
        f"{value:.3f}" for value in (0.125, 0.0625, 0, 0.5, 0.75)
    ]
    assert "Nothing of this checkpoint" in (tmp_path / "of another" / "README.md").read_text()


def test_the_card_names_every_dataset_of_a_mixture(run_dir: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    opened, record = open_run(run_dir, read_run(run_dir)), run_dir / "run.json"
    before, facts = record.read_text(), json.loads((read_run(run_dir).data / "dataset.json").read_text())
    monkeypatch.setattr(model_card, "read_datasets", lambda _: [facts, facts | {"hash": "f" * 64}])
    try:
        record.write_text(json.dumps(json.loads(before) | {"mixture": [{"dataset": "b", "weight": 0.25}]}))
        card = model_card.render(opened, "mixed")
    finally:
        record.write_text(before)
    assert re.search(rf"Dataset `{facts['hash'][:16]}`: .* in test\.\nDataset `f{{16}}`: .* \(weight 0\.25\)\.", card)
    seen = sum(facts["folds"][fold]["licences"]["Apache-2.0"] for fold in ("train", "judge"))
    assert f"| Apache-2.0 | {2 * seen} |" in card


def test_the_card_keeps_paths_of_this_machine_to_itself_and_quotes_names(run_dir: Path) -> None:
    opened, record = open_run(run_dir, read_run(run_dir)), run_dir / "run.json"
    before = record.read_text()
    try:
        begun = {"init_from": {"folder": "/home/ada/models/HRM-Text", "sha256": "0" * 64}}
        record.write_text(json.dumps(json.loads(before) | begun))
        card = model_card.render(opened, 'my "best" \\one')
    finally:
        record.write_text(before)
    assert "| began from | `HRM-Text`, weights of sha256 `0000000000000000` |" in card
    assert "/home/ada" not in card
    (snippet,) = re.findall(r"```python\n(.*?)```", card, re.DOTALL)
    (folder,) = re.findall(r"^folder = (.*)$", snippet, re.MULTILINE)
    assert ast.literal_eval(folder) == 'my "best" \\one'


def test_writing_needs_no_transformers_and_everybody_may_read(run_dir: Path, tmp_path: Path) -> None:
    code = (
        "import sys; sys.modules['transformers'] = None; from hrm_ray.cli import main; "
        f"sys.argv = ['hrm-ray', 'export', {str(run_dir)!r}, '--to', {str(tmp_path / 'deep' / 'there')!r}]; main()"
    )
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert "README.md says how to load it" in " ".join(done.stdout.split())
    assert len({path.stat().st_mode for path in (tmp_path / "deep" / "there").iterdir()}) == 1


def test_an_export_is_replaced_whole(run_dir: Path, folder: Path, tmp_path: Path) -> None:
    shutil.copytree(folder, again := tmp_path / "again")
    (again / "model.safetensors").write_bytes(b"damaged")
    (again / "refinement.safetensors").unlink()
    export(run_dir, again)
    assert names(again) == names(folder)
    assert hf_folder.read_weights(again).keys() == hf_folder.read_weights(folder).keys()
    assert names(tmp_path) == {"again"}


def test_one_that_fails_leaves_the_old_one(
    run_dir: Path, folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*_: object) -> str:
        raise RuntimeError("no card")

    shutil.copytree(folder, again := tmp_path / "again")
    monkeypatch.setattr(exporting, "render", broken)
    with pytest.raises(RuntimeError, match="no card"):
        export(run_dir, again)
    assert names(tmp_path) == {"again"}
    assert hf_folder.sealed(again) == hf_folder.sealed(folder) != {}


@pytest.mark.parametrize("strange", ["notes.txt", ".git"])
def test_what_no_export_has_written_is_not_replaced(run_dir: Path, folder: Path, tmp_path: Path, strange: str) -> None:
    shutil.copytree(folder, again := tmp_path / "again")
    (again / strange).mkdir()
    with pytest.raises(UserError, match=f"holds {re.escape(strange)}, which no export has written"):
        export(run_dir, again)
    (tmp_path / "file").touch()
    with pytest.raises(UserError, match="is a file, and an export is a folder"):
        export(run_dir, tmp_path / "file")
    with pytest.raises(UserError, match="cannot be written"):
        export(run_dir, tmp_path / "file" / "below")
    with pytest.raises(UserError, match="cannot be written"):
        export(run_dir, tmp_path / ("x" * 300))


def test_a_plain_network_is_refused_by_name(run_dir: Path, tmp_path: Path) -> None:
    words = ["export", str(run_dir / "baselines" / "equal_parameters"), "--to", str(tmp_path / "to")]
    done = subprocess.run(
        [sys.executable, "-m", "hrm_ray", *words], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert done.returncode == 2
    assert done.stderr == "error: transformers' HrmTextForCausalLM cannot hold a network with model.mode: plain\n"
    assert not (tmp_path / "to").exists()
