"""Which tokens may come next in a plan and in the answer behind it, so that every answer can be read.

A plan is text, in the edit form with places between; a whole answer is text; an edit is hunks
(`hrm_ray.prepare.edits`). Places rise, and between two there is a line that stays.
"""

from __future__ import annotations

from collections.abc import Sequence
from enum import Enum, auto

import torch
from torch import Tensor

from hrm_ray.prepare.tokenizer import FIRST_TEXT, Control, is_number


class State(Enum):
    """Where an answer stands."""

    PLAN = auto()
    """In the text of a plan."""
    HEADED = auto()
    """Behind the header of an edit's plan: the first place comes next, or the code."""
    CODE = auto()
    """In the text of a whole answer, or at the beginning of an edit."""
    END = auto()
    """Behind the first number of a place: the second comes next."""
    PLACED = auto()
    """Behind the place of a hunk, before its first line."""
    LINE = auto()
    """In a line of a hunk."""


class Grammar:
    """One answer to a prefix whose lines have the tokens `numbers`; none where it is written whole."""

    def __init__(self, numbers: range) -> None:
        self.numbers, self.state, self.in_plan = numbers, State.PLAN, True
        self._first = self._low = numbers.start
        self._inserts = False

    def begin(self, tokens: Sequence[int]) -> None:
        """Follow what is given of an answer: the header of its plan, or its whole plan and `<|code|>`."""
        for token in tokens:
            self.take(token)
        if tokens and self.numbers and self.state == State.PLAN and not any(map(is_number, tokens)):
            self.state = State.HEADED

    @property
    def text(self) -> bool:
        """Whether text may come next."""
        if self.state == State.CODE:
            return not self.numbers
        return self.state in (State.PLAN, State.LINE)

    @property
    def closing(self) -> Control:
        """The token that ends the section."""
        return Control.CODE if self.in_plan else Control.END

    @property
    def controls(self) -> Sequence[int]:
        """The control tokens that may come next."""
        places = range(self._low, self.numbers.stop)
        if self.state == State.END or (self.state == State.CODE and self.numbers):
            return places
        if self.state == State.PLACED:
            return [Control.LINE] if self._inserts else [Control.LINE, self.closing, *places]
        return [self.closing, *places, *([Control.LINE] if self.state == State.LINE else [])]

    def allowed(self, vocabulary: int) -> Tensor:
        """Return which tokens may come next, [vocabulary] bool."""
        mask = torch.zeros(vocabulary, dtype=torch.bool)
        mask[FIRST_TEXT:] = self.text
        mask[list(self.controls)] = True
        return mask

    @property
    def ends(self) -> Sequence[int]:
        """The control tokens that may end a hunk, or a whole answer, here."""
        if self.in_plan or self.state == State.END or (self.state == State.CODE and self.numbers):
            return []
        return [Control.END, *self.numbers]

    def take(self, token: int) -> None:
        """Follow one token, which was allowed."""
        if token == Control.CODE:
            self.state, self.in_plan, self._low = State.CODE, False, self.numbers.start
        elif token == Control.LINE:
            self.state = State.LINE
        elif is_number(token):
            self._place(token)

    def _place(self, number: int) -> None:
        if self.state != State.END:
            self.state, self._first, self._low = State.END, number, number
            return
        self.state = State.PLAN if self.in_plan else State.PLACED
        self._inserts, self._low = number == self._first, number + 1
