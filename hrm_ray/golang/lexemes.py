"""What Go's lexer sees in a text, told by one regular expression: what no tree can be built from has lexemes too."""

from __future__ import annotations

import re

from hrm_ray.golang.diagnostic import Diagnostic, DiagnosticKind

_TEXT = r"""//[^\n]*|/\*.*?(?:\*/|\Z)|`[^`]*`?|"(?:\\.|[^"\\\n])*"?|'(?:\\.|[^'\\\n])*'?"""
_TEXTS = re.compile(_TEXT, re.DOTALL)

LEXEME = re.compile(
    _TEXT.encode() + rb"""|\b(?:const|var|type)\s*\(|[\w\x80-\xff]+|\+\+|--|\n|\S""",
    re.DOTALL,
)
"""Comments, strings, runes, what opens a group, words, line ends, and the rest by its characters.

What is never closed is one lexeme too: looked for again behind each quote, its end would take quadratic time.
"""

_CLOSED = re.compile(rb"""//[^\n]*|/\*.*\*/|`[^`]*`|"(?:\\.|[^"\\\n])*"|'(?:\\.|[^'\\\n])*'""", re.DOTALL)
_KINDS = {b'"': "string", b"`": "string", b"'": "rune", b"/*": "comment", b"//": "comment"}
_CLOSERS = {b")": b"(", b"]": b"[", b"}": b"{"}


def text_ends(source: str) -> list[int]:
    """Return where each comment, string and rune of `source` begins and ends, in turn: odd places end one."""
    return [at for found in _TEXTS.finditer(source) for at in found.span()]


def without_comments(data: bytes) -> bytes:
    """Return a text with a blank for each comment."""
    return LEXEME.sub(lambda found: b" " if found[0][:2] in {b"//", b"/*"} else found[0], data)


def unclosed(data: bytes) -> Diagnostic | None:
    """Say which string, rune, comment or bracket of a fragment is not closed, or closed and not opened; the first."""
    opened: list[tuple[int, bytes]] = []
    for found in LEXEME.finditer(data):
        lexeme, last = found[0], found[0][-1:]
        quoted = _KINDS.get(lexeme[:2]) or _KINDS.get(lexeme[:1])
        if quoted and not _CLOSED.fullmatch(lexeme):
            return Diagnostic.at(DiagnosticKind.SYNTAX_ERROR, data, found.start(), f"this {quoted} is never closed")
        if not quoted and last in _CLOSERS.values():
            opened.append((found.end() - 1, last))
        elif lexeme in _CLOSERS:
            if not opened:
                message = f"nothing opens this {lexeme.decode()}"
                return Diagnostic.at(DiagnosticKind.UNBALANCED, data, found.start(), message)
            if opened[-1][1] != _CLOSERS[lexeme]:
                break
            opened.pop()
    return _never_closed(data, *opened[-1]) if opened else None


def _never_closed(data: bytes, at: int, bracket: bytes) -> Diagnostic:
    return Diagnostic.at(DiagnosticKind.UNBALANCED, data, at, f"{bracket.decode()} is never closed")
