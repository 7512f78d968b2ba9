"""Files: written so that a reader sees the old text or the new one, never half of it, and told by their sum."""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TypeVar

from filelock import FileLock, Timeout
from pydantic import BaseModel, ConfigDict, ValidationError

from hrm_ray.errors import UserError, explained

R = TypeVar("R", bound="Record")

OWN_TASKS = Path(__file__).parent / "evaluate" / "tasks.jsonl"


PARTIAL = "partial"
"""Mark of a file that one process at a time writes (see `replacing`)."""

SEEDS = "seeds"
"""Folder of a run for its repetitions with other seeds."""


class Record(BaseModel):
    """A JSON object in a file; a later version's extra fields are passed over."""

    model_config = ConfigDict(frozen=True, allow_inf_nan=False)


BASELINES = ("equal_parameters", "equal_flops")
"""Folders, in a run's folder `baselines`, of the plain models that are trained beside it."""


def repetitions(run_dir: Path) -> list[Path]:
    """Return the folders of a run's repetitions with other seeds, in order; a copy under another name is none."""
    found = (path.parent for path in run_dir.glob(f"{SEEDS}/*/run.json"))
    numbered = [folder for folder in found if folder.name.isdecimal() and folder.name == str(int(folder.name))]
    return sorted(numbered, key=lambda folder: int(folder.name))


def baselines(run_dir: Path) -> list[Path]:
    """Return the folders of a run's baselines; a copy under another name is none."""
    folders = [run_dir / "baselines" / role for role in sorted(BASELINES)]
    return [folder for folder in folders if (folder / "config.yaml").exists()]


def task_file(named: Path) -> Path:
    """Return the file of tasks that a setting names: for `own` that which ships with this package."""
    return OWN_TASKS if named == Path("own") else named


def user_cache() -> Path:
    """Return this user's folder for what can be made again, creating it."""
    named = Path(os.environ.get("XDG_CACHE_HOME", "")).expanduser()
    folder = (named if named.is_absolute() else Path.home() / ".cache") / "hrm-ray"  # XDG passes over a relative one
    folder.mkdir(parents=True, exist_ok=True)
    return folder


@contextmanager
def replacing(path: Path, mark: str = "") -> Iterator[Path]:
    """Give the path of a file to be written: it takes the place of `path` after the block, and is gone if that fails.

    Each process has a file of its own; with a `mark` there is one, and the next process overwrites what a kill left.

    Raises:
        DiskError: the disk does not take it.
    """
    building = path.with_name(f".{path.name}.{mark or os.getpid()}")
    with explained(path):
        path.parent.mkdir(parents=True, exist_ok=True)
        try:
            yield building
            building.replace(path)
        except BaseException as error:
            building.unlink(missing_ok=True)
            if isinstance(error, OSError) and error.filename == str(building):
                error.filename = str(path)
            raise


def write_text(path: Path, text: str) -> None:
    """Replace the content of `path`, creating its folder; a power cut leaves the old text or the new one.

    Raises:
        DiskError: the disk does not take it.
    """
    with replacing(path) as building, building.open("w", encoding="utf-8") as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())


def read_text(path: Path) -> str:
    """Return the file's text, or raise a UserError that names the file."""
    try:
        return path.read_text("utf-8")
    except (OSError, ValueError) as error:
        raise UserError(f"{path}: cannot be read ({why(error)})") from error


def why(error: Exception) -> str:
    """Return in words why a file cannot be read or written."""
    if isinstance(error, UnicodeError):
        return "it is not UTF-8 text"
    if isinstance(error, FileNotFoundError):
        return "there is no such file"
    if isinstance(error, OSError) and error.strerror:
        return error.strerror[0].lower() + error.strerror[1:]
    return str(error)


def read_record(path: Path, form: type[R]) -> R:
    """Return the JSON object in a file.

    Raises:
        UserError: the file cannot be read, holds no JSON, or not what `form` says, with the first field that is wrong.
    """
    return parse_record(read_text(path), form, str(path))


def parse_record(text: str, form: type[R], source: str) -> R:
    """Return the JSON object in a text; `source` is the name that errors give it."""
    try:
        tree = json.loads(text)
    except json.JSONDecodeError as error:
        said = f"not valid JSON ({error})" if text.strip() else "the file is empty"
        raise UserError(f"{source}: {said}") from error
    if not isinstance(tree, dict):
        raise UserError(f"{source}: expected an object, found {type(tree).__name__}")
    try:
        return form.model_validate(tree)
    except ValidationError as error:
        first = error.errors()[0]
        field = ".".join(str(part) for part in first["loc"]) or "the whole"
        given = repr(first["input"])
        short = given if len(given) <= 60 else given[:57] + "..."
        raise UserError(f"{source}: {field}: {first['msg']} (given: {short})") from error


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
