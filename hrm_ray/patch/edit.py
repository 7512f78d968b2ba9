"""What was written, put into the file: byte for byte where it belongs, imports mended, laid out as the file was."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

from hrm_ray.golang.declarations import declarations
from hrm_ray.golang.files import plain
from hrm_ray.golang.layout import layout
from hrm_ray.golang.toolchain import Toolchain
from hrm_ray.patch.imports import Mended, mend
from hrm_ray.patch.packages import Packages
from hrm_ray.patch.target import Target


class Writing(NamedTuple):
    """The code that was written for a target."""

    target: Target
    code: str


@dataclass(frozen=True)
class Edited:
    """A file before, empty where it is new, and after."""

    path: str
    before: str
    mended: Mended
    repeated: tuple[str, ...] = ()
    """Names that the package now declares twice."""
    gone: tuple[str, ...] = ()
    """Names that the file no longer declares."""
    was_empty: bool = False
    """The file is not new: it was there, and held nothing."""

    @property
    def error(self) -> str:
        """Why Go's parser refuses the file after, with line and column; empty where it does not."""
        return layout(self.after).error

    @property
    def after(self) -> str:
        """The whole file with the change."""
        return self.mended.source


def edit(writings: Sequence[Writing], packages: Packages, go: Toolchain | None) -> Edited:
    """Return one file with all that was written for targets in it; no two of them have the same declaration.

    A file that gofmt has nothing to say of is laid out by gofmt again; any other keeps its layout, or a patch would
    change lines that nobody asked about.
    """
    first = writings[0].target
    source = first.source if plain(first.source).strip() else f"package {packages.package(first.path)}\n"
    spliced = source
    for writing in sorted(writings, key=_start, reverse=True):
        spliced = _spliced(spliced, writing)
    mended = mend(source, spliced, first.path, packages)
    if go is not None and go.formatted(source) == source and (laid_out := go.formatted(mended.source)) is not None:
        mended = Mended(laid_out, mended.added, mended.removed, mended.unresolved)
    old, new = (_names(text) for text in (source, mended.source))
    beside = packages.declared_beside(first.path)
    repeated = sorted(name for name in new - old if new[name] > 1 or name in beside)
    return Edited(first.path, first.source, mended, tuple(repeated), tuple(sorted(old - new)), first.is_empty)


def _names(source: str) -> Counter[str]:
    """How often a file declares a name; those that may be declared again and again are left out."""
    return Counter(name for one in declarations(source) for name in one.names if name not in {"_", "init"})


def _start(writing: Writing) -> int:
    return writing.target.declaration.start if writing.target.declaration else -1


def _spliced(source: str, writing: Writing) -> str:
    target, data = writing.target, source.encode()
    code = writing.code.strip()
    end = _line_end(target.declaration.text if target.declaration and not target.add else source) or _line_end(source)
    code = plain(code).replace("\n", end or "\n")
    end = end or "\n"
    if target.declaration is None:
        return f"{source.rstrip()}{end * 2}{code}{end}"
    start, stop = target.declaration.start, target.declaration.end
    stop -= data[:stop].endswith(b"\r")  # behind a comment to the end of the line
    if target.add:
        start, code = stop, f"{end * 2}{code}"
    return (data[:start] + code.encode() + data[stop:]).decode()


def _line_end(text: str) -> str:
    """Return how most lines of a text end; nothing where it has one line."""
    every, windows = text.count("\n"), text.count("\r\n")
    return "" if not every else "\r\n" if 2 * windows > every else "\n"
