"""Code that was written for a file, put into it."""

from __future__ import annotations

from collections.abc import Set as AbstractSet
from typing import NamedTuple

from hrm_ray.golang.declarations import declarations


class Spliced(NamedTuple):
    """A file and where in its UTF-8 bytes the code lies."""

    source: str
    start: int
    end: int

    def line_and_column(self, offset: int) -> tuple[int, int]:
        """Return where a byte of the file is, as seen from the code: line 1 and column 1 are its first."""
        data = self.source.encode("utf-8", "surrogatepass")
        begin = data.rfind(b"\n", 0, offset) + 1
        if begin < self.start <= offset:
            begin = self.start
        line = 1 + data.count(b"\n", self.start, offset) - data.count(b"\n", offset, self.start)  # one of them is 0
        return line, offset - begin + 1


def splice(source: str, code: str, names: AbstractSet[str]) -> Spliced:
    """Put `code` in the place of the first declaration that has one of `names`; at the end where none has.

    The others that have one go: the code declares them.
    """
    data = source.encode("utf-8", "surrogatepass")
    places = [(one.start, one.end) for one in declarations(source) if not names.isdisjoint(one.names)]
    if not places:
        data += b"\n\n"
        places = [(len(data), len(data))]
    for start, end in reversed(places[1:]):
        data = data[:start] + data[end:]
    start, end = places[0]
    new = code.encode("utf-8", "surrogatepass")
    return Spliced((data[:start] + new + data[end:]).decode("utf-8", "surrogatepass"), start, start + len(new))
