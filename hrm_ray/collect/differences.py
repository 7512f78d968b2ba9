"""What `git diff-tree` says of two commits: one entry a changed file, and its patch."""

from __future__ import annotations

from dataclasses import dataclass

RAW = ("--raw", "--no-abbrev", "--no-renames")
"""Options that list the changed files without looking into them."""

PATCHES = ("--raw", "--no-abbrev", "-p", "--find-renames", "--no-ext-diff", "--no-textconv")
"""Options that also pair renamed files and show the changes; git ends here where a content is missing."""

_STATUS = {"A": "added", "D": "removed", "M": "modified", "R": "renamed"}
_REGULAR = {"100644", "100755", "000000"}


@dataclass(frozen=True)
class Entry:
    """A changed file; an object id is all zeros where the file does not exist on that side."""

    path: str
    status: str
    """added, modified, removed or renamed; `other` for links, submodules and what becomes one."""
    before: str
    after: str
    old_path: str = ""
    """Of a renamed file."""


def entries(raw: bytes) -> list[Entry]:
    """Read an answer to `RAW`: `:mode mode oid oid status NUL path NUL`, and a second path for a rename."""
    parts = raw.rstrip(b"\0").split(b"\0") if raw else []
    found: list[Entry] = []
    at = 0
    while at < len(parts):
        old_mode, new_mode, before, after, letter = parts[at].decode("ascii").lstrip(":").split()
        old_path = parts[at + 1].decode("utf-8", "replace") if letter[0] == "R" else ""
        at += 2 if old_path else 1
        regular = {old_mode, new_mode} <= _REGULAR
        status = _STATUS.get(letter[0], "other") if regular else "other"
        found.append(Entry(parts[at].decode("utf-8", "replace"), status, before, after, old_path))
        at += 1
    return found


def with_patches(answer: bytes) -> list[tuple[Entry, bytes]]:
    """Read an answer to `PATCHES`; a patch begins at its first `@@`, and is empty where only the name changed."""
    raw, _, text = answer.partition(b"\0\0")
    sections = [b"\n" + section for section in (b"\n" + text).split(b"\ndiff --git ")[1:]]
    hunks = [section.partition(b"\n@@ ") for section in sections]
    texts = [b"@@ " + patch.rstrip(b"\n") + b"\n" if at else b"" for _, at, patch in hunks]
    return list(zip(entries(raw), texts, strict=True))
