"""Only whole checkpoints count; what is not whole is moved aside, and copies under other names are left alone."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from hrm_ray.train import checkpoint, integrity
from tests.train.test_checkpoint import save

COPIES = ("step-00000001.bak", "step-00000003-before", "step-3", "step-000000003", "step-0000000³", "step-٠٠٠٠٠٠٠٣")


def flip(folder: Path) -> None:
    weights = folder / "weights-00000.safetensors"
    content = bytearray(weights.read_bytes())
    content[len(content) // 2] ^= 1
    weights.write_bytes(content)


def empty(folder: Path) -> None:
    for path in folder.iterdir():
        path.unlink()


def tear(folder: Path) -> None:
    manifest = folder / "manifest.json"
    manifest.write_text(manifest.read_text()[:-9])


def unlist(folder: Path) -> None:
    (folder / "manifest.json").write_text("{}")


def replace(folder: Path) -> None:
    (folder / "manifest.json").write_text('["state.json"]')


def lose(folder: Path) -> None:
    (folder / "optimizer-00000.safetensors").unlink()


def saved(root: Path, *steps: int) -> list[Path]:
    return [save(root, step, objective=float(step)) for step in steps]


def test_copies_under_other_names_are_no_checkpoints_and_stay(tmp_path: Path) -> None:
    first, *_ = saved(tmp_path, 1, 2, 3)
    for name in COPIES:
        shutil.copytree(first, tmp_path / name)
    (tmp_path / "step-00000009").write_text("a file")
    assert checkpoint.steps(tmp_path) == [1, 2, 3]
    newest, best = checkpoint.newest(tmp_path, print), checkpoint.best(tmp_path, print)
    assert newest and best
    assert (newest.path.name, best.path.name) == ("step-00000003", "step-00000001")
    assert checkpoint.prune(tmp_path, keep=1) == []
    assert checkpoint.steps(tmp_path) == [1, 3]
    assert all((tmp_path / name).exists() for name in (*COPIES, "step-00000009"))


def test_steps_count_as_numbers(tmp_path: Path) -> None:
    saved(tmp_path, 99_999_999, 100_000_000)
    checkpoint.prune(tmp_path, keep=1, stable=99_999_999)
    assert checkpoint.steps(tmp_path) == [99_999_999, 100_000_000]
    newest = checkpoint.newest(tmp_path, print)
    assert newest and newest.state.step == 100_000_000


@pytest.mark.fault
@pytest.mark.parametrize("damage", [flip, empty, tear, unlist, replace, lose])
def test_damaged_checkpoints_never_win_and_are_moved_aside(tmp_path: Path, damage: Callable[[Path], None]) -> None:
    saved(tmp_path, 1, 3, 4, 5)
    assert checkpoint.steps(tmp_path) == [1, 3, 4, 5]
    for step in (1, 4, 5):
        damage(tmp_path / checkpoint.folder_name(step))
    assert checkpoint.steps(tmp_path) == [3]
    saved(tmp_path, 2)
    assert [path.name[-1] for path in checkpoint.ranking(tmp_path)] == ["2", "3"]
    said = checkpoint.prune(tmp_path, keep=1)
    assert [path.name for path in sorted((tmp_path / integrity.ASIDE).iterdir())] == [
        checkpoint.folder_name(step) for step in (1, 4, 5)
    ]
    assert [checkpoint.folder_name(step) in sentence for step, sentence in zip((1, 4, 5), said, strict=True)] == [
        True
    ] * 3
    assert checkpoint.steps(tmp_path) == [2, 3]
    checkpoint.note_best(tmp_path)
    assert checkpoint.prune(tmp_path, keep=2) == []


@pytest.mark.fault
def test_nothing_that_was_moved_aside_is_replaced(tmp_path: Path) -> None:
    for _ in range(3):
        flip(saved(tmp_path, 1)[0])
        checkpoint.prune(tmp_path, keep=1)
    assert len(list((tmp_path / integrity.ASIDE).iterdir())) == 3


@pytest.mark.fault
def test_a_checkpoint_that_cannot_be_read_is_neither_counted_nor_moved(tmp_path: Path) -> None:
    saved(tmp_path, 1, 2)
    weights = tmp_path / "step-00000002" / "weights-00000.safetensors"
    weights.unlink()
    weights.symlink_to(weights)
    assert checkpoint.steps(tmp_path) == [1]
    assert checkpoint.prune(tmp_path, keep=1) == []
    assert weights.is_symlink()
    with pytest.raises(OSError, match="symbolic"):
        checkpoint.newest(tmp_path, print)


@pytest.mark.fault
def test_what_was_passed_over_is_moved_aside_whatever_it_holds(tmp_path: Path) -> None:
    saved(tmp_path, 1, 2, 3)
    weights = tmp_path / "step-00000003" / "weights-00000.safetensors"
    weights.unlink()
    weights.symlink_to(tmp_path / "absent")
    said = integrity.set_later_aside(tmp_path, 1)
    assert checkpoint.steps(tmp_path) == [1]
    assert len(said) == len(list((tmp_path / integrity.ASIDE).iterdir())) == 2


def test_a_linked_checkpoint_is_forgotten_and_its_content_stays(tmp_path: Path) -> None:
    root = tmp_path / "checkpoints"
    saved(root, 1, 2)
    moved = (root / "step-00000001").rename(tmp_path / "elsewhere")
    (root / "step-00000001").symlink_to(moved)
    save(root, 3, objective=0.0)
    checkpoint.prune(root, keep=1)
    assert checkpoint.steps(root) == [3]
    assert checkpoint.load(moved).state.step == 1
