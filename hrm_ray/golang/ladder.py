"""How far up the ladder *parse < format < types < build < tests* generated code comes.

The first three rungs are of a declaration in its file, and run none of it. A file is not its package, so what other
files and unread imports could declare is unknown: neither valid nor not. Build and tests are of whole packages, and
nothing is known of them but in the sandbox, which holds the compiler too.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import IntEnum, StrEnum

from hrm_ray.golang import confined
from hrm_ray.golang.sandbox import Sandbox
from hrm_ray.golang.splice import splice
from hrm_ray.golang.supervisor import Helper
from hrm_ray.golang.syntax import validate


class Level(IntEnum):
    """Each asks for more than the one before."""

    PARSE = 1
    """Strictly valid for `validate`, which needs no toolchain."""
    FORMAT = 2
    """gofmt takes the file."""
    TYPES = 3
    """go/types finds nothing wrong."""
    BUILD = 4
    """go build makes the package and its tests."""
    TESTS = 5
    """Its tests pass, in the sandbox."""


class Outcome(StrEnum):
    """What is known of a level."""

    VALID = "valid"
    NOT_VALID = "not valid"
    UNKNOWN = "unknown"


@dataclass(frozen=True)
class Verdict:
    """The highest level that was asked for and reached, or the first that is not valid or unknown."""

    level: Level
    outcome: Outcome
    message: str = ""
    line: int = 0
    """Counts from the code's first line, which is 1; less, or more than it has, is elsewhere in the file."""
    column: int = 0
    """In bytes; counts from 1 where the line or the code begins."""


@dataclass(frozen=True)
class Candidate:
    """Code for a file: in place of the declarations that have one of `names`, or at the end where none has."""

    code: str
    source: str = "package p\n"
    names: tuple[str, ...] = ()
    kinds: tuple[str, ...] | None = None
    """What it has to be, as in `validate`."""


def climb(candidate: Candidate, helper: Helper | None, level: Level = Level.TYPES) -> Verdict:
    """Take code up to `level`, at most to its types; without a helper all above parsing is unknown."""
    if (wrong := validate(candidate.code, candidate.kinds)) is not None:
        return Verdict(Level.PARSE, Outcome.NOT_VALID, wrong.message, wrong.line, wrong.column)
    if level == Level.PARSE:
        return Verdict(level, Outcome.VALID)
    place = splice(candidate.source, candidate.code, set(candidate.names))
    answer = helper.ask(*place, types=level >= Level.TYPES) if helper else None
    if answer is None:
        return Verdict(Level.FORMAT, Outcome.UNKNOWN, "no answer" if helper else "no Go toolchain")
    reached, outcome = Level[answer["level"].upper()], Outcome(answer["outcome"])
    line, column = (0, 0) if outcome is Outcome.VALID else place.line_and_column(answer["offset"])
    return Verdict(reached, outcome, answer["message"], line, column)


def prove(files: Mapping[str, str], box: Sandbox) -> Verdict:
    """Take the files of package `task`, given by name, up to their tests; the message is what was said on the way."""
    found = box.test(files)
    level = Level.BUILD if found.verdict is confined.Verdict.BUILD else Level.TESTS
    passed = found.verdict is confined.Verdict.PASSED
    return Verdict(level, Outcome.VALID if passed else Outcome.NOT_VALID, found.output)
