"""The REST answers of the small GitHub, in the full form that GitHub's own description gives them."""

from __future__ import annotations

import base64
import re
from dataclasses import dataclass
from typing import Any

from githubkit_schemas.latest import models

from tests.collect.github.world import Change, Repo, World, object_id

Json = Any

URL = "https://api.github.example/x"
ADDRESSES = (
    "url html_url archive_url assignees_url blobs_url branches_url collaborators_url comments_url commits_url"
    " compare_url contents_url contributors_url deployments_url downloads_url events_url forks_url git_commits_url"
    " git_refs_url git_tags_url issue_comment_url issue_events_url issues_url keys_url labels_url languages_url"
    " merges_url milestones_url notifications_url pulls_url releases_url stargazers_url statuses_url subscribers_url"
    " subscription_url tags_url teams_url trees_url hooks_url git_url ssh_url clone_url svn_url mirror_url"
)
OF_USERS = (
    "avatar_url url html_url followers_url following_url gists_url starred_url subscriptions_url organizations_url"
    " repos_url events_url received_events_url"
)


class NotThere(Exception):  # noqa: N818 - nothing is wrong
    """GitHub answers 404."""


@dataclass(frozen=True)
class Answer:
    """`form` is the type that GitHub's description gives the answer."""

    data: Json
    form: Any
    more: bool = False


def answer(world: World, path: str, query: dict[str, str]) -> Answer:
    """What GitHub says at a path, without its leading slash."""
    for pattern, route in _ROUTES:
        if found := re.fullmatch(pattern, path):
            return route(world, query, *found.groups())
    raise NotThere


def _user(login: str) -> Json:
    plain = {"login": login, "id": 1, "node_id": "u", "gravatar_id": "", "type": "User", "site_admin": False}
    return plain | dict.fromkeys(OF_USERS.split(), URL)


def _repository(world: World, repo: Repo, alone: bool = False) -> Json:
    owner, name = repo.full_name.split("/")
    counts = "forks_count stargazers_count watchers_count size open_issues_count forks open_issues watchers id"
    marks = "private has_issues has_projects has_wiki has_pages has_discussions disabled"
    license_ = repo.license and {"key": repo.license.lower(), "name": repo.license, "spdx_id": repo.license}
    about = {
        **dict.fromkeys(ADDRESSES.split(), URL), **dict.fromkeys(counts.split(), 0),
        **dict.fromkeys(marks.split(), False),
        "node_id": "r", "name": name, "full_name": repo.full_name, "owner": _user(owner), "description": None,
        "fork": bool(repo.fork_of), "archived": repo.archived, "homepage": None, "language": repo.language,
        "stargazers_count": repo.stars, "default_branch": "main", "created_at": "2020-01-01T00:00:00Z",
        "updated_at": "2020-01-01T00:00:00Z", "pushed_at": "2020-01-01T00:00:00Z",
        "license": license_ and license_ | {"url": URL, "node_id": "l"},
    }  # fmt: skip
    if alone:
        about |= {"subscribers_count": 0, "network_count": 0}
        if repo.fork_of:
            about["source"] = about["parent"] = _repository(world, world.repositories[repo.fork_of])
    return about


def _one(world: World, query: dict[str, str], name: str) -> Answer:
    return Answer(_repository(world, _known(world, name), alone=True), models.FullRepository)


def _owned(world: World, query: dict[str, str], kind: str, owner: str) -> Answer:
    theirs = [repo for name, repo in world.repositories.items() if name.startswith(f"{owner}/")]
    if not theirs or (owner in world.users) != (kind == "users"):
        raise NotThere
    page, more = _page(theirs, query)
    return Answer([_repository(world, repo) for repo in page], list[models.MinimalRepository], more)


def _search(world: World, query: dict[str, str]) -> Answer:
    marks = dict(word.split(":", 1) for word in query["q"].split())
    least, most = map(int, marks.pop("stars").split(".."))
    wanted = marks.pop("license", None)
    forks, archived = marks.pop("fork", "false") == "true", marks.pop("archived", None)
    assert marks == {"language": "Go"}, "a qualifier that the small GitHub does not know"
    found = [
        repo
        for repo in world.repositories.values()
        if least <= repo.stars <= most and repo.language == "Go"
        and wanted in (None, (repo.license or "").lower())
        and (forks or not repo.fork_of) and (archived != "false" or not repo.archived)
    ]  # fmt: skip
    found.sort(key=lambda repo: -repo.stars)
    page, more = _page(found[:1000], query)
    items = [_repository(world, repo) | {"score": 1.0} for repo in page]
    whole = {"total_count": len(found), "incomplete_results": False, "items": items}
    return Answer(whole, models.SearchRepositoriesGetResponse200, more)


def _compare(world: World, query: dict[str, str], name: str, base: str, head: str) -> Answer:
    repo = _known(world, name)
    if not {base, head} <= repo.commits.keys() - repo.missing or not (common := repo.merge_base(base, head)):
        raise NotThere
    files = [_file(change) for change in repo.changes(common, head)][:300]
    about = {
        **dict.fromkeys(("url", "html_url", "permalink_url", "diff_url", "patch_url"), URL),
        "base_commit": _commit(base), "merge_base_commit": _commit(common), "status": "ahead", "ahead_by": 1,
        "behind_by": 0, "total_commits": 1, "commits": [_commit(head)], "files": files,
    }  # fmt: skip
    return Answer(about, models.CommitComparison)


def _files(world: World, query: dict[str, str], name: str, number: str) -> Answer:
    repo = _known(world, name)
    page, more = _page(repo.of_pull(repo.pulls[int(number) - 1])[:3000], query)
    return Answer([_file(change) for change in page], list[models.DiffEntry], more)


def _blob(world: World, query: dict[str, str], name: str, oid: str) -> Answer:
    content = _known(world, name).content(oid)
    if content is None or oid in _known(world, name).missing:
        raise NotThere
    text = base64.encodebytes(content).decode()  # in lines, as GitHub's is
    about = {"content": text, "encoding": "base64", "url": URL, "sha": oid, "size": len(content), "node_id": "b"}
    return Answer(about, models.Blob)


def _tree(world: World, query: dict[str, str], name: str) -> Answer:
    repo = _known(world, name)
    assert query == {"recursive": "1"}
    if not repo.main:
        raise NotThere
    files = repo.commits[repo.main].tree
    folders = {path.rpartition("/")[0] for path in files} - {""}
    entries = [{"path": path, "mode": "040000", "type": "tree", "sha": repo.main} for path in sorted(folders)]
    for path, content in files.items():
        mode = "120000" if path in repo.links else "100644"
        entries.append({"path": path, "mode": mode, "type": "blob", "sha": object_id(content)})
    about = {"sha": repo.main, "url": URL, "truncated": repo.is_vast, "tree": entries}
    return Answer(about, models.GitTree)


def _limits(world: World, query: dict[str, str]) -> Answer:
    one = {"limit": 5000, "remaining": 1, "reset": 1, "used": 0}
    return Answer({"resources": {"core": one, "search": one, "graphql": one}, "rate": one}, models.RateLimitOverview)


def _commit(sha: str) -> Json:
    plain = {"url": URL, "message": "m", "comment_count": 0, "tree": {"sha": sha, "url": URL}}
    told: Json = {
        "commit": plain | {"author": None, "committer": None},
        "author": None,
        "committer": None,
        "parents": [],
    }
    return {"sha": sha, "node_id": "c", "url": URL, "html_url": URL, "comments_url": URL, **told}


def _file(change: Change) -> Json:
    added, deleted = change.count("+"), change.count("-")
    about = {
        "sha": object_id(change.after or change.before), "filename": change.path, "status": change.status,
        "additions": added, "deletions": deleted, "changes": added + deleted,
        "blob_url": URL, "raw_url": URL, "contents_url": URL,
    }  # fmt: skip
    return about | ({"patch": change.patch} if change.patch else {}) | (
        {"previous_filename": change.previous} if change.previous else {}
    )  # fmt: skip


def _known(world: World, name: str) -> Repo:
    if name not in world.repositories:
        raise NotThere
    return world.repositories[name]


def _page(things: list[Any], query: dict[str, str]) -> tuple[list[Any], bool]:
    size, number = int(query.get("per_page", 30)), int(query.get("page", 1))
    return things[size * (number - 1) : size * number], len(things) > size * number


_ROUTES = (
    (r"repos/([^/]+/[^/]+)", _one),
    (r"(orgs|users)/([^/]+)/repos", _owned),
    (r"search/repositories", _search),
    (r"repos/([^/]+/[^/]+)/compare/(\w+)\.\.\.(\w+)", _compare),
    (r"repos/([^/]+/[^/]+)/pulls/(\d+)/files", _files),
    (r"repos/([^/]+/[^/]+)/git/blobs/(\w+)", _blob),
    (r"repos/([^/]+/[^/]+)/git/trees/HEAD", _tree),
    (r"rate_limit", _limits),
)
