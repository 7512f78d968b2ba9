"""Whether `clean.licenses` allows a licence."""

from __future__ import annotations

import re

from hrm_ray.collect.filters import Dropped
from hrm_ray.collect.licenses.expressions import UNKNOWN, holds, spelled
from hrm_ray.config import Clean


def is_allowed(license: str, settings: Clean) -> bool:  # noqa: A002 - the field's name
    """Whether `clean.licenses` allows a license: an SPDX expression."""
    if settings.licenses == "any":
        return True
    allowed = set(map(_family, settings.licenses))
    return holds(spelled(license), lambda name: _family(name) in allowed)


def check_license(license: str, settings: Clean, what: str = "pull request") -> None:  # noqa: A002 - the field's name
    """Refuse what comes under a license that is not allowed; the reason names both."""
    if not is_allowed(license, settings):
        raise Dropped(refusal(license, what))


def refusal(license: str, what: str) -> str:  # noqa: A002 - the field's name
    """The reason under which `what` is counted that comes under a license that is not allowed."""
    return f"{what} under {'no known license' if license in ('', UNKNOWN) else license}"


def _family(license: str) -> str:  # noqa: A002 - the field's name
    """An id without the exception that lifts a condition, and without which later versions are meant too."""
    return re.sub(r"(?:-only|-or-later|\+)$", "", license.strip().partition(" WITH ")[0]).lower()
