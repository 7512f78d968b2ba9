"""Changed files as one patch that `git apply` takes, written by git itself: it knows names, modes and last lines."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Sequence
from pathlib import Path
from tempfile import TemporaryDirectory

from hrm_ray.patch.edit import Edited

_ALONE = {"GIT_CONFIG_NOSYSTEM": "1", "GIT_CONFIG_GLOBAL": "/dev/null", "GIT_ATTR_NOSYSTEM": "1", "LC_ALL": "C"}
_DIFF = ("git", "diff", "--no-index", "--no-prefix", "a", "b")


def patch(edited: Sequence[Edited]) -> str:
    """Return the changes of files, from the repository's root; empty where nothing changed."""
    with TemporaryDirectory(prefix="hrm-ray-") as folder:
        for side in ("a", "b"):
            (Path(folder) / side).mkdir()
        for file in edited:
            if file.before:
                _put(Path(folder) / "a" / file.path, file.before)
            _put(Path(folder) / "b" / file.path, file.after)
        alone = _ALONE | {"PATH": os.environ["PATH"], "HOME": folder}  # no setting of the user's says how a patch looks
        done = subprocess.run(_DIFF, cwd=folder, env=alone, capture_output=True, check=False)
    if done.returncode > 1:
        raise RuntimeError(done.stderr.decode("utf-8", "replace"))
    return done.stdout.decode()


def _put(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(text.encode())
