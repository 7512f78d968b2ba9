"""Digests by which examples are compared without their texts."""

from __future__ import annotations

import hashlib
import re

from hrm_ray.prepare.examples import Example

_DOC = re.compile(r"\A(?:\s*//.*\n)+")


def fingerprint(example: Example) -> str:
    """Return 32 hex digits that two examples share exactly when `before` and `code` are equal."""
    digest = hashlib.sha256()
    for text in (example.before, example.code):
        data = text.encode()
        digest.update(len(data).to_bytes(8, "little") + data)
    return digest.hexdigest()[:32]


def text_digest(text: str) -> str:
    """Return 32 hex digits that two declarations share exactly when all but white space and a doc comment is equal.

    They are '' of an empty text.
    """
    words = " ".join(_DOC.sub("", text).split())
    return hashlib.sha256(words.encode()).hexdigest()[:32] if words else ""
