"""What an answer may not become: what repeats itself, and at its end what is no valid Go or no change.

Loops are the usual failure of a small network that copies: its heads find what it just wrote as readily as what it
should copy. Of 6,015 real changes 21 write a stretch of tokens four times in a row (docs/log.md, 2026-11-30).
"""

from __future__ import annotations

from collections.abc import Sequence

from hrm_ray.golang.syntax import validate
from hrm_ray.model.generate import Written
from hrm_ray.prepare import edits
from hrm_ray.prepare.judgements import is_copy
from hrm_ray.prepare.plan import kinds_of
from hrm_ray.prepare.tokenizer import FIRST_TEXT, Tokenizer

RULES = 1
"""Version of what is refused, by this check and by those who ask it: other rules make other answers."""
TIMES = 3
"""Most times that a stretch of tokens stands in a row."""


class GoCheck:
    """The check (`hrm_ray.model.generate.Check`) of an answer to `prefix`, an edit of `before` or a whole text."""

    def __init__(self, prefix: Sequence[int], before: str, tokenizer: Tokenizer) -> None:
        self.prefix, self.before, self.tokenizer = prefix, before, tokenizer
        self.is_edit = bool(edits.numbers(prefix))

    def follows(self, ids: Sequence[int], token: int) -> bool:
        """Whether `token` behind `ids` of a plan or of code is not the fourth time of a stretch."""
        near = [*ids, token]
        sizes = range(1, len(near) // (TIMES + 1) + 1)
        return not any(near[-size:] * (TIMES + 1) == near[-size * (TIMES + 1) :] for size in sizes)

    def ends(self, written: Written, last: bool) -> bool:
        """Whether the answer so far is valid Go, and, if it is to be the `last`, other code than before."""
        plan, code = edits.texts(written.plan, written.code, self.prefix, self.before, self.tokenizer)
        return validate(code, kinds_of(plan)) is None and not (last and is_copy(code, self.before))

    def breaks(self, ids: Sequence[int], token: int) -> bool:
        """Whether a line of the code is whole between `ids` and `token`."""
        if self.is_edit:
            return token < FIRST_TEXT
        return "\n" in self.tokenizer.decode(ids[-1:]) or self.tokenizer.decode([token]).startswith("\n")
