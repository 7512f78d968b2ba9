"""E-mail addresses and the names of authors in Go source, and what takes their place."""

from __future__ import annotations

import re
from collections.abc import Iterator

from hrm_ray.collect.secrets.finding import Finding, stand_in

_ADDRESS = re.compile(
    r"(?:(?<![\w.+%/@:-])(?!(?<=\\)[nrt])|(?<=\\[nrt])|(?<=mailto:))(?P<user>[\w.+%-]{1,64}+)"
    r"@(?P<host>[A-Za-z\d-]{1,63}(?:\.[A-Za-z\d-]{1,63}){0,5}\.[A-Za-z]{2,18})(?![\w(-]|:\S)",
    re.ASCII,
)
"""Not the user of a URL or of git's `user@host:path`, no module's `path@v1.2.3`, no `file.go:12`."""

_MACHINE = re.compile(r"git|hg|svn|(?:no|do[._-]?not)[._-]?reply", re.IGNORECASE)
_RESERVED = re.compile(r"(?:.*\.)?(?:example\.(?:com|net|org)|example|test|invalid|localhost|local)", re.IGNORECASE)
"""Hosts that are no one's (RFC 2606)."""

_AUTHOR = re.compile(
    r"(?://|^[ \t]*/?\*)[ \t]*(?:@author\b:?|(?i:authors?|maintainers?|contributors?|(?:written|created) by)[ \t]*:)"
    r"[ \t]*(?P<name>[^\W\d_a-z][\w.'-]*(?:[ \t]+[^\W\d_a-z][\w.'-]*){1,3}|@[\w-]+)",
    re.MULTILINE,
)


def find(source: str) -> Iterator[Finding]:
    """Yield the addresses in Go source, which can only stand in comments and strings, and the authors in comments."""
    for start, end in _lines_with("@", source):
        for found in _ADDRESS.finditer(source, start, end):
            if not (_MACHINE.fullmatch(found["user"]) or _RESERVED.fullmatch(found["host"])):
                yield Finding("e-mail address", found[0], f"{_letters(found[0])}@example.com")
    for title in ("uthor", "aintainer", "ontributor", "reated by", "ritten by"):
        for start, end in _lines_with(title, source):
            for found in _AUTHOR.finditer(source, start, end):
                head = found[0][: found.start("name") - found.start()]
                yield Finding("name of an author", found[0], f"{head}someone")


def _letters(address: str) -> str:
    """A user name of six letters, the same for the same address."""
    return stand_in(address.ljust(14))[8:14]


def _lines_with(literal: str, text: str) -> Iterator[tuple[int, int]]:
    """Where each line that holds `literal` begins and ends."""
    at = text.find(literal)
    while at >= 0:
        end = text.find("\n", at)
        end = len(text) if end < 0 else end
        yield text.rfind("\n", 0, at) + 1, end
        at = text.find(literal, end)
