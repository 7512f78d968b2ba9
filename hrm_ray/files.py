"""Files: written so that a reader sees the old text or the new one, never half of it, and told by their sum."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from filelock import FileLock, Timeout
from ruamel.yaml import YAML
from ruamel.yaml.error import MarkedYAMLError, YAMLError

from hrm_ray.errors import UserError

OWN_TASKS = Path(__file__).parent / "evaluate" / "tasks.jsonl"


SEEDS = "seeds"
"""Folder of a run for its repetitions with other seeds."""


def repetitions(run_dir: Path) -> list[Path]:
    """Return the folders of a run's repetitions with other seeds, in order."""
    found = (path.parent for path in run_dir.glob(f"{SEEDS}/*/run.json"))
    return sorted(found, key=lambda folder: (len(folder.name), folder.name))


def task_file(named: Path) -> Path:
    """Return the file of tasks that a setting names: for `own` that which ships with this package."""
    return OWN_TASKS if named == Path("own") else named


def user_cache() -> Path:
    """Return this user's folder for what can be made again, creating it."""
    folder = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "hrm-ray"
    folder.mkdir(parents=True, exist_ok=True)
    return folder


def write_text(path: Path, text: str) -> None:
    """Replace the content of `path`, creating its folder."""
    path.parent.mkdir(parents=True, exist_ok=True)
    building = path.with_name(f".{path.name}.{os.getpid()}")
    building.write_text(text, "utf-8")
    building.replace(path)


def read_text(path: Path) -> str:
    """Return the file's text, or raise a UserError that names the file."""
    try:
        return path.read_text("utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise UserError(f"{path}: cannot be read ({error})") from error


@contextmanager
def locked(folder: Path) -> Iterator[None]:
    """Hold `folder`, creating it, for the length of a block; the lock is gone with the process, however it ends.

    Raises:
        UserError: another process holds it.
    """
    folder.mkdir(parents=True, exist_ok=True)
    try:
        with FileLock(folder / ".lock", blocking=False):
            yield
    except Timeout as error:
        raise UserError(f"{folder}: another process is working in it; wait until it ends, or stop it") from error


def sha256(path: Path) -> str:
    """Return the sha256 of a file's content as 64 hex digits."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def parse_yaml(text: str, source: str) -> dict[str, Any]:
    """Return the tree in a YAML 1.2 text; `source` is the name that errors give it.

    Raises:
        UserError: the text is not YAML, or not a tree of keys and values.
    """
    try:
        tree = YAML(typ="safe", pure=True).load(text)
    except YAMLError as error:
        raise UserError(f"{source}: not valid YAML: {_told(error)}") from error
    if not isinstance(tree, dict):
        raise UserError(f"{source}: expected keys and values, found {type(tree).__name__}")
    return tree


def _told(error: YAMLError) -> str:
    """What is wrong and where, without the line itself: it may hold a secret."""
    if not isinstance(error, MarkedYAMLError) or error.problem_mark is None:
        return " ".join(str(error).split())
    where = error.problem_mark
    return f"{error.problem}, line {where.line + 1}, column {where.column + 1}"
