"""What a program in the sandbox sees: the arguments of bubblewrap, and Go's build cache as it is seen there.

There is nothing of the machine in it but the toolchain and a build cache, both read-only, and the files of the run; no
user, process, host name or System V IPC of the machine, no capability, and no network, not even one of its own. Go
builds without C and links statically, so neither a shell nor a library is needed. There is no /proc either: where root
runs this, a program in there is still root to the kernel, if one without capabilities, and root may write to /proc/sys.
What `seccomp` lists the kernel is not even asked. Not covered: a fault of the kernel in the rest.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

_TEMPORARY, _SOURCES, _GO = "/tmp", "/src", "/go"
_WARM, _CACHE = "/warm", "/tmp/cache"
_NOBODY = "65534"

# Without a HOME there is no place for Go's telemetry, which starts a process that would look for itself in /proc.
ENVIRONMENT = {
    "CGO_ENABLED": "0",
    "GO111MODULE": "on",
    "GOCACHE": _CACHE,
    "GOENV": "off",
    "GOMAXPROCS": "2",
    "GOPATH": f"{_TEMPORARY}/go",
    "GOPROXY": "off",
    "GOROOT": _GO,
    "GOTOOLCHAIN": "local",
    "PATH": f"{_GO}/bin",
    "TMPDIR": _TEMPORARY,
}


def arguments(go: Path, sources: Mapping[str, int], disk: int, rules: int, mounts: Sequence[str]) -> list[str]:
    """Return the arguments for the toolchain at `go`, the open files of the run by name, and so many bytes to write.

    `rules` is an open file with the filter of system calls; `mounts` are `reading` or `filling`. Last of all everything
    but the folder for temporary files is made read-only: the root and /dev are in memory, and would else have no bound.
    """
    variables = [word for name, value in ENVIRONMENT.items() for word in ("--setenv", name, value)]
    files = [word for name, file in sources.items() for word in ("--file", str(file), f"{_SOURCES}/{name}")]
    return [
        *("--unshare-all", "--unshare-user", "--disable-userns", "--cap-drop", "ALL"),
        *("--die-with-parent", "--new-session", "--hostname", "sandbox", "--uid", _NOBODY, "--gid", _NOBODY),
        *("--seccomp", str(rules), "--clearenv", *variables),
        *("--ro-bind", str(go), _GO, "--dir", _SOURCES, *files, "--chdir", _SOURCES),
        *("--dev", "/dev", "--size", str(disk), "--tmpfs", _TEMPORARY),
        *mounts,
        *("--remount-ro", "/dev", "--remount-ro", "/"),
    ]


def filling(cache: Path) -> list[str]:
    """Return the mounts by which Go fills an empty cache for others to read."""
    return ["--bind", str(cache), _CACHE]


def reading(cache: Path) -> list[str]:
    """Return the mounts by which Go reads a cache that it cannot change.

    Go writes what it builds beside what it finds. So it has an empty cache of its own, with a link to each file of the
    full one: about a thousand, and bubblewrap takes 9,000 arguments.
    """
    files = [path.relative_to(cache) for path in sorted(cache.glob("??/*"))]
    links = [word for file in files for word in ("--symlink", f"{_WARM}/{file}", f"{_CACHE}/{file}")]
    return ["--ro-bind", str(cache), _WARM, *links]
