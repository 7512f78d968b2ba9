"""Edits drawn at random, each spelled out by its plan: a network learns from them to do what a plan says.

It begins at the line that the plan names, copies the line but for what the plan changes, and ends. Nothing here needs
to be valid Go: lines and tokens are those of the declarations that training examples begin from.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import chain
from typing import NamedTuple

import numpy as np

from hrm_ray.model.batch import Document
from hrm_ray.prepare import edits
from hrm_ray.prepare.tokenizer import FIRST_NUMBER, FIRST_TEXT, NUMBERS, Control, Tokenizer, is_number
from hrm_ray.train.corpus import SolveDocuments

CHANGED, REMOVED = 0.6, 0.2
"""Shares of hunks that change and that remove what is there; the others add a line."""


class _Hunk(NamedTuple):
    """Lines `first:end` become `lines`; the step of the plan says it with `words`. All text is token ids."""

    first: int
    end: int
    lines: list[list[int]]
    words: list[int]


class DrawnEdits:
    """Random edits of the declarations of `documents`, which were prepared in the edit form."""

    def __init__(self, documents: SolveDocuments, tokenizer: Tokenizer) -> None:
        self.documents, self.vocabulary = documents, tokenizer.vocab_size
        changes = documents.shards.column("change").to_pylist()
        self.edited = [row for row, change in enumerate(changes) if change == "modified"]
        self._change, self._to, self._remove, self._add = tokenizer.encode_batch(["change ", " to ", "remove ", "add "])

    def document(self, random: np.random.Generator) -> Document:
        """Return an edit of a random declaration; only the edit itself is to be predicted."""
        row = self.edited[int(random.integers(len(self.edited)))]
        lines = edits.lines(self.documents.shards.ids(row, "context_ids").tolist())
        plan = self.documents.shards.ids(row, "plan_ids").tolist()
        header = plan[: next((at for at, id_ in enumerate(plan) if is_number(id_)), len(plan))]
        zero = FIRST_NUMBER + int(random.integers(NUMBERS - len(lines)))
        steps, code = list[int](header), [int(Control.CODE)]
        for hunk in self._hunks(lines, random):
            place = [zero + hunk.first, zero + hunk.end]
            steps += [*place, *hunk.words]
            code += [*place, *chain.from_iterable([Control.LINE, *line] for line in hunk.lines)]
        before = chain.from_iterable([zero + at, *line] for at, line in enumerate(lines))
        return Document([Control.BEFORE, *before, zero + len(lines)], steps, [*code, Control.END], copies=True)

    def _hunks(self, lines: Sequence[list[int]], random: np.random.Generator) -> Iterator[_Hunk]:
        """Yield one hunk, or now and then two with a line between."""
        hunk = self._hunk(lines, 0, random)
        yield hunk
        if hunk.end + 1 < len(lines) and random.random() < 1 / 3:
            yield self._hunk(lines, hunk.end + 1, random)

    def _hunk(self, lines: Sequence[list[int]], low: int, random: np.random.Generator) -> _Hunk:
        first, kind = int(random.integers(low, len(lines))), random.random()
        end = min(len(lines), first + int(random.geometric(0.5)))
        if kind < CHANGED and (line := lines[first]):
            at = int(random.integers(len(line)))
            old, new = line[at : at + int(random.integers(1, 3))], self._text(lines, random)
            words = [*self._change, *old, *self._to, *new]
            return _Hunk(first, end, [_replaced(line, old, new) for line in lines[first:end]], words)
        if kind < CHANGED + REMOVED:
            return _Hunk(first, end, [], [*self._remove, *lines[first][: int(random.integers(2, 6))]])
        added = lines[int(random.integers(len(lines)))]
        return _Hunk(first, first, [added], [*self._add, *added[: int(random.integers(2, 8))]])

    def _text(self, lines: Sequence[list[int]], random: np.random.Generator) -> list[int]:
        """Return one to three tokens: half of the time of this declaration, else any."""
        count, every = int(random.integers(1, 4)), [*chain.from_iterable(lines)]
        if random.random() < 0.5:
            at = int(random.integers(len(every)))
            return every[at : at + count]
        return [int(id_) for id_ in random.integers(FIRST_TEXT, self.vocabulary, count)]


def _replaced(line: list[int], old: list[int], new: list[int]) -> list[int]:
    """Return `line` with `new` wherever `old` was."""
    made, at = list[int](), 0
    while at < len(line):
        found = line[at : at + len(old)] == old
        made += new if found else line[at : at + 1]
        at += len(old) if found else 1
    return made
