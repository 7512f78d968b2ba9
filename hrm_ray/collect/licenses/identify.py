"""The SPDX id of a licence text."""

from __future__ import annotations

from functools import lru_cache

from hrm_ray.collect.licenses.expressions import UNKNOWN, all_of, declared, parts
from hrm_ray.collect.licenses.leftover import is_plain, sentences
from hrm_ray.collect.licenses.texts import cut, title_words
from hrm_ray.collect.licenses.words import vocabulary

_LONGEST = 100_000
"""Characters; three times the longest licence that is known. Longer texts are collections of others' licences."""


@lru_cache(maxsize=512)
def identify(text: str) -> str:
    """The SPDX expression of a license text: `A AND B` where it holds several, `NOASSERTION` where it says any more.

    A line `SPDX-License-Identifier: ...` says how several are meant, and may stand alone.
    """
    if len(text) > _LONGEST:
        return UNKNOWN
    lines, rest = declared(text)
    known, rest = cut(rest)
    meant = set().union(*map(parts, lines))
    titles = vocabulary("title").union(*map(title_words, known | meant))
    if not all(is_plain(sentence, titles) for sentence in sentences(rest)):
        return UNKNOWN
    if lines:
        return all_of(lines) if known <= meant else UNKNOWN
    return all_of(known)
