"""Small git repositories that tests make, with people in them whose names must not come out."""

from __future__ import annotations

import os
import subprocess
from dataclasses import dataclass
from pathlib import Path

ANN = "Ann Example <ann@example.org>"


@dataclass
class Repo:
    """A repository with a work tree; its clock goes on by an hour a commit."""

    path: Path
    hours: int = 0

    @classmethod
    def new(cls, path: Path) -> Repo:
        path.mkdir(parents=True)
        repo = cls(path)
        repo.git("init", "--quiet", "--initial-branch=main")
        repo.commit("Begin", {"go.mod": "module m\n", "a.go": go("a")})
        return repo

    def git(self, *arguments: str) -> str:
        return git(self.path, *arguments)

    def commit(self, message: str, files: dict[str, str | bytes | None], author: str = ANN) -> str:
        """Write files (None removes one), commit, and return the commit's id."""
        for name, content in files.items():
            file = self.path / name
            file.parent.mkdir(parents=True, exist_ok=True)
            if content is None:
                file.unlink()
            else:
                file.write_bytes(content.encode() if isinstance(content, str) else content)
        self.git("add", "--all")
        self._commit(author, "commit", "--quiet", "--allow-empty", "--cleanup=verbatim", "-m", message)
        return self.git("rev-parse", "HEAD")

    def merge(self, branch: str, message: str) -> str:
        self._commit(ANN, "merge", "--quiet", "--no-ff", branch, "-m", message)
        return self.git("rev-parse", "HEAD")

    def commit_tree(self, tree: str, message: str, *parents: str) -> str:
        """A commit of a tree that stands already; nothing is checked out."""
        options = [option for parent in parents for option in ("-p", parent)]
        return self._commit(ANN, "commit-tree", tree, "-m", message, *options)

    def _commit(self, author: str, *arguments: str) -> str:
        self.hours += 1
        name, _, mail = author.removesuffix(">").partition(" <")
        when = f"{1700000000 + 3600 * self.hours} +0200"
        people = {
            f"GIT_{role}_{part}": value
            for role in ("AUTHOR", "COMMITTER")
            for part, value in (("NAME", name), ("EMAIL", mail), ("DATE", when))
        }
        return git(self.path, *arguments, **people)


def git(folder: Path, *arguments: str, **variables: str) -> str:
    env = {name: value for name, value in os.environ.items() if not name.startswith("GIT_")}
    env |= {"GIT_CONFIG_GLOBAL": os.devnull, "GIT_CONFIG_NOSYSTEM": "1", **variables}
    done = subprocess.run(["git", *arguments], cwd=folder, env=env, check=True, capture_output=True, text=True)
    return done.stdout.strip()


def go(package: str, *functions: str) -> str:
    """A Go file with a function of six lines a name."""
    bodies = [f"func {name}(a int) int {{\n\tif a > 1 {{\n\t\treturn 1\n\t}}\n\treturn a\n}}\n" for name in functions]
    return f"package {package}\n\n" + "\n".join(bodies)
