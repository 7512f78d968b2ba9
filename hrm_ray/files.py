"""Files: written so that a reader sees the old text or the new one, never half of it, and told by their sum."""

from __future__ import annotations

import hashlib
import os
from pathlib import Path
from typing import Any

from ruamel.yaml import YAML
from ruamel.yaml.error import YAMLError

from hrm_ray.errors import UserError


def write_text(path: Path, text: str) -> None:
    """Replace the content of `path`, creating its folder."""
    path.parent.mkdir(parents=True, exist_ok=True)
    building = path.with_name(f".{path.name}.{os.getpid()}")
    building.write_text(text, "utf-8")
    building.replace(path)


def sha256(path: Path) -> str:
    """Return the sha256 of a file's content as 64 hex digits."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def parse_yaml(text: str, source: str) -> dict[str, Any]:
    """Return the tree in a YAML 1.2 text; `source` is the name that errors give it.

    Raises:
        UserError: the text is not YAML, or not a tree of keys and values.
    """
    try:
        tree = YAML(typ="safe", pure=True).load(text)
    except YAMLError as error:
        raise UserError(f"{source}: not valid YAML: {' '.join(str(error).split())}") from error
    if not isinstance(tree, dict):
        raise UserError(f"{source}: expected keys and values, found {type(tree).__name__}")
    return tree
