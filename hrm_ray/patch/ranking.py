"""Which declarations a problem is most likely about: BM25 over what is written in and above them.

Words are identifiers, whole and in their parts (`serveHTTP` is `servehttp`, `serve`, `http`). What counts, and how
much, was measured on real pull requests (docs/log.md; `benchmarks/recall.py`).
"""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator, Mapping
from typing import NamedTuple

import bm25s
import numpy as np

from hrm_ray.golang.declarations import Declaration, declarations
from hrm_ray.golang.files import is_generated
from hrm_ray.golang.layout import layouts
from hrm_ray.golang.syntax import parse_file_ok
from hrm_ray.patch.request import Problem
from hrm_ray.patch.target import Target

TITLE = 3
"""How often a word of the title counts; one of the body counts once."""

SATURATION, LENGTH = 1.2, 0.4
"""BM25's k1 and b: how soon a repeated word is worth nothing more, and how much long declarations are held back."""

_WORD = re.compile(r"\w+")
_PART = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[^\W\d_A-Z]+|\d+")


class Place(NamedTuple):
    """A declaration of a file; `start` is its byte. Its tree would take 25 times what its text does."""

    path: str
    name: str
    start: int


class Ranking:
    """The declarations of files, to be asked again and again; without those of tests, and of what training never saw:
    generated files, and files with a syntax error."""

    def __init__(self, files: Mapping[str, str]) -> None:
        """Read the files, which are texts by path."""
        self._files = files
        self.places: list[Place] = []
        documents: list[list[str]] = []
        kept = {path: text for path, text in files.items() if not (path.endswith("_test.go") or is_generated(text))}
        layouts(list(kept.values()))  # asks about all of them at once
        for path, text in kept.items():
            if parse_file_ok(text):
                for one in declarations(text):
                    self.places.append(Place(path, one.name, one.start))
                    documents.append([sys.intern(word) for word in _document(path, one)])
        self._index = bm25s.BM25(k1=SATURATION, b=LENGTH)
        if documents:
            self._index.index(documents, show_progress=False)

    def order(self, problem: Problem) -> list[int]:
        """Return the indices of `places` that share a word with the problem, the best first."""
        asked = words(problem.title) * TITLE + words(problem.body)
        known = [word for word in asked if self.places and word in self._index.vocab_dict]
        if not known:
            return []
        scores = self._index.get_scores(known)
        ranked = np.argsort(-scores, kind="stable")
        return [int(at) for at in ranked if scores[at] > 0]

    def targets(self, problem: Problem) -> Iterator[Target]:
        """Yield the declarations as targets to be modified, the best first."""
        for at in self.order(problem):
            path, _, start = self.places[at]
            one = next(one for one in declarations(self._files[path]) if one.start == start)
            yield Target(path, self._files[path], one, add=False)


def words(text: str) -> list[str]:
    """Return the words of a text and the parts of those that have several, in small letters."""
    found = []
    for word in _WORD.findall(text):
        parts = [part.lower() for part in _PART.findall(word)]
        found += [word.lower(), *parts] if len(parts) > 1 else parts
    return found


def _document(path: str, one: Declaration) -> list[str]:
    """All words of a declaration and of its path; those of its signature, and so its name, count once more."""
    return words(path) + words(one.signature) + words(one.text)
