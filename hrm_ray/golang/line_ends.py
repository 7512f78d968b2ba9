"""Where a line ends that cannot: Go's lexer puts a semicolon there, and tree-sitter reads on where that is an error."""

from __future__ import annotations

from collections.abc import Iterator

from tree_sitter import Node

from hrm_ray.golang.diagnostic import Diagnostic, DiagnosticKind
from hrm_ray.golang.tree import is_leaf, walk

_ENDS_A_LINE = frozenset({")", "]", "}", "++", "--", "break", "continue", "fallthrough", "return"})
_SEQUENCES = frozenset(
    {
        "source_file",
        "block",
        "statement_list",
        "const_declaration",
        "var_spec_list",
        "type_declaration",
        "field_declaration_list",
        "interface_type",
    }
)
"""Nodes whose parts are separated by semicolons, and so by line ends."""

_SWITCHES = frozenset({"expression_switch_statement", "type_switch_statement", "select_statement"})
_CASES = frozenset({"expression_case", "type_case", "communication_case", "default_case", "}"})
"""The parts of switches that are; what stands before them is a head."""


def refused_line_ends(root: Node, data: bytes) -> Iterator[tuple[int, Diagnostic]]:
    """Yield the line ends of a tree of `data` that cannot be, by byte; what stands on one line is looked at as one."""
    ahead = [(root, "")]
    last: Node | None = None
    start: tuple[str, str] | None = None
    while ahead:
        node, parent = ahead.pop()
        kind, first, end = node.type, node.start_byte, node.end_byte
        if kind == "comment":
            continue
        start = start or (kind, parent)
        if data.find(b"\n", first, end) >= 0 and not is_leaf(node, kind):
            ahead.extend((child, kind) for child in reversed(node.children))
        elif first < end:
            if last is not None and data.find(b"\n", last.end_byte, first) >= 0 and not _may_break(last, *start):
                yield first, Diagnostic.of(DiagnosticKind.LINE_END, _tokens(last)[-1], "a line cannot end here")
            last, start = node, None


def _tokens(node: Node) -> list[Node]:
    return [leaf for leaf, kind, _ in walk(node) if is_leaf(leaf, kind) and kind != "comment"]


def _may_break(piece: Node, first: str, container: str) -> bool:
    """Whether a line may end after `piece` of it, where a node of type `first` goes on inside `container`.

    A line that ends in a name, a literal or a closing bracket ends a statement (Go specification, "Semicolons").
    """
    if _begins_a_part(first, container):
        return True
    last = _tokens(piece)[-1]
    return not (last.is_named or last.type in _ENDS_A_LINE)


def _begins_a_part(first: str, container: str) -> bool:
    """Whether a semicolon may stand before a node of type `first`; before a switch's brace it ends an initializer."""
    if container in _SWITCHES:
        return first in _CASES or (first == "{" and container == "expression_switch_statement")
    return first != "{" and container in _SEQUENCES
