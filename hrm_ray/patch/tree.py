"""The user's working tree: its Go files as they are on the disk, committed or not. Nothing here writes to it."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Sequence
from contextlib import suppress
from functools import cached_property
from pathlib import Path

from rapidfuzz import fuzz, process

from hrm_ray.errors import UserError
from hrm_ray.files import why
from hrm_ray.golang.files import is_generated_name, is_skipped

NEAR = 5
"""Near names that a sentence lists."""

_LEAST = 66
"""Share of equal letters, in percent, from which a name is near."""


class WorkingTree:
    """The working tree of the git repository that holds a folder; paths in it are from its root, with slashes."""

    def __init__(self, place: Path) -> None:
        """Find the repository.

        Raises:
            UserError: there is no such folder, or it is in no git repository with a working tree.
        """
        if not os.path.isdir(place):  # noqa: PTH112 - false of a name that cannot be, too
            is_file = os.path.isfile(place)  # noqa: PTH113
            raise UserError(f"{place}: {'is a file, not a folder' if is_file else 'there is no such folder'}")
        self.place = place.resolve()
        self.root = Path(_git(self.place, "rev-parse", "--show-toplevel").removesuffix("\n"))
        self._texts: dict[str, str] = {}

    @cached_property
    def files(self) -> tuple[str, ...]:
        """The Go and go.mod files that git tracks or would not ignore, sorted; those whose names are UTF-8."""
        listed = _git(
            self.root, "ls-files", "-z", "--cached", "--others", "--exclude-standard", "--", "*.go", "*go.mod"
        )
        found = sorted(path for path in set(listed.split("\0")) if path and _is_text(path))
        return tuple(path for path in found if (self.root / path).is_file() and not (self.root / path).is_symlink())

    @cached_property
    def go_files(self) -> tuple[str, ...]:
        """The Go files that people wrote here."""
        ours = (path for path in self.files if path.endswith(".go"))
        return tuple(path for path in ours if not (is_skipped(path) or is_generated_name(path)))

    @cached_property
    def sources(self) -> dict[str, str]:
        """The texts of these by path, without those that are not UTF-8."""
        texts = {}
        for path in self.go_files:
            with suppress(UserError):
                texts[path] = self.text(path)
        return texts

    def text(self, path: str) -> str:
        """Return a file's text with its line ends as they are.

        Raises:
            UserError: it cannot be read, or is not UTF-8.
        """
        if path not in self._texts:
            try:
                self._texts[path] = (self.root / path).read_bytes().decode("utf-8")
            except (OSError, UnicodeDecodeError) as error:
                raise UserError(f"{path}: cannot be read ({why(error)})") from error
        return self._texts[path]

    def path(self, named: str) -> str:
        """Return the path in the tree of what a user calls `named`: from the folder given, from here, or from the root.

        The file need not exist.

        Raises:
            UserError: it is no Go file, or lies outside the tree, or there can be no file of that name.
        """
        if not named.endswith(".go"):
            raise UserError(f"{named}: not a Go file")
        try:
            given = Path(named).expanduser()
            places = [self.place / given, Path.cwd() / given, self.root / given]
            chosen = next((place for place in places if place.is_file()), places[0])
            inside = os.path.relpath(chosen.resolve(), self.root.resolve())
        except (OSError, ValueError, RuntimeError) as error:  # too long, no text, links in a circle, no such user
            raise UserError(f"{named!r}: cannot be a file ({why(error)})") from error
        if not _is_text(inside):
            raise UserError(f"{named!r}: its name is not UTF-8, and training saw no such file")
        if Path(inside).parts[0] in {"..", ".git"}:
            raise UserError(f"{named}: not in the repository {self.root}")
        return inside.replace(os.sep, "/")


def _is_text(path: str) -> bool:
    """Whether a path is UTF-8; what is not comes from the system as lone surrogates."""
    return path.isascii() or not any("\ud800" <= sign <= "\udfff" for sign in path)


def near(name: str, known: Sequence[str], separator: str) -> str:
    """Return, for the end of a sentence, the known names nearest to one that is not, whole or behind `separator`."""

    def score(one: str, other: str, **_: object) -> float:
        ends = (each.rpartition(separator)[2] for each in (one, other))
        return max(fuzz.ratio(one, other), fuzz.ratio(*ends))

    found = [found for found, _, _ in process.extract(name, known, scorer=score, limit=NEAR, score_cutoff=_LEAST)]
    return f"; near it: {', '.join(found)}" if found else ""


def _git(folder: Path, *arguments: str) -> str:
    plain = {name: value for name, value in os.environ.items() if not name.startswith("GIT_")} | {"LC_ALL": "C"}
    try:
        done = subprocess.run(["git", *arguments], cwd=folder, env=plain, capture_output=True, check=False)
    except FileNotFoundError as error:
        raise UserError("git is not installed, and patches are made with it") from error
    if done.returncode:
        said = done.stderr.decode("utf-8", "replace").strip().splitlines() or ["it gave no reason"]
        raise UserError(f"{folder}: git knows no working tree there ({said[0].removeprefix('fatal: ')})")
    return os.fsdecode(done.stdout)
