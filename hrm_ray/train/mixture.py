"""Which dataset each row comes from: a closed form of the row's number, so that nothing is replayed to find it.

With two datasets, row n is the second one's where floor((n + 1) * weight + phase) is above floor(n * weight + phase)
(Bresenham's line); with more, the rows that are left over go on to the next line. So in any stretch of rows each
dataset has its share, to within a row for each line, and the number of a row among the dataset's own is such a floor.
"""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction
from typing import NamedTuple

import numpy as np


class Line(NamedTuple):
    """One dataset against all that come after it: weight = share / whole, phase = shift / whole."""

    share: int
    whole: int
    shift: int

    def taken(self, rows: int) -> int:
        """Rows that are the dataset's, of the first `rows`."""
        return (rows * self.share + self.shift) // self.whole

    def enough(self, left: int) -> int:
        """Return the fewest rows of which `left` are not the dataset's."""
        return ((left - 1) * self.whole + self.shift) // (self.whole - self.share) + 1 if left else 0


class Mixture:
    """The datasets beside the main one, by weight, numbered from 1; the main one is 0 and has what they leave."""

    def __init__(self, weights: Sequence[float], seed: int) -> None:
        self.lines: list[Line] = []
        left = Fraction(1)
        for number, weight in enumerate(map(_exact, weights), start=1):
            share = weight / left
            phase = np.random.default_rng((seed, number, 4)).random()
            self.lines.append(Line(share.numerator, share.denominator, int(phase * share.denominator)))
            left -= weight

    def find(self, row: int) -> tuple[int, int]:
        """Return whose the row is, and which of that dataset's own rows."""
        for number, line in enumerate(self.lines, start=1):
            before = line.taken(row)
            if line.taken(row + 1) > before:
                return number, before
            row -= before
        return 0, row

    def until(self, own: int) -> int:
        """Return the fewest rows of which `own` are the main dataset's."""
        for line in reversed(self.lines):
            own = line.enough(own)
        return own


def _exact(weight: float) -> Fraction:
    """Return 0.3 as 3/10, which is what was written, and not as the nearest float."""
    return Fraction(str(weight))
