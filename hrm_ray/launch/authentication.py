"""Token or no token: set here for every Ray that this process starts, joins or sends a job to.

Ray reads RAY_AUTH_MODE once, when it is imported. `Config.initialize` makes it read the variable again, as Ray's own
`ray.init` does when it turns tokens on; so the mode does not depend on which module has imported Ray first.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Literal

from ray._raylet import AuthenticationTokenLoader, Config  # type: ignore[attr-defined]

from hrm_ray.launch.environment import environment

VARIABLE = "RAY_AUTH_MODE"

Mode = Literal["disabled", "token"]


@contextmanager
def authentication(mode: Mode) -> Iterator[None]:
    """Run the block in a mode, which the processes started there inherit, whatever RAY_AUTH_MODE says outside."""
    try:
        with environment({VARIABLE: mode}):
            _read_again()
            yield
    finally:
        _read_again()


def refuses_tokens() -> bool:
    """Return True if the user has turned tokens off."""
    return os.environ.get(VARIABLE, "").lower() == "disabled"


def _read_again() -> None:
    Config.initialize("")
    AuthenticationTokenLoader.instance().reset_cache()
