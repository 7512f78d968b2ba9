"""Reading a git clone through long-lived git processes that see its objects and nothing else of it.

Neither the clone's nor the user's git configuration can change what is read, run a program or fetch an object: the
processes work in an empty repository of their own that borrows the clone's objects.
"""

from __future__ import annotations

import os
import secrets
import shutil
import subprocess
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from tempfile import TemporaryDirectory, TemporaryFile
from types import TracebackType
from typing import Self

from hrm_ray.errors import UserError
from hrm_ray.golang.files import GENERATED_NAMES, SKIPPED_FOLDERS

_LEFT_OUT = [*(f"{folder}/**" for folder in sorted(SKIPPED_FOLDERS)), *GENERATED_NAMES]

GO_FILES = (":(glob)**/*.go", *(f":(exclude,glob)**/{pattern}" for pattern in _LEFT_OUT))
"""Pathspecs of the Go files that people wrote."""


_LAST_SECOND = 253402300799
"""The end of the year 9999: a commit may claim any time."""


@dataclass(frozen=True)
class Clone:
    """An open clone: `name` is `owner/name`, `place` what the user called it, `head` the newest commit."""

    name: str
    place: str
    head: str
    env: Mapping[str, str] = field(repr=False)

    def run(self, *arguments: str) -> bytes:
        """Return what one git command prints.

        Raises:
            UserError: it failed; the sentence names the clone.
        """
        done = subprocess.run(["git", *arguments], env=self.env, stdin=subprocess.DEVNULL, capture_output=True)
        if done.returncode:
            raise _failure(self.place, done.stderr)
        return done.stdout


class Process:
    """A git process that lives as long as the `with` block and answers one question after the other."""

    def __init__(self, clone: Clone, *arguments: str) -> None:
        self._place = clone.place
        self._errors = TemporaryFile()  # noqa: SIM115 - closed with the process
        self._process = subprocess.Popen(
            ["git", *arguments], env=clone.env, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=self._errors
        )
        assert self._process.stdin is not None
        assert self._process.stdout is not None
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
        """Return the content of an object, None where the clone lacks it (partial and damaged clones do)."""
        self.ask(f"{oid}\n")
        header = self.answers.readline().split()
        if not header:
            raise self.failure()
        if header[-1] == b"missing":
            return None
        return self.answers.read(int(header[2]) + 1)[:-1]


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
        lines: list[bytes] = []
        while not (lines and lines[-1].endswith(end)):
            lines.append(self.answers.readline())
            if not lines[-1]:
                raise self.failure()
        return b"".join(lines)[: -len(end)]


@contextmanager
def opened(place: str, cache: Path) -> Iterator[Clone]:
    """Open a clone on this machine, or one made of a URL: bare, in `cache`, where it is found the next time.

    Raises:
        UserError: there is no clone at `place`, it has no commit, or git cannot clone the URL.
    """
    folder = _cloned(place, cache) if _is_url(place) else Path(place)
    if not folder.is_dir():
        raise UserError(f"{place}: there is no such folder")
    with TemporaryDirectory(prefix="hrm-ray-") as own:
        yield _open(place, folder.resolve(), Path(own))


def utc(seconds: int) -> str:
    """A time of git's, in seconds since 1970, as ISO 8601."""
    return f"{datetime.fromtimestamp(min(max(seconds, 0), _LAST_SECOND), UTC):%Y-%m-%dT%H:%M:%SZ}"


def _open(place: str, folder: Path, own: Path) -> Clone:
    # Without the ceiling a plain folder inside some other clone would be taken for that clone.
    env = _environment() | {"GIT_CEILING_DIRECTORIES": str(folder.parent)}
    outside = Clone("", place, "", env)
    git = ("-C", str(folder))
    parse = ("rev-parse", "--path-format=absolute", "--show-object-format", "--git-path", "objects")
    facts = outside.run(*git, *parse, "--git-path", "shallow", "--verify", "HEAD^{commit}").decode()
    form, objects, shallow, head = facts.splitlines()
    remotes = outside.run(*git, "config", "--default", "", "--get", "remote.origin.url").decode().strip()
    outside.run("init", "--quiet", "--bare", f"--object-format={form}", str(own))
    if Path(shallow).is_file():
        shutil.copy(shallow, own / "shallow")
    inside = {"GIT_DIR": str(own), "GIT_OBJECT_DIRECTORY": objects}
    quiet = {"GIT_CONFIG_GLOBAL": os.devnull, "GIT_CONFIG_NOSYSTEM": "1"}
    return Clone(_name(remotes or str(folder)), place, head, env | inside | quiet)


def _cloned(url: str, cache: Path) -> Path:
    """The bare clone of `url` in `cache`, made where it is not there yet."""
    folder = cache / f"{_name(url)}.git"
    if folder.is_dir():
        return folder
    partial = folder.with_name(f".{folder.name}.partial")
    shutil.rmtree(partial, ignore_errors=True)
    partial.parent.mkdir(parents=True, exist_ok=True)
    env = {**os.environ, "GIT_TERMINAL_PROMPT": "0"}
    Clone("", url, "", env).run("clone", "--quiet", "--bare", "--single-branch", "--", url, str(partial))
    partial.replace(folder)
    return folder


def _is_url(place: str) -> bool:
    """Whether git would clone it over a protocol: `https://...`, or `user@host:path`."""
    return "://" in place or (":" in place.split("/")[0] and not Path(place).exists())


def _name(place: str) -> str:
    """`owner/name`, the last two parts of a path or URL."""
    parts = place.rstrip("/").removesuffix("/.git").removesuffix(".git").replace(":", "/").split("/")
    return "/".join([part for part in parts if part][-2:])


def _environment() -> dict[str, str]:
    """Ours, without what a git hook around us may have set."""
    return {name: value for name, value in os.environ.items() if not name.startswith("GIT_")} | {"LC_ALL": "C"}


def _failure(place: str, errors: bytes) -> UserError:
    lines = errors.decode("utf-8", "replace").strip().splitlines() or ["it gave no reason"]
    reason = next((line for line in lines if "fatal:" in line), lines[-1])
    return UserError(f"{place}: git cannot read it ({' '.join(reason.split())})")
