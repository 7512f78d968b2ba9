"""Searching repositories: GitHub shows the first thousand of a search, so larger ones are cut by numbers of stars."""

from __future__ import annotations

import heapq
import math
from collections.abc import Callable, Iterator, Sequence

from hrm_ray.collect.github.answers import Listed
from hrm_ray.collect.github.lists import Lists

CAP = 1000
"""Results that GitHub shows of one search."""

MOST_STARS = 10_000_000
"""More than any repository has."""


def search(
    lists: Lists, stars: tuple[int, int | None], licenses: Sequence[str], marks: str, said: Callable[[str], None]
) -> Iterator[Listed]:
    """Yield the Go repositories with so many stars and one of the licenses (any, if none is given), most stars first.

    Nothing is asked for before it is needed. `marks` are further qualifiers of the search; `said` is told where a
    search cannot be seen whole. Equal numbers of stars are in the order of names.
    """
    questions = [f"language:Go license:{spdx.lower()} {marks}" for spdx in licenses] or [f"language:Go {marks}"]
    bounds = stars[0], stars[1] or MOST_STARS
    return heapq.merge(*(_sliced(lists, question.strip(), *bounds, said) for question in questions), key=rank)


def rank(repository: Listed) -> tuple[int, str]:
    """What repositories are ordered by."""
    return -repository.stargazers_count, repository.full_name.lower()


def _sliced(lists: Lists, question: str, least: int, most: int, said: Callable[[str], None]) -> Iterator[Listed]:
    """One search, cut in two, the more stars first, until each part can be seen whole."""
    asked = f"{question} stars:{least}..{most}"
    page, more = lists.found(asked, 1)
    if page.total_count > CAP and least < most:
        middle = math.isqrt((least + 1) * (most + 1)) - 1  # twice the stars, half the repositories, roughly
        middle = min(max(middle, least), most - 1)
        yield from _sliced(lists, question, middle + 1, most, said)
        yield from _sliced(lists, question, least, middle, said)
        return
    if page.total_count > CAP or page.incomplete_results:
        said(f"GitHub shows only a part of the {page.total_count:,} results of `{asked}`")
    items, number = list(page.items), 1
    while more and len(items) < CAP:
        number += 1
        page, more = lists.found(asked, number)
        items += page.items
    yield from sorted(items, key=rank)
