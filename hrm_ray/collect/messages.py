"""What a commit message says of a pull request, without the names and addresses of people."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence

_SQUASH = re.compile(r"(?P<title>.*\S)\s*\(#(?P<number>\d{1,9})\)")
_MERGE = re.compile(r"Merge pull request #(?P<number>\d{1,9})(?: from (?P<branch>\S+)(?: (?P<title>.*))?)?")

# Possessive, and begun only where a word or a run of blanks begins, so that no message takes quadratic time.
_ADDRESS = r"(?<![\w.+-])(?!git@)[\w.+-]++@[\w-]+(?:\.[\w-]+)*\.[A-Za-z]{2,}(?![\w-])"
_DEED = r"(?:[\w-]+-by|(?:co-?)?(?:authored|signed off|reviewed|reported|suggested|tested|requested|approved) by)"
_TRAILERS = re.compile(
    rf"^(?:[ \t>*-]*+{_DEED}[ \t]*:|[ \t]*[\w-]++:.*{_ADDRESS}).*(?:\n|\Z)", re.MULTILINE | re.IGNORECASE
)
_PERSONS = re.compile(
    rf"(?<![ \t])[ \t]*+(?:(?:(?<![\w.'-])[^\W\d_a-z][\w.'-]*+[ \t]++){{0,3}}<[^<>@\s]++@[^<>@\s]++>|{_ADDRESS})"
)
_MENTION = re.compile(r"(?<![\w/.@`-])@(?!v?\d)[A-Za-z\d][\w-]*+(?:/[\w-]+)?")
_WORD = re.compile(r"\w+")
_CUT = "\N{HORIZONTAL ELLIPSIS}"

_BOT = re.compile(r"\[bot\]|\b(?:ro)?bot\b|dependabot|renovate|greenkeeper|fossabot|imgbot|^snyk", re.IGNORECASE)
_BOT_BRANCH = re.compile(r"dependabot\b|renovate\b|greenkeeper\b|snyk-", re.IGNORECASE)


def number(subject: str) -> int | None:
    """The pull request that a commit's first line announces: `title (#123)` or `Merge pull request #123 from x/y`."""
    found = _MERGE.fullmatch(subject) or _SQUASH.fullmatch(subject)
    return int(found["number"]) if found else None


def problem(message: str) -> tuple[str, str]:
    """Title and body of the pull request that the commit with this message merged; the title may be empty."""
    subject, rest = _paragraphs(message)
    if (merge := _MERGE.fullmatch(subject)) is None:
        squash = _SQUASH.fullmatch(subject)
        title = squash["title"] if squash else subject
    else:
        title = merge["title"] or ""
        if not title:
            title, _, rest = rest.partition("\n")
        title = title or _spoken(_branch(merge))
    if title.endswith(_CUT) and rest.lstrip().startswith(_CUT):
        tail, _, rest = rest.lstrip().partition("\n")
        title = title[:-1] + tail[1:]
    return _shrunk(without_handles(title)), _shrunk(without_handles(_TRAILERS.sub("", rest)))


def story(title: str, commits: Sequence[str]) -> str:
    """The body of a merge that has none, from the messages of its branch, the oldest first, as GitHub's squash does."""
    told = []
    for message in commits:
        subject, rest = _paragraphs(message)
        head = "" if subject == title else f"* {subject}" if len(commits) > 1 else subject
        told += [part for part in (head, rest) if part]
    return _shrunk(without_handles(_TRAILERS.sub("", "\n\n".join(told))))


def branch(message: str) -> str:
    """The branch that a merge names, without its owner; empty for a squash."""
    merge = _MERGE.fullmatch(_paragraphs(message)[0])
    return _branch(merge) if merge else ""


def without_people(text: str) -> str:
    """Remove trailers such as `Signed-off-by: ...`, e-mail addresses and the names directly before them."""
    return _shrunk(_PERSONS.sub("", _TRAILERS.sub("", text)))


def without_handles(text: str) -> str:
    """Remove e-mail addresses and the names directly before them, and make `@user` of the handles of people."""
    if "@" not in text:
        return text
    return _MENTION.sub("@user", _PERSONS.sub("", text))


def cleared(body: str) -> str:
    """Remove from a text of several lines also its trailers; one that says nothing of people stays as it is."""
    clean = without_handles(_TRAILERS.sub("", body))
    return body if clean == body else _shrunk(clean)


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


def _shrunk(text: str) -> str:
    return re.sub(r"\n{3,}", "\n\n", text).strip()


def _paragraphs(message: str) -> tuple[str, str]:
    """The first paragraph on one line, which git calls the subject, and the rest."""
    first, _, rest = message.replace("\r\n", "\n").strip().partition("\n\n")
    return " ".join(first.split("\n")), rest.strip()


def _branch(merge: re.Match[str]) -> str:
    return re.split("[/:]", merge["branch"] or "", maxsplit=1)[-1]


def _spoken(branch: str) -> str:
    """A branch name as GitHub makes a title of it: `fix-the_thing` is `Fix the thing`."""
    words = re.sub(r"[-_]+", " ", branch).strip()
    return words[:1].upper() + words[1:]
