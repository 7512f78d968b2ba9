"""gofmt's alignment and goimports' import block, for sources whose spacing is otherwise already right.

Generators and edits leave imports and column padding alone; `tidy` puts both in order from the tree.
"""

from __future__ import annotations

from collections.abc import Iterable
from functools import lru_cache

from tree_sitter import Node

from hrm_ray.collect.synthetic.tree import Splice, find, parse, splice, text

STANDARD = frozenset(
    ("context", "errors", "fmt", "maps", "math", "slices", "sort", "strconv", "strings", "sync", "testing", "time")
)
"""Standard packages that generated code uses; path and name are the same for each."""

_Row = tuple[Node, Node]
"""Two neighbouring cells of one line."""


@lru_cache(maxsize=1024)
def tidy(source: str) -> str:
    """`source` with exactly the imports that it uses and with gofmt's column alignment."""
    return _align(_import(source))


def _import(source: str) -> str:
    root = parse(source)
    paths = sorted(STANDARD & _qualifiers(root))
    old = next((node for node in root.named_children if node.type == "import_declaration"), None)
    block = _block(paths)
    if old is not None:
        end = old.end_byte if block else old.end_byte + 2
        return splice(source, [Splice(old.start_byte, end, block)])
    clause = root.named_children[0]
    assert clause.type == "package_clause"
    return splice(source, [Splice(clause.end_byte, clause.end_byte, f"\n\n{block}" if block else "")])


def _block(paths: list[str]) -> str:
    if len(paths) == 1:
        return f'import "{paths[0]}"'
    lines = "".join(f'\t"{path}"\n' for path in paths)
    return f"import (\n{lines})" if paths else ""


def _qualifiers(root: Node) -> set[str]:
    found = set()
    for node in find(root, "selector_expression", "qualified_type"):
        operand = node.child_by_field_name("operand") or node.child_by_field_name("package")
        if operand is not None and operand.type in {"identifier", "package_identifier"}:
            found.add(text(operand))
    return found


def _align(source: str) -> str:
    splices: list[Splice] = []
    for block in find(parse(source), "field_declaration_list", "const_declaration", "literal_value"):
        for rows in _sections(_rows(block)):
            splices += _padding(rows)
    return splice(source, splices)


def _rows(block: Node) -> Iterable[_Row]:
    for row in block.named_children:
        cells = _cells(row)
        if cells is not None and row.start_point.row == row.end_point.row != block.start_point.row:
            yield cells


def _cells(row: Node) -> _Row | None:
    if row.type == "keyed_element":
        key, value = row.child_by_field_name("key"), row.child_by_field_name("value")
        colon = key.next_sibling if key else None
        return (colon, value) if colon and value else None
    if row.type == "field_declaration":
        names, kind = row.children_by_field_name("name"), row.child_by_field_name("type")
        return (names[-1], kind) if names and kind else None
    if row.type == "const_spec" and row.child_by_field_name("type") is None:
        name, value = row.child_by_field_name("name"), row.child_by_field_name("value")
        return (name, value.prev_sibling) if name and value and value.prev_sibling else None
    return None


def _sections(rows: Iterable[_Row]) -> Iterable[list[_Row]]:
    """Runs of adjacent lines: gofmt aligns within these only."""
    section: list[_Row] = []
    for row in rows:
        if section and row[0].start_point.row != section[-1][0].start_point.row + 1:
            yield section
            section = []
        section.append(row)
    if section:
        yield section


def _padding(rows: list[_Row]) -> list[Splice]:
    width = max(left.end_point.column for left, _ in rows)
    return [
        Splice(left.end_byte, right.start_byte, " " * (width - left.end_point.column + 1))
        for left, right in rows
        if right.start_byte - left.end_byte != width - left.end_point.column + 1
    ]
