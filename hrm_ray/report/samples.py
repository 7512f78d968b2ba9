"""Samples for people to read: chosen by hash, so that nobody chose them, with what is wrong marked in the code."""

from __future__ import annotations

import difflib
import hashlib
from collections.abc import Sequence
from dataclasses import dataclass

from hrm_ray.report.files import Diagnostic, Sample

SHOWN = 12


@dataclass(frozen=True)
class CodeLine:
    """A line of code around the character `at` which the error stands, if any; a `new` line is not in `before`."""

    left: str
    at: str
    right: str
    new: bool
    message: str


@dataclass(frozen=True)
class Shown:
    """A sample with its code cut into lines."""

    sample: Sample
    generated: list[CodeLine]
    reference: list[CodeLine]
    before: list[CodeLine]


def choose(samples: Sequence[Sample], count: int = SHOWN) -> list[Shown]:
    """Return the `count` samples whose ids hash lowest: blind to their outcome, so failures keep their share."""
    chosen = sorted(samples, key=lambda sample: hashlib.sha256(sample.id.encode("utf-8", "surrogatepass")).digest())
    return [
        Shown(
            sample,
            code_lines(sample.generated, sample.before, sample.diagnostic),
            code_lines(sample.code, sample.before),
            code_lines(sample.before, sample.before),
        )
        for sample in chosen[:count]
    ]


def code_lines(text: str, before: str, diagnostic: Diagnostic | None = None) -> list[CodeLine]:
    """Cut `text` into lines; of an addition (empty `before`) no line is marked as new."""
    rows = text.removesuffix("\n").split("\n") if text or diagnostic else []
    new = _new_rows(before.split("\n"), rows) if before else set()
    lines = [CodeLine("", "", row, index in new, "") for index, row in enumerate(rows)]
    if diagnostic:
        index = min(max(diagnostic.line, 1), len(rows)) - 1
        lines[index] = _marked(rows[index], index in new, diagnostic)
    return lines


def _new_rows(before: list[str], after: list[str]) -> set[int]:
    blocks = difflib.SequenceMatcher(None, before, after, autojunk=False).get_matching_blocks()
    return set(range(len(after))) - {row for block in blocks for row in range(block.b, block.b + block.size)}


def _marked(row: str, new: bool, diagnostic: Diagnostic) -> CodeLine:
    """Split the row at the error; columns are UTF-8 bytes from 1, and one past the end marks a blank."""
    start = len(row.encode("utf-8", "replace")[: max(diagnostic.column, 1) - 1].decode("utf-8", "ignore"))
    message = f"{diagnostic.line}:{diagnostic.column} {diagnostic.kind}: {diagnostic.message}"
    return CodeLine(row[:start], row[start : start + 1] or " ", row[start + 1 :], new, message)
