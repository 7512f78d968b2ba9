"""Takes secrets and personal data out of all texts of a pull request at once, so that a diff stays a diff.

What is found in one text is replaced in all, by the same placeholder: in the file before and after, and in the patch,
which may hold only some lines of a key. No placeholder has a line end, so that the lines stay as many.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace

from hrm_ray.collect import messages, personal, secrets
from hrm_ray.collect.records import ChangedFile, Issue, PullRequest, Request
from hrm_ray.collect.replacements import Replacements
from hrm_ray.collect.secrets.finding import Finding

SPOKEN = "text that names people"
"""What a title, body, label or comment is counted as that held trailers, addresses or handles."""


def scrubbed(pull_request: PullRequest, counts: Counter[str]) -> PullRequest:
    """Return it without secrets and personal data; `counts` counts what was found by kind, each thing once."""
    request, files = pull_request.pull_request, pull_request.files
    sources = [source for file in files for source in (file.content_before, file.content_after)]
    scrub = Replacements((*_in_go(files), *_in_texts(request)), sources)
    for kind in scrub.kinds:
        counts[kind] += 1
    told = _request(request, scrub)
    pairs = zip(_texts(request), _texts(told), strict=True)
    if named := sum(scrub(before).split() != after.split() for before, after in pairs):
        counts[SPOKEN] += named
    return replace(pull_request, pull_request=told, files=tuple(_file(file, scrub) for file in files))


def scrubbed_texts(go: Mapping[str, str], spoken: Mapping[str, str], counts: Counter[str]) -> dict[str, str]:
    """Return the texts that are known of a piece of Go, by name, without secrets and personal data.

    `go` holds source and `spoken` what people wrote about it; `counts` as above.
    """
    in_go = (found for source in go.values() for find in (secrets.find, personal.find) for found in find(source))
    in_spoken = (found for text in spoken.values() for found in secrets.find(text, spoken=True))
    scrub = Replacements((*in_go, *in_spoken), go.values())
    for kind in scrub.kinds:
        counts[kind] += 1
    plain = {name: scrub(text) for name, text in spoken.items()}
    told = {name: messages.cleared(text) for name, text in plain.items()}
    if named := sum(plain[name].split() != told[name].split() for name in told):
        counts[SPOKEN] += named
    return {name: scrub(text) for name, text in go.items()} | told


def _in_go(files: Iterable[ChangedFile]) -> Iterator[Finding]:
    for source in (source for file in files for source in _sources(file)):
        yield from secrets.find(source)
        yield from personal.find(source)


def _sources(file: ChangedFile) -> Iterator[str]:
    """Both sides of a file, and its patch without signs where that has a line that neither side has."""
    yield from (file.content_before, file.content_after)
    lines = {*file.content_before.splitlines(), *file.content_after.splitlines()}
    patch = [line[1:] for line in file.patch.splitlines() if line[:1] in "+- "]
    if not lines.issuperset(patch):
        yield "\n".join(patch)


def _in_texts(request: Request) -> Iterator[Finding]:
    for text in _texts(request):
        yield from secrets.find(text, spoken=True)


def _texts(request: Request) -> list[str]:
    told = [text for issue in request.issues for text in (issue.title, issue.body)]
    return [request.title, request.body, *request.labels, *told, *request.comments]


def _file(file: ChangedFile, scrub: Replacements) -> ChangedFile:
    before, after = scrub(file.content_before), scrub(file.content_after)
    return replace(file, patch=scrub(file.patch), content_before=before, content_after=after)


def _request(request: Request, scrub: Replacements) -> Request:
    def title(text: str) -> str:
        return messages.without_handles(scrub(text)).strip()

    def body(text: str) -> str:
        return messages.cleared(scrub(text))

    return replace(
        request,
        title=title(request.title),
        body=body(request.body),
        labels=tuple(map(title, request.labels)),
        issues=tuple(Issue(issue.number, title(issue.title), body(issue.body)) for issue in request.issues),
        comments=tuple(map(body, request.comments)),
    )
