"""Which folders are checkpoints, and whether they are whole: every file is what the manifest says.

Only whole checkpoints count, for resuming, as the best one, and among those that are kept.
"""

from __future__ import annotations

import itertools
import json
import re
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from safetensors import SafetensorError

from hrm_ray.errors import UserError
from hrm_ray.files import sha256

MANIFEST = "manifest.json"
STATE = "state.json"

ASIDE = "damaged"
"""Folder of the checkpoints that are not whole, beside the others; nothing reads it."""

SETTLED = 2.0
"""Seconds after which a change of a file is sure to change its times, which some file systems keep in whole seconds."""

_NAME = re.compile(r"step-\d{8,}", re.ASCII)

_Files = frozenset[tuple[str, int, int, int]]
_verified: dict[Path, _Files] = {}
"""Checkpoints whose sums agreed, and what their files looked like then."""


def folder_name(step: int) -> str:
    """Return the name of the checkpoint after `step` updates."""
    return f"step-{step:08d}"


def step_of(folder: Path) -> int:
    """Return the updates after which a checkpoint was made."""
    return int(folder.name.removeprefix("step-"))


def folders(root: Path) -> list[Path]:
    """Return the checkpoints of `root`, whole or not, the oldest first; a copy under another name is none."""
    named = [path for path in root.glob("step-*") if _NAME.fullmatch(path.name) and path.is_dir()]
    return sorted((path for path in named if path.name == folder_name(step_of(path))), key=step_of)


def whole(root: Path) -> list[Path]:
    """Return the whole checkpoints of `root`, the oldest first."""
    return [folder for folder in folders(root) if _is_whole(folder)]


def verify(folder: Path) -> list[str]:
    """Return the names of the files of a whole checkpoint.

    Raises:
        UserError: a file is missing, or is not what the manifest says.
        OSError: a file cannot be read, which says nothing of its content.
    """
    with incomplete(folder):
        sums: dict[str, str] = json.loads((folder / MANIFEST).read_text("utf-8"))
        if STATE not in sums:
            raise ValueError(f"{MANIFEST} does not name {STATE}")
        for name, expected in sums.items():
            if sha256(folder / name) != expected:
                raise UserError(f"{folder / name}: damaged (its sha256 is not the manifest's)")
        return sorted(sums)


@contextmanager
def incomplete(folder: Path) -> Iterator[None]:
    """Raise a UserError for files that are missing or hold what a checkpoint does not."""
    absent = (FileNotFoundError, NotADirectoryError, IsADirectoryError)
    try:
        yield
    except (*absent, ValueError, KeyError, TypeError, AttributeError, SafetensorError) as error:
        raise UserError(f"{folder}: incomplete checkpoint ({error})") from error


def set_damaged_aside(root: Path) -> list[str]:
    """Move the checkpoints that are not whole into `ASIDE`, and return a sentence on each.

    One that cannot be read stays, because that says nothing of its content.
    """
    said = []
    for folder in folders(root):
        try:
            _verify_once(folder)
        except UserError as error:
            said.append(f"{error}; {_move(folder)}")
        except OSError:
            continue
    return said


def set_later_aside(root: Path, step: int) -> list[str]:
    """Move the checkpoints of later steps than `step` into `ASIDE`, and return a sentence on each."""
    return [_move(folder) for folder in folders(root) if step_of(folder) > step]


def _is_whole(folder: Path) -> bool:
    try:
        _verify_once(folder)
    except (UserError, OSError):
        return False
    return True


def _verify_once(folder: Path) -> None:
    """Verify a checkpoint unless its files are as they were when its sums agreed: sums of large files take seconds."""
    if _verified.get(folder) == (files := _files(folder)):
        return
    verify(folder)
    if time.time() - max(changed for *_, changed in files) / 1e9 > SETTLED:
        _verified[folder] = files


def _files(folder: Path) -> _Files:
    """Return name, inode, size and time of change (ns) of each file."""
    found = ((path.name, path.stat()) for path in folder.iterdir())
    return frozenset((name, seen.st_ino, seen.st_size, seen.st_ctime_ns) for name, seen in found)


def _move(folder: Path) -> str:
    aside = folder.parent / ASIDE
    aside.mkdir(exist_ok=True)
    names = itertools.chain([folder.name], (f"{folder.name}.{number}" for number in itertools.count(1)))
    place = next(path for path in map(aside.joinpath, names) if not path.exists())
    size = sum(path.lstat().st_size for path in folder.iterdir()) / 2**20
    folder.rename(place)
    return f"{folder} is now {place} ({size:,.1f} MiB), which nothing reads and you may remove"
