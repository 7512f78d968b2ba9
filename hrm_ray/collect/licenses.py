"""The SPDX id of a license text, for the few licenses that permit what we do and are common in Go."""

from __future__ import annotations

import re

from hrm_ray.collect.git import Clone, Objects

UNKNOWN = "NOASSERTION"
"""What SPDX says where nothing is known."""

_FILE = re.compile(r"(?:licen[cs]e|copying)(?:\.(?:md|txt|rst))?", re.IGNORECASE)

_BSD = "redistribution and use in source and binary forms, with or without modification, are permitted"

_TELLING = (
    ("Apache-2.0", ("apache license", "version 2.0, january 2004")),
    ("MPL-2.0", ("mozilla public license", "version 2.0")),
    ("BSD-3-Clause", (_BSD, "may be used to endorse or promote products derived from")),
    ("BSD-2-Clause", (_BSD, "in the documentation and/or other materials provided with the distribution")),
    ("MIT", ("permission is hereby granted, free of charge", "included in all copies or substantial portions")),
)
"""Sentences that a text must hold; what is BSD-3-Clause holds those of BSD-2-Clause too."""


def identify(text: str) -> str:
    """The SPDX id of a license text; `NOASSERTION` where it is none that we know, or several at once."""
    plain = " ".join(re.sub(r"[*#>]|//", " ", text).lower().split())
    known = [name for name, sentences in _TELLING if all(sentence in plain for sentence in sentences)]
    if known == ["BSD-3-Clause", "BSD-2-Clause"]:
        return known[0]
    return known[0] if len(known) == 1 else UNKNOWN


def license_of(clone: Clone, objects: Objects) -> str:
    """The license of a clone's newest tree, from the files at its root; `NOASSERTION` where these disagree."""
    found: set[str] = set()
    for entry in clone.run("ls-tree", "-z", clone.head).decode("utf-8", "replace").split("\0"):
        facts, _, name = entry.partition("\t")
        if _FILE.fullmatch(name) and " blob " in facts:
            found.add(identify((objects.read(facts.split()[2]) or b"").decode("utf-8", "replace")))
    return found.pop() if len(found) == 1 else UNKNOWN
