"""Checkpoints are whole or absent, and say so."""

from __future__ import annotations

import errno
import shutil
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file
from torch import Tensor

from hrm_ray.errors import DiskError, OtherRankError, UserError
from hrm_ray.train import checkpoint
from hrm_ray.train.checkpoint import State
from hrm_ray.train.engine import PlainEngine, Slice, whole
from tests.limits import most_bytes_of_a_file

WEIGHTS = {"a.weight": torch.arange(6.0).view(2, 3), "b": torch.ones(4)}
MOMENTS = {"exp_avg.a.weight": torch.arange(6.0).view(2, 3) / 8}


class Rank(PlainEngine):
    """One of `world` threads that keep a stretch each of `WEIGHTS` and `MOMENTS`."""

    def __init__(self, rank: int, world: int, meeting: threading.Barrier, told: dict[int, Tensor]) -> None:
        self.rank, self.world, self.meeting, self.told = rank, world, meeting, told
        self.shapes = {name: list(tensor.shape) for name, tensor in WEIGHTS.items()}

    def barrier(self) -> None:
        self.meeting.wait(timeout=30)

    def sum(self, values: Tensor) -> Tensor:
        self.told[self.rank] = values
        self.barrier()
        total = torch.stack([*self.told.values()]).sum(0)
        self.barrier()
        return total

    def weights(self) -> dict[str, Slice]:
        return self.share(WEIGHTS)

    def moments(self) -> dict[str, Slice]:
        return self.share(MOMENTS)

    def share(self, tensors: dict[str, Tensor]) -> dict[str, Slice]:
        cuts = {name: len(values) * self.rank // self.world for name, (_, values) in whole(tensors).items()}
        ends = {name: len(values) * (self.rank + 1) // self.world for name, (_, values) in whole(tensors).items()}
        return {name: Slice(cuts[name], t.flatten()[cuts[name] : ends[name]]) for name, t in tensors.items()}


class Full(Rank):
    """Rank 1 finds its disk full."""

    def weights(self) -> dict[str, Slice]:
        if self.rank == 1:
            raise OSError(errno.ENOSPC, "No space left on device")
        return super().weights()


def save(root: Path, step: int, objective: float | None = None, world: int = 1) -> Path:
    state, told = State(step, step + 1, 1, objective), dict[int, Tensor]()
    meeting = threading.Barrier(world)
    with ThreadPoolExecutor(world) as pool:
        folders = pool.map(lambda rank: checkpoint.save(root, state, Rank(rank, world, meeting, told)), range(world))
        return set(folders).pop()


@pytest.mark.parametrize("world", [1, 3])
def test_what_is_saved_is_loaded(tmp_path: Path, world: int) -> None:
    folder = save(tmp_path, 7, world=world)
    assert len(list(folder.glob("weights-*"))) == len(list(folder.glob("optimizer-*"))) == world
    loaded = checkpoint.load(folder)
    assert loaded.state == State(step=7, position=8, bad_steps=1)
    assert {name: t.tolist() for name, t in loaded.weights.items()} == {n: t.tolist() for n, t in WEIGHTS.items()}
    assert loaded.moments["exp_avg.a.weight"].tolist() == MOMENTS["exp_avg.a.weight"].tolist()


def test_tensors_are_flat_named_slices(tmp_path: Path) -> None:
    stored = load_file(save(tmp_path, 1) / "weights-00000.safetensors")
    assert set(stored) == {"a.weight@0:6", "b@0:4"}


@pytest.mark.parametrize("name", ["weights-00000.safetensors", "optimizer-00000.safetensors", "state.json"])
@pytest.mark.fault
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
@pytest.mark.fault
def test_a_missing_file_is_an_incomplete_checkpoint(tmp_path: Path, name: str) -> None:
    folder = save(tmp_path, 1)
    (folder / name).unlink()
    with pytest.raises(UserError, match=r"step-00000001.*incomplete"):
        checkpoint.load(folder)
    assert checkpoint.newest(tmp_path, print) is None


@pytest.mark.fault
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


def test_the_newest_from_before_a_decay_is_kept(tmp_path: Path) -> None:
    for step in range(2, 12, 2):
        save(tmp_path, step, objective=1.0 / step)
    checkpoint.prune(tmp_path, keep=1, stable=5)
    assert checkpoint.steps(tmp_path) == [4, 10]


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
    save(tmp_path, 1, objective=2.0)
    assert checkpoint.load(save(tmp_path, 1, objective=1.0)).state.objective == 1.0


@pytest.mark.fault
@pytest.mark.parametrize("most", [16, 120, 400])
def test_a_disk_that_refuses_is_named_and_nothing_half_built_stays(tmp_path: Path, most: int) -> None:
    save(tmp_path, 1)
    with most_bytes_of_a_file(most), pytest.raises(UserError, match=str(tmp_path)):
        save(tmp_path, 2, world=3)
    assert [path.name for path in tmp_path.iterdir()] == ["step-00000001"]
    assert checkpoint.load(save(tmp_path, 2)).state.step == 2


@pytest.mark.fault
def test_a_full_disk_of_one_rank_ends_all_ranks(tmp_path: Path) -> None:
    save(tmp_path, 1)
    meeting, told = threading.Barrier(3), dict[int, Tensor]()
    with ThreadPoolExecutor(3) as pool:
        ranks = [Full(rank, 3, meeting, told) for rank in range(3)]
        saved = [pool.submit(checkpoint.save, tmp_path, State(2, 3, 0), rank) for rank in ranks]
    errors = [type(one.exception()) for one in saved]
    assert errors == [OtherRankError, DiskError, OtherRankError]
    assert [path.name for path in tmp_path.iterdir()] == ["step-00000001"]


@pytest.mark.fault
def test_a_file_where_checkpoints_are_to_be_is_the_users_to_mend(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(UserError, match="file"):
        save(tmp_path / "file", 1)
