"""What counts as valid Go, told by tree-sitter and by the rules that its Go grammar leaves out.

tree-sitter alone accepts empty text, prose, top-level statements and a few constructs that `gofmt -e` refuses;
`validate` is strict about these: labels and figures rest on its verdict.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from itertools import pairwise

from tree_sitter import Node

from hrm_ray.golang.diagnostic import Diagnostic, DiagnosticKind
from hrm_ray.golang.lexemes import unclosed
from hrm_ray.golang.line_ends import refused_line_ends
from hrm_ray.golang.readings import readings
from hrm_ray.golang.rules import refused
from hrm_ray.golang.tree import parse, parse_file, parse_fragment

__all__ = ["Diagnostic", "DiagnosticKind"]

DECLARATION_KINDS = {
    "function_declaration": "function",
    "method_declaration": "method",
    "type_declaration": "type",
    "const_declaration": "const",
    "var_declaration": "var",
}
"""Node types that may stand at top level beside the package clause and imports, and our names for them."""

_REFUSED = re.compile("[\0\ufeff\ud800-\udfff]")
_NOT_BLANKS = {0x0B: "\1", 0x0C: "\1"}
"""What tree-sitter passes over as it does blanks, and Go's lexer does not, by what both refuse outside of strings."""

_SHOWN = 40
"""Characters of what does not parse that a message quotes."""

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
    root, found = _best_reading(root)
    return found or _not_a_declaration(root) or _broken_rule(root) or _not_as_planned(root, kinds)


def parse_file_ok(source: str) -> bool:
    """Whether a whole file has its package clause first, then only imports and declarations, and no syntax error."""
    root, wrong = _best_reading(parse_file(source))
    types = [node.type for node in root.named_children if node.type != "comment"]
    allowed = {*DECLARATION_KINDS, "import_declaration"}
    return wrong is None and types[:1] == ["package_clause"] and allowed.issuperset(types[1:])


def fragment_declarations(root: Node) -> list[Node]:
    """Everything that the author of a fragment wrote at top level, without comments and line ends."""
    return [node for node in root.named_children[1:] if node.type != "comment"]


def _best_reading(root: Node) -> tuple[Node, Diagnostic | None]:
    """Return the tree, or one of the same code in other words that is right or goes wrong later, and what is wrong."""
    if not root.has_error:
        return root, None
    data = root.text or b""
    if (found := unclosed(data)) is not None or (found := _tree_error(root)) is None:
        return root, found
    for reading in readings(data):
        other = parse(reading)
        wrong = _tree_error(other)
        if other.end_byte and wrong is None:
            return other, None
        if wrong is not None and (wrong.line, wrong.column) > (found.line, found.column):
            root, found = other, wrong
    return root, found


def _tree_error(root: Node) -> Diagnostic | None:
    """Say where tree-sitter found an error that is one for Go too."""
    ahead = [root] if root.has_error else []
    while ahead:
        node = ahead.pop()
        if node.is_error:
            return Diagnostic.of(DiagnosticKind.SYNTAX_ERROR, node, f"this does not parse: {_beginning(node)}")
        if node.is_missing:
            return Diagnostic.of(DiagnosticKind.MISSING_TOKEN, node, f"expected {_words(node)}")
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


def _words(node: Node) -> str:
    return node.type.replace("_", " ")


def _not_a_declaration(root: Node) -> Diagnostic | None:
    found = fragment_declarations(root)
    if not found:
        return Diagnostic(DiagnosticKind.EMPTY, 1, 1, "no declaration")
    strays = (node for node in found if node.type not in DECLARATION_KINDS)
    if (node := next(strays, None)) is not None:
        return Diagnostic.of(DiagnosticKind.NOT_A_DECLARATION, node, f"only declarations stand here: {_words(node)}")
    return None


def _not_as_planned(root: Node, kinds: Sequence[str] | None) -> Diagnostic | None:
    if kinds is None:
        return None
    found = fragment_declarations(root)
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
