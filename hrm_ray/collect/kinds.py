"""Pull requests that teach nothing new - reverts, releases and backports - told by what they say of themselves.

Labels are not asked: `backport` marks the change that is to be copied as often as the copy.
"""

from __future__ import annotations

import re

_LONGEST_TITLE = 300
"""GitHub's end at 256 characters; a commit's first line may have any length, and time grows with its square."""

_TAG = re.compile(r"[\[(](?P<tag>[^\])]{1,60})[\])]:?\s*")
_SCOPE = r"(?:[^\s:]{1,60}:\s+)?"
_BRANCH = (
    r"(?:(?:(?:release|rel|branch|stable|maint)[-_/ ]?)?v?\d+(?:\.(?:\d+|x))+(?:[-/][\w.]+)?"
    r"|[\w-]*-branch\.[a-z]*\d+(?:\.\d+)+|\d+(?:-\d+)+-stable)"
)
_LINE = r"(?:(?:release|rel|branch|stable|maint)[-_/ ]?v?\d+(?:\.(?:\d+|x))+|v?\d+(?:\.\d+)*\.x)"
"""A branch for sure: a bare `1.18` may be a version of Go."""
_COPY = r"(?:back[- ]?port|cherry[- ]?pick)(?:s|ed|ing)?\b"

_ID = r"(?<!\w)(?:[#!]\d|D\d{2}|(?=[a-f]*\d)[\da-f]{7,40}\b)"
_REVERT = re.compile(
    rf"{_SCOPE}(?:partial(?:ly)? |temporarily )?revert(?:s|ed|ing)?(?:\s*:|\s+[\"'`\u201c]|\s+\d{{3}}"
    rf"|(?!-)\b.*(?:{_ID}|\b(?:pr|cl|pull request|commit|change|merge)s?\b))"
    rf"|{_SCOPE}(?:automated )?(?:back(?:s|ed|ing)? out|roll(?:s|ed|ing)?[- ]?back)(?:\s+of)?"
    rf"\s+(?:[\"'`\u201c]|{_ID}|(?:changeset|changelist|cl|commit|pr)\b)",
    re.IGNORECASE,
)
"""It names what it undoes: a feature may revert something, too."""
_UNDOES = re.compile(
    r"(?:this )?reverts (?:(?:commit|change|pull request|pr|merge request|mr) )?(?:[\w./-]*[#!]\d|D\d|I?[\da-f]{7})"
    r"|(?:this )?reverts (?:pull request|pr|merge request|mr|cl|changelist) \d|original commit changeset: ",
    re.IGNORECASE,
)
_UNDOING_BRANCH = re.compile(r"revert-(?:\d+-|pr-\d|[\da-f]{7,40}\b)")

_COPY_TAG = re.compile(rf"{_BRANCH}|(?:[\w./ -]*\W)?{_COPY}.*", re.IGNORECASE)
_COPIED = re.compile(
    rf"{_LINE}:|{_BRANCH}\s+{_COPY}|{_SCOPE}(?:automated |manual )?{_COPY}"
    rf"(?:\s*:|\s+of\b|\s+\d{{3}}|.*(?:{_ID}|\b(?:to|for|on|onto|into)\s+['\"`]?{_BRANCH}))|Merged PR \d+:",
    re.IGNORECASE,
)
_COPIES = re.compile(
    rf"(?:this )?(?:is )?(?:an? )?(?:automated |manual |clean )?{_COPY}(?: of| from)?"
    r" (?:pr |pull request |mr )?[\w./-]*[#!]\d",
    re.IGNORECASE,
)
"""How a body begins that says of which pull request it is a copy."""
_COPY_END = re.compile(rf"[\[(]{_COPY}[^\])]*[\])]\s*\Z", re.IGNORECASE)
_COPY_BRANCH = re.compile(
    r"(?:automated-)?cherry-?pick-|backport[-_/]|mergify/bp/|\d+(?:\.(?:\d+|x))+_backport", re.IGNORECASE
)

_VERSION = re.compile(r"v?\d+(?:\.(?:\d+|x))+(?:[-+.~]?[\w.+-]*\w)?", re.IGNORECASE)
_WORD = re.compile(r"[^\W\d_]+|#\d+")
_JARGON = re.compile(
    r"a|add|alpha|and|back|beta|branch(?:es)?|bumps?|candidate|change|changelog|chore|cut|cycle|dev(?:elopment)?"
    r"|final|for|forward|from|git|in|interim|into|main|major|master|merges?|minor|next|new|notes|of|on|patch|post|pre"
    r"|prepares?|prerelease|publish|rc|released?|releases|set|start|sync|tag|the|to|up|updated?|v|versions?",
    re.IGNORECASE,
)
_DEED = re.compile(r"\b(?:bumps?|prepares?|cut|tag|publish|notes|changelog)\b", re.IGNORECASE)


def kind(title: str, body: str, branch: str = "") -> str:
    """Return `reverts` (of a backported one too), `releases`, `backports` or nothing; `branch` is its own, if known."""
    title = title[:_LONGEST_TITLE]
    tags, said = _untagged(title)
    if _REVERT.match(said) or _UNDOES.match(body) or _UNDOING_BRANCH.match(branch):
        return "reverts"
    if any(map(_COPY_TAG.fullmatch, tags)) or _COPIED.match(said) or _COPY_END.search(said):
        return "backports"
    if _COPY_BRANCH.match(branch) or _COPIES.match(body):
        return "backports"
    return "releases" if _is_release(title) else ""


def _untagged(title: str) -> tuple[list[str], str]:
    """The tags before a title, as in `[release-1.2] Fix it`, and the rest of it."""
    tags, at = [], 0
    while found := _TAG.match(title, at):
        tags.append(found["tag"])
        at = found.end()
    return tags, title[at:]


def _is_release(title: str) -> bool:
    """Whether a title speaks of a version and a release, and of nothing else."""
    bare, versions = _VERSION.subn(" ", title)
    return all(map(_JARGON.fullmatch, _WORD.findall(bare))) and (versions > 0 or _DEED.search(bare) is not None)
