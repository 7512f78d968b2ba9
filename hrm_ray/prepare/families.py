"""Repositories that share history: a fork and what it was forked from are one family, and lie in one fold."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import chain


def families(
    names: Iterable[str], forks: Sequence[tuple[str, str]], commits: Iterable[tuple[str, str]]
) -> dict[str, str]:
    """Return the family of each repository, called by its smallest name.

    `forks` are pairs of a repository and its source, `commits` pairs of a repository and the id of a commit of its: one
    commit in two repositories makes them relatives. Names that differ in capitals only are one repository on GitHub.
    """
    parent = {name: name for name in names}
    holder: dict[str, str] = {}
    spelled = [(name, name.lower()) for name in (*parent, *chain.from_iterable(forks))]
    relatives = [*spelled, *forks, *((name, holder.setdefault(commit, name)) for name, commit in commits)]
    for one, other in relatives:
        first, second = sorted((_root(parent, one), _root(parent, other)))
        parent[second] = first
    return {name: _root(parent, name) for name in list(parent)}


def _root(parent: dict[str, str], name: str) -> str:
    while parent.setdefault(name, name) != name:
        name = parent[name]
    return name
