"""The SPDX id of a license text, for the licenses that are common in Go, and whether the settings allow it.

Those that are not permissive are known too, so that what is left out is named.
"""

from __future__ import annotations

import re

from packaging.licenses import InvalidLicenseExpression, canonicalize_license_expression

from hrm_ray.collect.filters import Dropped
from hrm_ray.collect.git import Clone, Objects
from hrm_ray.config import Clean

UNKNOWN = "NOASSERTION"
"""What SPDX says where nothing is known."""

_FILE = re.compile(r"(?:un)?licen[cs]e(?:[.-][\w.-]{2,20})?|copying(?:[.-][\w.-]{2,20})?", re.IGNORECASE)
_DECLARED = re.compile(r"SPDX-License-Identifier: *([\w.+-]+(?: +(?:AND|OR|WITH) +[\w.+-]+)*)", re.IGNORECASE)

_BSD = "redistribution and use in source and binary forms, with or without modification, are permitted"
_MIT = "permission is hereby granted, free of charge"
_ISC = r"permission to use, copy, modify, and(?:/or)? distribute this software for any purpose with or without fee"

_TELLING = tuple(
    (name, [re.compile(pattern) for pattern in patterns])
    for name, *patterns in (
        ("Apache-2.0", r"apache license,? version 2\.0"),
        ("BSD-3-Clause", _BSD, "may be used to endorse or promote products derived from"),
        ("BSD-2-Clause", _BSD, "in the documentation and/or other materials provided with the distribution"),
        ("MIT", _MIT, "included in all copies or substantial portions"),
        ("MIT-0", rf"{_MIT}(?!.*included in all copies)"),
        ("ISC", rf"{_ISC} is hereby granted, provided that"),
        ("0BSD", rf"{_ISC} is hereby granted\."),
        ("Unlicense", "free and unencumbered software released into the public domain"),
        ("CC0-1.0", r"cc0 1\.0 universal"),
        ("Zlib", "altered source versions must be plainly marked as such"),
        ("BSL-1.0", r"boost software license - version 1\.0"),
        ("MPL-2.0", r"mozilla public license,? version 2\.0"),
        ("EPL-2.0", r"eclipse public license - v 2\.0"),
        ("GPL-2.0", "gnu general public license version 2, june 1991"),
        ("GPL-3.0", "gnu general public license version 3, 29 june 2007"),
        ("LGPL-2.1", r"gnu lesser general public license version 2\.1, february 1999"),
        ("LGPL-3.0", "gnu lesser general public license version 3, 29 june 2007"),
        ("AGPL-3.0", "gnu affero general public license version 3, 19 november 2007"),
        ("SSPL-1.0", "server side public license version 1, october 16, 2018"),
        ("BUSL-1.1", r"business source license 1\.1"),
        ("Elastic-2.0", r"elastic license 2\.0"),
        ("JSON", "shall be used for good, not evil"),
        ("LicenseRef-Commons-Clause", "commons clause"),
    )
)
"""What a text must hold; that of BSD-3-Clause holds all of BSD-2-Clause too."""


def identify(text: str) -> str:
    """The SPDX id of a license text; `A AND B` where it holds several, `NOASSERTION` where none that we know.

    A line `SPDX-License-Identifier: ...` says how several are meant.
    """
    plain = " ".join(re.sub(r"[*#>]|//", " ", text).lower().split())
    known = {name for name, patterns in _TELLING if all(pattern.search(plain) for pattern in patterns)}
    if "BSD-3-Clause" in known:
        known.discard("BSD-2-Clause")
    if (line := _DECLARED.search(text)) is not None:
        declared = _spelled(line[1])
        return declared if known <= set(declared.split()) else UNKNOWN
    return _all_of(known)


def license_of(clone: Clone, objects: Objects) -> str:
    """The license of a clone's newest tree: of all files at its root that are one; `NOASSERTION` if one is unknown."""
    found: set[str] = set()
    for entry in clone.run("ls-tree", "-z", clone.head).decode("utf-8", "replace").split("\0"):
        facts, _, name = entry.partition("\t")
        if _FILE.fullmatch(name) and " blob " in facts:
            found.add(identify((objects.read(facts.split()[2]) or b"").decode("utf-8", "replace")))
    return _all_of(found)


def is_allowed(license: str, settings: Clean) -> bool:  # noqa: A002 - the field's name
    """Whether `clean.licenses` allows a license: an SPDX id, or ids joined by AND and OR."""
    if settings.licenses == "any":
        return True
    allowed = set(map(_family, settings.licenses))
    return any(all(_family(part) in allowed for part in way.split(" AND ")) for way in license.split(" OR "))


def check_license(license: str, settings: Clean, what: str = "pull request") -> None:  # noqa: A002 - the field's name
    """Refuse what comes under a license that is not allowed; the reason names both."""
    if not is_allowed(license, settings):
        raise Dropped(f"{what} under {'no known license' if license in ('', UNKNOWN) else license}")


def _all_of(licenses: set[str]) -> str:
    if not licenses or UNKNOWN in licenses:
        return UNKNOWN
    known = {part for each in licenses for part in each.split(" AND ")}
    return next(iter(licenses)) if len(licenses) == 1 else " AND ".join(sorted(known))


def _spelled(expression: str) -> str:
    try:
        return str(canonicalize_license_expression(expression))
    except InvalidLicenseExpression:
        return UNKNOWN


def _family(license: str) -> str:  # noqa: A002 - the field's name
    """An id without the exception that lifts a condition, and without which later versions are meant too."""
    return re.sub(r"(?:-only|-or-later|\+)$", "", license.strip().partition(" WITH ")[0]).lower()
