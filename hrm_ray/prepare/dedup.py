"""Digests by which examples are compared without their texts."""

from __future__ import annotations

import hashlib

from hrm_ray.prepare.examples import Example


def fingerprint(example: Example) -> str:
    """Return 32 hex digits that two examples share exactly when `before` and `code` are equal."""
    digest = hashlib.sha256()
    for text in (example.before, example.code):
        data = text.encode()
        digest.update(len(data).to_bytes(8, "little") + data)
    return digest.hexdigest()[:32]


def text_digest(text: str) -> str:
    """Return 32 hex digits that two texts share exactly when they differ in white space only; '' of an empty one."""
    return hashlib.sha256(" ".join(text.split()).encode()).hexdigest()[:32] if text.strip() else ""
