"""What every edit starts from and returns: a place to edit, the scope inside a function, the edit with its facts."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import TypeVar

from tree_sitter import Node

from hrm_ray.collect.synthetic.drafts import Place, indent
from hrm_ray.collect.synthetic.grammar import Scope, fields_of, variables
from hrm_ray.collect.synthetic.tables import tables
from hrm_ray.collect.synthetic.tree import Function, Package, Splice, find, insert, parse, splice, text

Item = TypeVar("Item")


@dataclass(frozen=True)
class Edit:
    """Changed files by path, their new text still untidied, and the facts that the wording may use."""

    files: dict[str, str]
    facts: dict[str, str]


Editor = Callable[[Place], Edit | None]
"""Returns None where the package has no place for this edit."""


def pick(place: Place, found: Sequence[Item]) -> Item | None:
    """One of them, or None."""
    return place.rng.choice(found) if found else None


def pick_called(place: Place, found: Sequence[Function]) -> Function | None:
    """One of them, mostly one that something calls, so that callers have to follow."""
    called = [each for each in found if place.package.calls(each.name)]
    return pick(place, called if called and place.rng.random() < 0.75 else found)


def scope_in(place: Place, function: Function) -> Scope:
    """The values that a statement put first in the function's body may use."""
    values = variables(each for each in function.parameters if each.name)
    if function.receiver is not None:
        struct = place.package.struct(function.receiver.type)
        values += fields_of(struct, function.receiver.name) if struct else []
    constants = set(place.package.constants)
    taken = set(function.identifiers) | constants | {each.name for each in place.package.functions}
    return Scope(place.rng, place.domain, place.package, values, function.results, taken)


def edited(package: Package, path: str, splices: Iterable[Splice]) -> dict[str, str]:
    """The file after the splices, by its path."""
    return {path: splice(package.files[path], splices)}


def edited_files(package: Package, splices: Iterable[tuple[str, Splice]]) -> dict[str, str]:
    """The files after splices in any of them."""
    by_path: dict[str, list[Splice]] = {}
    for path, each in splices:
        by_path.setdefault(path, []).append(each)
    return {path: splice(package.files[path], rows) for path, rows in by_path.items()}


def open_with(function: Function, lines: Iterable[str]) -> Splice:
    """Statements put first in the function's body."""
    return insert(function.start, "".join(f"\n{line}" for line in indent(lines)))


def lead(lines: Iterable[str], depth: str) -> str:
    """Lines, each after the first led by `depth`."""
    return f"\n{depth}".join(lines)


def statements(block: Node) -> list[Node]:
    """The statements of a block, without comments."""
    lists = [node for node in block.named_children if node.type == "statement_list"]
    return [node for each in lists for node in each.named_children if node.type != "comment"]


def fixed_names(package: Package) -> set[str]:
    """Functions whose signature something else relies on: interfaces and table tests."""
    methods = [node for source in package.files.values() for node in find(parse(source), "method_elem")]
    return {text(node.child_by_field_name("name")) for node in methods} | {
        each.function.name for each in tables(package)
    }


def free_functions(place: Place) -> list[Function]:
    """Functions and methods outside tests whose signature may change: declared once under their name, not relied on."""
    fixed = fixed_names(place.package)
    many = [each.name for each in place.package.functions]
    return [each for each in place.package.code if each.name not in fixed and many.count(each.name) == 1]
