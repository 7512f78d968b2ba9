"""What is to be written: a declaration anew, or one behind an anchor; and all that a model is told of it.

The sections are those of `prepare`, from the same functions: nothing may differ from what training saw. Only the
source is not cleaned of secrets and personal data, as training's is: it is the user's own, and what is written of it
goes back into it.
"""

from __future__ import annotations

import hashlib
from collections import Counter
from dataclasses import dataclass

from hrm_ray.collect.scrub import scrubbed_texts
from hrm_ray.errors import UserError
from hrm_ray.golang.declarations import Declaration, declarations
from hrm_ray.golang.files import plain
from hrm_ray.golang.syntax import parse_file_ok
from hrm_ray.patch.request import Problem
from hrm_ray.patch.tree import WorkingTree, near
from hrm_ray.prepare.context import Context
from hrm_ray.prepare.examples import Example

MOST = 20
"""Declarations of a file that a sentence lists."""


@dataclass(frozen=True)
class Target:
    """A place in a file: `declaration` is what is modified or, where `add`, the anchor of an addition, if any."""

    path: str
    source: str
    """Empty of a file that does not exist yet, or holds nothing."""
    declaration: Declaration | None
    add: bool
    is_empty: bool = False
    """The file is there, and holds nothing."""

    @property
    def name(self) -> str:
        """How it is called on the terminal."""
        named = self.declaration.name if self.declaration else ""
        if not self.add:
            return f"{self.path} {named}"
        return f"{self.path}, behind {named}" if named else f"{self.path}, its first declaration"


def locate(tree: WorkingTree, file: str, name: str, *, add: bool) -> Target:
    """Return the target that a user names: to modify `name`, or to add behind it, without one at the file's end.

    Raises:
        UserError: the file or declaration is unknown, or the file has a syntax error.
    """
    path = tree.path(file)
    if not (tree.root / path).is_file():
        return _new_file(tree, path, name, add=add)
    source = tree.text(path)
    if not plain(source).strip():
        return _empty_file(path, source, name, add=add)
    if not parse_file_ok(source):
        raise UserError(f"{path}: has a syntax error; mend it first, as training saw no such file")
    found = declarations(source)
    if name:
        return Target(path, source, _named(found, path, name), add)
    if not add:
        raise UserError(f"{path}: name a --declaration, or --add one at its end; it declares {_listed(found)}")
    return Target(path, source, found[-1] if found else None, add)


def example(target: Target, problem: Problem) -> Example:
    """Return the example that `prepare` would make of the target, as far as it is known before the change."""
    said = scrubbed_texts({}, {"title": problem.title.strip(), "body": problem.body.strip()}, Counter())
    before = declarations(target.source)
    at = next((one for one in before if one == target.declaration), None)  # the outline tells it from its like by `is`
    text = plain(at.text) if at else ""
    name = at.name if at else ""
    return Example(
        id=hashlib.sha256("\0".join((target.path, name, *said.values())).encode("utf-8", "replace")).hexdigest()[:16],
        repository="",
        license="",
        number=0,
        merged_at="",
        path=target.path,
        change="added" if target.add else "modified",
        kinds=(),
        names=(),
        is_test=target.path.endswith("_test.go"),
        comment_only=False,
        title=said["title"],
        body=said["body"],
        outline=plain(Context(target.source, before).outline(at, f"{said['title']}\n{said['body']}")),
        before="" if target.add else text,
        anchor=text if target.add else "",
        plan="",
        code="",
    )


def _new_file(tree: WorkingTree, path: str, name: str, *, add: bool) -> Target:
    """A file that is to be made by its first declaration, in a folder that is there."""
    place = tree.root / path
    if not add or name or place.exists() or not place.parent.is_dir():
        raise UserError(f"{path}: no such file in {tree.root}{near(path, tree.go_files, '/')}")
    return Target(path, "", None, add)


def _empty_file(path: str, source: str, name: str, *, add: bool) -> Target:
    """A file of nothing, to which the first declaration is added behind its package clause."""
    if not add or name:
        raise UserError(f"{path}: is empty; --add puts a first declaration into it")
    return Target(path, source, None, add, is_empty=True)


def _named(found: list[Declaration], path: str, name: str) -> Declaration:
    """The declaration of this name; of a group any of its names will do, and `(*T).M` is `T.M`."""
    wanted = name.translate(str.maketrans("", "", "(*)"))
    fitting = [one for one in found if wanted in one.names]
    if len(fitting) == 1:
        return fitting[0]
    if fitting:
        raise UserError(f"{path}: declares {name} {len(fitting)} times, and nothing tells which is meant")
    known = [each for one in found for each in one.names]
    raise UserError(f"{path}: does not declare {name}{near(name, known, '.') or f'; it declares {_listed(found)}'}")


def _listed(found: list[Declaration]) -> str:
    names = [one.name for one in found]
    more = f" and {len(names) - MOST} more" if len(names) > MOST else ""
    return ", ".join(names[:MOST]) + more or "nothing"
