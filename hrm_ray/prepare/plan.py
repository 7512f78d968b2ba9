"""A plan: what a change does, read off the difference of two syntax trees, one step a line.

The first steps name each declaration (`add function NewRouter`, `modify method Router.ServeHTTP`); those after them say
intent, part and detail, the most informative first. Details are clipped, so that a plan points at the code and does
not hold it: a plan that spells the code out leaves nothing to be planned.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from rapidfuzz.distance import Levenshtein

from hrm_ray.golang.declarations import declarations
from hrm_ray.prepare import edits
from hrm_ray.prepare.difference import Difference, difference, key, renames
from hrm_ray.prepare.units import COMMENT, ENTRY, FLOW, ROLES, SIGNATURE, Unit, units

CLIP = 40
"""Longest detail of a step, in characters."""

STEP = 160
"""Longest step, in characters: longer ones have a name beyond all measure."""

_HEADER = re.compile(r"(?:add|modify) (function|method|type|const|var) \S+")


@dataclass(frozen=True)
class _Step:
    rank: int
    text: str


def plan(before: str, after: str, kinds: Sequence[str], names: Sequence[str], max_steps: int) -> str:
    """Return at most `max_steps` steps from `before` (empty: an addition) to `after`, one a line.

    Each declaration of `after` takes one, as many as there are; the rest go to what changes in them.
    """
    headers = _headers("modify" if before else "add", kinds, names)
    room = max(0, max_steps - len(headers))
    if before:
        details = _ranked(_modification(before, after), room) or ["change layout"][:room]
    else:
        details = _details(units(after), names, room)
    return "\n".join(_clip(step, STEP) for step in headers + details)


def placed(before: str, after: str, kinds: Sequence[str], names: Sequence[str], max_steps: int) -> str:
    """Return the plan of an edit: after the header one step per hunk: its place, then its most informative detail.

    A place is `@first-end`, lines of `before` from 0, half-open: the planner says where, the coder what.
    """
    steps = _headers("modify", kinds, names)
    for hunk in edits.hunks(before, after)[: max(0, max_steps - len(steps))]:
        alone = edits.apply(before, [hunk])
        best = _ranked(_modification(before, alone), 1) or ["change layout"]
        steps.append(f"@{hunk.first}-{hunk.end} {best[0]}")
    return "\n".join(_clip(step, STEP) for step in steps)


def header(before: str) -> str:
    """Return how the plan of a modification begins: a step for each declaration, which is known beforehand."""
    found = declarations(before)
    steps = _headers("modify", [one.kind for one in found], [one.name for one in found])
    return "\n".join(_clip(step, STEP) for step in steps)


def _headers(intent: str, kinds: Sequence[str], names: Sequence[str]) -> list[str]:
    return [f"{intent} {kind} {name}" for kind, name in zip(kinds, names, strict=True)]


def kinds_of(plan: str) -> tuple[str, ...]:
    """The declaration kinds that a plan names, in order; a predicted plan may be malformed and name none."""
    return tuple(found[1] for line in plan.splitlines() if (found := _HEADER.fullmatch(line.strip())))


def _details(groups: list[list[Unit]], names: Sequence[str], room: int) -> list[str]:
    """Steps of several additions, an equal share each, with the name in front where there are several."""
    share = max(1, room // max(1, len(groups)))
    details: list[str] = []
    for name, group in zip(names, groups, strict=False):
        most = min(share, room - len(details))
        steps = _ranked(_addition(group, most), most)
        details += steps if len(groups) == 1 else [f"{name}: {step}" for step in steps]
    return details


def _ranked(steps: Iterable[_Step], most: int) -> list[str]:
    """The `most` steps of the best rank in source order within a rank, equal ones counted."""
    counts: Counter[str] = Counter()
    ranks: dict[str, int] = {}
    for step in steps:
        counts[step.text] += 1
        ranks.setdefault(step.text, step.rank)
    best = sorted(ranks, key=ranks.__getitem__)[: max(most, 0)]
    return [text if counts[text] == 1 or ranks[text] == COMMENT else f"{text} x{counts[text]}" for text in best]


def _addition(group: list[Unit], most: int) -> Iterator[_Step]:
    """Steps by rank, up to the rank with which they are `most`: equal ones have one rank, which their noun tells."""
    texts: set[str] = set()
    for rank in range(SIGNATURE, COMMENT + 1):
        if len(texts) >= most:
            return
        for unit in group:
            if unit.rank == rank and unit.type not in ROLES and unit.label != "group":
                step = _added(unit)
                texts.add(step.text)
                yield step


def _added(unit: Unit) -> _Step:
    if unit.type == "declaration":
        return _Step(SIGNATURE, _clip(unit.label, CLIP + CLIP // 2))
    return _Step(unit.rank, f"add {_clip(unit.label)}")


def _modification(before: str, after: str) -> Iterator[_Step]:
    old, new = ([unit for group in units(text) for unit in group] for text in (before, after))
    found = difference(old, new)
    renamed = renames(old, new, found.changed, before)
    for name, other in renamed.items():
        yield _Step(SIGNATURE, f"rename {_clip(name)} to {_clip(other)}")
    for a, b in found.changed:
        yield from _changed(a, b, renamed)
    yield from _gone_and_new(found)


def _gone_and_new(found: Difference) -> Iterator[_Step]:
    """Parts that were removed, added, or removed here and added there."""
    moved = Counter(map(key, found.removed)) & Counter(map(key, found.added))
    for intent, parts in (("remove", found.removed), ("add", found.added)):
        left = moved.copy()
        for unit in parts:
            if left[key(unit)] == 0:
                yield _Step(unit.rank, f"{_scope(unit)}{intent} {_clip(unit.label)}")
                continue
            left[key(unit)] -= 1
            if intent == "add" and unit.rank < COMMENT:
                yield _Step(ENTRY, f"move {_clip(unit.label)}")


def _changed(a: Unit, b: Unit, renamed: dict[str, str]) -> Iterator[_Step]:
    tokens = [renamed.get(token, token) for token in a.tokens]
    runs = [op for op in Levenshtein.opcodes(tokens, b.tokens) if op.tag != "equal"]
    if not runs:
        return
    if a.type == "comment":
        yield _Step(COMMENT, "change comment")
    elif a.type == "declaration":
        old, new = _names(a), _names(b)
        if renamed.get(old, old) != new:
            yield _Step(SIGNATURE, f"rename {_clip(old)} to {_clip(new)}")
    elif calls := _changed_calls(a, b, renamed):
        yield _Step(min(b.rank, FLOW), f"{_scope(b)}{calls}")
    elif all(op.src_end - op.src_start == op.dest_end - op.dest_start == 1 for op in runs):
        for op in runs:
            yield _swap(a, b, op.src_start, op.dest_start)
    elif rewritten := _rewritten(b, tokens):
        yield _Step(b.rank, f"{_scope(b)}{rewritten}")


def _names(unit: Unit) -> str:
    return " ".join(token for token, kind in zip(unit.tokens, unit.types, strict=True) if kind.endswith("identifier"))


def _swap(a: Unit, b: Unit, at: int, to: int) -> _Step:
    kind = "literal " if a.types[at].endswith("literal") else ""
    old, new = _contrast(a.tokens[at], b.tokens[to])
    text = f"change {kind}{old} to {new}"
    operator = not (a.tokens[at][:1].isalnum() or kind)
    return _Step(min(b.rank, FLOW), f"{text} in {_clip(a.label)}" if operator else _scope(b) + text)


def _changed_calls(a: Unit, b: Unit, renamed: dict[str, str]) -> str:
    """What `b` calls and `a` does not, or the other way round."""
    old = Counter(re.sub(r"\w+", lambda word: renamed.get(word[0], word[0]), call) for call in a.calls)
    gone, new = list((old - Counter(b.calls)).elements()), list((Counter(b.calls) - old).elements())
    if gone and new:
        return f"change call {_clip(gone[0])} to {_clip(new[0])}"
    if gone or new:
        return f"{'add' if new else 'remove'} call {_clip((new or gone)[0])}"
    return ""


def _rewritten(b: Unit, tokens: list[str]) -> str:
    """What went and what came; nothing where that is punctuation alone."""
    runs = _closed(tokens, b.tokens)
    gone, new = (_join(token for run in side for token in run) for side in zip(*runs, strict=True))
    if not (gone or new):
        return ""
    what = f"{_clip(gone)} to {_clip(new)}" if gone and new else f"{'add' if new else 'remove'} {_clip(new or gone)}"
    return f"change {_clip(b.label)}: {what}"


def _closed(old: Sequence[str], new: Sequence[str]) -> list[tuple[Sequence[str], Sequence[str]]]:
    """What went and what came, place by place; where that opens a bracket, up to the change that closes it."""
    places: list[list[slice]] = []
    for op in Levenshtein.opcodes(old, new):
        if op.tag == "equal":
            continue
        if places and (_is_open(old[places[-1][0]]) or _is_open(new[places[-1][1]])):
            a, b = places.pop()
            places.append([slice(a.start, op.src_end), slice(b.start, op.dest_end)])
        else:
            places.append([slice(op.src_start, op.src_end), slice(op.dest_start, op.dest_end)])
    return [(old[a], new[b]) for a, b in places]


def _is_open(tokens: Sequence[str]) -> bool:
    counts = Counter(tokens)
    return any(counts[opening] != counts[closing] for opening, closing in ("()", "[]", "{}"))


def _scope(unit: Unit) -> str:
    return "change signature: " if unit.type in ROLES else ""


def _join(tokens: Iterable[str]) -> str:
    """Tokens as one would write them; nothing where they are commas and brackets alone that are not a type's."""
    text = re.sub(r" ?([.()\[\]*&{}]) ?", r"\1", " ".join(tokens).strip(" ,;")).replace(" ,", ",")
    return text if text.strip(" ,;(){}") else ""


def _contrast(a: str, b: str) -> tuple[str, str]:
    """Both texts clipped, where they are long without most of the beginning that they share."""
    shared = next((at for at, (x, y) in enumerate(zip(a, b, strict=False)) if x != y), min(len(a), len(b)))
    start = max(0, shared - 8) if max(len(a), len(b)) > CLIP else 0
    dots = "..." if start else ""
    return _clip(dots + a[start:]), _clip(dots + b[start:])


def _clip(text: str, most: int = CLIP) -> str:
    line = " ".join(text.split())
    return line if len(line) <= most else line[: most - 3].rstrip() + "..."
