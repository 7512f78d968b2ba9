"""The way from a name to its value: `password: "..."`, `Flag("token").Default("...")`, `-H 'X-Api-Key: ...'`.

It goes over what may stand between the two to the first text that looks drawn. Any other word on the way ends it, for
it names something else.
"""

from __future__ import annotations

import re
from bisect import bisect
from collections.abc import Callable, Iterator
from functools import cache

from hrm_ray.collect.secrets.drawn import is_random
from hrm_ray.golang.lexemes import text_ends

_GAP = re.compile(r"(?:\\[nrtvf\"'`\\\s]|%[\dA-F]{2}|(?<=: )[&!]+\w+ |[^\w\\]|\btype +=(?= +string\b)){0,200}+")
_END = re.compile(r";|&&|\|\||://|\A/")
"""Nothing behind these belongs to what stands before."""

_GOES_ON = re.compile(r"[^\n]*(?:\Z|(?:[=:(\[{|>+\\-][\"'`]?|[\"'`],)[ \t\r]*\n)")
"""A gap on one line, or one that begins with the end of a line that goes on in the next."""

_BELOW = re.compile(r"[^\\\"']*\n[^\\\"']*")
_ALONE = re.compile(r"`?[ \t\r]*(?:\n|\Z)")
_LINES, _STEPS = 3, 8

_QUOTES = "\"'`"
_QUOTED = re.compile(r"(?:[^\s\"'`\\]|\\(?![nrt])[^\s\"'`]){1,250}+")
_BARE = re.compile(r"[^\s\"'`\\,;(){}\[\]<>&|]{1,250}+")
_TAIL = re.compile(r"[\w+/=.-]*+")
_HEAD = re.compile(r"[A-Za-z_][A-Za-z_.-]{0,30}(?=[:=])")
_HALVES = re.compile(r"([^\s\"'`\\]{6,250}+)[\"`]\s{0,20}\+\s{0,20}[\"`]([^\s\"'`\\]{6,250}+)[\"`]")
_HASH = re.compile(r"(?:h1|sha-?\d*|md5)[:=-]", re.IGNORECASE)
_COMMIT = re.compile(r"[\da-f]{7,12}")

_FILLER = re.compile(
    r"is|was|are|be|to|as|and|the|for|set|now|new|val|values?|default|envdefault|data|content|text|return|case|access"
    r"|none|\d{1,3}|str|string|bytes?|with|bearer|basic|plain|token|(?:api)?key",
    re.IGNORECASE,
)
"""Words that may stand between a name and its value."""

_OTHER = (
    *("hash", "hashed", "hashes", "digest", "sum", "fingerprint", "thumbprint", "challenge", "version", "revision"),
    *("commit", "etag", "path", "file", "name", "type", "kind", "size", "length", "count", "index", "param"),
    *("endpoint", "host", "prefix", "suffix", "pub", "public", "pubkey", "publickey", "pubx", "puby", "expiry"),
    *("expires", "expiration", "reference", "references", "image", "args", "want"),
)
_OTHER_WORD = re.compile(
    r"(?:(?<![A-Za-z])(?i:ids?|uuid|guid|refs?|sha-?\d*|md5|h1|rev|ref|ver|ur[il]|len|max|min|ttl|cert|sock)"
    r"|(?<=[a-z])(?:I[Dd]s?|U[rR][iIlL]|S[hH][aA]\d*|(?:Uu|UU|Gu|GU)[iI][dD]|Refs?|Len|Max|Min|TTL|Cert))\Z"
)
"""Ends of names, in small letters and by themselves, for what is no secret, or is only known of one."""

_LEADS_ON = re.compile(r"[({\[]|\):|[ \t]*:?=(?!=)|[ \t]/[ \t]|:(?=[^\s:])|\\?[\"'`][ \t]*[,+]")
_KEY = re.compile(r"\\?[\"'`]:\s|:\s+(?:map|\[)")
_KEY_OF_MANY = re.compile(r"\\?[\"'`]?:\s")
_NEXT = re.compile(r"\\?[\"'`]\s*[,+]\s*\\?[\"'`]")
"""What parts a value from the next one of a list or a sum."""


def is_of_another_thing(text: str) -> bool:
    """Tell the end of a name for what is no secret, or is only known of one, such as its hash."""
    return bool(text) and (text.lower().endswith(_OTHER) or _OTHER_WORD.search(text[-8:]) is not None)


def test(text: str, is_go: bool) -> Callable[[re.Match[str], str], bool]:
    """Return the test of a word of `text`, behind a gap, for being a value: it looks drawn, and is no word of code."""

    @cache
    def ends() -> list[int]:
        return text_ends(text)

    def is_value(word: re.Match[str], gap: str) -> bool:
        if not is_random(word[0]) or _HASH.match(word[0]) or (gap[-1:] == "(" and _COMMIT.fullmatch(word[0])):
            return False
        return not is_go or text[word.start() - 1] in _QUOTES or bisect(ends(), word.start()) % 2 == 1

    return is_value


def behind(
    text: str, name: str, at: int, is_list: bool, is_value: Callable[[re.Match[str], str], bool]
) -> Iterator[tuple[int, int]]:
    """Yield where the values of a name begin and end that ends at `at`: one, unless they stand in a list or a sum.

    Where `is_list`, what follows the name are arguments of a call, or parts of one credential.
    """
    keys = _KEY_OF_MANY if name[-1] in "sS" or name.startswith(("AKIA", "ASIA")) else _KEY if is_list else None
    lines = 0
    for _ in range(_STEPS):
        gap, word = _step(text, at)
        lines += gap.count("\n")
        if word is None or lines > _LINES or _END.search(gap):
            return
        at = word.end()
        if _FILLER.fullmatch(word[0]):
            continue
        if halves := _halves(text, word):
            yield from halves
            return
        if is_value(word, gap) and (is_list or _is_near(word, gap)):
            at = _end(word)
            yield word.start(), at
            if not _NEXT.match(text, at):
                return
        elif not _leads_on(word, gap, is_list) and not (keys and keys.match(text, at)):
            return


def _step(text: str, at: int) -> tuple[str, re.Match[str] | None]:
    """The gap at a place, and the word behind it, if any: all that is in quotes; of `name=value` only the name."""
    gap = _GAP.match(text, at)
    end = gap.end() if gap else at
    word = (_QUOTED if end and text[end - 1] in _QUOTES else _BARE).match(text, end)
    head = word and _HEAD.match(text, end, word.end())
    return text[at:end], head if head and not is_random(head[0] * 2) else word


def _halves(text: str, word: re.Match[str]) -> tuple[tuple[int, int], ...]:
    """Where both parts of a quoted sum begin and end, if together they look drawn."""
    halves = _HALVES.match(text, word.start()) if text[word.end() : word.end() + 1] in _QUOTES else None
    return (halves.span(1), halves.span(2)) if halves and is_random(halves[1] + halves[2]) else ()


def _is_near(word: re.Match[str], gap: str) -> bool:
    """Tell a value on the line of its name, on the next where the line goes on, or alone on the next."""
    return bool(_GOES_ON.match(gap) or (_BELOW.fullmatch(gap) and _ALONE.match(word.string, word.end())))


def _end(word: re.Match[str]) -> int:
    """Where a value ends, of which only the beginning was looked at if it is long."""
    tail = _TAIL.match(word.string, word.end()) if len(word[0]) >= 250 else None
    return tail.end() if tail else word.end()


def _leads_on(word: re.Match[str], gap: str, is_list: bool) -> bool:
    """Tell that what stands behind `word` may still be what the name names."""
    text, at = word.string, word.end()
    if not is_list and (is_of_another_thing(word[0]) or ("\n" in gap and gap[-1] not in _QUOTES)):
        return False
    return bool(_LEADS_ON.match(text, at)) or (text.startswith(",", at) and (is_list or gap.startswith(",")))
