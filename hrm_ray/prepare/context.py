"""The outline of the file before, the nearest to the change first: what is cut at its end is the least related.

Who calls whom is told by name, from the texts: a name with a bracket behind it is a call, and a method is found by its
own name whatever its receiver. Nothing here reads the file after.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from enum import IntEnum
from functools import lru_cache

from hrm_ray.golang.declarations import Declaration, heading

SHORTEST_MENTION = 3
"""Letters from which a word of a title or body may name a declaration: `a` and `x` are words of every text."""

_WORD = re.compile(r"[^\W\d]\w*")
_DOC = re.compile(r"(?:\s*//[^\n]*\n|\s*/\*.*?\*/)*", re.DOTALL)
_CALL = re.compile(r"\b([^\W\d]\w*)(?:\[[\w.,* \[\]]{0,200}\])?\(")
"""From the beginning of a word, and not far behind it, or a long line would be read to its end for each word."""


class _Nearness(IntEnum):
    """How a declaration of the file stands to the changed one."""

    CALLEE = 0
    CALLER = 1
    NAMED = 2
    OTHER = 3
    ITSELF = 4
    """It is in the prefix in full already."""


class Context:
    """A file before: its outline as seen from one of its declarations."""

    def __init__(self, source: str, before: Sequence[Declaration]) -> None:
        """Take the file's text and all its declarations."""
        self._before = before
        self._names = [_own_name(one) for one in before]
        self._head = heading(source)
        self._signatures = [one.signature for one in before]

    def outline(self, of: Declaration | None, mentioned: str) -> str:
        """Return the package clause, what is near to `of`, the imports, then all other signatures, a line each.

        Near is what `of` calls, what calls it, and what `of` or `mentioned`, a title and body, names, in this order
        and in that of the file. `of` is what a modification changes or the anchor of an addition.
        """
        near = self._nearness(of, mentioned)
        order = sorted(range(len(near)), key=lambda at: near[at])
        related = [self._signatures[at] for at in order if near[at] < _Nearness.OTHER]
        others = [self._signatures[at] for at in order if near[at] >= _Nearness.OTHER]
        return "\n".join([*self._head[:1], *related, *self._head[1:], *others])

    def _nearness(self, of: Declaration | None, mentioned: str) -> list[_Nearness]:
        own = _own_name(of) if of else ""
        called = _calls(of.text) if of else frozenset()
        named = _mentions(mentioned).union(_WORD.findall(of.text) if of else ())
        found = []
        for one, name in zip(self._before, self._names, strict=True):
            if one is of:
                found.append(_Nearness.ITSELF)
            elif name in called:
                found.append(_Nearness.CALLEE)
            elif own and own in one.text and own in _calls(one.text):  # most texts do not hold the name at all
                found.append(_Nearness.CALLER)
            else:
                found.append(_Nearness.NAMED if name in named else _Nearness.OTHER)
        return found


def _own_name(declaration: Declaration) -> str:
    return declaration.name.rpartition(".")[2]


@lru_cache(maxsize=1)  # all examples of a pull request have its title and body
def _mentions(text: str) -> frozenset[str]:
    return frozenset(word for word in _WORD.findall(text) if len(word) >= SHORTEST_MENTION)


@lru_cache(maxsize=1024)  # all examples of a file have its declarations
def _calls(text: str) -> frozenset[str]:
    """Names that a declaration calls behind its first brace: those before it are what the signature declares."""
    return frozenset(_CALL.findall(_DOC.sub("", text, count=1).partition("{")[2]))
