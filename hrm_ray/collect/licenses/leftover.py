"""What a text says beyond the licences in it: all but copyright notices, titles, and where a licence lies."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Iterator

from hrm_ray.collect.licenses.texts import CUT
from hrm_ray.collect.licenses.words import WORD, vocabulary, words

_NOTICE = re.compile(
    r"\W*(?:(?:portions|parts|original|modified|modifications?|works?|software|bsd|isc|mit|zlib|clause|license|\d|of|the"
    r"|some|all|is|are)\W+){0,5}(?:(?:spdx-filecopyrighttext|provenance-includes-copyright)\b|copyright\b|©|\(c\))",
    re.IGNORECASE,
)
_RESERVED = re.compile(r"\W*(?:all|some) rights? reserved\W*", re.IGNORECASE)
_ADDRESS = re.compile(r"<[^<>]*>|\S+@\S+|@\S+|https?://\S+|\b[\w.-]+\.(?:com|org|io|net|dev)\b\S*")
_SENTENCE = re.compile(r"(?<=[.;:!])(?<![ (][A-Z]\.)(?<!Co\.)(?<!Corp\.)(?<!Inc\.)(?<!Ltd\.)\s+(?=[^a-z\s])")
_PARAGRAPH = re.compile(r"\n\s*\n")
_PATH = re.compile(r"https?://[^\s/]+(/\S*)")
_FORBIDDEN = re.compile(r"[禁仅僅不勿训訓]|금지|запрещ|\bsource[- ]available", re.IGNORECASE)
"""Limits that the lists of words cannot hold: of scripts without spaces, and of words that limit only together."""
_SUBJECT = re.compile(r"[\W_]*([\w.-]+) (?=is\b)")
_SITE = re.compile(
    r"https?://(?:[\w-]+\.)?(?:apache|boost|choosealicense|creativecommons|gnu|mit-license|mozilla|opensource|spdx|unlicense)"
    r"\.(?:com|org)\S*"
)
_MOST_UNNAMED = 2
"""Words in a notice that are no names and join none: some people write theirs without capitals."""
_LONGEST_NOTICE = 40


def sentences(text: str) -> Iterator[str]:
    """Yield the sentences of what `cut` left of a text that are no copyright notices."""
    paragraphs = _PARAGRAPH.split("\n".join(_beyond_notices(text.split("\n"))))
    yield from filter(words, _beyond_notices(sentence for each in paragraphs for sentence in _SENTENCE.split(each)))


def is_plain(sentence: str, known: Collection[str]) -> bool:
    """Whether a sentence holds no other words than these, and addresses of those who publish licences."""
    said = _SITE.sub(" ", _SUBJECT.sub(_without_name, sentence))
    return set(words(said)) <= set(known) and not _FORBIDDEN.search(sentence)


def _without_name(subject: re.Match[str]) -> str:
    """Nothing for the name of a project, as in `Foo is licensed under ...`; a part of one is a limit."""
    is_name = subject[1][0].isupper() and vocabulary("parts").isdisjoint(words(subject[1]))
    return " " if is_name else subject[0]


def _beyond_notices(pieces: Iterable[str]) -> Iterator[str]:
    """Lines, or sentences, without copyright notices, the names that go on below and the rights reserved at the end."""
    above, ended = "", False
    for piece in pieces:
        if not words(piece) and CUT not in piece:
            ended = True
        elif _is_notice(piece) or (above and _RESERVED.fullmatch(piece)) or (not ended and _continues(above, piece)):
            above, ended = piece, False
            continue
        else:
            above = ""
        yield piece


def _is_notice(text: str) -> bool:
    if (found := _NOTICE.match(text)) is None:
        return False
    first, *others = _SENTENCE.split(text[found.end() :])
    return _is_names(first) and all(_RESERVED.fullmatch(other) or _is_notice(other) for other in others)


def _continues(above: str, text: str) -> bool:
    """Return True if a text below a notice continues its names, or gives those of a notice that is a year alone."""
    first = (words(text) or [""])[0]
    years = set(re.findall(r"\d+", above))
    is_bare = years and set(words(above)) <= vocabulary("joins") | years
    goes_on = is_bare or above.rstrip().endswith((",", ":", "&", " and")) or first in vocabulary("joins") or "@" in text
    return bool(above) and goes_on and _is_names(text)


def _is_names(text: str) -> bool:
    """Whether a text can be the names of holders, with years and addresses."""
    found = WORD.findall(_ADDRESS.sub(" ", _RESERVED.sub(" ", text)))
    others = [word for word in found if not (word[0].isupper() or word[0].isdigit() or word in vocabulary("joins"))]
    short = len(others) <= _MOST_UNNAMED and len(found) <= _LONGEST_NOTICE
    said = {*map(str.lower, found), *words(" ".join(_PATH.findall(_SITE.sub(" ", text))))}
    return short and vocabulary("rules").isdisjoint(said) and not _FORBIDDEN.search(text)
