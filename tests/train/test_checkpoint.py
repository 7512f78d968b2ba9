"""Checkpoints are whole or absent, and say so."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file

from hrm_ray.errors import UserError
from hrm_ray.train import checkpoint
from hrm_ray.train.checkpoint import State

WEIGHTS = {"a.weight": torch.arange(6.0).view(2, 3), "b": torch.ones(4)}
MOMENTS = {"exp_avg.a.weight": torch.full((2, 3), 0.5)}


def save(root: Path, step: int, objective: float | None = None) -> Path:
    return checkpoint.save(root, State(step, step + 1, 1, objective), WEIGHTS, MOMENTS)


def test_what_is_saved_is_loaded(tmp_path: Path) -> None:
    loaded = checkpoint.load(save(tmp_path, 7))
    assert loaded.state == State(step=7, position=8, bad_steps=1)
    assert {name: t.tolist() for name, t in loaded.weights.items()} == {n: t.tolist() for n, t in WEIGHTS.items()}
    assert loaded.moments["exp_avg.a.weight"].shape == (2, 3)


def test_tensors_are_flat_named_slices(tmp_path: Path) -> None:
    stored = load_file(save(tmp_path, 1) / "weights-00000.safetensors")
    assert set(stored) == {"a.weight@0:6", "b@0:4"}


def test_slices_of_several_files_are_put_together(tmp_path: Path) -> None:
    from safetensors.torch import save_file

    save_file({"w@3:6": torch.arange(3.0, 6.0)}, tmp_path / "weights-00000.safetensors")
    save_file({"w@0:3": torch.arange(3.0)}, tmp_path / "weights-00001.safetensors")
    assert checkpoint._read(tmp_path, "weights", {"w": [2, 3]})["w"].tolist() == [[0, 1, 2], [3, 4, 5]]


@pytest.mark.parametrize("name", ["weights-00000.safetensors", "optimizer-00000.safetensors", "state.json"])
def test_one_flipped_bit_is_noticed_and_the_one_before_is_taken(tmp_path: Path, name: str) -> None:
    save(tmp_path, 1)
    damaged = save(tmp_path, 2) / name
    content = bytearray(damaged.read_bytes())
    content[-3] ^= 1
    damaged.write_bytes(content)
    said: list[str] = []
    loaded = checkpoint.newest(tmp_path, said.append)
    assert loaded is not None
    assert loaded.state.step == 1
    assert name in said[0]
    assert "damaged" in said[0]


@pytest.mark.parametrize("name", ["manifest.json", "weights-00000.safetensors"])
def test_a_missing_file_is_an_incomplete_checkpoint(tmp_path: Path, name: str) -> None:
    folder = save(tmp_path, 1)
    (folder / name).unlink()
    with pytest.raises(UserError, match=r"step-00000001.*incomplete"):
        checkpoint.load(folder)
    assert checkpoint.newest(tmp_path, print) is None


def test_a_half_built_checkpoint_is_never_seen_and_is_cleared_away(tmp_path: Path) -> None:
    shutil.copytree(save(tmp_path, 1), tmp_path / ".step-00000002.4711")
    loaded = checkpoint.newest(tmp_path, print)
    assert loaded is not None
    assert loaded.state.step == 1
    checkpoint.prune(tmp_path, keep=1)
    assert [path.name for path in tmp_path.iterdir()] == ["step-00000001"]


def test_the_newest_and_the_best_are_kept(tmp_path: Path) -> None:
    for step, objective in ((1, 2.0), (2, 2.5), (3, None), (4, float("nan"))):
        save(tmp_path, step, objective)
    checkpoint.prune(tmp_path, keep=2)
    assert sorted(path.name[-1] for path in tmp_path.iterdir()) == ["1", "3", "4"]


def test_the_best_whole_checkpoint_is_found_whatever_was_noted(tmp_path: Path) -> None:
    for step, objective in ((1, 2.5), (2, 2.0), (3, 3.0)):
        save(tmp_path, step, objective)
    loaded = checkpoint.best(tmp_path, print)
    assert loaded is not None
    assert loaded.state.step == 2
    (tmp_path / "step-00000002" / "weights-00000.safetensors").unlink()
    loaded = checkpoint.best(tmp_path, print)
    assert loaded is not None
    assert loaded.state.step == 1


def test_saving_a_step_again_replaces_it(tmp_path: Path) -> None:
    save(tmp_path, 1)
    checkpoint.save(tmp_path, State(1, 1, 0), {"b": torch.zeros(4)}, {})
    assert list(checkpoint.load(tmp_path / "step-00000001").weights) == ["b"]
