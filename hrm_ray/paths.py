"""Paths that a user names, in settings and on the command line: one rule for all of them.

`~` and `~user` are home folders. Environment variables are not replaced: the shell does that before it calls a verb,
and a settings file should mean the same to everybody. A relative path begins at the working directory.
"""

from __future__ import annotations

import os
import re
from pathlib import Path

_VARIABLE = re.compile(r"\$(?:[A-Za-z_]\w*|\{\w+\})")
_PROTOCOL = re.compile(r"[A-Za-z][\w+.-]+:/")
"""One slash: a `Path` keeps no second one."""

LONGEST, LONGEST_PART = 4000, 255
"""Bytes that Linux can open, with some left for the names of what lies inside."""


def local(named: str | Path) -> Path:
    """Return the path of a file or folder on this machine, with `~` and `~user` replaced.

    Raises:
        ValueError: it is empty, a URL, too long, names a variable or an unknown user, or is not UTF-8.
    """
    text = str(named)
    if not text or "\0" in text:
        raise ValueError("expected a path")
    if _PROTOCOL.match(text):
        raise ValueError("expected a path on this machine, not a URL")
    if variable := _VARIABLE.search(text):
        raise ValueError(f"{variable[0]} would be taken literally; write the path out, or let your shell replace it")
    try:
        path = Path(text).expanduser()
        whole = str(path.absolute()).encode()
    except RuntimeError as error:
        raise ValueError(f"there is no user {text.partition('/')[0].removeprefix('~')} with a home folder") from error
    except FileNotFoundError as error:
        raise ValueError("the working directory is gone") from error
    except UnicodeEncodeError as error:
        raise ValueError("expected a path in UTF-8") from error
    if len(whole) > LONGEST or any(len(part) > LONGEST_PART for part in whole.split(b"/")):
        raise ValueError(f"a path is at most {LONGEST} bytes long, and each part of it {LONGEST_PART}")
    return path


def is_address(place: str) -> bool:
    """Return whether git would reach a place over a protocol: `https://...`, or `user@host:path`."""
    return "://" in place or (":" in place.split("/")[0] and not os.path.exists(place))  # noqa: PTH110 - of any text
