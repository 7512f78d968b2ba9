"""`make` says at once that a Python is too old, and which it needs."""

from __future__ import annotations

import shutil
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

from tests.conftest import ROOT

OLD = """#!/bin/sh
[ "$1" = -c ] || exit 9
exec {python} -c 'import sys; sys.version_info = {version}; exec(sys.argv[1])' "$2"
"""
"""Stands for a Python of another version: runs what `make` asks it, and nothing else."""


def make(folder: Path, version: tuple[int, int, int]) -> str:
    python = folder / "old-python"
    python.write_text(OLD.format(python=sys.executable, version=version))
    python.chmod(0o755)
    for name in ("Makefile", "pyproject.toml", "constraints.txt"):
        shutil.copy(ROOT / name, folder)
    command = ["make", f"PYTHON={python}", "install"]
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False, timeout=60)
    assert done.returncode == 2
    assert not (folder / ".venv").exists()
    return done.stderr


@pytest.mark.parametrize("version", [(2, 7, 18), (3, 9, 2), (3, 10, 14)])
def test_an_old_python_is_named_with_the_one_that_is_needed(tmp_path: Path, version: tuple[int, int, int]) -> None:
    needed = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["requires-python"].removeprefix(">=")
    said = make(tmp_path, version).splitlines()
    assert len(said) == 2, "ours, and that of make itself"
    assert all(part in said[0] for part in (needed, ".".join(map(str, version)), "make PYTHON="))


def test_a_new_python_goes_on(tmp_path: Path) -> None:
    assert "PYTHON=" not in make(tmp_path, (3, 11, 0))
