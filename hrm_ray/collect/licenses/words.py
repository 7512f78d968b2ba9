"""Words of texts in one spelling, and lists of words."""

from __future__ import annotations

import re
import tomllib
from functools import cache
from importlib import resources

WORD = re.compile(r"[^\W_]+")


def spelled(word: str) -> str:
    """A word without the differences that SPDX's matching guidelines call none."""
    lower = word.lower()
    return "http" if lower == "https" else lower.replace("licence", "license")


def words(text: str) -> list[str]:
    """The words of a text, spelled alike."""
    return [spelled(word) for word in WORD.findall(text)]


@cache
def vocabulary(name: str) -> frozenset[str]:
    """A list of words in `words.toml`."""
    lists = tomllib.loads(resources.files("hrm_ray.collect.licenses").joinpath("words.toml").read_text("utf-8"))
    return frozenset(lists[name].split())
