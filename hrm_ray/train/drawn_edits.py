"""Edits drawn at random, which their problem asks for in the words of a plan: practice in reading and in following.

`change A to B` changes A wherever it stands in the first line that has it; `remove A` removes that line. So the planner
must find the line and copy the words, and the coder begin at the line, copy it but for the change, and end. Nothing
here needs to be valid Go: lines and tokens are those of the declarations that training examples begin from.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import chain

import numpy as np

from hrm_ray.model.batch import Document
from hrm_ray.prepare import edits
from hrm_ray.prepare.tokenizer import FIRST_NUMBER, FIRST_TEXT, NUMBERS, Control, Tokenizer, is_number
from hrm_ray.train.corpus import SolveDocuments

CHANGED = 0.75
"""Share of the edits that change a line; the others remove it."""
LONGEST = 3
"""Most tokens of what is changed, and of what it becomes."""


class DrawnEdits:
    """Random edits of the declarations of `documents`, which were prepared in the edit form."""

    def __init__(self, documents: SolveDocuments, tokenizer: Tokenizer) -> None:
        self.documents, self.vocabulary = documents, tokenizer.vocab_size
        changes = documents.shards.column("change").to_pylist()
        self.edited = [row for row, change in enumerate(changes) if change == "modified"]
        self._change, self._to, self._remove = tokenizer.encode_batch(["change ", " to ", "remove "])

    def document(self, random: np.random.Generator) -> Document:
        """Return an edit of a random declaration, with the header of the plan of its example."""
        row = self.edited[int(random.integers(len(self.edited)))]
        lines = edits.lines(self.documents.shards.ids(row, "context_ids").tolist())
        plan = self.documents.shards.ids(row, "plan_ids").tolist()
        header = plan[: next((at for at, id_ in enumerate(plan) if is_number(id_)), len(plan))]
        old = _stretch(next(line for line in _shuffled(lines, random) if line), random)
        at = next(at for at, line in enumerate(lines) if _replaced(line, old, []) != line)
        if random.random() < CHANGED:
            new = self._text(lines, random)
            words, line = [*self._change, *old, *self._to, *new], [Control.LINE, *_replaced(lines[at], old, new)]
        else:
            words, line = [*self._remove, *old], []
        zero = FIRST_NUMBER + int(random.integers(NUMBERS - len(lines)))
        place = [zero + at, zero + at + 1]
        before = chain.from_iterable([zero + number, *line] for number, line in enumerate(lines))
        return Document(
            [Control.PROBLEM, *words, Control.BEFORE, *before, zero + len(lines)],
            [*header, *place, *words],
            [Control.CODE, *place, *line, Control.END],
            copies=True,
        )

    def _text(self, lines: Sequence[list[int]], random: np.random.Generator) -> list[int]:
        """Return a few tokens: half of the time of this declaration, else any."""
        if random.random() < 0.5:
            return _stretch([*chain.from_iterable(lines)], random)
        return [int(id_) for id_ in random.integers(FIRST_TEXT, self.vocabulary, int(random.integers(1, LONGEST + 1)))]


def _shuffled(lines: Sequence[list[int]], random: np.random.Generator) -> list[list[int]]:
    return [lines[at] for at in random.permutation(len(lines))]


def _stretch(tokens: list[int], random: np.random.Generator) -> list[int]:
    """Return some neighbours among `tokens`."""
    at = int(random.integers(len(tokens)))
    return tokens[at : at + int(random.integers(1, LONGEST + 1))]


def _replaced(line: list[int], old: list[int], new: list[int]) -> list[int]:
    """Return `line` with `new` wherever `old` was."""
    made, at = list[int](), 0
    while at < len(line):
        found = line[at : at + len(old)] == old
        made += new if found else line[at : at + 1]
        at += len(old) if found else 1
    return made
