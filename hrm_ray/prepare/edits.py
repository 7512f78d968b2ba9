"""An edit: the change of a declaration as hunks over its numbered lines, instead of the whole declaration after.

The prefix holds the declaration before line by line, each line behind the token of its number, and one more number for
the end. Numbering begins at a random offset, so that numbers are read and not counted. An edit is hunks in rising
order, each `first end` (half-open; equal for an insertion) and then the lines that stand there afterwards, each behind
`<|line|>`; a deletion has none. The line tokens part the lines, so no line break is written.

Source: line ids and sparse hunks are those of Coeditor (arXiv 2305.18584).
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable, Iterator, Sequence
from difflib import SequenceMatcher
from itertools import pairwise
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from hrm_ray.prepare.tokenizer import FIRST_NUMBER, FIRST_TEXT, NUMBERS, Control, Tokenizer, is_number

_PLACE = re.compile(r"\n@(\d+)-(\d+) ")
"""The place of a step, as `hrm_ray.prepare.plan.placed` writes it."""


class Hunk(NamedTuple):
    """Lines `first:end` of the declaration before become `lines`."""

    first: int
    end: int
    lines: tuple[str, ...]


def hunks(before: str, after: str) -> list[Hunk]:
    """Return the edit that turns `before` into `after`; no hunk where they are equal."""
    old, new = before.split("\n"), after.split("\n")
    matcher = SequenceMatcher(None, old, new, autojunk=False)
    return [Hunk(a, b, tuple(new[c:d])) for tag, a, b, c, d in matcher.get_opcodes() if tag != "equal"]


def apply(before: str, edit: Iterable[Hunk]) -> str:
    """Return the declaration after; the hunks are in rising order and within `before`."""
    old, at = before.split("\n"), 0
    new: list[str] = []
    for hunk in edit:
        new += [*old[at : hunk.first], *hunk.lines]
        at = hunk.end
    return "\n".join([*new, *old[at:]])


def fits(before: str) -> bool:
    """Whether there is a number for every line and for the end."""
    return before.count("\n") + 2 <= NUMBERS


def offset(example_id: str, before: str) -> int:
    """Return the number of the first line, drawn by the example's id from all at which the lines fit."""
    room = NUMBERS - (before.count("\n") + 2)
    assert room >= 0, "more lines than numbers; see fits"
    return int.from_bytes(hashlib.sha256(f"offset:{example_id}".encode()).digest()[:8]) % (room + 1)


def numbered(before: str, start: int, tokenizer: Tokenizer) -> list[int]:
    """Return the tokens of `before`, each line behind its number from `start`, and the number of the end."""
    text = tokenizer.encode_batch(before.split("\n"))
    ids = [id_ for at, line in enumerate(text, FIRST_NUMBER + start) for id_ in (at, *line)]
    return [*ids, FIRST_NUMBER + start + len(text)]


def lines(prefix: Sequence[int]) -> list[list[int]]:
    """Return the tokens of each line of a declaration, the reverse of `numbered`."""
    found = [at for at, id_ in enumerate(prefix) if is_number(id_)]
    return [list(prefix[at + 1 : stop]) for at, stop in pairwise(found)]


def renumbered(ids: NDArray[np.int32], by: int) -> NDArray[np.int32]:
    """Return tokens with every number moved on by so many."""
    return np.where((ids >= FIRST_NUMBER) & (ids < FIRST_TEXT), ids + np.int32(by), ids)


def numbers(prefix: Sequence[int]) -> range:
    """Return the number tokens of a prefix, which rise one by one; empty where its declaration is not numbered."""
    found = [id_ for id_ in prefix if is_number(id_)]
    return range(found[0], found[-1] + 1) if found else range(0)


def places(ids: Sequence[int]) -> Iterator[tuple[int, int, int]]:
    """Yield where the two numbers of each place stand, and where what follows them stops; half a place is left out."""
    found = [at for at, id_ in enumerate(ids) if is_number(id_)]
    yield from zip(found[::2], found[1::2], [*found[2::2], len(ids)], strict=False)


def encode(edit: Iterable[Hunk], start: int, tokenizer: Tokenizer) -> list[int]:
    """Return an edit as tokens, without the markers of its section."""
    ids: list[int] = []
    for hunk in edit:
        ids += [FIRST_NUMBER + start + hunk.first, FIRST_NUMBER + start + hunk.end]
        for line in tokenizer.encode_batch(hunk.lines):
            ids += [Control.LINE, *line]
    return ids


def decode(ids: Sequence[int], start: int, tokenizer: Tokenizer) -> list[Hunk]:
    """Return the hunks of tokens that the grammar allows; a last hunk without its end is left out."""
    found: list[Hunk] = []
    for first, end, stop in places(ids):
        text = _lines(ids[end + 1 : stop], tokenizer)
        found.append(Hunk(ids[first] - FIRST_NUMBER - start, ids[end] - FIRST_NUMBER - start, text))
    return found


def texts(
    plan: Sequence[int], code: Sequence[int], prefix: Sequence[int], before: str, tokenizer: Tokenizer
) -> tuple[str, str]:
    """Return the plan and the declaration that an answer to `prefix` stands for: its edit applied, or its text."""
    if not (given := numbers(prefix)):
        return tokenizer.decode(plan), tokenizer.decode(code)
    start = given.start - FIRST_NUMBER
    return decode_plan(plan, start, tokenizer), apply(before, decode(code, start, tokenizer))


def without_places(plan: str) -> str:
    """Return a plan as it reads in the whole form: its steps without the lines that they change."""
    return _PLACE.sub("\n", plan)


def encode_plan(plan: str, start: int, tokenizer: Tokenizer) -> list[int]:
    """Return a plan as tokens; each place `@first-end` at the beginning of a step is two numbers."""
    parts = _PLACE.split(plan)
    encoded = tokenizer.encode_batch(parts[::3])
    ids = list(encoded[0])
    for first, end, text in zip(parts[1::3], parts[2::3], encoded[1:], strict=True):
        ids += [FIRST_NUMBER + start + int(first), FIRST_NUMBER + start + int(end), *text]
    return ids


def decode_plan(ids: Sequence[int], start: int, tokenizer: Tokenizer) -> str:
    """Return the text of a plan's tokens, the reverse of `encode_plan`."""
    found = list(places(ids))
    text = tokenizer.decode(ids[: found[0][0] if found else None])
    for first, end, stop in found:
        low, high = (ids[at] - FIRST_NUMBER - start for at in (first, end))
        text += f"\n@{low}-{high} {tokenizer.decode(ids[end + 1 : stop])}"
    return text


def _lines(ids: Sequence[int], tokenizer: Tokenizer) -> tuple[str, ...]:
    starts = [at for at, id_ in enumerate(ids) if id_ == Control.LINE]
    stops = [*starts[1:], len(ids)]
    return tuple(tokenizer.decode(ids[start + 1 : stop]) for start, stop in zip(starts, stops, strict=False))
