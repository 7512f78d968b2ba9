"""Exact duplicates: the same declaration before and after, wherever it was merged again."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence

from hrm_ray.prepare.examples import Example
from hrm_ray.prepare.split import merge_time


def fingerprint(example: Example) -> str:
    """Return 32 hex digits that two examples share exactly when `before` and `code` are equal."""
    digest = hashlib.sha256()
    for text in (example.before, example.code):
        data = text.encode()
        digest.update(len(data).to_bytes(8, "little") + data)
    return digest.hexdigest()[:32]


def keep_earliest(fingerprints: Sequence[str], merged_at: Sequence[str], ids: Sequence[str]) -> list[int]:
    """Return the positions to keep, sorted by id: of each fingerprint the earliest merged, then the smallest id."""
    times = [merge_time(time) for time in merged_at]
    first: dict[str, int] = {}
    for at in sorted(range(len(ids)), key=lambda at: (times[at], ids[at])):
        first.setdefault(fingerprints[at], at)
    return sorted(first.values(), key=lambda at: (ids[at], fingerprints[at]))
