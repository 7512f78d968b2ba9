"""The same code in words that tree-sitter's Go grammar knows, for what Go has and that grammar has not.

Methods have type parameters since Go 1.27, `new` takes a value since 1.26. Rows stay what they are.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import NamedTuple

from hrm_ray.golang.lexemes import LEXEME
from hrm_ray.golang.tree import PACKAGE, parse

_BUILTINS = frozenset({b"new", b"make"})
"""Their first argument is a type for the grammar; under another name it is any expression."""

_WORK = 8
"""How often each byte may be parsed, on average, to see which arguments are no types: they may nest."""

_EMPTY = {
    **dict.fromkeys([b"{", b";", b":", b"\n"], b"{}"),
    **dict.fromkeys([b"if", b"switch"], b" _"),
}
"""What is written for an empty statement, by what stands before it; where no statement may stand, no block may."""

_INK = re.compile(rb"[^\n]")
_OPENING, _CLOSING = frozenset({b"(", b"[", b"{"}), frozenset({b")", b"]", b"}"})
_HEADS = frozenset({b"if", b"for", b"switch"})
_NEVER_LAST = _HEADS | {b"range", b"func", b"map", b"chan", b"struct", b"interface", b"case", b"go", b"defer"}


class GenericMethod(NamedTuple):
    """A method with type parameters: where, in the bytes of a file, `func` is, its name, their list, its parameters."""

    start: int
    name: int
    list: int
    end: int
    parameters: int


def readings(data: bytes) -> Iterator[bytes]:
    """Yield other forms of a file, if there are any, from the one that changes least.

    Semicolons and empty statements are written out, methods lose their type parameters, `new` and `make` their names.
    A semicolon that is written out moves what follows on its line.
    """
    yield from _forms(data, _moved_up(_written_out(data)))


def in_place(data: bytes) -> Iterator[bytes]:
    """Yield those of the same length, in which everything is where it was: semicolons take the place of blanks."""
    yield from _forms(data, _blanked(_ended(data)))


def generic_methods(data: bytes) -> Iterator[GenericMethod]:
    """Yield the methods with type parameters at top level whose lists are sound."""
    depth, pieces = 0, [(b"", 0, 0)]
    for found in LEXEME.finditer(data):
        lexeme, last = found[0], found[0][-1:]
        if lexeme.startswith((b"//", b"/*", b"\n")):
            continue
        if last in _OPENING:
            words = [word for word, _, _ in pieces[-4:]] if depth == 0 and lexeme == b"(" else []
            if words[:2] == [b"func", b"("] and words[3:] == [b"["]:
                start, _, name, given = (piece[1] for piece in pieces[-4:])
                method = GenericMethod(start, name, given, pieces[-1][2], found.start())
                if _is_sound(data[method.list : method.end]):
                    yield method
            if depth == 0:
                pieces.append((lexeme, found.start(), found.end()))
            depth += 1
        elif lexeme in _CLOSING:
            depth = max(0, depth - 1)
            if depth == 0:
                pieces[-1] = (*pieces[-1][:2], found.end())
        elif depth == 0:
            pieces.append((lexeme, found.start(), found.end()))


def only_lists(data: bytes) -> bytes:
    """Return a file of the same length that has nothing but a function with the type parameters of each method."""
    bare = bytearray(_INK.sub(b" ", data))
    for method in generic_methods(data):
        bare[method.start : method.start + 4] = b"func"
        bare[method.name : method.end + 2] = data[method.name : method.end] + b"()"
    return bytes(bare)


def _forms(data: bytes, plain: bytes) -> Iterator[bytes]:
    _, *others = dict.fromkeys([data, plain, _renamed(plain)])
    yield from others


def _renamed(data: bytes) -> bytes:
    """The file with other names for those `new` and `make` whose first argument is no type."""
    named, work = bytearray(data), _WORK * len(data)
    for start, end in _builtin_calls(data):
        work -= end - start
        if work < 0:
            break
        if parse(PACKAGE + b"var _ = " + named[start:end]).has_error:
            named[start : start + 1] = named[start : start + 1].upper()
    return bytes(named)


def _builtin_calls(data: bytes) -> Iterator[tuple[int, int]]:
    """Where `new(...)` and `make(...)` are, those within others first."""
    opened: list[int] = []
    before, last, start = b"", b"", 0
    for found in LEXEME.finditer(data):
        lexeme = found[0]
        if lexeme.startswith((b"//", b"/*")):
            continue
        if lexeme[-1:] in _OPENING:
            opened.append(start if last in _BUILTINS and before != b"." else -1)
        elif lexeme in _CLOSING and opened and (call := opened.pop()) >= 0:
            yield call, found.end()
        before, last, start = last, lexeme, found.start()


def _blanked(data: bytes) -> bytes:
    """The file with blanks for the type parameters of methods."""
    bare = bytearray(data)
    for method in generic_methods(data):
        bare[method.list : method.end] = _INK.sub(b" ", data[method.list : method.end])
    return bytes(bare)


def _moved_up(data: bytes) -> bytes:
    """The file without them, and the parameters there: a line cannot end before a bracket that opens."""
    bare = bytearray(data)
    for method in generic_methods(data):
        bare[method.list : method.parameters + 1] = b"(" + _INK.sub(b" ", data[method.list : method.parameters])
    return bytes(bare)


def _is_sound(parameters: bytes) -> bool:
    return not parse(PACKAGE + b"func f" + parameters + b"() {}").has_error


def _written_out(data: bytes) -> bytes:
    parts, start = [], 0
    for at, what in _unwritten(data):
        parts += [data[start:at], what]
        start = at
    return b"".join([*parts, data[start:]])


def _ended(data: bytes) -> bytes:
    """The file with those semicolons for which there is a blank or a line end."""
    ended = bytearray(data)
    for at, what in _unwritten(data):
        places = (place for place in (at, at - 1) if what == b";" and data[place : place + 1].isspace())
        for place in places:
            ended[place : place + 1] = b";"
            break
    return bytes(ended)


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
        elif lexeme[-1:] in _OPENING:
            head = -1 if lexeme == b"{" and head == len(opened) else head
            opened.append(lexeme)
        elif lexeme in _CLOSING and opened:
            group = opened.pop()
            if len(group) > 1 and last not in {b"\n", b";", group}:
                yield found.start(), b";"
        last = lexeme


def _ends_a_line(lexeme: bytes) -> bool:
    """Whether Go's lexer puts a semicolon where a line ends in this (Go specification, "Semicolons")."""
    wordlike = lexeme[-1:].isalnum() or lexeme[-1:] >= b"\x80" or lexeme[-1:] in {b"_", b'"', b"'", b"`"}
    return (wordlike and lexeme not in _NEVER_LAST) or lexeme in {b")", b"]", b"}", b"++", b"--"}
