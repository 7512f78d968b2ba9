"""What counts as valid Go, told by tree-sitter and by the rules that its Go grammar leaves out.

tree-sitter alone accepts empty text, prose, top-level statements and a few constructs that `gofmt -e` refuses;
`validate` is strict about these: labels and figures rest on its verdict.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from tree_sitter import Node

from hrm_ray.golang.diagnostic import Diagnostic, DiagnosticKind
from hrm_ray.golang.layout import layout
from hrm_ray.golang.line_ends import refused_line_ends
from hrm_ray.golang.readings import readings
from hrm_ray.golang.rules import refused
from hrm_ray.golang.tree import DECLARATION_KINDS, parse, parse_fragment
from hrm_ray.golang.tree_errors import best_tree, type_words

__all__ = ["Diagnostic", "DiagnosticKind"]

_REFUSED = re.compile("[\0\ufeff\ud800-\udfff]")
_NOT_BLANKS = {0x0B: "\1", 0x0C: "\1"}
"""What tree-sitter passes over as it does blanks, and Go's lexer does not, by what both refuse outside of strings."""

MOST_NODES = (1 << 16) - 1
"""A larger tree is not judged but refused: tree-sitter's queries count depth in 16 bits, and are quadratic beyond."""


def validate(text: str, kinds: Sequence[str] | None = None) -> Diagnostic | None:
    """Say why `text` is not a sequence of Go declarations, or None where it is strictly valid.

    With `kinds` (function, method, type, const, var) it must hold as many declarations, of these kinds, in order.
    """
    if (bad := _REFUSED.search(text)) is not None:
        above, line = text.count("\n", 0, bad.start()), text[text.rfind("\n", 0, bad.start()) + 1 : bad.start()]
        return Diagnostic(DiagnosticKind.ENCODING, above + 1, len(line.encode()) + 1, "a character that Go refuses")
    root = parse_fragment(text.translate(_NOT_BLANKS))
    if not root.end_byte or root.descendant_count > MOST_NODES:
        return Diagnostic(DiagnosticKind.SYNTAX_ERROR, 1, 1, "too long, or too hard to parse")
    root, found = best_tree(root, map(parse, readings(root.text or b"")))
    return found or _not_a_declaration(root) or _broken_rule(root) or _not_as_planned(root, kinds)


def parse_file_ok(source: str) -> bool:
    """Whether Go's parser takes a whole file."""
    return not layout(source).error


def _written(root: Node) -> list[Node]:
    """Everything that the author of a fragment wrote at top level, without comments and line ends."""
    return [node for node in root.named_children[1:] if node.type != "comment"]


def _not_a_declaration(root: Node) -> Diagnostic | None:
    found = _written(root)
    if not found:
        return Diagnostic(DiagnosticKind.EMPTY, 1, 1, "no declaration")
    strays = (node for node in found if node.type not in DECLARATION_KINDS)
    if (node := next(strays, None)) is not None:
        message = f"only declarations stand here: {type_words(node)}"
        return Diagnostic.of(DiagnosticKind.NOT_A_DECLARATION, node, message)
    return None


def _not_as_planned(root: Node, kinds: Sequence[str] | None) -> Diagnostic | None:
    if kinds is None:
        return None
    found = _written(root)
    if len(found) != len(kinds):
        message = f"{len(found)} declarations where {len(kinds)} were planned"
        return Diagnostic.of(DiagnosticKind.WRONG_COUNT, found[min(len(found) - 1, len(kinds))], message)
    for node, kind in zip(found, kinds, strict=True):
        if DECLARATION_KINDS[node.type] != kind:
            message = f"a {DECLARATION_KINDS[node.type]} where a {kind} was planned"
            return Diagnostic.of(DiagnosticKind.WRONG_KIND, node, message)
    return None


def _broken_rule(root: Node) -> Diagnostic | None:
    """Apply what `gofmt -e` checks and the grammar does not; the first broken rule, by the byte where it is broken."""
    data = root.text or b""
    firsts = (next(found, None) for found in (refused(root, data), refused_line_ends(root, data)))
    broken = [first for first in firsts if first is not None]
    return min(broken, key=lambda found: found[0])[1] if broken else None
