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


def local(named: str | Path) -> Path:
    """Return the path of a file or folder on this machine, with `~` and `~user` replaced.

    Raises:
        ValueError: it is empty, a URL, names a variable or an unknown user, or could be written into no settings.
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
        str(path.absolute()).encode()
    except RuntimeError as error:
        raise ValueError(f"there is no user {text.partition('/')[0].removeprefix('~')} with a home folder") from error
    except UnicodeEncodeError as error:
        raise ValueError("expected a path in UTF-8") from error
    return path


def is_address(place: str) -> bool:
    """Return whether git would reach a place over a protocol: `https://...`, or `user@host:path`."""
    return "://" in place or (":" in place.split("/")[0] and not os.path.exists(place))  # noqa: PTH110 - of any text
