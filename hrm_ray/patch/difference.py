"""Changed files as one patch that `git apply` takes, written by git itself: it knows names, modes and last lines."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Sequence
from pathlib import Path
from tempfile import TemporaryDirectory

from hrm_ray.patch.edit import Edited

_ALONE = {"GIT_CONFIG_NOSYSTEM": "1", "GIT_CONFIG_GLOBAL": "/dev/null", "GIT_ATTR_NOSYSTEM": "1", "LC_ALL": "C"}


def patch(edited: Sequence[Edited]) -> str:
    """Return the changes of files, from the repository's root; empty where nothing changed."""
    with TemporaryDirectory(prefix="hrm-ray-") as folder:
        _git(folder, "init", "--quiet", "--template=")
        for file in edited:
            if file.before or file.was_empty:
                _put(Path(folder) / file.path, file.before)
        _git(folder, "add", "--all")
        for file in edited:
            _put(Path(folder) / file.path, file.after)
        _git(folder, "add", "--all", "--intent-to-add")
        return _git(folder, "diff", "--text").decode()


def _git(folder: str, *arguments: str) -> bytes:
    """Run git in a repository of its own, where no setting of the user's says how a patch looks."""
    alone = _ALONE | {"PATH": os.environ["PATH"], "HOME": folder}
    return subprocess.run(["git", *arguments], cwd=folder, env=alone, capture_output=True, check=True).stdout


def _put(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(text.encode())
