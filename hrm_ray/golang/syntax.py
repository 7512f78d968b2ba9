"""What counts as valid Go, told by tree-sitter and by the rules that its Go grammar leaves out.

tree-sitter alone accepts empty text, prose, top-level statements and a few constructs that `gofmt -e` refuses;
`validate` is strict about these: labels and figures rest on its verdict. Every walk is iterative: a model may write
a hundred thousand parentheses, and neither Python's stack nor C's may decide what happens then.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Sequence
from functools import lru_cache
from itertools import pairwise

from tree_sitter import Node, Parser

from hrm_ray.golang.diagnostic import Diagnostic, DiagnosticKind
from hrm_ray.golang.rules import LANGUAGE, refused

__all__ = ["Diagnostic", "DiagnosticKind"]

DECLARATION_KINDS = {
    "function_declaration": "function",
    "method_declaration": "method",
    "type_declaration": "type",
    "const_declaration": "const",
    "var_declaration": "var",
}
"""Node types that may stand at top level beside the package clause and imports, and our names for them."""

STRINGS = frozenset({"interpreted_string_literal", "raw_string_literal"})

_PACKAGE = b"package p\n"
_PARSER = Parser(LANGUAGE)
_GENERIC_METHOD = re.compile(rb"^(?P<name>func\s*\([^()]*\)\s*\w+\s*)(?P<list>\[[^()\n]*\])(?=\s*\()", re.MULTILINE)
_BUILTIN = re.compile(rb"\b(?:new|make)(?=\s*\()")
_BUILTIN_OF_VALUE = re.compile(rb"\b(?:new|make)(?=\s*\(\s*(?!chan\b|map\b|struct\b|func\b|interface\b)[^\s\[(*])")
_REFUSED = re.compile("[\0\ufeff\ud800-\udfff]")
_CLOSERS = {")": "(", "]": "[", "}": "{"}
_ENDS_A_LINE = frozenset({")", "]", "}", "++", "--", "break", "continue", "fallthrough", "return"})
_GROUPS = frozenset({"const_declaration", "var_declaration", "var_spec_list", "type_declaration"})
_SEQUENCES = frozenset(
    {
        "source_file",
        "block",
        "statement_list",
        "const_declaration",
        "var_declaration",
        "var_spec_list",
        "type_declaration",
        "import_declaration",
        "import_spec_list",
        "field_declaration_list",
        "interface_type",
        "expression_switch_statement",
        "type_switch_statement",
        "select_statement",
    }
)
"""Nodes whose parts are separated by semicolons, and so by line ends."""


MOST_BYTES = 1 << 20
MOST_NODES = 500_000
"""What is larger is not judged but refused: parsing and all rules take time that grows with these alone."""


def validate(text: str, kinds: Sequence[str] | None = None) -> Diagnostic | None:
    """Say why `text` is not a sequence of Go declarations, or None where it is strictly valid.

    With `kinds` (function, method, type, const, var) it must hold as many declarations, of these kinds, in order.
    """
    if (refused := _REFUSED.search(text)) is not None:
        bad = refused.start()
        line = text.count("\n", 0, bad) + 1
        return Diagnostic(DiagnosticKind.ENCODING, line, bad - text.rfind("\n", 0, bad), "a character that Go refuses")
    if len(text) > MOST_BYTES:
        return Diagnostic(DiagnosticKind.SYNTAX_ERROR, 1, 1, f"longer than {MOST_BYTES} bytes")
    root = _best_reading(parse_fragment(text))
    if root.descendant_count > MOST_NODES:
        return Diagnostic(DiagnosticKind.SYNTAX_ERROR, 1, 1, f"more than {MOST_NODES} nodes")
    return _tree_error(root) or _not_a_declaration(root) or _broken_rule(root) or _not_as_planned(root, kinds)


def parse_file_ok(source: str) -> bool:
    """Whether a whole file has its package clause first, then only imports and declarations, and no syntax error."""
    root = _best_reading(parse_file(source))
    types = [node.type for node in root.named_children if node.type != "comment"]
    allowed = {*DECLARATION_KINDS, "import_declaration"}
    return not root.has_error and types[:1] == ["package_clause"] and allowed.issuperset(types[1:])


@lru_cache(maxsize=2)  # both sides of a change are checked, then outlined, then taken apart
def parse_file(source: str) -> Node:
    """Parse a whole file and return its root; never fails, errors are nodes of the tree."""
    return _parse(source.encode("utf-8", "surrogatepass"))


@lru_cache(maxsize=8)  # one declaration is validated, compared and planned in turn
def parse_fragment(text: str) -> Node:
    """Parse declarations that stand alone, on line 1 and after (row 0 is a package clause that is not theirs)."""
    return _parse(_PACKAGE + text.encode("utf-8", "surrogatepass"))


def fragment_declarations(root: Node) -> list[Node]:
    """Everything that the author of a fragment wrote at top level, without comments and line ends."""
    return [node for node in root.named_children[1:] if node.type != "comment"]


def walk(root: Node, whole: Collection[str] = STRINGS) -> Iterator[tuple[Node, str, str]]:
    """`root` and every node below, parents first, with its type and its parent's; types in `whole` are not entered."""
    cursor = root.walk()
    parents = [""]
    while (node := cursor.node) is not None:
        kind = node.type
        yield node, kind, parents[-1]
        if kind not in whole and cursor.goto_first_child():
            parents.append(kind)
            continue
        while not cursor.goto_next_sibling():
            if not cursor.goto_parent():
                return
            parents.pop()


def is_leaf(node: Node, kind: str) -> bool:
    """Whether a node of this type is a token with text: a string literal counts as one, an end of line or input not."""
    whole = node.child_count == 0 or kind in STRINGS
    return whole and kind != "\n" and node.end_byte > node.start_byte


def _parse(source: bytes) -> Node:
    """The grammar wants a line end behind the last declaration, Go does not."""
    return _PARSER.parse(source + b"\n").root_node


def _best_reading(root: Node) -> Node:
    """The tree itself, or one without errors of the same bytes but for what the grammar does not know."""
    data = root.text or b""
    for reading in _readings(data) if root.has_error else ():
        if reading != data and not (other := _PARSER.parse(reading).root_node).has_error:
            return other
    return root


def _readings(data: bytes) -> Iterator[bytes]:
    """Other names for `new` and `make`, which may take a value, and methods without type parameters (Go 1.26, 1.27)."""
    data = _GENERIC_METHOD.sub(_without_parameters, data)
    for builtin in (_BUILTIN_OF_VALUE, _BUILTIN):
        yield builtin.sub(lambda found: found[0].upper(), data)


def _without_parameters(method: re.Match[bytes]) -> bytes:
    sound = not _PARSER.parse(b"package p\nfunc f" + method["list"] + b"() {}\n").root_node.has_error
    return method["name"] + b" " * len(method["list"]) if sound else method[0]


def _tree_error(root: Node) -> Diagnostic | None:
    if not root.has_error:
        return None
    if (found := _unbalanced(root)) is not None:
        return found
    ahead = [root]
    while ahead:
        node = ahead.pop()
        if node.is_error:
            return Diagnostic.of(DiagnosticKind.SYNTAX_ERROR, node, "this does not parse")
        if node.is_missing:
            return Diagnostic.of(DiagnosticKind.MISSING_TOKEN, node, f"expected {node.type!r}")
        flagged = [child for child in node.children if child.has_error or child.is_error or child.is_missing]
        if not flagged and (part := _after_missing_line_end(node)) is not None:
            return Diagnostic.of(DiagnosticKind.MISSING_TOKEN, part, "expected a line end before")
        ahead += [child for child in reversed(flagged) if not _is_lenient(child, node)]
    return None


def _is_lenient(wrong: Node, within: Node) -> bool:
    """Whether Go takes what the grammar finds wrong: an empty statement that begins a block, and `[]byte()`."""
    if wrong.is_error:
        return within.type == "block" and wrong.text == b";"
    return wrong.is_missing and within.type == "type_conversion_expression" and within.child_count == 4


def _after_missing_line_end(within: Node) -> Node | None:
    """The part that stands on the row where its neighbour ends; a missing line end itself is hidden from the tree.

    None where it is missing before a closing bracket, as it may be.
    """
    pairs = pairwise(within.named_children)
    found = (b for a, b in pairs if a.end_point.row == b.start_point.row and b.type != "comment")
    return next(found, None if within.type in _GROUPS else within)


def _unbalanced(root: Node) -> Diagnostic | None:
    opened: list[Node] = []
    for node, kind, _ in walk(root):
        if not is_leaf(node, kind):
            continue
        if kind in _CLOSERS.values():
            opened.append(node)
        elif kind in _CLOSERS and (not opened or opened.pop().type != _CLOSERS[kind]):
            return Diagnostic.of(DiagnosticKind.UNBALANCED, node, f"nothing opens this {kind}")
    return (
        Diagnostic.of(DiagnosticKind.UNBALANCED, opened[-1], f"{opened[-1].type} is never closed") if opened else None
    )


def _not_a_declaration(root: Node) -> Diagnostic | None:
    found = fragment_declarations(root)
    if not found:
        return Diagnostic(DiagnosticKind.EMPTY, 1, 1, "no declaration")
    strays = (node for node in found if node.type not in DECLARATION_KINDS)
    if (node := next(strays, None)) is not None:
        return Diagnostic.of(DiagnosticKind.NOT_A_DECLARATION, node, f"a {node.type} at top level")
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
    firsts = (next(found, None) for found in (refused(root, data), _refused_breaks(root, data)))
    broken = [first for first in firsts if first is not None]
    return min(broken, key=lambda found: found[0])[1] if broken else None


def _refused_breaks(root: Node, data: bytes) -> Iterator[tuple[int, Diagnostic]]:
    """Where a line ends that cannot; what stands on one line is looked at as one piece."""
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

    Go's lexer puts a semicolon behind a line that ends in a name, a literal or a closing bracket (Go specification,
    "Semicolons"); tree-sitter reads on where that semicolon would be an error.
    """
    if container in _SEQUENCES and (first != "{" or container == "expression_switch_statement"):
        return True
    last = _tokens(piece)[-1]
    return not (last.is_named or last.type in _ENDS_A_LINE)
