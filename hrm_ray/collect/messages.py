"""What a commit message says of a pull request, without the names and addresses of people."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence

from hrm_ray.collect import forges
from hrm_ray.collect.remains import normal, without_owners, without_remains

# Possessive, and begun only where a word or a run of blanks begins, so that no message takes quadratic time.
_ADDRESS = r"(?<![\w.+-])(?!git@)[\w.+-]++@[\w-]+(?:\.[\w-]+)*\.[A-Za-z]{2,}(?![\w-])"
_DEED = (
    r"(?:[\w-]+-by|(?:co-?)?(?:acked|approved|authored|merged|reported|requested|reviewed|signed off|submitted"
    r"|suggested|tested) by)"
)
_TRAILERS = re.compile(
    rf"^(?:[ \t>*-]*+{_DEED}[ \t]*:|[ \t]*[\w-]++:.*{_ADDRESS}).*(?:\n|\Z)", re.MULTILINE | re.IGNORECASE
)
_PERSONS = re.compile(
    rf"(?<![ \t])[ \t]*+(?:(?:(?<![\w.'-])[^\W\d_a-z][\w.'-]*+[ \t]++){{0,3}}<[^<>@\s]++@[^<>@\s]++>|{_ADDRESS})"
)
_WORDS = r"[^\W\d_a-z][\w.'-]*+(?:[ \t]++[^\W\d_a-z][\w.'-]*+){1,3}"
_NAME = rf"(?:{_WORDS}|[@#]?[\w./+-]++)(?:[ \t]*[(<][^()<>\n]*[)>])?"
_PEOPLE = re.compile(
    r"^[ \t]*(?i:/?cc|ping|ptal)[: \t]+(?:@[\w./-]++[ \t,;]*+)++$\n?"
    r"|^[ \t]*(?i:(?:co-?)?authors?|cc|reviewers?|assignees?|approvers?|committers?|maintainers?|testers?|subscribers?"
    rf"|contributors?|tbr)[ \t]*[:=][ \t]*(?:{_NAME}(?:(?:[ \t]*[,;]|[ \t]+and)[ \t]+{_NAME})*+[,;.]?)?[ \t]*$\n?",
    re.MULTILINE,
)
"""Lines of nothing but names; `Author: rename it` is prose."""
_RULE = re.compile(r"[ \t]*(?:-{3,}|\*{3,}|_{3,})?[ \t]*")
_MENTION = re.compile(r"(?<![\w/.@`-])@(?!v?\d)[A-Za-z\d][\w-]*+(?:/[\w-]+)?")
_WORD = re.compile(r"\w+")

_BOT = re.compile(r"\[bot\]|\b(?:ro)?bot\b|dependabot|renovate|greenkeeper|fossabot|imgbot|^snyk", re.IGNORECASE)
_BOT_BRANCH = re.compile(r"dependabot\b|renovate\b|greenkeeper\b|snyk-", re.IGNORECASE)


def number(message: str) -> int | None:
    """The first pull request that a commit's message, or its subject alone, announces."""
    found = forges.announced(normal(message))
    return found[0].number if found else None


def problem(message: str, number: int | None = None) -> tuple[str, str]:
    """Title and body of the pull request that the commit with this message merged; the title may be empty.

    `number` says which one, where the message announces several.
    """
    message = normal(message)
    found = forges.announced(message)
    merge = next((each for each in found if each.number == number), found[0] if found else None)
    title, body = (merge.title, merge.body) if merge else _paragraphs(message)
    if not title:
        title, body = _first(_without_names(without_remains(body.strip())))
    title = without_owners(title or _spoken(merge.branch if merge else "")).strip()
    body = without_remains(body.strip())
    first, _, rest = body.partition("\n")
    repeated = first == f"* {title}" or (first == title and rest)
    return _shrunk(without_handles(title)), _without_trailers(rest if repeated else body)


def story(title: str, commits: Sequence[str]) -> str:
    """The body of a merge that has none, from the messages of its branch, the oldest first, as GitHub's squash does."""
    told = []
    for message in commits:
        subject, rest = _paragraphs(normal(message))
        head = "" if subject == title else f"* {subject}" if len(commits) > 1 else subject
        told += [part for part in (head, without_remains(rest)) if part]
    return _without_trailers("\n\n".join(told))


def branch(message: str) -> str:
    """The branch that a merge names, without its owner; empty for a squash."""
    found = forges.announced(normal(message))
    return found[0].branch if found else ""


def without_people(text: str) -> str:
    """Remove trailers such as `Signed-off-by: ...`, e-mail addresses and the names directly before them."""
    return _shrunk(_PERSONS.sub("", _TRAILERS.sub("", text)))


def without_handles(text: str) -> str:
    """Remove e-mail addresses and the names directly before them, and make `@user` of the handles of people."""
    if "@" not in text:
        return text
    return _MENTION.sub("@user", _PERSONS.sub("", text))


def cleared(body: str) -> str:
    """Remove from a text of several lines also its trailers and what tools left; other texts stay as they are."""
    text = normal(body)
    clean = _without_trailers(without_remains(text))
    return body if clean == _spaced(text) else clean


class People:
    """The names of everyone who wrote or committed something in a clone, to be taken out of its texts."""

    def __init__(self, names: Iterable[str]) -> None:
        self._names: dict[str, list[list[str]]] = {}
        """Full names, each as its words, by their first word; a single word may mean anything."""
        for name in names:
            words = _WORD.findall(name)
            if len(name.split()) > 1 and sum(not word.islower() for word in words) > 1:
                self._names.setdefault(words[0], []).append(words)

    def removed(self, text: str) -> str:
        """The text without their full names."""
        found = list(_WORD.finditer(text))
        words = [word[0] for word in found]
        kept, end = [], 0
        for at, word in enumerate(words):
            spoken = [name for name in self._names.get(word, ()) if words[at : at + len(name)] == name]
            if spoken and found[at].start() >= end:
                kept.append(text[end : found[at].start()].rstrip(" \t"))
                end = found[at + max(map(len, spoken)) - 1].end()
        return _shrunk("".join([*kept, text[end:]]))


def is_bot(author: str, branch: str = "") -> bool:
    """Whether the author of a change (name and address) is a program, or its branch one that a program made."""
    return _BOT.search(author) is not None or _BOT_BRANCH.match(branch) is not None


def _first(body: str) -> tuple[str, str]:
    """The title that a merge's text begins with, and the rest; a list of several commits has none."""
    first, _, rest = body.strip().partition("\n")
    item = first.removeprefix("* ")
    return ("", body) if item != first and "\n* " in body else (item, rest)


def _without_names(text: str) -> str:
    return _PEOPLE.sub("", _TRAILERS.sub("", text))


def _without_trailers(text: str) -> str:
    return _shrunk(without_handles(_without_names(text)))


def _shrunk(text: str) -> str:
    """The text without runs of empty lines, and without a rule at its ends."""
    lines = _spaced(text).split("\n")
    written = [at for at, line in enumerate(lines) if not _RULE.fullmatch(line)]
    return "\n".join(lines[written[0] : written[-1] + 1]) if written else ""


def _spaced(text: str) -> str:
    return re.sub(r"\n{3,}", "\n\n", text).strip()


def _paragraphs(message: str) -> tuple[str, str]:
    """The first paragraph on one line, which git calls the subject, and the rest."""
    first, _, rest = message.partition("\n\n")
    return " ".join(first.split("\n")), rest.strip()


def _spoken(branch: str) -> str:
    """A branch name as GitHub makes a title of it: `fix-the_thing` is `Fix the thing`."""
    words = re.sub(r"[-_]+", " ", branch).strip()
    return words[:1].upper() + words[1:]
