"""What a pull request says of itself, without the names, handles and addresses of people."""

from __future__ import annotations

from collections.abc import Iterator

from hrm_ray.collect import messages
from hrm_ray.collect.filters import Dropped
from hrm_ray.collect.github.nodes import Actor, Checked, Comment, Pull
from hrm_ray.collect.messages import People
from hrm_ray.collect.records import Issue, Request


def request(pull: Pull) -> Request:
    """Return it as it is recorded; `base_sha` is not yet that of the comparison.

    Raises:
        Dropped: nothing is left of its title.
    """
    people = People(name for name in _names(pull))
    title, body = _told(people, pull.title, pull.body)
    if not title:
        raise Dropped("pull request without a title")
    issues = pull.closing_issues_references.nodes if pull.closing_issues_references else []
    return Request(
        pull.number,
        title,
        body,
        pull.created_at,
        pull.merged_at,
        pull.base_ref_oid,
        pull.head_ref_oid,
        _is_program(pull.author, pull.head_ref_name),
        labels=tuple(label.name for label in (pull.labels.nodes if pull.labels else [])),
        issues=tuple(Issue(issue.number, *_told(people, issue.title, issue.body)) for issue in issues),
        ci=_ci(pull),
        comments=tuple(filter(None, (_told(people, "", said.body)[1] for said in _comments(pull)))),
    )


def _told(people: People, title: str, body: str) -> tuple[str, str]:
    """Title and body as those of a commit message, which is what a squash makes of them."""
    title, body = messages.problem(f"{title or '-'}\n\n{body}")
    return people.removed(title), people.removed(body)


def _ci(pull: Pull) -> str:
    """What the checks of the head came to, or else those of the commit that it was merged by."""
    checked: list[Checked] = [head.commit for head in (pull.commits.nodes if pull.commits else [])]
    checked += [pull.merge_commit] if pull.merge_commit else []
    return next((commit.status_check_rollup.state.lower() for commit in checked if commit.status_check_rollup), "")


def _names(pull: Pull) -> Iterator[str]:
    for person in [pull.author, *(pull.participants.nodes if pull.participants else [])]:
        if person and person.name:
            yield person.name


def _comments(pull: Pull) -> list[Comment]:
    """What people said, the oldest first."""
    said: list[Comment] = list(pull.comments.nodes if pull.comments else [])
    for review in pull.reviews.nodes if pull.reviews else []:
        said += [review, *review.comments.nodes]
    return sorted((each for each in said if not _is_program(each.author)), key=lambda each: each.created_at)


def _is_program(actor: Actor | None, branch: str = "") -> bool:
    """Whether a program wrote something, by its account or its branch."""
    return (actor is not None and actor.kind == "Bot") or messages.is_bot(actor.login if actor else "", branch)
