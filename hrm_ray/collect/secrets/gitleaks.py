"""The rules of gitleaks for the keys and tokens of some 150 issuers, from its own file.

`gitleaks.toml` is `config/gitleaks.toml` of github.com/gitleaks/gitleaks, v8.30.1, as it is; its licence, MIT, is in
`gitleaks.LICENSE`. Its expressions are written for RE2, and run there: no line takes long.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import cache
from importlib import resources
from typing import Any

import re2

from hrm_ray.collect.secrets.drawn import entropy, is_random
from hrm_ray.collect.secrets.finding import Finding

UNUSED = frozenset({"generic-api-key", "private-key", "jwt"})
"""Rules for which we have finer means. Those that ask for the name of a file, none of which is Go, are unused too."""

_PARTS = re.compile(r"[-_.]")
_TOO_COMMON = frozenset({"s."})
_EDGES = " \t\r\n\"'`\\;,"
_NEVER = re.compile(r"[\s\"'`\\]")
"""A secret with one of these is not one word of a text, and Go without it may not be Go."""


@dataclass(frozen=True)
class Rule:
    """One kind of secret, near one of `literals`, which are in small letters: a `Form` by other means."""

    kind: str
    literals: tuple[str, ...]
    pattern: Any
    group: int
    """The group of `pattern` that is the secret; 0 is the first that took part, or all where there is none."""
    entropy: float
    allowed: tuple[Any, ...]

    lines = 6

    def find(self, text: str, start: int, end: int) -> Iterator[tuple[int, Finding]]:
        """Yield the secrets of this kind in a part of a text, each with where it begins.

        They keep what their issuer begins them with.
        """
        for match in self.pattern.finditer(text[start:end]):
            group = self.group or next((at for at, found in enumerate(match.groups(), 1) if found), 0)
            secret = match[group].strip(_EDGES)
            if self._accepts(secret):
                given = (len(word) for word in self.literals if secret.lower().startswith(word))
                yield start + match.start(group), Finding.of(self.kind, secret, max(given, default=0))

    def _accepts(self, secret: str) -> bool:
        if entropy(secret) <= self.entropy or _NEVER.search(secret):
            return False
        if not any(map(is_random, (secret, *_PARTS.split(secret)))):
            return False
        return not any(pattern.search(secret) for pattern in self.allowed)


@cache
def rules() -> tuple[Rule, ...]:
    """Return the rules that are used."""
    file = read()
    everywhere = _compiled(file["allowlist"]["regexes"])
    used = (each for each in file["rules"] if each["id"] not in UNUSED and "path" not in each)
    return tuple(_rule(each, everywhere) for each in used)


def read() -> dict[str, Any]:
    """Return all that the file says."""
    return tomllib.loads(resources.files(__package__).joinpath("gitleaks.toml").read_text("utf-8"))


def _rule(given: dict[str, Any], everywhere: tuple[Any, ...]) -> Rule:
    """A rule of the file; what it allows by line or by file is not looked at."""
    allowed = [each for each in given.get("allowlists", ()) if "regexTarget" not in each and "paths" not in each]
    return Rule(
        kind=f"{given['id'].replace('-', ' ')} (gitleaks)",
        literals=tuple(word for word in given["keywords"] if word not in _TOO_COMMON),
        pattern=re2.compile(given["regex"]),
        group=given.get("secretGroup", 0),
        entropy=given.get("entropy", 0.0),
        allowed=everywhere + _compiled(pattern for each in allowed for pattern in each["regexes"]),
    )


def _compiled(patterns: Iterable[str]) -> tuple[Any, ...]:
    return tuple(map(re2.compile, patterns))
