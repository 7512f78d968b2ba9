"""Reading a git clone through long-lived git processes that see its objects and nothing else of it.

Neither the clone's nor the user's git configuration can change what is read, run a program or fetch an object: the
processes work in an empty repository of their own that borrows the clone's objects.
"""

from __future__ import annotations

import os
import re
import secrets
import shutil
import subprocess
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from io import BufferedReader
from pathlib import Path
from tempfile import TemporaryDirectory, TemporaryFile
from types import TracebackType
from typing import Self

from hrm_ray.collect.names import full_name, module_name, parts
from hrm_ray.errors import UserError
from hrm_ray.golang.files import GENERATED_NAMES, SKIPPED_FOLDERS
from hrm_ray.paths import is_address

_LEFT_OUT = [*(f"{folder}/**" for folder in sorted(SKIPPED_FOLDERS)), *GENERATED_NAMES]

GO_FILES = (":(glob)**/*.go", *(f":(exclude,glob)**/{pattern}" for pattern in _LEFT_OUT))
"""Pathspecs of the Go files that people wrote."""

MOST_READ = 4_000_000
"""Bytes of one object that are read: more than any text that a person wrote."""

_BOUNDS = """\
[core]
	bigFileThreshold = 1000000
	deltaBaseCacheLimit = 16m
	packedGitLimit = 32m
	packedGitWindowSize = 1m
"""
"""Keep a git process at some 60 MB; by default it grows with the clone, and is no faster (measured). Files above the
threshold, which nobody keeps, are not compared line by line."""

_PASSWORD = re.compile(r"^(https?://)[^/]*@")

_LAST_SECOND = 253402300799
"""The end of the year 9999: a commit may claim any time."""


@dataclass(frozen=True)
class Clone:
    """An open clone: `name` is `owner/name`, `place` where it is, without a password, `head` the newest commit."""

    name: str
    place: str
    head: str
    env: Mapping[str, str] = field(repr=False)

    def run(self, *arguments: str) -> bytes:
        """Return what one git command prints.

        Raises:
            UserError: it failed; the sentence names the clone.
        """
        # In a session of its own there is no terminal at which git, ssh or a helper could ask for a password and wait.
        done = subprocess.run(
            ["git", *arguments], env=self.env, stdin=subprocess.DEVNULL, capture_output=True, start_new_session=True
        )
        if done.returncode:
            raise _failure(self.place, done.stderr)
        return done.stdout

    def line(self, *arguments: str) -> str:
        """Return the one line that a git command prints; a path in it may hold any byte."""
        return os.fsdecode(self.run(*arguments).removesuffix(b"\n"))


class Process:
    """A git process that lives as long as the `with` block and answers one question after the other."""

    def __init__(self, clone: Clone, *arguments: str) -> None:
        self._place = clone.place
        self._errors = TemporaryFile()  # noqa: SIM115 - closed with the process
        self._process = subprocess.Popen(
            ["git", *arguments], env=clone.env, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=self._errors
        )
        assert self._process.stdin is not None
        assert isinstance(self._process.stdout, BufferedReader)
        self._questions, self.answers = self._process.stdin, self._process.stdout

    def ask(self, question: str) -> None:
        """Send lines; the answer is then read from `answers`."""
        try:
            self._questions.write(question.encode())
            self._questions.flush()
        except BrokenPipeError as error:
            raise self.failure() from error

    @property
    def succeeded(self) -> bool:
        """Whether the process, which has said all it had to say, ended well."""
        return self._process.wait() == 0

    def failure(self) -> UserError:
        """The error to raise when the process has ended although there was more to say."""
        self._process.wait()
        self._errors.seek(0)
        return _failure(self._place, self._errors.read())

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._process.kill()
        self._process.communicate()
        self._errors.close()


class Objects(Process):
    """Contents by object id."""

    def __init__(self, clone: Clone) -> None:
        super().__init__(clone, "cat-file", "--batch")

    def read(self, oid: str) -> bytes | None:
        """Return the first `MOST_READ` bytes of an object, None where the clone lacks it (partial, damaged ones do)."""
        self.ask(f"{oid}\n")
        header = self.answers.readline().split()
        if not header:
            raise self.failure()
        if header[-1] == b"missing":
            return None
        size = int(header[2])
        content = self.answers.read(min(size, MOST_READ))
        for rest in range(size - len(content) + 1, 0, -MOST_READ):
            self.answers.read(min(rest, MOST_READ))
        return content


class Differences(Process):
    """The changed Go files between two commits, in the form that the options of `git diff-tree` ask for."""

    def __init__(self, clone: Clone, *options: str) -> None:
        # git repeats a line that names no object, which tells where its answer ends
        self._mark = secrets.token_hex(8)
        super().__init__(clone, "diff-tree", "--stdin", "--no-commit-id", "-r", "-z", *options, "--", *GO_FILES)

    def between(self, base: str, head: str) -> bytes:
        """Return what changed from `base` to `head`, both full commit ids."""
        self.ask(f"{head} {base}\n{self._mark}\n")
        end = f"{self._mark}\n".encode()
        answer = bytearray()
        while not answer.endswith(end):
            if not (more := self.answers.read1()):
                raise self.failure()
            answer += more
        return bytes(answer.removesuffix(end))


@contextmanager
def opened(place: str, cache: Path) -> Iterator[Clone]:
    """Open a clone on this machine, or one made of a URL: bare, in `cache`, where it is found the next time.

    Raises:
        UserError: git is missing, there is no clone at `place`, it has no commit, or git cannot clone the URL.
    """
    if shutil.which("git") is None:
        raise UserError(f"{shown(place)}: reading it needs git, which is not installed")
    folder = _cloned(place, cache) if is_address(place) else Path(place).expanduser()
    if not folder.is_dir():
        raise UserError(
            f"{place}: {'is a file, not the folder of a clone' if folder.exists() else 'there is no such folder'}"
        )
    with TemporaryDirectory(prefix="hrm-ray-") as own:
        yield _open(shown(place), folder.resolve(), Path(own))


def shown(place: str) -> str:
    """A clone's folder, or its URL without the password."""
    return _PASSWORD.sub(r"\1", place)


def utc(seconds: int) -> str:
    """A time of git's, in seconds since 1970, as ISO 8601."""
    return f"{datetime.fromtimestamp(min(max(seconds, 0), _LAST_SECOND), UTC):%Y-%m-%dT%H:%M:%SZ}"


def _open(place: str, folder: Path, own: Path) -> Clone:
    alone = _environment(HOME=str(own), XDG_CONFIG_HOME=str(own), GIT_CONFIG_NOSYSTEM="1", GIT_ATTR_NOSYSTEM="1")
    # Its folder is named, not searched for: a plain folder inside some other clone is not that clone. So git does not
    # ask either whose it is, and need not, since nothing in it is run.
    marked = folder / ".git"
    outside = Clone("", place, "", alone | {"GIT_DIR": str(marked if marked.exists() else folder)})
    form = outside.line("rev-parse", "--show-object-format")
    objects, shallow = (outside.line("rev-parse", "--git-path", name) for name in ("objects", "shallow"))
    remote = outside.line("config", "--default", "", "--get", "remote.origin.url")
    head = _head(outside)
    Clone("", place, "", alone).run("init", "--quiet", "--bare", "--template=", f"--object-format={form}", str(own))
    with (own / "config").open("a") as config:
        config.write(_BOUNDS)
    if Path(shallow).is_file():
        shutil.copy(shallow, own / "shallow")
    inside = Clone("", place, head, alone | {"GIT_DIR": str(own), "GIT_OBJECT_DIRECTORY": objects})
    return replace(inside, name=(full_name(remote) if remote else _module(inside)) or full_name(str(folder)))


def _head(clone: Clone) -> str:
    try:
        return clone.line("rev-parse", "--verify", "HEAD^{commit}")
    except UserError as error:
        raise UserError(f"{clone.place}: its HEAD names no commit; is it empty, or of another branch?") from error


def _module(clone: Clone) -> str:
    """The name by which others import the clone's newest tree, empty where that has no host."""
    with Objects(clone) as objects:
        return module_name((objects.read(f"{clone.head}:go.mod") or b"").decode("utf-8", "replace"))


def _cloned(url: str, cache: Path) -> Path:
    """The bare clone of `url` in `cache`, made where it is not there yet; no password stays in it."""
    *above, name = parts(url) or [""]
    folder = cache.joinpath(*above, f"{name}.git")
    if folder.is_dir():
        return folder
    partial = folder.with_name(f".{folder.name}.partial")
    shutil.rmtree(partial, ignore_errors=True)
    partial.parent.mkdir(parents=True, exist_ok=True)
    git = Clone("", shown(url), "", _for_the_net())
    how = ("--quiet", "--bare", "--single-branch", "--no-tags", "--template=", "--origin=origin")
    # A server that sends nothing for two minutes is given up.
    patience = ("-c", "http.lowSpeedLimit=1", "-c", "http.lowSpeedTime=120")
    try:
        git.run(*patience, "clone", *how, "--", url, str(partial))
        git.run("--git-dir", str(partial), "config", "remote.origin.url", shown(url))
        partial.replace(folder)
    except BaseException:  # git itself leaves a folder that it did not make
        shutil.rmtree(partial, ignore_errors=True)
        raise
    return folder


def _environment(**added: str) -> dict[str, str]:
    """Ours, without what a git hook around us may have set; messages are in English."""
    return {name: value for name, value in os.environ.items() if not name.startswith("GIT_")} | added | {"LC_ALL": "C"}


def _for_the_net() -> dict[str, str]:
    """An environment with the user's ways to a server, except those that would ask and wait."""
    kept = ("GIT_ALLOW", "GIT_CONFIG", "GIT_HTTP", "GIT_PROXY", "GIT_SSH", "GIT_SSL")
    ways = {name: value for name, value in os.environ.items() if name.startswith(kept)}
    # A desktop's SSH_ASKPASS opens a window; a GIT_ASKPASS was set for git, and may answer by itself.
    silent = {"GIT_ASKPASS": os.environ.get("GIT_ASKPASS", ""), "SSH_ASKPASS_REQUIRE": "never"}
    return _environment(**ways, **silent, GIT_TERMINAL_PROMPT="0")


def _failure(place: str, errors: bytes) -> UserError:
    lines = errors.decode("utf-8", "replace").strip().splitlines() or ["it gave no reason"]
    reason = next((line for line in lines if "fatal:" in line), lines[-1])
    return UserError(f"{place}: git cannot read it ({' '.join(reason.split())})")
