"""The tokens that two declarations are compared by: tree-sitter leaves, so layout and comments do not count."""

from __future__ import annotations

import re
from functools import lru_cache
from itertools import pairwise

from rapidfuzz.distance import Levenshtein

from hrm_ray.golang.fragment import fragment
from hrm_ray.golang.tree import text_of

_CLOSERS = frozenset(")]}")
LAYOUT = re.compile(
    r"""//[^\n]*|/\*.*?(?:\*/|\Z)|[\s,]+|(`[^`]*`?|"(?:\\.|[^"\\\n])*"?|'(?:\\.|[^'\\\n])*'?)""",
    re.DOTALL,
)
"""What has no say in the leaves of valid Go; strings and runes are matched only to be passed over.

What is never closed matches too: looked for again behind each quote, an end that is not there takes quadratic time.
"""


@lru_cache(maxsize=128)  # attempts at a change are compared with the same few texts
def leaves(text: str) -> tuple[str, ...]:
    """Tokens of declarations in source order, without comments; a string literal is one token.

    The comma behind the last of several lines goes with the layout and is left out.
    """
    tokens = [text_of(node) for node in fragment(text).tokens()]
    return tuple(a for a, b in pairwise([*tokens, ""]) if not (a == "," and b in _CLOSERS))


def same_leaves(a: str, b: str) -> bool:
    """Whether two texts differ in layout and comments only; most that differ in more are told apart without parsing."""
    short_a, short_b = ("".join(filter(None, LAYOUT.split(text))) for text in (a, b))
    return short_a == short_b and leaves(a) == leaves(b)


def distance(a: tuple[str, ...], b: tuple[str, ...]) -> int:
    """Fewest tokens to insert, delete or replace to turn `a` into `b`."""
    return int(Levenshtein.distance(a, b))


def similarity(a: tuple[str, ...], b: tuple[str, ...]) -> float:
    """1 for equal sequences, 0 for sequences that share nothing: 1 - distance / length of the longer one."""
    return 1 - distance(a, b) / (max(len(a), len(b)) or 1)
