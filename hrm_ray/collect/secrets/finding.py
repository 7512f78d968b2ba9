"""A secret that was found, and what takes its place."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass

MARK = "REDACTED"
"""Begins a placeholder of 14 characters or more; a shorter one ends in `xxxx`. What holds either is no secret."""


@dataclass(frozen=True)
class Finding:
    """A string that must not stay in any text of its pull request, and what takes its place, on one line as it is."""

    kind: str
    text: str
    placeholder: str

    @classmethod
    def of(cls, kind: str, text: str, start: int = 0, end: int | None = None) -> Finding:
        """Return the finding `text` of which the secret, all of it unless said, is from `start` to `end`."""
        end = len(text) if end is None else end
        return cls(kind, text, text[:start] + stand_in(text[start:end]) + text[end:])


def stand_in(text: str) -> str:
    """Return what takes the place of a secret: as long, the same for the same, and never a secret itself."""
    digest = hashlib.sha256(text.encode("utf-8", "surrogatepass")).digest()
    letters = "".join(chr(ord("a") + byte % 26) for byte in digest)
    if len(text) < 14:
        return f"{letters[:10]}xxxx"[-len(text) :]
    return f"{MARK}{letters[:6]}".ljust(len(text), "x")
