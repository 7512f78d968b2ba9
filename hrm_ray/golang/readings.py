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

_EMPTY = {
    **dict.fromkeys([b"{", b";", b":", b"\n"], b"{}"),
    **dict.fromkeys([b"if", b"switch"], b" _"),
}
"""What is written for an empty statement, by what stands before it; where no statement may stand, no block may."""

_HEADS = frozenset({b"if", b"for", b"switch"})
_NEVER_LAST = _HEADS | {b"range", b"func", b"map", b"chan", b"struct", b"interface", b"case", b"go", b"defer"}


def readings(data: bytes) -> Iterator[bytes]:
    """Yield other forms of a file, if there are any, from the one that changes least.

    Semicolons and empty statements are written out, methods lose their type parameters, `new` and `make` their names.
    Methods have type parameters since Go 1.27, `new` takes a value since 1.26.
    """
    plain = _GENERIC_METHOD.sub(_without_parameters, _written_out(data))
    of_values = _BUILTIN_OF_VALUE.sub(_renamed, plain)
    _, *others = dict.fromkeys([data, plain, of_values, _BUILTIN.sub(_renamed, plain)])
    yield from others


def _renamed(builtin: re.Match[bytes]) -> bytes:
    return builtin[0].upper()


def _without_parameters(method: re.Match[bytes]) -> bytes:
    sound = not parse(PACKAGE + b"func f" + method["list"] + b"() {}").has_error
    return method["name"] + b" " * len(method["list"]) if sound else method[0]


def _written_out(data: bytes) -> bytes:
    parts, start = [], 0
    for at, what in _unwritten(data):
        parts += [data[start:at], what]
        start = at
    return b"".join([*parts, data[start:]])


def _unwritten(data: bytes) -> Iterator[tuple[int, bytes]]:
    """Yield what the grammar wants to be written out, and where Go does without.

    These are semicolons where a line of a head or a group on one line ends, and statements where there is none.
    """
    opened: list[bytes] = []
    head, last = -1, b""
    for found in LEXEME.finditer(data):
        lexeme = found[0]
        if lexeme.startswith((b"//", b"/*")):
            continue
        if lexeme in _HEADS:
            head = len(opened)
        elif lexeme == b"\n" and head == len(opened) and _ends_a_line(last):
            yield found.start(), b";"
        elif lexeme == b";" and last in _EMPTY and (head == len(opened)) == (last in _HEADS):
            yield found.start(), _EMPTY[last]
        elif lexeme[-1:] in {b"(", b"[", b"{"}:
            head = -1 if lexeme == b"{" and head == len(opened) else head
            opened.append(lexeme)
        elif lexeme in {b")", b"]", b"}"} and opened:
            group = opened.pop()
            if len(group) > 1 and last not in {b"\n", b";", group}:
                yield found.start(), b";"
        last = lexeme


def _ends_a_line(lexeme: bytes) -> bool:
    """Whether Go's lexer puts a semicolon where a line ends in this (Go specification, "Semicolons")."""
    wordlike = lexeme[-1:].isalnum() or lexeme[-1:] >= b"\x80" or lexeme[-1:] in {b"_", b'"', b"'", b"`"}
    return (wordlike and lexeme not in _NEVER_LAST) or lexeme in {b")", b"]", b"}", b"++", b"--"}
