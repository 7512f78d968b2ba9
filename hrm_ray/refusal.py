"""One sentence for a value that cannot be used: its key, what is expected and what was found."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Sequence
from typing import Any

from pydantic_core import ErrorDetails

from hrm_ray.form import LONGEST, Form

_SECRET = re.compile(r"(?<=://)[^\s/]*@|(?<![\w+/=~-])(?![a-z_/-]+(?![\w+/=~-]))[\w+/=~-]{20,}", re.ASCII)
"""The user of a URL, and what a program may have drawn: twenty signs or more in a row, not all small letters."""


def without_secrets(text: str) -> str:
    """Return a text without what may be a secret."""
    return _SECRET.sub("...", text)


def reason(form: Form, error: ErrorDetails) -> tuple[tuple[str, ...], str]:
    """Return the key that a value is refused at, in parts, and the predicate of a sentence about it."""
    location = error["loc"]
    if error["type"] == "missing" and isinstance(location[-1], int):  # too short a list
        location = location[:-1]
    elif error["type"] in ("missing", "extra_forbidden"):
        return tuple(map(str, location)), " is missing" if error["type"] == "missing" else _unknown(form, location)
    key, node = form.find(location)
    given = error["input"]
    if error["type"] == "value_error":  # one of our own validators; that of a section names the values
        return key, f": {error['ctx']['error']}{'' if form.keys(node) else f', found {shown(given)}'}"
    return key, f": expected {form.words(node)}, found {shown(given)}{form.hint(node, given)}"


def _unknown(form: Form, location: tuple[int | str, ...]) -> str:
    section, node = form.find(location[:-1])
    near = " or ".join(form.near(location))
    meant = f"did you mean {near}? " if near else ""
    within = f"in {'.'.join(section)}" if section else "here"
    return f" is not a key; {meant}valid {within}: {', '.join(form.keys(node))}"


def shown(value: Any) -> str:  # noqa: ANN401 - whatever YAML can hold
    """Return a value as YAML has it, cut where it is long."""
    if isinstance(value, dict) and value:
        return "keys and values"
    if isinstance(value, float) and not math.isfinite(value):
        return ".nan" if math.isnan(value) else f"{'-' if value < 0 else ''}.inf"
    text = without_secrets(json.dumps(value, ensure_ascii=False, default=str))
    return text if len(text) <= LONGEST else f"{text[:LONGEST]}..."


def is_same(one: ErrorDetails, other: ErrorDetails) -> bool:
    """Return whether two errors complain of the same thing."""
    return _signature(one) == _signature(other)


def _signature(error: ErrorDetails) -> Sequence[Any]:
    given = "" if isinstance(error["input"], dict) else repr(error["input"])
    return error["loc"], error["type"], error["msg"], given
