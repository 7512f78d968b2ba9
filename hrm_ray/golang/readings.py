"""The same code in words that tree-sitter's Go grammar knows, for what Go has and that grammar has not.

Rows stay what they are; a semicolon that is written out moves what follows on its line.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from hrm_ray.golang.lexemes import LEXEME
from hrm_ray.golang.tree import PACKAGE, parse

_GENERIC_METHOD = re.compile(rb"^(?P<name>func\s*\([^()]*\)\s*\w+\s*)(?P<list>\[[^()\n]*\])(?=\s*\()", re.MULTILINE)
_BUILTIN = re.compile(rb"\b(?:new|make)(?=\s*\()")
_BUILTIN_OF_VALUE = re.compile(
    rb"""\b(?:new|make)(?=\s*\(\s*(?:(?!%b)[^\s\[(*]|(?:\[\w*\]|map\[\w*\]|\*)+(?!%b)[\w.]+(?:\[[\w.]*\])?[{(]))"""
    % ((rb"(?:chan|map|struct|func|interface)\b",) * 2)
)
"""Where the argument begins as no type does, or is a composite literal or a conversion."""

_HEADS = frozenset({b"if", b"for", b"switch"})
_NEVER_LAST = _HEADS | {b"range", b"func", b"map", b"chan", b"struct", b"interface", b"case", b"go", b"defer"}


def readings(data: bytes) -> Iterator[bytes]:
    """Yield other forms of a file: semicolons written out, methods without type parameters, `new` and `make` renamed.

    Methods have type parameters since Go 1.27, `new` takes a value since 1.26.
    """
    plain = _GENERIC_METHOD.sub(_without_parameters, _with_semicolons(data))
    of_values = _BUILTIN_OF_VALUE.sub(_renamed, plain)
    yield from dict.fromkeys([plain, of_values, _BUILTIN.sub(_renamed, plain)])


def _renamed(builtin: re.Match[bytes]) -> bytes:
    return builtin[0].upper()


def _without_parameters(method: re.Match[bytes]) -> bytes:
    sound = not parse(PACKAGE + b"func f" + method["list"] + b"() {}").has_error
    return method["name"] + b" " * len(method["list"]) if sound else method[0]


def _with_semicolons(data: bytes) -> bytes:
    parts, start = [], 0
    for at in _unwritten(data):
        parts.append(data[start:at])
        start = at
    return b";".join([*parts, data[start:]])


def _unwritten(data: bytes) -> Iterator[int]:
    """Yield where Go reads a semicolon and the grammar wants one: ends of lines in a head, of a group on its line."""
    opened: list[bytes] = []
    head, last = -1, b""
    for found in LEXEME.finditer(data):
        lexeme = found[0]
        if lexeme.startswith((b"//", b"/*")):
            continue
        if lexeme in _HEADS:
            head = len(opened)
        elif lexeme == b"\n" and head == len(opened) and _ends_a_line(last):
            yield found.start()
        elif lexeme[-1:] in {b"(", b"[", b"{"}:
            head = -1 if lexeme == b"{" and head == len(opened) else head
            opened.append(lexeme)
        elif lexeme in {b")", b"]", b"}"} and opened:
            group = opened.pop()
            if len(group) > 1 and last not in {b"\n", b";", group}:
                yield found.start()
        last = lexeme


def _ends_a_line(lexeme: bytes) -> bool:
    """Whether Go's lexer puts a semicolon where a line ends in this (Go specification, "Semicolons")."""
    wordlike = lexeme[-1:].isalnum() or lexeme[-1:] >= b"\x80" or lexeme[-1:] in {b"_", b'"', b"'", b"`"}
    return (wordlike and lexeme not in _NEVER_LAST) or lexeme in {b")", b"]", b"}", b"++", b"--"}
