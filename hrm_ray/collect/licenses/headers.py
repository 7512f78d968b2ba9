"""The licence that a Go file states above its code."""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import lru_cache

from hrm_ray.collect.licenses.expressions import UNKNOWN, all_of, declared, parts
from hrm_ray.collect.licenses.leftover import is_plain, sentences
from hrm_ray.collect.licenses.texts import cut
from hrm_ray.collect.licenses.words import vocabulary

_HEAD = re.compile(r"(?:\s+|//[^\n]*|/\*.*?\*/|package[ \t]+\w+;?)*", re.DOTALL)
_LONGEST = 50_000
"""Characters of a head that are read."""
_CODE = re.compile(r"^package .*|^//(?:go:|[ \t]*\+build).*", re.MULTILINE)
_MARKER = re.compile(r"^[ \t]*(?:/[/*]+|\*+/?)|\*+/[ \t]*$", re.MULTILINE)
_ABOUT = re.compile(
    r"(?:^//[ \t]*(?:Package|Command)\b[^\n]*\n(?://[^\n]*\n)*|^/\*\s*(?:Package|Command)\b.*?\*/\s*)(?=^package )",
    re.MULTILINE | re.DOTALL,
)
"""The documentation of a package, which may speak of licences as its subject."""

_ADDRESS = re.compile(r"https?://\S+")
_STATED = re.compile(r"rights reserved|propriet|confidential|licen[cs]ed (?:under|by|to|as)|governed by", re.IGNORECASE)
_LEARNING = r"\b(?:AI|LLMs?|machine[- ]learning|train\w*|data ?sets?)\b"
_LEGAL = re.compile(
    rf"{_STATED.pattern}|licen[cs]|copyright|redistribut|permission|prohibit|unauthori[sz]ed|trade secret|public domain"
    r"|commercial|\b(?:academic|educational|evaluation|internal|personal|research) (?:purposes?|use)\b"
    r"|\bnoai\b|\b[al]?gpl|\bsource[- ]available"
    rf"|\b(?:no|not)\b.*{_LEARNING}|\b(?:may|must|shall) not be (?:used|copied|distributed|disclosed)",
    re.IGNORECASE | re.DOTALL,
)
"""A sentence with one of them must be understood; what else stands above code is no matter of licences."""

_STYLE = r"(?:[- ](?:style|like))?\b"
_KIND = r"(?:revised|modified|new|simplified|(?:[23]|two|three)-clause)"
_FAMILY = "BSD-"
_NAMES = tuple(
    (name, re.compile(pattern, re.IGNORECASE))
    for name, pattern in (
        (
            "Apache-2.0",
            r"\bapache(?: software)? (?:licen[cs]e|2)(?:(?:,? \(?(?:version |v)?|-)2(?:\.0)?\)?)?(?![\w.]*\w)",
        ),
        ("MIT", rf"\bMIT(?:/X11| expat)?{_STYLE}(?: licen[cs]e \(MIT\))?"),
        (_FAMILY, rf"(?:\b{_KIND} )*\bBSD(?:[- ][23]-clause)?{_STYLE}"),
        ("ISC", rf"\bISC{_STYLE}"),
        ("MPL-2.0", r"\bmozilla public licen[cs]e,? (?:version |v\.? ?)2(?:\.0)?|\bMPL[- ]?2\.0\b"),
    )
)
"""As sentences call licences whose text stands elsewhere."""


def stated(source: str, around: str) -> str:
    """The licence that the head of a Go file states, if it is more than `around`, that of its folder; else empty.

    `NOASSERTION` is a statement that is not understood.
    """
    head = _HEAD.match(source.removeprefix("\ufeff"))
    said = {_named(each, around) for each in _of_head(head[0][:_LONGEST] if head else "")}
    return all_of(said) if said - parts(around) - {around} else ""


@lru_cache(maxsize=1024)
def _of_head(head: str) -> frozenset[str]:
    beyond = _ABOUT.sub(lambda about: about[0] if _STATED.search(about[0]) else "\n", head)
    said = _MARKER.sub("", _CODE.sub("", beyond))
    if not _LEGAL.search(said):
        return frozenset()
    ids, said = declared(said)
    known, rest = cut(said)
    told = (name for each in sentences(rest) if _LEGAL.search(each) for name in _in_sentence(each))
    return frozenset(ids | known | set(told))


def _in_sentence(sentence: str) -> Iterator[str]:
    """The licences that a sentence names, and `NOASSERTION` if it says any more than where they are found."""
    rest = sentence
    for name, pattern in _NAMES:
        rest, count = pattern.subn(" ", rest)
        if count:
            yield name
    if not is_plain(rest if rest == sentence else _ADDRESS.sub(" ", rest), _plain_words()):
        yield UNKNOWN


def _plain_words() -> frozenset[str]:
    return vocabulary("title") | vocabulary("pointing")


def _named(name: str, around: str) -> str:
    """An id for a family of licences: that of the folder, if it is one of them."""
    if name != _FAMILY:
        return name
    return next((each for each in sorted(parts(around)) if each.startswith(_FAMILY)), "BSD-3-Clause")
