"""Syntax trees of Go text. Every walk is iterative, and no parse takes longer than its text warrants.

A model may write a hundred thousand parentheses, and neither Python's stack nor C's may decide what happens then; or
`case x:` a thousand times, over which tree-sitter's recovery from errors takes quadratic time.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from functools import lru_cache
from itertools import count

import tree_sitter_go
from tree_sitter import Language, Node, Parser, Tree

LANGUAGE = Language(tree_sitter_go.language())

STRINGS = frozenset({"interpreted_string_literal", "raw_string_literal"})

DECLARATION_KINDS = {
    "function_declaration": "function",
    "method_declaration": "method",
    "type_declaration": "type",
    "const_declaration": "const",
    "var_declaration": "var",
}
"""Node types that may stand at top level beside the package clause and imports, and our names for them."""

SPECS = frozenset({"type_spec", "type_alias", "const_spec", "var_spec"})
"""Node types of what a declaration of types, constants or variables holds."""

PACKAGE = b"package p\n"
"""What stands before a fragment, so that it is a file."""

_PARSER = Parser(LANGUAGE)

MOST_BYTES = 1 << 16
"""A longer fragment is not parsed; the longest declaration that was merged has 18,621."""

_SHORT = 1 << 12
"""Bytes that are parsed at once: that takes 0.1 s at worst."""

_CHUNK = 1 << 12
_REPORTS = 2_000
_BYTES_A_REPORT = 10
_MOST_REPORTS = 40_000
"""The parser reports every hundredth step. A text may take so many reports, one more for so many bytes, and no more.

Files that were merged take one in 47 to 100 bytes; the one of Go's own that takes most, 28,000.
"""


def parse(source: bytes, shown: bytes | None = None) -> Node:
    """Return the root of the tree of `source`; errors are nodes of it.

    Where that takes more steps than any sensible text of its length, it is the root of an empty text. A line end is
    added: the grammar wants one behind the last declaration, Go does not. The nodes have the text of `shown`, as long
    as `source`, where it is given.
    """
    data = source + b"\n"
    if len(data) <= _SHORT and shown is None:
        return _PARSER.parse(data).root_node
    texts = [data]
    try:
        root = _in_time(texts).root_node
    except ValueError:
        _PARSER.reset()  # it was stopped, and would go on from there
        return _PARSER.parse(b"").root_node
    if shown is not None:
        texts[0] = shown + b"\n"
    return root


def _in_time(texts: Sequence[bytes]) -> Tree:
    """Parse the first text as a callback reads it, as it has to be to be stopped; nodes' texts are slow, and read anew.

    What is read counts too: for each `/*` that nothing closes, the lexer reads to the end.
    """
    spent, most = count(), min(_REPORTS + len(texts[0]) // _BYTES_A_REPORT, _MOST_REPORTS)

    def read(start: int, _: object) -> bytes:
        next(spent)
        return texts[0][start : start + _CHUNK]

    return _PARSER.parse(read, progress_callback=lambda *_: next(spent) > most)


@lru_cache(maxsize=2)  # both sides of a change are checked, then outlined, then taken apart
def parse_file(source: str) -> Node:
    """Parse a whole file and return its root; never fails, errors are nodes of the tree."""
    return parse(source.encode("utf-8", "surrogatepass"))


@lru_cache(maxsize=8)  # one declaration is validated, compared and planned in turn
def parse_fragment(text: str) -> Node:
    """Parse declarations that stand alone, on line 1 and after (row 0 is a package clause that is not theirs)."""
    data = text.encode("utf-8", "surrogatepass")
    return parse(PACKAGE + data) if len(data) <= MOST_BYTES else _PARSER.parse(b"").root_node


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


def text_of(node: Node) -> str:
    """The node's own text."""
    return (node.text or b"").decode("utf-8", "surrogatepass")
