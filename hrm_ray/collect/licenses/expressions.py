"""SPDX licence expressions: ids joined by AND, OR and WITH."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable

from packaging.licenses import InvalidLicenseExpression, canonicalize_license_expression

UNKNOWN = "NOASSERTION"
"""What SPDX says where nothing is known."""

_DECLARED = re.compile(
    r"^\W*(?:SPDX-License-Identifier|Provenance-includes-license):[ \t]*(.*?)[ \t]*(?:\*/|-->)?[ \t]*$",
    re.MULTILINE | re.IGNORECASE,
)
_INNER = re.compile(r"\(([^()]*)\)")


def spelled(expression: str) -> str:
    """An expression as SPDX spells it; `NOASSERTION` where it is none."""
    try:
        return str(canonicalize_license_expression(expression))
    except InvalidLicenseExpression:
        return UNKNOWN


def declared(text: str) -> tuple[set[str], str]:
    """Return the expressions of the lines `SPDX-License-Identifier: ...` of a text, and the text without them."""
    return set(map(spelled, _DECLARED.findall(text))), _DECLARED.sub("", text)


def all_of(expressions: Iterable[str]) -> str:
    """One expression for what is under all of these; `NOASSERTION` if there is none, or one is unknown."""
    found = {part for each in expressions for part in ([each] if " OR " in each else each.split(" AND "))}
    if not found or UNKNOWN in found:
        return UNKNOWN
    return " AND ".join(f"({each})" if " OR " in each and len(found) > 1 else each for each in sorted(found))


def joined(*expressions: str) -> str:
    """One expression for those that are not empty; empty if all are."""
    found = set(expressions) - {""}
    return all_of(found) if found else ""


def parts(expression: str) -> set[str]:
    """The ids in an expression, each with its exception."""
    return set(re.split(r" (?:AND|OR) ", expression.replace("(", "").replace(")", "")))


def holds(expression: str, is_true: Callable[[str], bool]) -> bool:
    """Whether an expression is true where each id is what `is_true` says of it."""
    while found := _INNER.search(expression):
        inner = "true" if holds(found[1], is_true) else "false"
        expression = expression[: found.start()] + inner + expression[found.end() :]

    def is_one(name: str) -> bool:
        return name == "true" if name in ("true", "false") else is_true(name)

    return any(all(map(is_one, way.split(" AND "))) for way in expression.split(" OR "))
