"""Documents whose answer stands in their prefix: a network learns from them to read its input.

They are made of random tokens, or of declarations of the training fold, in the form of the dataset: a whole copy, or
the lines of one hunk whose place the plan gives. Which ones a step sees is a pure function of (data, seed, position).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from hrm_ray.config import Config
from hrm_ray.config.prepare import Form
from hrm_ray.model.batch import Document
from hrm_ray.prepare.tokenizer import FIRST_NUMBER, FIRST_TEXT, NUMBERS, Control
from hrm_ray.train.corpus import SolveDocuments

Line = NDArray[np.int32]
"""Tokens of one line."""

SHORT = (12, 32)
"""Fewest and most random tokens of a document while copying is learnt; later ones have up to a quarter of a window."""

FIRST_TOKENS = 256
"""Different random tokens at the beginning; they grow to the whole vocabulary over the first half of the steps."""


@dataclass(frozen=True)
class CopyRows:
    """Rows of copying documents: `documents` lend their declarations, `vocabulary` is the number of token ids."""

    documents: SolveDocuments
    vocabulary: int
    config: Config

    def row(self, position: int, index: int) -> list[Document]:
        """Return the documents of row `index` of the step at `position`: as many as fit the window."""
        random = np.random.default_rng((self.config.train_seed, position, 5, index))
        window, row = self.config.prepare.window, list[Document]()
        while True:
            document = copying(self._lines(position, random), self.config.prepare.form, random)
            if sum(one.size for one in row) + document.size > window:
                return row
            row.append(document)

    def _lines(self, position: int, random: np.random.Generator) -> list[Line]:
        settings = self.config.train.copying
        grown = min(1.0, 2 * position / settings.steps) if settings.steps else 1.0
        if grown == 1 and random.random() < settings.real:
            return self._declaration(random)
        tokens = round(FIRST_TOKENS * ((self.vocabulary - FIRST_TEXT) / FIRST_TOKENS) ** grown)
        longest = SHORT[1] if grown < 1 else max(SHORT[1], self.config.prepare.window // 4)
        return random_lines(tokens, int(random.integers(SHORT[0], longest + 1)), random)

    def _declaration(self, random: np.random.Generator) -> list[Line]:
        """Return the code of one training example, line by line."""
        ids = self.documents.shards.ids(int(random.integers(len(self.documents))), "code_ids")
        text = ids[ids >= FIRST_TEXT][: self.config.prepare.window // 4]
        return _broken(text, random)


def random_lines(tokens: int, count: int, random: np.random.Generator) -> list[Line]:
    """Return `count` random tokens of the first `tokens` text ids, in lines; some stretches come twice."""
    drawn = (FIRST_TEXT + random.integers(tokens, size=count)).astype(np.int32)
    if random.random() < 0.5 and count > 8:
        size = int(random.integers(2, 6))
        start, again = random.integers(0, count - size, size=2)
        drawn[again : again + size] = drawn[start : start + size]
    return _broken(drawn, random)


def copying(lines: Sequence[Line], form: Form, random: np.random.Generator) -> Document:
    """Return the document that asks for a copy of `lines`: of all, or of those of the place that the plan gives."""
    if form == "whole":
        text = np.concatenate(lines)
        return Document([Control.BEFORE, *text, Control.DIRECT], [], [Control.CODE, *text, Control.END])
    lines = lines[: NUMBERS - 1]
    start = FIRST_NUMBER + int(random.integers(NUMBERS - len(lines)))
    first, end = sorted(random.choice(len(lines) + 1, size=2, replace=False).tolist())
    numbered = [id_ for at, line in enumerate(lines, start) for id_ in (at, *line)]
    place = [start + first, start + end]
    return Document(
        prefix=[Control.BEFORE, *numbered, start + len(lines), Control.PLAN, *place],
        plan=[],
        code=[Control.CODE, *place, *(id_ for line in lines[first:end] for id_ in (Control.LINE, *line)), Control.END],
    )


def _broken(tokens: Line, random: np.random.Generator) -> list[Line]:
    """Cut tokens into lines of 2 to 12."""
    cuts = np.cumsum(random.integers(2, 13, size=len(tokens) // 2 + 1))
    return [line for line in np.split(tokens, cuts[cuts < len(tokens)]) if len(line)]
