"""Declarations that stand alone as one tree, read in other words where tree-sitter's grammar lacks theirs.

The tree is that of the other words, the texts and places of its nodes are those of the declarations themselves.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache

from tree_sitter import Node

from hrm_ray.golang.readings import in_place, only_lists
from hrm_ray.golang.tree import MOST_BYTES, PACKAGE, is_leaf, parse, parse_fragment, walk
from hrm_ray.golang.tree_errors import best_tree


@dataclass(frozen=True)
class Fragment:
    """The tree of some declarations, on line 1 and after (row 0 is a package clause that is not theirs)."""

    root: Node
    _lists: Mapping[int, Node] | None = None
    """Of a tree of other words, the type parameters of methods, which have no place in it, by the byte where the
    method's name begins."""

    @property
    def declarations(self) -> list[Node]:
        """Everything at top level without comments and line ends."""
        return [node for node in self.root.named_children[1:] if node.type != "comment"]

    def walk(self, top: Node | None = None) -> Iterator[tuple[Node, str, str]]:
        """Yield `top`, or the root, and every node below with its type and its parent's, as `tree.walk` does."""
        found = walk(top or self.root)
        return found if self._lists is None else self._as_written(found, self._lists)

    def _as_written(
        self, found: Iterator[tuple[Node, str, str]], lists: Mapping[int, Node]
    ) -> Iterator[tuple[Node, str, str]]:
        for node, kind, parent in found:
            if kind == ";" and (node.text or b"").isspace():  # it is not written
                continue
            yield node, kind, parent
            if parent == "method_declaration" and (given := lists.get(node.start_byte)) is not None:
                yield from ((inner, of, within or parent) for inner, of, within in walk(given))

    def tokens(self) -> Iterator[Node]:
        """Yield the leaves of the declarations in order, without comments."""
        for node, kind, _ in self.walk():
            if is_leaf(node, kind) and kind != "comment" and node.start_point.row > 0:
                yield node

    def type_parameters(self, declaration: Node) -> Node | None:
        """Return the list of a function, method or type."""
        name = declaration.child_by_field_name("name")
        given = declaration.child_by_field_name("type_parameters")
        return given or (self._lists.get(name.start_byte) if self._lists and name is not None else None)


@lru_cache(maxsize=8)  # one declaration is outlined, compared and planned in turn
def fragment(text: str, most: int = MOST_BYTES) -> Fragment:
    """Parse declarations that stand alone; never fails, what is left of errors are nodes of the tree.

    It is empty where they have more than `most` bytes, or are too hard to parse.
    """
    data = PACKAGE + text.encode("utf-8", "surrogatepass")
    root = parse(data) if MOST_BYTES < len(data) <= most else parse_fragment(text)
    if not root.has_error:
        return Fragment(root)
    best, _ = best_tree(root, (parse(form, data) for form in in_place(data)))
    return Fragment(best, _type_parameters(data)) if best is not root else Fragment(root)


def _type_parameters(data: bytes) -> dict[int, Node]:
    found = {}
    for function in parse(only_lists(data), data).named_children:
        name, given = (function.child_by_field_name(part) for part in ("name", "type_parameters"))
        if name is not None and given is not None:
            found[name.start_byte] = given
    return found
