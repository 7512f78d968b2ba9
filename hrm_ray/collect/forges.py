"""The commit messages by which forges and merge bots name the pull request that a commit merged."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import NamedTuple

COUNTING = (
    "`Title (#12)`, `Merge pull request #12 from ...` (GitHub, Gitea, Bitbucket, Azure), `See merge request g/p!12` "
    "(GitLab), `Merged in ... (pull request #12)`, `Pull request #12: ...` (Bitbucket), `Merged PR 12: ...` (Azure), "
    "`Merge #12` (bors), `Auto merge of #12` (homu), `Reviewed-on:` or `Change-Id:` (Gerrit), "
    "`Differential Revision:` (Phabricator)"
)
"""The messages that announce a pull request, for people to read."""

MADE_UP = 10**9
"""Numbers from here on are not a forge's; its own have nine digits at most."""


class Announced(NamedTuple):
    """A pull request that a message names; `title` and `body` are as they stand, `title` may be empty."""

    form: str
    """GitHub, squash, GitLab, Bitbucket, Azure, Gitea, Gitee, bors, homu, Gerrit, Phabricator or other."""
    series: str
    """Numbers of one series do not repeat; GitHub's #12, GitLab's !12 and Azure's 12 are three pull requests."""
    number: int
    title: str
    body: str
    branch: str = ""
    sure: bool = True
    """False where the message of an ordinary commit may look the same: `(#12)` names an issue, too."""


_N = r"(?P<number>\d{1,9})"
_SUBJECTS = [
    (form, series, re.compile(pattern))
    for form, series, pattern in (
        ("GitHub", "#", rf"Merge pull request #{_N}(?: from (?P<branch>\S+)(?: into \S+)?(?: (?P<title>.*))?)?"),
        ("Gitea", "#", rf"Merge pull request '(?P<title>.*)' \([#!]{_N}\) from (?P<branch>\S+)(?: into \S+)?"),
        ("Bitbucket", "Bitbucket", rf"Merge pull request #{_N} in \S+ from (?P<branch>\S+) to \S+"),
        ("Bitbucket", "Bitbucket", rf"Merged in (?P<branch>\S+) \(pull request #{_N}\)"),
        ("Bitbucket", "Bitbucket", rf"Pull request #{_N}: (?P<title>.+)"),
        ("Azure", "Azure", rf"Merged PR {_N}: (?P<title>.+)"),
        ("Azure", "Azure", rf"Merge pull request {_N} from (?P<branch>\S+) into \S+"),
        ("bors", "#", r"Merge (?P<number>#\d{1,9}(?: #\d{1,9})*)"),
        ("homu", "#", rf"(?i:auto|rollup) merge of #{_N}(?: ?[-:] (?P<branch>[^\s,]+), r=(?!<try>).*)?"),
        ("other", "#", rf"Merge (?:(?i:pr|pull[- ]request) ?#?|(?:[\w.-]+/[\w.-]+)?#){_N}: (?P<title>.+)"),
    )
]
_SQUASH = re.compile(rf"(?P<title>.*\S)\s*\((?:PR )?(?P<series>[#!]){_N}\)")
_GITEE = re.compile(rf"!{_N} (?P<title>.+)")
_MERGE = re.compile(r"Merge (?:remote-tracking )?branch ['\"](?P<branch>[^'\"]+)['\"].*|Merge \"(?P<title>.+)\"")
_WRAPPED = re.compile(r"[a-z(`'\"\d]")
"""How a line begins that a title goes on in."""
_SECTION = re.compile(r"^(\d{1,9}): (.*?)(?<![ \t])[ \t]+r=\S*(?:[ \t]+a=\S*)?[ \t]*$", re.MULTILINE)
"""bors begins the description of each pull request of a batch with such a line."""

_FOOTERS = [
    (form, re.compile(rf"[ \t]*{pattern}[ \t]*", re.IGNORECASE))
    for form, pattern in (
        ("GitLab", r"See merge request:? (\S+)"),
        ("Gerrit", r"Reviewed-on: (\S+)"),
        ("Phabricator", r"Differential Revision: (\S+)"),
        ("other", r"(?:PR-URL|(?:Pull|Merge)[- ]Request(?:[- ]URL)?): (\S+)"),
        ("other", r"COPYBARA_INTEGRATE_REVIEW=(\S+).*"),
    )
]
_FOOTER = re.compile(r"[ \t]*[A-Za-z][\w-]*(?: [\w-]+){0,2}[ \t]*[:=].*|See merge request.*|\(cherry.picked from.*")
_FORMS = {("Gerrit", "#"): "Gitea", ("Gerrit", "!"): "GitLab"}
"""Who wrote a footer that two forges write, by the address in it."""
MOST_FOOTERS = 60
LONGEST_TITLE = 300
_HINTS = ("merge request", "eviewed-on", "Differential ", "-URL:", "equest:", "est URL:", "COPYBARA", "Approved by: ")
_APPROVED = re.compile(r"^Closes: #(\d{1,9})\nApproved by: \S+\s*\Z", re.MULTILINE)
_CHANGE = re.compile(r"[ \t]*Change-Id: I([\da-f]{8,40})[ \t]*")
_REFERENCES = [
    (series, re.compile(pattern))
    for series, pattern in (
        ("#", r".*/(?:pulls?|pull-?requests?)/(\d{1,9})\b.*|[\w./-]*#(\d{1,9})"),
        ("!", r".*/merge_requests/(\d{1,9})\b.*|[\w./-]*!(\d{1,9})"),
        ("D", r"(?:.*/)?D(\d{1,9})"),
        ("+", r"https?://.*?/(?:c/|.*/\+/)?(\d{1,9})(?:/\d*)?/?"),
    )
]


def announced(message: str) -> tuple[Announced, ...]:
    """The pull requests that a commit with this message merged, several only where a bot tested them together.

    Lines end with a line feed, and empty ones are empty.
    """
    first, _, rest = message.partition("\n")
    if found := _merged(first, rest) or _reviewed(first, rest) or _numbered(first, rest):
        return found
    paragraph, _, rest = message.partition("\n\n")
    return _numbered(" ".join(paragraph.split("\n")), rest) or _changed(first, message)


def _merged(subject: str, rest: str) -> tuple[Announced, ...]:
    """By a subject that nobody but a forge writes."""
    if subject[:1] not in "AMPRamr":
        return _gitee(subject, rest)
    for form, series, pattern in _SUBJECTS:
        if found := pattern.fullmatch(subject):
            parts = {"branch": "", "title": ""} | {name: text or "" for name, text in found.groupdict().items()}
            if form == "bors":
                numbers = map(int, re.findall(r"\d+", parts["number"]))
                return tuple(Announced(form, series, number, *_section(number, rest)) for number in numbers)
            branch = _without_owner(form, parts["branch"])
            return (Announced(form, series, int(parts["number"]), parts["title"], rest, branch),)
    return ()


def _gitee(subject: str, rest: str) -> tuple[Announced, ...]:
    merge, _, body = rest.lstrip().partition("\n")
    if (found := _GITEE.fullmatch(subject)) and merge.startswith(f"Merge pull request !{found['number']} from "):
        return (Announced("Gitee", "!", int(found["number"]), found["title"], body),)
    return ()


def _reviewed(first: str, rest: str) -> tuple[Announced, ...]:
    """By a footer with the number or the address of what was reviewed."""
    for form, series, number in _references(rest):
        title, body = _title(first, rest)
        if (squash := _SQUASH.fullmatch(title)) and int(squash["number"]) == number:
            title = squash["title"]
        merge = _MERGE.fullmatch(title)
        branch, title = (merge["branch"] or "", merge["title"] or "") if merge else ("", title)
        return (Announced(form, series, number, title, body, branch),)
    return ()


def _numbered(subject: str, rest: str) -> tuple[Announced, ...]:
    if found := _SQUASH.fullmatch(subject):
        series, number = found["series"], int(found["number"])
        return (Announced("squash", series, number, found["title"], rest, sure=False),)
    return ()


def _changed(first: str, message: str) -> tuple[Announced, ...]:
    """By Gerrit's name of a change, of which a number is made where Gerrit did not write it."""
    for line in _footers(message):
        if found := _CHANGE.fullmatch(line):
            number = MADE_UP + int(found[1], 16) % MADE_UP
            return (Announced("Gerrit", "Change-Id", number, *_title(first, message.partition("\n")[2]), sure=False),)
    return ()


def _title(first: str, rest: str) -> tuple[str, str]:
    """The title, which may go on in the lines below it, and what follows."""
    while len(first) < LONGEST_TITLE and not first.endswith((".", ":")) and _WRAPPED.match(rest):
        more, _, rest = rest.partition("\n")
        first = f"{first} {more}"
    return first, rest


def _section(number: int, body: str) -> tuple[str, str]:
    """The title and body of one pull request of those that bors merged together."""
    _, *parts = _SECTION.split(body)
    sections = {int(parts[at]): (parts[at + 1], parts[at + 2]) for at in range(0, len(parts), 3)}
    return sections.get(number, ("", "" if sections else body))


def _without_owner(form: str, branch: str) -> str:
    """A branch as its repository calls it: GitHub writes `owner/branch`, homu `owner:branch`, Gitea `o/n:branch`."""
    if form in ("GitHub", "homu"):
        return re.split("[/:]", branch, maxsplit=1)[-1]
    return branch.rpartition(":")[2]


def _references(body: str) -> Iterator[tuple[str, str, int]]:
    """Form, series and number of what footers name, the last first."""
    if not any(hint in body for hint in _HINTS):
        return
    if found := _APPROVED.search(body):
        yield "homu", "#", int(found[1])
    for line in _footers(body):
        for form, footer in _FOOTERS:
            if named := footer.fullmatch(line):
                for series, number in _reference(named[1]):
                    yield _FORMS.get((form, series), form), series, number


def _reference(text: str) -> list[tuple[str, int]]:
    """The series and the number in a reference, or nothing."""
    read = ((series, form.fullmatch(text)) for series, form in _REFERENCES)
    return [(series, int(next(filter(None, found.groups())))) for series, found in read if found][:1]


def _footers(body: str) -> Iterator[str]:
    """The lines at a message's end that are no prose, the last first."""
    for line in reversed(body.rstrip().split("\n")[-MOST_FOOTERS:]):
        if line.strip():
            if not _FOOTER.fullmatch(line):
                return
            yield line
