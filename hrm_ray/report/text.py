"""How the report writes numbers and foreign text.

What is written here is plain text; the template escapes it. An absent number is an en dash.
"""

from __future__ import annotations

import re

ABSENT = "\N{EN DASH}"
_MINUS = "\N{MINUS SIGN}"
# Control characters, bidirectional overrides, invisible joiners and lone surrogates: what could hide or reorder code.
_UNSEEN = re.compile(
    "[\x00-\x08\x0b-\x1f\x7f-\x9f\u061c\u200b-\u200f\u2028-\u202e\u2060-\u2069\ufeff\ufff9-\ufffb\ud800-\udfff]"
)


def visible(text: str) -> str:
    """Return `text` with every character that a browser would hide, reorder or refuse written as its code point."""
    return _UNSEEN.sub(lambda match: f"\u2039U+{ord(match[0]):04X}\u203a", text)


def number(value: float | None, places: int = 3) -> str:
    """Return a number with fixed decimals; whole numbers with thousands apart."""
    if value is None:
        return ABSENT
    shown = f"{value:,d}" if isinstance(value, int) else f"{value:,.{places}f}"
    return shown.replace("-", _MINUS)


def signed(value: float | None, places: int = 3) -> str:
    """Return a difference with its sign."""
    return ABSENT if value is None else f"{value:+,.{places}f}".replace("-", _MINUS)


def percent(share: float | None, sign: bool = False) -> str:
    """Return a share as a percentage with one decimal."""
    return ABSENT if share is None else f"{100 * share:{'+' if sign else ''}.1f}%".replace("-", _MINUS)


def interval(bounds: tuple[float, float] | None, sign: bool = False) -> str:
    """Return a 95% interval of a share as `low to high`."""
    return ABSENT if bounds is None else f"{percent(bounds[0], sign)} to {percent(bounds[1], sign)}"


def span(bounds: tuple[float, float] | None) -> str:
    """Return an interval of a figure that is no share as `low to high`."""
    return ABSENT if bounds is None else f"{number(bounds[0])} to {number(bounds[1])}"
