"""The sentences of a doc comment, and the one that says what a function does."""

from __future__ import annotations

import re
from collections.abc import Iterator

_BREAK = re.compile(r"\s*\n[ \t]*\n\s*|\n(?=[ \t]*(?:[-*\u2022+]|\d+[.)])[ \t])|(?<=:)\n(?=[ \t])")
"""Ends of sentences without a stop: a blank line, a list, what is set in behind a colon."""
_STOP = re.compile(r"[.!?\u2026]+[\"'\u201d\u2019)\]]*(?=\s)|[\u3002\uff01\uff1f][\u300d\u300f\u201d\uff09]?")
_WIDE = "\u3002\uff01\uff1f"
"""Chinese and Japanese stops, which no space follows."""
_ENCLOSED = re.compile(r"`[^`\n]*`|\"[^\"\n]*\"|\u201c[^\u201d]*\u201d|\([^()]{0,400}\)|\[[^\[\]]{0,400}\]")

_GOES_ON = frozenset("eg ie cf vs viz incl excl approx ca resp esp aka wrt dr mr mrs ms prof".split())  # noqa: SIM905
"""Abbreviations that no sentence ends with, beside those of single letters, such as `e.g.`"""
_MAY_END = frozenset(
    "etc inc ltd co corp et al fig figs eq eqs sec sect ch chap vol p pp no nos nr art jr sr st max min avg est "  # noqa: SIM905
    "dept ver def orig opt param params u.s a.m p.m ph.d".split()
)
"""Abbreviations, some of them words too: a sentence ends with them if the next word begins one."""
_BEGINS = frozenset(
    "a an the this that these those it its if in on at to for when while where unless otherwise note returns see "  # noqa: SIM905
    "return as all any each every by is are callers use we you they there then however and but or no not only".split()
)
_BEFORE_NAMES = frozenset(("by", "from", "and", "see", "of", "with", "&"))

_LABEL = re.compile(
    r"(?:deprecated|note|nb|warning|caution|important|attention|experimental|example|usage|hint|tip|security|internal|"
    r"unstable|alpha|beta|see also|todo|bug|fixme|xxx|hack)s?(?:\([^)\n]*\))?(?:[:!]|[ \t]+-)\s*"
    r"|(?-i:TODO|BUG|FIXME|XXX|HACK)\b(?:\([^)\n]*\))?\s*|deprecated(?:[.,;]|(?= (?:since|in|as of)\b))\s*|#+ ",
    re.IGNORECASE,
)
_POINTER = re.compile(r"see\s", re.IGNORECASE)


def title_and_rest(text: str) -> tuple[str, str]:
    """Return the first sentence that says something, on one line, and all others.

    Labels (`Deprecated: ...`, `TODO(x): ...`) and pointers (`See X.`) do not; where there is nothing else, the first of
    them is taken without its label.
    """
    pieces = list(sentences(text))
    if not pieces:
        return "", ""
    at = next((at for at, one in enumerate(pieces) if not _is_aside(one)), 0)
    title = " ".join(_LABEL.sub("", pieces[at].strip(), count=1).split())
    return title, "".join(pieces[:at] + pieces[at + 1 :]).strip()


def says_nothing(text: str) -> bool:
    """Return true where every sentence is a label or a pointer."""
    return all(map(_is_aside, sentences(text)))


def sentences(text: str) -> Iterator[str]:
    """Yield the sentences of a text with the white space behind them; joined they are the text."""
    start = 0
    for end in (*_ends(text), len(text)):
        if (piece := text[start:end].strip()) and (end == len(text) or not _LABEL.fullmatch(piece)):
            yield text[start:end]
            start = end


def _is_aside(sentence: str) -> bool:
    return any(form.match(sentence.strip()) for form in (_LABEL, _POINTER))


def _ends(text: str) -> list[int]:
    """Return the places behind the sentences and the white space that follows them."""
    enclosed = [found.span() for found in _ENCLOSED.finditer(text)]
    stops = [
        found.end()
        for found in _STOP.finditer(text)
        if not any(start < found.start() and found.end() < end for start, end in enclosed)
        and _is_end(text[: found.start()], found[0], text[found.end() :])
    ]
    behind = [len(text) - len(text[stop:].lstrip()) for stop in stops]
    return sorted({*behind, *(found.end() for found in _BREAK.finditer(text))})


def _is_end(before: str, stop: str, after: str) -> bool:
    """Whether a stop closes a sentence, as far as the words around it tell."""
    words, follows = re.split(r"[\s(\[\"'`\u201c]", before)[-2:], (after.split(maxsplit=1) or [""])[0]
    word, number = words[-1].lower(), re.search(r"(?:^|\n)[ \t]*\d+$", before)
    if stop[0] in _WIDE or not follows:
        return True
    if follows[0].islower():  # as `e.g.` and as a sentence that begins with an identifier
        return stop == "." and len(word) > 3 and word.isalpha() and word not in _GOES_ON | _MAY_END
    if stop[0] != "." or len(stop.rstrip("\"')]")) > 1:
        return True
    if word in _MAY_END:
        return _begins(follows)
    if word in _GOES_ON or number or re.fullmatch(r"[a-z](?:\.[a-z])+", word):
        return False
    return not (re.fullmatch(r"[A-Z]", words[-1]) and _is_name(words[0], follows))


def _is_name(previous: str, follows: str) -> bool:
    """Whether a capital between two words is an initial: of a name, and not of a type at the end of a sentence."""
    if re.fullmatch(r"[A-Z]\.", follows):
        return True
    return follows[0].isupper() and not _begins(follows) and (previous in _BEFORE_NAMES or previous[:1].isupper())


def _begins(word: str) -> bool:
    return word[0].isupper() and word.lower().rstrip(".,:;") in _BEGINS
