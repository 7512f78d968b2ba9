"""What is wrong with a text that is not valid Go, and where."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Self

from tree_sitter import Node


class DiagnosticKind(StrEnum):
    """Why a text is not valid Go; the list is closed, because the model embeds it as feedback."""

    ENCODING = "encoding"
    EMPTY = "empty"
    UNBALANCED = "unbalanced"
    MISSING_TOKEN = "missing token"
    SYNTAX_ERROR = "syntax error"
    NOT_A_DECLARATION = "not a declaration"
    LINE_END = "line end"
    NOT_A_CALL = "not a call"
    NOT_A_NAME = "not a name"
    PARAMETERS = "parameters"
    WRONG_COUNT = "wrong count"
    WRONG_KIND = "wrong kind"


@dataclass(frozen=True)
class Diagnostic:
    """The first thing wrong; `line` and `column` count from 1 within the text, columns in UTF-8 bytes as Go's do."""

    kind: DiagnosticKind
    line: int
    column: int
    message: str

    @classmethod
    def of(cls, kind: DiagnosticKind, node: Node, message: str) -> Self:
        """Return one that stands where a node of a fragment begins; row 0 is the fragment's package clause."""
        row, column = node.start_point
        return cls(kind, row, column + 1, message) if row else cls(kind, 1, 1, message)

    @classmethod
    def at(cls, kind: DiagnosticKind, data: bytes, place: int, message: str) -> Self:
        """Return one that stands at a byte of a fragment with its package clause."""
        return cls(kind, data.count(b"\n", 0, place), place - data.rfind(b"\n", 0, place), message)
