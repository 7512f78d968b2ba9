"""Whether tests ran and passed: they, and not only the program that they are in, must say so.

A file beside the tests says a secret before the first and again once all have passed. Of a run that passed, what is
said between must name every test. So a program that leaves early, or skips its tests, has not passed, whatever it says.
"""

from __future__ import annotations

import secrets
from collections.abc import Mapping
from dataclasses import dataclass, field

from hrm_ray.golang.declarations import declarations

FILE = "witness_test.go"


@dataclass(frozen=True)
class Witness:
    """Of one run of the tests with these names, in package `task`."""

    tests: tuple[str, ...]
    secret: str = field(default_factory=secrets.token_hex)

    @property
    def files(self) -> Mapping[str, str]:
        """What has to be beside the tests, by name; it is what Go calls the main function of tests."""
        body = f'\tprintln("{self.secret}")\n\tif m.Run() == 0 {{\n\t\tprintln("{self.secret}")\n\t}}\n'
        return {FILE: f'package task\n\nimport "testing"\n\nfunc TestMain(m *testing.M) {{\n{body}}}\n'}

    def heard(self, output: bytes) -> bool:
        """Whether a run that ended well says that there were tests, and that each has passed."""
        parts = output.split(self.secret.encode())
        passed = (f"--- PASS: {name} (".encode() for name in self.tests)
        return bool(self.tests) and len(parts) == 3 and all(said in parts[1] for said in passed)

    def without(self, output: str) -> str:
        """Return what a run said without the secret, which is another each time."""
        return output.replace(f"{self.secret}\n", "")


def witness(files: Mapping[str, str]) -> Witness:
    """Return one for the tests that files, by name, declare."""
    sources = (text for file, text in files.items() if file.endswith("_test.go"))
    return Witness(tuple(name for source in sources for name in named_tests(source)))


def named_tests(source: str) -> list[str]:
    """Return the names of the tests that a file declares."""
    named = (one.name for one in declarations(source) if one.kind == "function" and one.name.startswith("Test"))
    return [name for name in named if not name[4:5].islower()]
