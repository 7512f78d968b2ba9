"""Keys, tokens and passwords in a text."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from functools import cache

from ahocorasick_rs import AhoCorasick, Implementation

from hrm_ray.collect.secrets import gitleaks, names
from hrm_ray.collect.secrets.drawn import is_random
from hrm_ray.collect.secrets.finding import Finding
from hrm_ray.collect.secrets.forms import FORMS, Form
from hrm_ray.collect.secrets.places import KUBERNETES, PLACES, in_kubernetes_secrets

AnyForm = Form | gitleaks.Rule

_BEGIN = re.compile(
    r"-----BEGIN [A-Z\d ]{0,40}PRIVATE KEY(?: BLOCK)?-----(?P<key>(?:[\w+/=\s\"'`\\,:.!$]|-(?!----))*+)", re.ASCII
)
_KEY_LINE = re.compile(r"\\[nrt]|(?P<secret>[\w+/.!$-]{16,}={0,2})", re.ASCII)
_PRIVATE_KEY = "private key"
_CAPITALS = re.compile(r"[A-Z]+")


def find(text: str, spoken: bool = False) -> Iterator[Finding]:
    """Yield the secrets of Go source, or of what people say (`spoken`), each once, as the kind that says most of it."""
    found: dict[str, Finding] = {}
    for finding in _all(text, spoken):
        if found.setdefault(finding.text, finding) is finding:
            yield finding


def _all(text: str, spoken: bool) -> Iterator[Finding]:
    starts = _starts(text)
    forms = {rank: form for literal in starts for rank, form in _forms().get(literal, ())}
    taken = set[int]()
    for _, form in sorted(forms.items()):
        for part in _parts(text, starts, form):
            for at, finding in form.find(text, *part):
                if at not in taken:
                    taken.add(at)
                    yield finding
    if _PRIVATE_KEY in starts:
        yield from _private_keys(text)
    named = names.find(text, _sorted(starts, names.LITERALS), is_go=not spoken)
    for start, end in (*named, *in_kubernetes_secrets(text, _sorted(starts, KUBERNETES))):
        yield Finding.of("password", text[start:end])


def _private_keys(text: str) -> Iterator[Finding]:
    """The lines of private keys one by one, for a patch may hold only some of them."""
    for block in _BEGIN.finditer(text):
        for line in _KEY_LINE.finditer(block["key"]):
            if line["secret"] and is_random(line["secret"]):
                yield Finding.of("private key", line["secret"])


@cache
def _forms() -> dict[str, list[tuple[int, AnyForm]]]:
    """All forms with their ranks, by each of their literals in small letters."""
    forms: dict[str, list[tuple[int, AnyForm]]] = {}
    ranked: tuple[AnyForm, ...] = (*FORMS, *PLACES, *gitleaks.rules())
    for rank, form in enumerate(ranked):
        for literal in form.literals:
            forms.setdefault(literal.lower(), []).append((rank, form))
    return forms


@cache
def _search() -> tuple[AhoCorasick, list[str]]:
    literals = sorted({*_forms(), *names.LITERALS, *KUBERNETES, _PRIVATE_KEY})
    return AhoCorasick(literals, implementation=Implementation.DFA), literals


def _starts(text: str) -> dict[str, list[int]]:
    """Where each literal begins that is in the text, in letters of any size."""
    small = text.lower()
    if len(small) != len(text):
        small = _CAPITALS.sub(lambda capitals: capitals[0].lower(), text)
    search, literals = _search()
    starts: dict[str, list[int]] = {}
    for index, start, _ in search.find_matches_as_indexes(small, overlapping=True):
        starts.setdefault(literals[index], []).append(start)
    return starts


def _sorted(starts: dict[str, list[int]], literals: Iterable[str]) -> list[int]:
    return sorted(at for literal in literals for at in starts.get(literal, ()))


def _parts(text: str, starts: dict[str, list[int]], form: AnyForm) -> Iterator[tuple[int, int]]:
    """The lines that may hold a secret of this form, those that follow one another as one part."""
    found = [(literal, at) for literal in form.literals for at in starts.get(literal.lower(), ())]
    end = -1
    for at in sorted(at for literal, at in found if literal.islower() or text.startswith(literal, at)):
        if at < end:
            continue
        begin, end = text.rfind("\n", 0, at) + 1, at - 1
        for _ in range(form.lines):
            end = text.find("\n", end + 1)
            if end < 0:
                end = len(text)
                break
        yield begin, end
