"""The imports of a file after a change: those that the new code needs come in, those that only the old code used go.

What the user's own code did before the change is left alone, right or wrong.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from tree_sitter import Node

from hrm_ray.golang.declarations import head
from hrm_ray.golang.references import imports, package_references
from hrm_ray.golang.syntax import parse_file_ok
from hrm_ray.golang.tree import text_of
from hrm_ray.patch.modules import Spec
from hrm_ray.patch.packages import Packages, is_standard


@dataclass(frozen=True)
class Mended:
    """A file with its imports in order."""

    source: str
    added: tuple[str, ...] = ()
    removed: tuple[str, ...] = ()
    unresolved: tuple[str, ...] = ()
    """Names before a dot that nothing declares or could be imported by."""


def mend(before: str, after: str, path: str, packages: Packages) -> Mended:
    """Mend the imports of the file at `path`; one that does not parse after the change stays as it is."""
    if 0 < after.count("\n") == after.count("\r\n"):
        made = _mended(before, after.replace("\r\n", "\n"), path, packages)
        return replace(made, source=made.source.replace("\n", "\r\n"))
    return _mended(before, after, path, packages)


def _mended(before: str, after: str, path: str, packages: Packages) -> Mended:
    if not parse_file_ok(after):
        return Mended(after)
    used_before, used = package_references(before), package_references(after)
    names = {packages.name(spec): spec for spec in _specs(after)}
    gone = {name: spec for name, spec in names.items() if name in used_before and name not in used}
    removed = [spec for spec in gone.values() if spec.path != "C"]  # its comment is code, of use without a name
    source = _spread(after) if set(used) != set(used_before) else after
    for spec in removed:
        source = _without(source, spec)
    added, unresolved = [], []
    strangers = set(used) - set(used_before) - set(names) - packages.declared_beside(path)
    for name in sorted(strangers):
        found = packages.find(name, used[name], path)
        if found is None:
            unresolved.append(name)
        else:
            added.append(found)
            source = _with(source, found)
    return Mended(source, _paths(added), _paths(removed), tuple(unresolved))


def _paths(specs: list[Spec]) -> tuple[str, ...]:
    return tuple(spec.path for spec in specs)


def _specs(source: str) -> list[Spec]:
    return [Spec(one.path, one.alias) for one in imports(source) if one.alias not in {"_", "."}]


def _spread(source: str) -> str:
    """The file with each block of imports that is on one line on several."""
    blocks = [node for group in head(source).named_children for node in group.named_children]
    for block in reversed(blocks):
        if block.type == "import_spec_list" and block.named_children and block.start_point.row == block.end_point.row:
            lines = "".join(f"\t{text_of(spec)}\n" for spec in block.named_children)
            source = _put(source, block.start_byte, block.end_byte, f"(\n{lines})")
    return source


def _with(source: str, spec: Spec) -> str:
    """The file with one import more: in its place of the first block, or in a block that is made of the first one."""
    root = head(source)
    groups = [node for node in root.named_children if node.type == "import_declaration" and '"C"' not in text_of(node)]
    block = next((node for group in groups for node in group.named_children if node.type == "import_spec_list"), None)
    if block is not None and block.named_children:
        return _into(source, spec, block)
    if not groups:
        clause = next(node for node in root.named_children if node.type == "package_clause")
        behind = next((node for node in root.children if node.start_byte >= clause.end_byte), clause)
        has_comment = behind.type == "comment" and behind.start_point.row == clause.end_point.row
        at = behind.end_byte if has_comment else clause.end_byte
        return _put(source, at, at, f"\n\nimport {_written(spec)}")
    first = groups[0]
    alone = next((node for node in first.named_children if node.type == "import_spec"), None)
    if alone is None:
        return _put(source, first.start_byte, first.end_byte, f"import {_written(spec)}")
    return _with(_put(source, first.start_byte, first.end_byte, f"import (\n\t{text_of(alone)}\n)"), spec)


def _into(source: str, spec: Spec, block: Node) -> str:
    """The file with `spec` behind the last path of its kind that is smaller, or else before the first of its kind."""
    listed = [one for one in imports(source) if block.start_byte <= one.node.start_byte < block.end_byte]
    kin = [one for one in listed if is_standard(one.path) == is_standard(spec.path)]
    smaller = [one for one in kin if one.path < spec.path]
    if smaller:
        at = _line_end(source, smaller[-1].node.end_byte)
        return _put(source, at, at, f"\n\t{_written(spec)}")
    if kin or is_standard(spec.path):
        at = (kin or listed)[0].node.start_byte
        return _put(source, at, at, _written(spec) + ("\n\t" if kin else "\n\n\t"))
    at = _line_end(source, listed[-1].node.end_byte)
    return _put(source, at, at, f"\n\n\t{_written(spec)}")


def _without(source: str, spec: Spec) -> str:
    """The file with one import less, and without the declaration that held nothing else."""
    root = head(source)
    found = next(one.node for one in imports(source) if (one.path, one.alias) == spec)
    group = next(node for node in root.named_children if node.start_byte <= found.start_byte < node.end_byte)
    listed = sum(group.start_byte <= one.node.start_byte < group.end_byte for one in imports(source))
    gone = found if listed > 1 else group
    data = source.encode()
    start = data.rfind(b"\n", 0, gone.start_byte) + 1
    end = _line_end(source, gone.end_byte) + 1
    semicolon = data.startswith(b";", gone.end_byte)
    if semicolon or data[start : gone.start_byte].strip():  # others stand on its line
        return _put(source, gone.start_byte, gone.end_byte + semicolon, "")
    if data[:start].endswith((b"\n\n", b"(\n")) and data[end : end + 1] == b"\n":
        end += 1  # no two blank lines, and none behind an opening bracket
    elif data[:start].endswith(b"\n\n") and data[end : end + 1] == b")":
        start -= 1
    return _put(source, start, end, "")


def _written(spec: Spec) -> str:
    return f'{spec.alias} "{spec.path}"' if spec.alias else f'"{spec.path}"'


def _line_end(source: str, at: int) -> int:
    """The byte of the line end at or behind `at`."""
    end = source.encode().find(b"\n", at)
    return len(source.encode()) if end < 0 else end


def _put(source: str, start: int, end: int, text: str) -> str:
    """The file with `text` in place of its bytes from `start` to `end`."""
    data = source.encode()
    return (data[:start] + text.encode() + data[end:]).decode()
