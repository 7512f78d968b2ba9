"""Near duplicates: changes that write almost the same, wherever they were merged.

Judged is what a change writes, not the declaration around it: the same function changed again in a later pull request
is a new lesson. Texts are compared as sets of `SHINGLE` neighbouring tokens; MinHash (Broder, "On the resemblance and
containment of documents", 1997) finds the candidates, and the sets themselves decide.
"""

from __future__ import annotations

import re
import zlib
from collections import Counter, defaultdict
from collections.abc import Callable, Sequence
from functools import cache
from itertools import islice
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from hrm_ray.prepare.examples import Example

if TYPE_CHECKING:
    from datasketch import MinHash

SHINGLE = 5
SHORT = 20
"""Tokens; a modification that writes fewer is near another only where it writes the very same into a near declaration:
one line such as `t.Parallel()` is added to hundreds of functions that have nothing else in common."""

PERMUTATIONS = 128
_BANDS = 32
"""Of four hashes each: a pair of resemblance 0.7 shares one with probability 0.9998, one of 0.3 with 0.23."""
_SLACK = 0.15
"""Over three standard errors of a resemblance of 0.7 that 128 hashes estimate."""

_TOKEN = re.compile(r"\w+|[^\w\s]")

Signatures = npt.NDArray[np.uint32]
"""uint32 (examples, PERMUTATIONS)."""


def shingles(example: Example) -> frozenset[str]:
    """What an example writes, as the set of its runs of `SHINGLE` tokens."""
    written = _TOKEN.findall(_added_lines(example.before, example.code) if example.before else example.code)
    if not example.before or len(written) >= SHORT:
        return frozenset(_runs(written))
    return frozenset(f"{' '.join(written)}\n{run}" for run in _runs(_TOKEN.findall(example.code)))


def resemblance(a: frozenset[str], b: frozenset[str]) -> float:
    """Share of the runs of both that both have: 1 for equal sets."""
    return len(a & b) / len(a | b)


@cache
def _nothing() -> MinHash:
    """Return the MinHash of no runs; drawing its permutations anew takes longer than hashing a text."""
    from datasketch import MinHash  # and SciPy with it, for which every worker that trains would wait

    return MinHash(PERMUTATIONS, seed=1, hashfunc=zlib.crc32, scheme="affine32")


def signature(runs: frozenset[str]) -> bytes:
    """MinHash of a set of runs: PERMUTATIONS little-endian uint32, the same on every machine."""
    made = _nothing().copy()
    made.update_batch([run.encode("utf-8", "surrogatepass") for run in runs])
    return bytes(made.hashvalues.astype("<u4").tobytes())


def near_duplicates(
    signatures: Signatures, order: Sequence[int], alike: Callable[[int, int], float], threshold: float
) -> dict[int, int]:
    """Return the rows to leave out, each with the row, earlier in `order`, that it is nearest to.

    `alike` gives the resemblance of two rows. A row is measured against rows that stay, so that a chain of small steps
    does not join what lies far apart. Rows outside `order` are not looked at.
    """
    buckets = _buckets(signatures)
    held: defaultdict[tuple[int, int], list[int]] = defaultdict(list)
    found: dict[int, int] = {}
    for row in order:
        keys = [(band, int(bucket)) for band, bucket in enumerate(buckets[:, row]) if bucket >= 0]
        candidates = sorted({other for key in keys for other in held[key]})
        if candidates:
            estimates = (signatures[candidates] == signatures[row]).mean(axis=1)
            likely = [other for other, near in zip(candidates, estimates, strict=True) if near >= threshold - _SLACK]
            nearest = max(((alike(row, other), -other) for other in likely), default=(0.0, 0))
            if nearest[0] >= threshold:
                found[row] = -nearest[1]
                continue
        for key in keys:
            held[key].append(row)
    return found


def _added_lines(before: str, code: str) -> str:
    """The lines of `code` that `before` has not, or has fewer times; indentation does not count."""
    left = Counter(line.strip() for line in before.split("\n"))
    added = []
    for line in code.split("\n"):
        left[line.strip()] -= 1
        if left[line.strip()] < 0:
            added.append(line)
    return "\n".join(added)


def _runs(tokens: Sequence[str]) -> list[str]:
    """Every run of SHINGLE tokens; a text with fewer is one run."""
    shifted = (islice(tokens, start, None) for start in range(SHINGLE))
    return [" ".join(run) for run in zip(*shifted, strict=False)] or [" ".join(tokens)]


def _buckets(signatures: Signatures) -> npt.NDArray[np.int32]:
    """Number of the bucket of each row in each band, -1 where it is alone there: int32 (_BANDS, rows).

    That is 128 bytes a row; `datasketch.MinHashLSH` with these bands held 10.7 kB a row (docs/log.md).
    """
    width = PERMUTATIONS // _BANDS
    weights = np.random.default_rng(0).integers(1, 2**63, width, dtype=np.uint64) | np.uint64(1)
    buckets = np.empty((_BANDS, len(signatures)), np.int32)
    for band in range(_BANDS):
        hashes = (signatures[:, band * width : (band + 1) * width].astype(np.uint64) * weights).sum(axis=1)
        _, bucket, count = np.unique(hashes, return_inverse=True, return_counts=True)
        buckets[band] = np.where(count[bucket] > 1, bucket, -1)
    return buckets
