"""Additions behind one anchor, cut into runs that fit a window: a new file is one such row of additions."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from hrm_ray.golang.declarations import Declaration

BYTES_PER_TOKEN = 1.5
"""Bytes of code of a run for each token of the window. A token holds about three bytes of Go, and a prefix may take
half of the window: so the run and its plan fill the other half."""

RUN_BYTES = 1536
"""Bytes of a run for the default window."""


def run_bytes(window: int) -> int:
    """Return how many UTF-8 bytes the declarations of one run may have."""
    return int(BYTES_PER_TOKEN * window)


def runs(added: Sequence[Declaration], most_bytes: int, most: int) -> list[list[Declaration]]:
    """Cut declarations, in order, into runs of at most `most` and of at most `most_bytes` UTF-8 bytes.

    A type stays with its constructor and methods where they fit a run together. One declaration that is larger than
    `most_bytes` is a run of its own.
    """
    pieces: list[list[Declaration]] = []
    for kin in _kin(added):
        pieces += [kin] if _fits(kin, most_bytes, most) else _packed([[one] for one in kin], most_bytes, most)
    return _packed(pieces, most_bytes, most)


def _packed(pieces: Iterable[list[Declaration]], most_bytes: int, most: int) -> list[list[Declaration]]:
    """Join neighbours for as long as they fit."""
    packed: list[list[Declaration]] = []
    for piece in pieces:
        if packed and _fits(packed[-1] + piece, most_bytes, most):
            packed[-1] = packed[-1] + piece
        else:
            packed.append(piece)
    return packed


def _fits(run: Sequence[Declaration], most_bytes: int, most: int) -> bool:
    return len(run) <= most and sum(one.end - one.start for one in run) <= most_bytes


def _kin(added: Iterable[Declaration]) -> list[list[Declaration]]:
    """Group each type with the constructor and the methods that follow it."""
    groups: list[list[Declaration]] = []
    for one in added:
        if groups and (first := groups[-1][0]).kind == "type" and _belongs(one, first.name):
            groups[-1].append(one)
        else:
            groups.append([one])
    return groups


def _belongs(one: Declaration, owner: str) -> bool:
    return one.name.startswith(f"{owner}.") or one.name.lower() == f"new{owner}".lower()
