"""Which declarations a problem is most likely about: BM25 over what is written in and above them.

Words are identifiers, whole and in their parts (`serveHTTP` is `servehttp`, `serve`, `http`). What counts, and how
much, was measured on real pull requests (docs/log.md; `benchmarks/recall.py`).
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

import bm25s
import numpy as np

from hrm_ray.golang.declarations import Declaration, declarations
from hrm_ray.golang.files import is_generated
from hrm_ray.patch.target import Problem, Target

TITLE = 3
"""How often a word of the title counts; one of the body counts once."""

SATURATION, LENGTH = 1.2, 0.4
"""BM25's k1 and b: how soon a repeated word is worth nothing more, and how much long declarations are held back."""

_WORD = re.compile(r"\w+")
_PART = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[^\W\d_A-Z]+|\d+")


class Ranking:
    """The declarations of files, tests left out, to be asked again and again."""

    def __init__(self, files: Mapping[str, str]) -> None:
        """Read the files, which are texts by path."""
        kept = {path: text for path, text in files.items() if not (path.endswith("_test.go") or is_generated(text))}
        self.places = [(path, one) for path, text in kept.items() for one in declarations(text)]
        self._files = files
        self._index = bm25s.BM25(k1=SATURATION, b=LENGTH)
        if self.places:
            self._index.index([_document(path, one) for path, one in self.places], show_progress=False)

    def order(self, problem: Problem) -> Sequence[int]:
        """Return the indices of `places` that share a word with the problem, the best first."""
        asked = words(problem.title) * TITLE + words(problem.body)
        known = [word for word in asked if self.places and word in self._index.vocab_dict]
        if not known:
            return []
        scores = self._index.get_scores(known)
        ranked = np.argsort(-scores, kind="stable")
        return [int(at) for at in ranked if scores[at] > 0]

    def targets(self, problem: Problem) -> list[Target]:
        """Return the declarations as targets to be modified, the best first."""
        best = (self.places[at] for at in self.order(problem))
        return [Target(path, self._files[path], one, add=False) for path, one in best]


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
