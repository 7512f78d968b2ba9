"""Takes out of a message what forges, bots and templates left in it and what says nothing of the change."""

from __future__ import annotations

import re

_BLANKS = "".join(
    map(chr, [9, 11, 12, 13, 32, 0x85, 0xA0, 0x1680, *range(0x2000, 0x200C), 0x202F, 0x205F, 0x3000, 0xFEFF])
)
_CUT = re.compile(r"(?:…|\.\.\.)(?P<number>[ \t]*\([#!]\d{1,9}\))?\n\s*(?:…|\.\.\.)(?=[^\s.…])(?P<rest>.*)")
"""GitHub cuts a title after 72 characters and begins the body with the rest."""

_COMMENT = re.compile(r"<!--(?:.*?-->|.*)", re.DOTALL)
_BLOCKS = re.compile(
    r"^---\nupdated-dependencies:\n(?:.*\n)*?\.\.\.$"
    r"|^```release-note\s*(?i:none|n/?a|-)?\s*\n```$"
    r"|\ASummary:[ \t]*\n*"
    r"|^Automatic merge from submit-queue.*(?:\n.+)*"
    r"|(?:\A|(?<=\n\n))(?:[A-Za-z][\w-]*: .+\n)*(?:Change-Id|Reviewed-on): .+(?:\n[A-Za-z][\w-]*: .+)*\Z",
    re.MULTILINE,
)
"""Dependabot's list, a note that there is nothing to note, Phabricator's first heading, and footers among Gerrit's."""

_OWNER = re.compile(
    r"(\bMerge (?:remote-tracking )?(?:branch(?:es)?|tag|commit) '[^\n]{1,300}?') of [^\s'\"]+"
    r"|(\bMerge pull request [#!]\d{1,9}) from [^\s'\"]+"
    r"|(\bMerge remote-tracking branch ')[^\s/']+/"
)

_HEX = r"[\da-f]{7,64}"
_REFERENCE = r"(?:[\w./-]*[#!]\d+|https?://\S+/\d+/?|(?-i:(?!UTF|SHA|RFC|ISO)[A-Z][A-Z\d]+-\d+)|\b[\da-f]{7,40}\b)"
_REFERENCES = rf"(?:(?:issues?|bugs?|tickets?|pr|mr|cl) )?{_REFERENCE}(?:(?:,? and|,|;|,? &)? +{_REFERENCE})*+[.,;]?"
_FOOTERS = (
    r"see merge request:? \S+",
    "(?:change-id|reviewed-on|differential revision|maniphest tasks|gitorigin-revid|piperorigin-revid|git-svn-id"
    "|github-last-rev|github-pull-request|fbshipit-source-id|pr-url|(?:pull|merge)[- ]request(?:[- ]url)?"
    r"|related work items|jira issues|cq-depend|commit-queue|[\w-]+-commit):.*",
    r"test plan: *(?:none|n/?a|-)?\.?",
    "(?:future_)?copybara_integrate_review=.*",
    rf"[(\[]?cherry[- ]picked from (?=.*(?:{_HEX}|[#!]\d)).*",
    rf"(?:(?:clos|fix|resolv)(?:e|es|ed|ing)?|fixs|implements?|address(?:es)?):? {_REFERENCES}",
    rf"(?:for|updates?|refs?|see|see also|issues?|bugs?|related(?: to)?|relates to|part of):? {_REFERENCES}",
    r"[-*+] \[ ?\] .*",
    r"\[//\]: # \(.*\)",
    r"@?bors(?:-\w+|\[bot\])?:? (?:r[+=]|try|retry|merge|delegate|d[+=]|p=).*",
    "/(?:lgtm|approve|hold|unhold|wip|retest(?:-required)?|ok-to-test|close|reopen|assign|unassign|cc|uncc|skip|shrug"
    r"|release-note[\w-]*|remove-[\w-]+)(?: (?:cancel|no-issue|[@~%]\S+))*",
    "/(?:kind|area|sig|priority|triage|lifecycle|label|milestone|test|cherry-?pick|wg|committee|platform)"
    r"(?: [\w.:~%@\"/-]+){1,4}",
    r"merge in \S+ from \S+ to \S+",
    rf"commit {_HEX}",
    r"date: +\w{3} \w{3} +\d+ [\d:]+ \d{4} [+-]\d{4}",
    "squashed commit of the following:",
)
_LINES = re.compile(rf"^[ \t]*+(?:{'|'.join(_FOOTERS)})[ \t]*$\n?", re.MULTILINE | re.IGNORECASE)
_SHORTLOG = re.compile(r"^\* commit '\w+':\n((?:[ \t]+\S.*(?:\n|\Z))+)", re.MULTILINE)
"""What Bitbucket Server and `git merge --log` list."""
_COAUTHORS = re.compile(r"(?:(?<=\n\n)|\A)-{9}(?:\n|\Z)")
"""The line that GitHub draws before them."""
_HEADING = re.compile(r"(#{1,6}) .*|\*\*[^*]+\*\*:?|__[^_]+__:?")


def normal(message: str) -> str:
    """A message with line feeds and no blanks at the ends of its lines, and the cut title in one piece."""
    lines = message.replace("\r\n", "\n").replace("\r", "\n").split("\n")
    text = "\n".join(line.rstrip(_BLANKS) for line in lines).strip()
    return _CUT.sub(lambda cut: cut["rest"] + (cut["number"] or ""), text, count=1)


def without_remains(text: str) -> str:
    """A text of several lines, in the form of `normal`, without such remains; one without any stays as it is."""
    clean = without_owners(_BLOCKS.sub("", _COMMENT.sub("", text)))
    if "Squashed commit of the following:" in clean:
        clean = re.sub(r"^ {4}", "", clean, flags=re.MULTILINE)
    clean = _COAUTHORS.sub("", _LINES.sub("", _SHORTLOG.sub(_listed, clean)))
    clean = "\n".join(_filled(clean.split("\n")))
    return text if clean == text else clean


def without_owners(text: str) -> str:
    """Remove whose repository or branch it was from what git and forges say of merges."""
    return _OWNER.sub(lambda merge: next(filter(None, merge.groups())), text) if "Merge " in text else text


def _listed(log: re.Match[str]) -> str:
    return "".join(f"* {line.strip()}\n" for line in log[1].splitlines())


def _filled(lines: list[str]) -> list[str]:
    """The lines without headings that have an empty line, and then nothing of their own, below them."""
    kept: list[str] = []
    below = 0
    for line in reversed(lines):
        heading = _HEADING.fullmatch(line)
        depth = (len(heading[1]) if heading[1] else 7) if heading else 8
        if heading and below <= depth and not (kept and kept[-1]):
            continue
        below = depth if line else below
        kept.append(line)
    return kept[::-1]
