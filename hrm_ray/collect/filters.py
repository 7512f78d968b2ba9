"""Which pull requests and files are worth keeping, and what each refusal is called."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from hrm_ray.collect.differences import Entry
from hrm_ray.collect.kinds import kind
from hrm_ray.collect.records import ChangedFile, Request
from hrm_ray.config import Clean
from hrm_ray.golang.files import is_generated

LARGEST_FILE = Clean().largest_file
"""Bytes; larger Go files are data."""

_KINDS = {
    "reverts": "pull request that reverts another",
    "releases": "pull request that makes a release",
    "backports": "backport of a pull request",
}


class Dropped(Exception):  # noqa: N818 - nothing is wrong
    """A pull request is left out; the message is the reason under which it is counted."""


def check_kind(request: Request, settings: Clean, branch: str = "") -> None:
    """Refuse the kinds of pull request that `leave_out` names; `branch` is the one it was made on, if known."""
    if request.is_bot and "bots" in settings.leave_out:
        raise Dropped("pull request of a bot")
    if (found := kind(request.title, request.body, branch)) in settings.leave_out:
        raise Dropped(_KINDS[found])


def check_entries(entries: Sequence[Entry], settings: Clean) -> None:
    """Refuse, before any content is read, what no content can make acceptable."""
    statuses = Counter(entry.status for entry in entries)
    if not entries:
        raise Dropped("pull request without a Go file that a person wrote")
    if statuses["other"]:
        raise Dropped("pull request with a link or submodule named like a Go file")
    # A rename is still listed as a file that went and one that came.
    if statuses["modified"] + max(statuses["added"], statuses["removed"]) > settings.go_files[1]:
        raise Dropped("pull request with too many Go files")


def check_files(files: Sequence[ChangedFile], settings: Clean) -> None:
    """Refuse what has too few or too many files or added lines, now that renames and unusable files are known."""
    fewest, most = settings.go_files
    if not fewest <= len(files) <= most:
        raise Dropped(f"pull request with too {'few' if len(files) < fewest else 'many'} Go files")
    least, largest = settings.added_lines
    added = sum(file.additions for file in files)
    if not least <= added <= largest:
        raise Dropped(f"pull request with too {'few' if added < least else 'many'} added lines")


def text(content: bytes, largest: int = LARGEST_FILE) -> str:
    """Decode a Go file of at most `largest` bytes; Dropped, here of the file alone, where it cannot be one."""
    if len(content) > largest:
        raise Dropped("file that is too large")
    try:
        decoded = content.decode("utf-8")
    except UnicodeDecodeError as error:
        raise Dropped("file that is not UTF-8") from error
    if "\0" in decoded:
        raise Dropped("file that is not text")
    if is_generated(decoded):
        raise Dropped("generated file")
    return decoded
