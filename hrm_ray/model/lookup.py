"""Guesses at the tokens that come next, from what came before: code is mostly copied from the code that it changes.

A guess is checked by the model in the same pass that takes the last token in, so a wrong one costs little and a right
one a whole step less (prompt lookup, as in speculative decoding; arXiv 2211.17192). What is written stays the same.
"""

from __future__ import annotations

from collections.abc import Sequence

CONTEXT = 2
"""Tokens that must recur for what followed them to be the guess."""


class Lookup:
    """The tokens of one row, and where each run of `CONTEXT` of them was last followed by something."""

    def __init__(self, tokens: Sequence[int]) -> None:
        self.tokens: list[int] = []
        self._followed: dict[tuple[int, ...], int] = {}
        for token in tokens:
            self.append(token)

    def append(self, token: int) -> None:
        """Take the next token in."""
        if len(self.tokens) >= CONTEXT:
            self._followed[tuple(self.tokens[-CONTEXT:])] = len(self.tokens)
        self.tokens.append(token)

    def guess(self, most: int, first_text_id: int) -> list[int]:
        """Return up to `most` tokens that may come next, all of them text: no control token is guessed.

        What followed goes on into the guess itself, so that a repetition is guessed as often as it takes.
        """
        at = self._followed.get(tuple(self.tokens[-CONTEXT:]))
        guessed: list[int] = []
        while at is not None and len(guessed) < most:
            token = self.tokens[at] if at < len(self.tokens) else guessed[at - len(self.tokens)]
            if token < first_text_id:
                break
            guessed.append(token)
            at += 1
        return guessed
