"""Known licence texts, found in other texts word by word.

The texts are those of choosealicense.com, which the package `identify` carries as data. As in SPDX's matching
guidelines, letter case, punctuation, line breaks and the marks of lists mean nothing, and a holder has any name.
"""

from __future__ import annotations

import html
import re
from collections.abc import Iterator
from functools import cache

from identify.vendor.licenses import LICENSES

from hrm_ray.collect.licenses.words import WORD, spelled, vocabulary, words

CUT = "\f"
"""Stands in what is left of a text where a known one was."""

_MARK = re.compile(r"^[ \t]*(?:\d{1,2}\.|\(?[a-z]\)|[*-])(?=\s)", re.MULTILINE)
"""Of an item of a list."""
_PARAGRAPH = re.compile(r"\n\s*\n")
_SHORTEST_BODY = 13
"""Words of the first paragraph that is no title."""

_NAME = rf"(?:(?!(?:{'|'.join(sorted(vocabulary('rules')))}) )\S+ ){{0,25}}?"

_VARIANTS = (
    ("listmark ", r"(?:\w{1,3} )?"),
    ("sublicense ", "sub(?: )?license "),
    ("noninfringement ", "non(?: )?infringement "),
    ("and or ", "and (?:or )?"),
    ("and this permission notice ", "and this permission notice (?:including the next paragraph )?"),
    ("the authors or copyright holders ", _NAME),
    ("the author disclaims ", f"{_NAME}disclaims? "),
    ("shall the author be liable ", f"shall {_NAME}be liable "),
    ("will the authors be held ", f"will {_NAME}be held "),
    ("by the copyright holders and contributors ", _NAME),
    ("the copyright holder or contributors ", _NAME),
    (
        "neither the name of the copyright holder nor the names of its contributors may ",
        rf"(?:neither (?:the )?names? (?:of )?{_NAME}(?:nor (?:the names?|those) of {_NAME})?may "
        rf"|(?:the )?names? of {_NAME}may not )",
    ),
    ("specific prior ", "(?:specific )?prior "),
    ("express or implied ", "express(?:ed)? or implied "),
    (
        "for more information please refer to http unlicense org ",
        r"(?:for more information \S+ refer to \S+ \S+ \S+ )?",
    ),
    (
        "licensed under the apache license version 2 0 the license ",
        rf"(?:licensed to {_NAME}under one or more contributor license agreements see the notice file distributed with "
        rf"this work for additional information regarding copyright ownership {_NAME}licenses this file to you under "
        r"|licensed under )the apache license version 2 0 (?:the license )?",
    ),
    ("you may not use this file except ", "you may not use (?:this|these) (?:file|files|code|work|software) except "),
    ("this program is free software ", f"{_NAME}is free software "),
)
"""Phrases that holders write in other words, and how."""

_END = "end of terms and conditions "
"""Behind it, a text says how to apply the licence, and ends with what is to stand above each file."""
_UNFILLED = "copyright yyyy name of copyright owner "

_HEADERS = {
    "Apache-2.0": ("licensed under the apache license version", "limitations under the license "),
    "MPL-2.0": ("this source code form is subject", "mozilla org mpl 2 0 "),
    "GPL-3.0": ("this program is free software", "gnu org licenses "),
    "AGPL-3.0": ("this program is free software", "gnu org licenses "),
}
"""The first and last words of that."""

_NAMES = {
    "0BSD": "BSD Zero Clause License",
    "BSD-2-Clause": "Simplified FreeBSD two-clause style",
    "BSD-3-Clause": "New Revised Modified three-clause style",
    "MIT": "Expat X11 style",
    "MIT-0": "MIT No Attribution License",
    "Zlib": "zlib/libpng",
}
"""Other names of a licence, for its title."""

_CONDITIONS = re.compile(r", subject to the following conditions:.*?portions of the Software\.", re.DOTALL)
"""MIT without them is MIT-0."""


def cut(text: str) -> tuple[set[str], str]:
    """Return the SPDX ids of the known texts that `text` holds whole, and what is left without these texts."""
    rest, known = re.sub(r"\r\n?", "\n", html.unescape(text)), set[str]()
    while (found := _first(rest)) is not None:
        name, start, end = found
        known |= {name} - {""}
        rest = f"{rest[:start]}\n\n{CUT}\n\n{rest[end:]}"
    return known, rest


@cache
def title_words(name: str) -> frozenset[str]:
    """The words of an SPDX id, of what stands above the text, and of other names of it."""
    title = next((_split(text)[0] for other, text in _texts() if other == name), "")
    return frozenset(words(f"{name} {title} {_NAMES.get(name, '')}")) - vocabulary("notice")


def _first(text: str) -> tuple[str, int, int] | None:
    """The name of a known text in `text`, and where it begins and ends."""
    found = list(WORD.finditer(text))
    plain = "".join(f" {spelled(word[0])}" for word in found) + " "
    for name, pattern in _patterns():
        if _longest(pattern) in plain and (match := _compiled(pattern).search(plain)):
            first, last = (plain.count(" ", 0, at) for at in (match.start(), match.end()))
            return name, found[first - 1].start(), found[last - 2].end()
    return None


@cache
def _longest(pattern: str) -> str:
    """The longest phrase without variants: to look for it alone is faster than to compile all patterns."""
    phrases: list[str] = re.findall(r"[a-z0-9 ]+", pattern)
    return max(phrases, key=len)


@cache
def _compiled(pattern: str) -> re.Pattern[str]:
    return re.compile(f"(?<= ){pattern}")


@cache
def _patterns() -> list[tuple[str, str]]:
    """Each text, and each part of one that may stand elsewhere; of parts that grant nothing the name is empty."""
    return [(name, pattern) for each in _texts() for name, pattern in _parts(*each) if pattern]


def _texts() -> Iterator[tuple[str, str]]:
    for name, text in LICENSES:
        yield name, text
        if name == "MIT":
            yield "MIT-0", _CONDITIONS.sub(".", text)


def _parts(name: str, text: str) -> Iterator[tuple[str, str]]:
    plain = " ".join(words(_MARK.sub(" listmark ", _split(text)[1]))) + " "
    body, end, appendix = plain.partition(_END)
    yield name, _varied(body)
    if end:
        yield "", _END
        yield "", _varied(appendix.partition(_UNFILLED)[0])
    if name in _HEADERS:
        first, last = _HEADERS[name]
        start = plain.rindex(first)
        yield name, _varied(plain[start : plain.index(last, start) + len(last)])


def _varied(plain: str) -> str:
    for phrase, pattern in _VARIANTS:
        plain = plain.replace(phrase, pattern)
    return plain


def _split(text: str) -> tuple[str, str]:
    """The title of a text, and the rest."""
    paragraphs = _PARAGRAPH.split(text.strip())
    first = next(at for at, each in enumerate(paragraphs) if len(words(each)) >= _SHORTEST_BODY)
    return "\n".join(paragraphs[:first]), "\n\n".join(paragraphs[first:])
