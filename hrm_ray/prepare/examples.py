"""One changed top-level declaration with its explicit sections: what the model learns from."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

NO_PULL_REQUEST = -1
"""The `number` of a documented function, by which it is weighted and counted apart."""


@dataclass(frozen=True)
class Example:
    """Sections are separate texts, so that the boundaries between them are data (see docs/formats.md)."""

    id: str
    """First 16 hex digits of a sha256 over repository, number, path and names."""
    repository: str
    license: str
    number: int
    """Of the pull request; `NO_PULL_REQUEST` for a documented function of a newest tree."""
    merged_at: str
    path: str
    change: Literal["added", "modified"]
    kinds: tuple[str, ...]
    """Kind of each declaration in `code`, in order: function, method, type, const or var."""
    names: tuple[str, ...]
    """Name of each declaration in `code`; a method's is `Receiver.Name`."""
    is_test: bool
    comment_only: bool
    """Only comments or layout differ; such changes are not judged."""
    title: str
    body: str
    outline: str
    """The file before: package, imports and signatures, the nearest to the change first; empty for a new file."""
    before: str
    """The declaration before; empty for an addition."""
    anchor: str
    """Of an addition: the nearest earlier declaration that exists before. Empty otherwise."""
    plan: str
    """One step a line."""
    code: str
    """The declaration after, or a run of several that share an anchor, with their doc comments."""
