"""Puts placeholders where findings stand, in all texts alike."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Iterator
from itertools import islice

from hrm_ray.collect.secrets.finding import Finding
from hrm_ray.golang.tree import STRINGS, parse_file, walk

_NUMBERS = frozenset({"int_literal", "float_literal", "imaginary_literal"})
_OF_CODE = re.compile(r"[\w./+-]+", re.ASCII)


class Replacements:
    """What takes the place of findings, wherever they stand: the longest that begins at a place, from left to right.

    The numbers and import paths of `sources`, which are Go, stay in every text: in another form they would be other
    code, or none. A name may change, for it does so everywhere.
    """

    def __init__(self, findings: Iterable[Finding], sources: Iterable[str]) -> None:
        found: dict[str, Finding] = {}
        for finding in findings:
            found.setdefault(finding.text, finding)
        self._instead = {word: word for word in _code_around(found, sources)}
        self.kinds = [finding.kind for finding in found.values() if finding.text not in self._instead]
        """The kind that each was first found as."""
        texts = found.keys() | self._instead.keys()
        self._lengths = sorted({len(text) for text in texts}, reverse=True)
        # Their first signs, column by column, pass over most of a text at once, however many they are.
        columns = islice(zip(*texts, strict=False), 8)
        self._begin = re.compile("".join(f"[{re.escape(''.join(sorted(set(signs))))}]" for signs in columns))
        # A placeholder may hold a shorter one: a token is the user of a URL with a password.
        for finding in sorted(found.values(), key=lambda finding: len(finding.text)):
            self._instead.setdefault(finding.text, self(finding.placeholder))

    def __call__(self, text: str) -> str:
        """Return the text with placeholders."""
        if not self._instead:
            return text
        parts, done, at = [], 0, 0
        while (begin := self._begin.search(text, at)) is not None:
            at = begin.start()
            length = self._longest(text, at)
            if length:
                parts += [text[done:at], self._instead[text[at : at + length]]]
                done = at + length
            at += length or 1
        return "".join([*parts, text[done:]])

    def _longest(self, text: str, at: int) -> int:
        """The length of what is to be replaced at a place, 0 if nothing."""
        return next((length for length in self._lengths if text[at : at + length] in self._instead), 0)


def _code_around(found: Collection[str], sources: Iterable[str]) -> Iterator[str]:
    """The numbers and import paths that hold one of `found`."""
    within = [text for text in found if _OF_CODE.fullmatch(text)]
    for source in sources if within else ():
        for node, kind, parent in walk(parse_file(source)):
            if kind in _NUMBERS or (kind in STRINGS and parent == "import_spec"):
                word = (node.text or b"").decode("utf-8", "surrogatepass")
                if any(text in word for text in within):
                    yield word
