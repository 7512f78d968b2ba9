"""The Go toolchain, where there is one: the extra `go`, or what the machine has. It is never asked to use the net."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from dataclasses import dataclass
from functools import cached_property, lru_cache
from pathlib import Path

_SECONDS = 60
"""Longest that one command may take."""


@dataclass(frozen=True)
class Toolchain:
    """The `go` command at `go`."""

    go: str

    @cached_property
    def root(self) -> Path:
        """Where its own sources and tools are."""
        return Path(_run([self.go, "env", "GOROOT"], "").strip())

    @cached_property
    def standard(self) -> tuple[str, ...]:
        """Import paths of the standard library that every package may use."""
        listed = _run([self.go, "list", "std"], "").split()
        return tuple(path for path in listed if not {"internal", "vendor"}.intersection(path.split("/")))

    def formatted(self, source: str) -> str | None:
        """Return a file as gofmt lays it out; None where gofmt refuses it."""
        try:
            return _run([str(self.root / "bin" / "gofmt")], source)
        except (subprocess.SubprocessError, OSError):
            return None


@lru_cache(maxsize=1)
def toolchain() -> Toolchain | None:
    """Return the toolchain that is on PATH, else the one beside this Python; None where there is neither."""
    beside_python = str(Path(sys.executable).parent)  # where the extra puts it; a venv need not be on PATH
    found = shutil.which("go") or shutil.which("go", path=beside_python)
    return Toolchain(found) if found else None


def _run(command: list[str], given: str) -> str:
    alone = os.environ | {"GOPROXY": "off", "GOTOOLCHAIN": "local", "GOFLAGS": "", "GO111MODULE": "on"}
    done = subprocess.run(
        command, input=given.encode(), env=alone, cwd="/", capture_output=True, check=True, timeout=_SECONDS
    )
    return done.stdout.decode()
