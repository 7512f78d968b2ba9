"""Documents that hold their answer: a network learns from them to read its input.

Half of the copies are of random tokens, half of the declaration that a training example begins from (without line
numbers). Their loss is on the copied text alone: a loss on the tokens that are the same in every document keeps a
network from learning to copy (docs/log.md, 2026-11-30). In the edit form most are drawn edits instead.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from hrm_ray.config import Config
from hrm_ray.model.batch import Document
from hrm_ray.prepare.tokenizer import FIRST_NUMBER, FIRST_TEXT, Control, Tokenizer
from hrm_ray.train.corpus import SolveDocuments
from hrm_ray.train.drawn_edits import DrawnEdits
from hrm_ray.train.slips import slipped

FEWEST = 12
"""Tokens of the shortest copy."""
EDITS = 0.8
"""Share of the documents that are edits, in the edit form."""
SLIPS = 0.5
"""Share of these edits that have a slip."""


@dataclass(frozen=True)
class CopyRows:
    """Rows of copying documents, each a pure function of (data, seed, position of the step, row).

    `documents` lend their declarations.
    """

    documents: SolveDocuments
    tokenizer: Tokenizer
    config: Config

    def row(self, position: int, index: int) -> list[Document]:
        """Return the documents of row `index` of the step at `position`: as many as fit the window."""
        random = np.random.default_rng((self.config.train_seed, position, 5, index))
        row, room = list[Document](), self.config.prepare.window
        while (document := self._document(random)).size <= room:
            row.append(document)
            room -= document.size
        return row

    @cached_property
    def _edits(self) -> DrawnEdits | None:
        found = DrawnEdits(self.documents, self.tokenizer) if self.config.prepare.form == "edit" else None
        return found if found and found.edited else None  # a fold of nothing but additions has none to edit

    def _document(self, random: np.random.Generator) -> Document:
        if self._edits and random.random() < EDITS:
            edit = self._edits.document(random)
            edit = slipped(edit, random) if random.random() < SLIPS else edit
            if edit.size <= self.config.prepare.window:
                return edit
        return copying(self._text(random))

    def _text(self, random: np.random.Generator) -> NDArray[np.int32]:
        most = longest(self.config.prepare.window)
        if random.random() < 0.5:
            given = self.documents.shards.ids(int(random.integers(len(self.documents))), "context_ids")
            declaration = given[np.flatnonzero(given < FIRST_NUMBER)[-1] + 1 :]
            if len(text := declaration[declaration >= FIRST_TEXT]) >= FEWEST:
                return text[:most]
        text = random_tokens(self.tokenizer.vocab_size, int(random.integers(FEWEST, most + 1)), random)
        return with_repeats(text, random) if random.random() < 0.5 else text


def longest(window: int) -> int:
    """Tokens of the longest copy: a quarter of a window."""
    return max(FEWEST, window // 4)


def copying(text: NDArray[np.int32]) -> Document:
    """Return the document that asks for a copy of `text`."""
    return Document(prefix=[Control.BEFORE, *text, Control.CODE], plan=[], code=text, copies=True)


def random_tokens(vocabulary: int, count: int, random: np.random.Generator) -> NDArray[np.int32]:
    """Return `count` text tokens out of `vocabulary` ids, each as likely."""
    return random.integers(FIRST_TEXT, vocabulary, size=count, dtype=np.int32)


def with_repeats(tokens: NDArray[np.int32], random: np.random.Generator) -> NDArray[np.int32]:
    """Return the tokens with a stretch of them in a second place, where the last token alone does not say the next."""
    size = int(random.integers(2, 6))
    start, again = random.integers(0, len(tokens) - size, size=2)
    tokens[again : again + size] = tokens[start : start + size].copy()
    return tokens
