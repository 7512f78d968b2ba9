"""Which Go files are not written by hand for this repository, told by path and header."""

from __future__ import annotations

import re

SKIPPED_FOLDERS = frozenset({"vendor", "testdata", "third_party"})
"""Folders whose files belong to others, or need not be valid Go."""

GENERATED_NAMES = ("*.pb.go", "*.pb.gw.go", "zz_generated*.go")
"""Names that only generators give; other generated files are known by their header."""

_GENERATED = re.compile(r"^// Code generated .* DO NOT EDIT\.\r?$", re.MULTILINE)


def is_generated(content: str) -> bool:
    """Whether a line says so in the form that `go help generate` fixes."""
    return "DO NOT EDIT." in content and _GENERATED.search(content) is not None  # the search alone is slow
