"""Keys, tokens and passwords in a text, and what takes their place."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator
from dataclasses import dataclass

from hrm_ray.collect.secret_forms import FORMS, Form, is_password

MARK = "REDACTED"
"""Begins a placeholder of 14 characters or more; a shorter one ends in `xxxx`. What holds either is no secret."""

_BEGIN = re.compile(
    r"-----BEGIN [A-Z\d ]{0,40}PRIVATE KEY(?: BLOCK)?-----(?P<key>(?:[\w+/=\s\"'`\\,:.]|-(?!----))*+)", re.ASCII
)
_KEY_LINE = re.compile(r"\\[nrt]|(?P<secret>[A-Za-z\d+/]{16,}={0,2})", re.ASCII)

_VALUE = r"(?P<secret>[A-Za-z_+/$!.~^*#?-]*\d[^\s\"'`\\]{0,200})"
_QUOTED = re.compile(
    r"[\"'`](?P<secret>(?:[A-Za-z_+/$!.~^*#?-]|\\[^\s\"'`])*+\d(?:[^\s\"'`\\]|\\[^\s\"'`]){0,200})(?=\\?[\"'`])",
    re.ASCII,
)
_ASSIGNED = re.compile(r"=(?P<secret>[A-Za-z_+/$!.~-]*\d[\w+/$!.~=-]{0,200})(?![^\s\"'`\\;&,)\]}<])", re.ASCII)
_SPOKEN = re.compile(rf"[:=] {{0,2}}{_VALUE}(?!\S)", re.ASCII)
"""Begun by a rare sign and with a digit in them, these are found at 200 MB/s; only then is it asked what names them."""

_NAMED = re.compile(
    r"(?:passw(?:or)?d|passphrase|pwd|secret|token|credentials?"
    r"|(?:api|access|account|auth|private|shared|encryption)[ _-]?key)"
    r"[\w.-]{0,20}[\"'`\\\])}]{0,4}(?: is)?[ \t]{0,24}"
    r"(?:(?::?=|[:!=]=|=>|[:,(])[ \t]{0,24}(?:(?:\[\]byte|string)\()?)?\\?\Z",
    re.IGNORECASE | re.ASCII,
)


@dataclass(frozen=True)
class Finding:
    """A string that must not stay in any text of its pull request, and what takes its place, on one line as it is."""

    kind: str
    text: str
    placeholder: str


def find(text: str, spoken: bool = False) -> Iterator[Finding]:
    """Yield the secrets of Go source; of plain text (`spoken`) also what stands unquoted behind `password: `."""
    for form in FORMS:
        for literal in form.literals:
            for start, end in lines_with(literal, text):
                for match in form.pattern.finditer(text, start, end):
                    if form.accepts(match["secret"]):
                        yield _finding(form, match)
    if "PRIVATE KEY" in text:
        yield from _private_keys(text)
    yield from _named(text, (_QUOTED, _ASSIGNED, _SPOKEN) if spoken else (_QUOTED, _ASSIGNED))


def lines_with(literal: str, text: str) -> Iterator[tuple[int, int]]:
    """Where each line that holds `literal` begins and ends."""
    at = text.find(literal)
    while at >= 0:
        end = text.find("\n", at)
        end = len(text) if end < 0 else end
        yield text.rfind("\n", 0, at) + 1, end
        at = text.find(literal, end)


def stand_in(text: str) -> str:
    """What takes the place of a secret: as long, the same for the same, and never a secret itself."""
    digest = hashlib.sha256(text.encode("utf-8", "surrogatepass")).digest()
    letters = "".join(chr(ord("a") + byte % 26) for byte in digest)
    if len(text) < 14:
        return f"{letters[:10]}xxxx"[-len(text) :]
    return f"{MARK}{letters[:6]}".ljust(len(text), "x")


def _private_keys(text: str) -> Iterator[Finding]:
    """The lines of private keys one by one, for a patch may hold only some of them."""
    for block in _BEGIN.finditer(text):
        for line in _KEY_LINE.finditer(block["key"]):
            if line["secret"] and is_password(line["secret"]):
                yield Finding("private key", line["secret"], stand_in(line["secret"]))


def _named(text: str, forms: tuple[re.Pattern[str], ...]) -> Iterator[Finding]:
    """Values that look drawn and are named a password, secret, token or key on their line."""
    for form in forms:
        for match in form.finditer(text):
            value, start = match["secret"], match.start("secret")
            if is_password(value) and _NAMED.search(text, max(start - 80, 0), start - 1):
                yield Finding("password", value, stand_in(value))


def _finding(form: Form, match: re.Match[str]) -> Finding:
    if form.is_whole and is_password(match["secret"]):
        return Finding(form.kind, match["secret"], stand_in(match["secret"]))
    start, end = (at - match.start() for at in match.span("secret"))
    return Finding(form.kind, match[0], match[0][:start] + stand_in(match["secret"]) + match[0][end:])
