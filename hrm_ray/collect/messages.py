"""What a commit message says of a pull request, without the names and addresses of people."""

from __future__ import annotations

import re
from collections.abc import Sequence

_SQUASH = re.compile(r"(?P<title>.*\S)\s*\(#(?P<number>\d{1,9})\)")
_MERGE = re.compile(r"Merge pull request #(?P<number>\d{1,9}) from (?P<branch>\S+)(?: (?P<title>.*))?")

_ADDRESS = r"(?<![\w.+-])(?!git@)[\w.+-]+@[\w-]+(?:\.[\w-]+)*\.[A-Za-z]{2,}(?![\w-])"
_TRAILERS = re.compile(rf"^[ \t]*[\w-]+(?:-by:|:.*{_ADDRESS}).*(?:\n|\Z)", re.MULTILINE | re.IGNORECASE)
_PERSONS = re.compile(rf"[ \t]*(?:(?:[A-Z][\w.'-]*[ \t]+){{0,3}}<{_ADDRESS}>|{_ADDRESS})")
_CUT = "\N{HORIZONTAL ELLIPSIS}"

_BOT = re.compile(r"\[bot\]|\b(?:ro)?bot\b|dependabot|renovate|greenkeeper|^snyk", re.IGNORECASE)


def number(subject: str) -> int | None:
    """The pull request that a commit's first line announces: `title (#123)` or `Merge pull request #123 from x/y`."""
    found = _MERGE.fullmatch(subject) or _SQUASH.fullmatch(subject)
    return int(found["number"]) if found else None


def problem(message: str) -> tuple[str, str]:
    """Title and body of the pull request that the commit with this message merged."""
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
    return without_people(title), without_people(rest)


def story(title: str, commits: Sequence[str]) -> str:
    """The body of a merge that has none, from the messages of its branch, the oldest first, as GitHub's squash does."""
    told = []
    for message in commits:
        subject, rest = _paragraphs(message)
        head = "" if subject == title else f"* {subject}" if len(commits) > 1 else subject
        told += [part for part in (head, rest) if part]
    return without_people("\n\n".join(told))


def branch(message: str) -> str:
    """The branch that a merge names, without its owner; empty for a squash."""
    merge = _MERGE.fullmatch(_paragraphs(message)[0])
    return _branch(merge) if merge else ""


def without_people(text: str) -> str:
    """Remove trailers such as `Signed-off-by: ...`, e-mail addresses and the names directly before them."""
    return re.sub(r"\n{3,}", "\n\n", _PERSONS.sub("", _TRAILERS.sub("", text))).strip()


def is_bot(*names: str) -> bool:
    """Whether one of the names of an author or branch is a program's."""
    return any(_BOT.search(name) for name in names)


def _paragraphs(message: str) -> tuple[str, str]:
    """The first paragraph on one line, which git calls the subject, and the rest."""
    first, _, rest = message.replace("\r\n", "\n").strip().partition("\n\n")
    return " ".join(first.split("\n")), rest.strip()


def _branch(merge: re.Match[str]) -> str:
    return re.split("[/:]", merge["branch"], maxsplit=1)[-1]


def _spoken(branch: str) -> str:
    """A branch name as GitHub makes a title of it: `fix-the_thing` is `Fix the thing`."""
    words = re.sub(r"[-_]+", " ", branch).strip()
    return words[:1].upper() + words[1:]
