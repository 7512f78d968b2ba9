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
    """A toolchain that answers: the `go` command, and `root`, where its own sources and tools are."""

    go: str
    root: Path

    @cached_property
    def standard(self) -> tuple[str, ...]:
        """Import paths of the standard library that every package may use; none where its sources are absent."""
        listed = (_output([self.go, "list", "std"]) or "").split()
        return tuple(path for path in listed if not {"internal", "vendor"}.intersection(path.split("/")))

    def formatted(self, source: str) -> str | None:
        """Return a file as gofmt lays it out; None where gofmt refuses it."""
        return _output([str(self.root / "bin" / "gofmt")], source)


@lru_cache(maxsize=1)
def toolchain() -> Toolchain | None:
    """Return the toolchain that is on PATH, else the one beside this Python; None where none is there that answers."""
    beside_python = str(Path(sys.executable).parent)  # where the extra puts it; a venv need not be on PATH
    found = shutil.which("go") or shutil.which("go", path=beside_python)
    root = _output([found, "env", "GOROOT"]) if found else None
    return Toolchain(found, Path(root.strip())) if found and root else None


def _output(command: list[str], given: str = "") -> str | None:
    alone = os.environ | {"GOPROXY": "off", "GOTOOLCHAIN": "local", "GOFLAGS": "", "GO111MODULE": "on"}
    try:
        done = subprocess.run(
            command, input=given.encode(), env=alone, cwd="/", capture_output=True, check=True, timeout=_SECONDS
        )
    except (OSError, subprocess.SubprocessError):
        return None
    return done.stdout.decode()
