"""The helper in Go that parses and types, and whoever looks after it: it is asked, bounded, ended and started again.

A process for each question costs 120 ms; the helper answers in about half of one, because it keeps what it has read of
the standard library. Deep nesting and generics that grow exponentially end it, or would keep it for ever: then the
answer is None, and the next question starts another. A forked child starts its own: two processes on one pipe would
read each other's answers.
"""

from __future__ import annotations

import hashlib
import json
import os
import re
import resource
import subprocess
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from importlib.resources import files
from pathlib import Path
from threading import RLock, Timer
from types import TracebackType
from typing import Any, Self
from weakref import WeakSet

from filelock import FileLock

from hrm_ray.files import user_cache
from hrm_ray.golang.toolchain import OFFLINE, Toolchain

LONGEST = 2 << 20
"""Bytes of a file that the helper is asked about."""

MEMORY = 1 << 30
"""Bytes that it may use; the whole standard library needs about 300 MiB."""

SECONDS = 10.0
"""How long it may take; the first file that imports net/http takes two."""

_BUILD_SECONDS = 300
_SURROGATE = re.compile("[\ud800-\udfff]")

_helpers: WeakSet[Helper] = WeakSet()
_parents: list[subprocess.Popen[bytes]] = []
"""Of a forked child, the helpers of its parent: kept, as what ends them would wait for locks that nobody holds here."""


class Helper:
    """One helper process, started by the first question, and again by the one after it ended; threads take turns."""

    def __init__(self, program: Path, root: Path, seconds: float = SECONDS, memory: int = MEMORY) -> None:
        """Take a program that `built` returned, and the root of the toolchain whose sources it reads."""
        self._program, self._root = program, root
        self._seconds, self._memory = seconds, memory
        self._process: subprocess.Popen[bytes] | None = None
        self._turn = RLock()
        self.starts = 0
        """How many processes there were."""
        _helpers.add(self)

    def ask(self, source: str, start: int, end: int, *, types: bool) -> Mapping[str, Any] | None:
        """Return its answer about the declaration in the bytes start:end of a file; None where it has none."""
        if len(source.encode("utf-8", "surrogatepass")) > LONGEST:
            return None
        return self._exchange({"source": source, "start": start, "end": end, "types": types})

    def layouts(self, sources: Sequence[str]) -> list[Mapping[str, Any] | None]:
        """Return its answer about the layout of each file (helper/layout.go); None for one that it cannot read."""
        found: list[Mapping[str, Any] | None] = [None] * len(sources)
        for batch in _batches(sources):
            answer = self._exchange({"sources": [sources[at] for at in batch]})
            if answer is not None:
                read = answer["layouts"]
            else:  # one of them is too much for it, or it was killed by others
                alone = (self._exchange({"sources": [sources[at]]}) for at in batch)
                read = [one and one["layouts"][0] for one in alone]
            for at, one in zip(batch, read, strict=True):
                found[at] = one
        return found

    def _exchange(self, question: Mapping[str, Any]) -> dict[str, Any] | None:
        with self._turn:
            return self._answered(json.dumps(question).encode() + b"\n")

    def _answered(self, question: bytes) -> dict[str, Any] | None:
        process = self._process = self._process or self._started()
        assert process.stdin is not None
        assert process.stdout is not None
        timer = Timer(self._seconds, process.kill)
        timer.start()
        try:
            process.stdin.write(question)
            process.stdin.flush()
            line = process.stdout.readline()
        except BrokenPipeError:
            line = b""
        except BaseException:  # or the answer to this question would be taken for one to the next
            self.close()
            raise
        finally:
            timer.cancel()
        if not line.endswith(b"\n"):
            self.close()
            return None
        answer: dict[str, Any] = json.loads(line)
        return answer

    def close(self) -> None:
        """End the process, if there is one."""
        process, self._process = self._process, None
        if process is not None:
            process.kill()
            with process, suppress(BrokenPipeError):
                process.communicate()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.close()

    @property
    def pid(self) -> int | None:
        """Of the process that runs."""
        return self._process.pid if self._process else None

    def forget(self) -> None:
        """Let go of the parent's process in a forked child, so that it ends with the parent."""
        process, self._process, self._turn = self._process, None, RLock()
        if process is not None and process.stdin and process.stdout:
            nowhere = os.open(os.devnull, os.O_RDWR)
            for stream in (process.stdin, process.stdout):
                os.dup2(nowhere, stream.fileno(), inheritable=False)
            os.close(nowhere)
            _parents.append(process)

    def _started(self) -> subprocess.Popen[bytes]:
        self.starts += 1
        settings = {"GOROOT": str(self._root), "GO111MODULE": "off", "GOMEMLIMIT": str(self._memory // 2)}
        process = subprocess.Popen(
            [self._program],
            env=os.environ | OFFLINE | settings,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,  # a stack of a hundred thousand calls
        )
        resource.prlimit(process.pid, resource.RLIMIT_DATA, (self._memory, self._memory))
        resource.prlimit(process.pid, resource.RLIMIT_CORE, (0, 0))
        return process


def _forget_all() -> None:
    for one in list(_helpers):
        one.forget()


os.register_at_fork(after_in_child=_forget_all)


def _batches(sources: Sequence[str]) -> Iterator[list[int]]:
    """The indices of the sources in runs of at most `LONGEST` bytes, without those that are longer or not Unicode."""
    batch: list[int] = []
    room = LONGEST
    for at, source in enumerate(sources):
        size = len(source.encode("utf-8", "ignore"))
        if size > LONGEST or _SURROGATE.search(source):  # JSON would make one character of two halves
            continue
        if size > room:
            yield batch
            batch, room = [], LONGEST
        batch.append(at)
        room -= size
    if batch:
        yield batch


def helper(go: Toolchain, seconds: float = SECONDS, memory: int = MEMORY) -> Helper | None:
    """Return a helper of this toolchain, built where it is not yet; None where it cannot be."""
    program = built(go)
    return Helper(program, go.root, seconds, memory) if program else None


def built(go: Toolchain) -> Path | None:
    """Return the helper's program out of the user's cache, where it is built once for each form and version of Go."""
    sources = sorted(Path(str(files("hrm_ray.golang"))).glob("helper/*.go"))
    key = hashlib.sha256(go.version.encode() + b"".join(source.read_bytes() for source in sources)).hexdigest()[:16]
    program = user_cache() / f"go-helper-{key}"
    with FileLock(f"{program}.lock"):
        if not program.exists():
            new = program.with_suffix(".new")
            if go.run("build", "-o", str(new), *map(str, sources), seconds=_BUILD_SECONDS) is None:
                return None
            new.replace(program)
    return program
