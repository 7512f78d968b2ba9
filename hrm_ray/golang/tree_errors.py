"""Where a tree goes wrong, and which of several trees of the same code goes wrong last."""

from __future__ import annotations

from collections.abc import Iterable
from itertools import pairwise

from tree_sitter import Node

from hrm_ray.golang.diagnostic import Diagnostic, DiagnosticKind
from hrm_ray.golang.lexemes import unclosed

_SHOWN = 40
"""Characters of what does not parse that a message quotes."""


def best_tree(root: Node, others: Iterable[Node]) -> tuple[Node, Diagnostic | None]:
    """Return a tree, or another one of the same code that is right or goes wrong later, and what is wrong with it.

    The others are looked at in order, and only as far as it takes.
    """
    if not root.has_error:
        return root, None
    if (found := unclosed(root.text or b"")) is not None or (found := first_error(root)) is None:
        return root, found
    for other in others:
        wrong = first_error(other)
        if other.end_byte and wrong is None:
            return other, None
        if wrong is not None and (wrong.line, wrong.column) > (found.line, found.column):
            root, found = other, wrong
    return root, found


def first_error(root: Node) -> Diagnostic | None:
    """Say where tree-sitter found an error that is one for Go too."""
    ahead = [root] if root.has_error else []
    while ahead:
        node = ahead.pop()
        if node.is_error:
            return Diagnostic.of(DiagnosticKind.SYNTAX_ERROR, node, f"this does not parse: {_beginning(node)}")
        if node.is_missing:
            return Diagnostic.of(DiagnosticKind.MISSING_TOKEN, node, f"expected {type_words(node)}")
        flagged = [child for child in node.children if child.has_error or child.is_error or child.is_missing]
        if not flagged:
            return Diagnostic.of(
                DiagnosticKind.MISSING_TOKEN, _after_missing_line_end(node), "expected a line end before"
            )
        ahead += [child for child in reversed(flagged) if not _is_lenient(child, node)]
    return None


def _is_lenient(wrong: Node, within: Node) -> bool:
    """Whether Go takes what the grammar finds wrong: `[]byte()`."""
    return wrong.is_missing and within.type == "type_conversion_expression" and within.child_count == 4


def _after_missing_line_end(within: Node) -> Node:
    """The part that stands on the row where its neighbour ends; a missing line end itself is hidden from the tree."""
    pairs = pairwise(within.named_children)
    return next((b for a, b in pairs if a.end_point.row == b.start_point.row and b.type != "comment"), within)


def _beginning(node: Node) -> str:
    """The first words of a node, on one line, without what would tell a terminal to do something."""
    words = " ".join((node.text or b"")[: 4 * _SHOWN].decode(errors="ignore").split())[:_SHOWN]
    return "".join(char if char.isprintable() else "\N{REPLACEMENT CHARACTER}" for char in words)


def type_words(node: Node) -> str:
    """The type of a node as one would say it."""
    return node.type.replace("_", " ")
