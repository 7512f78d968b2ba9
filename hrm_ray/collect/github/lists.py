"""Lists of repositories, page by page, each page kept with its ETag: an unchanged one costs nothing the next time."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from hrm_ray.collect.github.answers import Form, Found, Listed, read
from hrm_ray.collect.github.client import Client
from hrm_ray.files import write_text

PER_PAGE = 100
"""Repositories on a page; GitHub gives no more."""


class Lists:
    """What GitHub says of repositories; pages are kept in `folder`."""

    def __init__(self, client: Client, folder: Path) -> None:
        self.client, self._folder = client, folder

    def repository(self, name: str) -> Listed:
        """Return one repository, under its present name; Failure, Missing as of `Client.get`."""
        return self._page(f"repos/{name}", Listed)[0]

    def tree(self, name: str, form: type[Form]) -> Form:
        """Return what `form` reads in the newest tree of a repository, all folders in one list."""
        return self._page(f"repos/{name}/git/trees/HEAD", form, recursive=1)[0]

    def owned(self, owner: str, kind: str) -> Iterator[Listed]:
        """Yield all repositories of an owner, `kind` being `orgs` or `users`."""
        number, more = 1, True
        while more:
            page, more = self._page(f"{kind}/{owner}/repos", _Page, per_page=PER_PAGE, page=number)
            yield from page.items
            number += 1

    def found(self, question: str, number: int) -> tuple[Found, bool]:
        """Return page `number` of a search, most stars first, and whether there is another."""
        order: dict[str, str | int] = {"sort": "stars", "order": "desc", "per_page": PER_PAGE, "page": number}
        return self._page("search/repositories", Found, q=question, **order)

    def _page(self, path: str, form: type[Form], **parameters: str | int) -> tuple[Form, bool]:
        asked = json.dumps([path, parameters], sort_keys=True)
        place = self._folder / f"{hashlib.sha256(asked.encode()).hexdigest()[:24]}.json"
        known = _known(place)
        answer = self.client.get(path, known.get("etag", ""), **parameters)
        if answer.status == 304:
            return read(form, known["page"]), known["more"]
        data = {"items": answer.data} if isinstance(answer.data, list) else answer.data
        page, more = read(form, data), 'rel="next"' in answer.headers.get("link", "")
        if etag := answer.headers.get("etag"):
            kept = {"asked": asked, "etag": etag, "more": more, "page": page.model_dump(mode="json")}
            write_text(place, json.dumps(kept))
        return page, more


class _Page(Found):
    total_count: int = 0


def _known(place: Path) -> dict[str, Any]:
    """A page that was kept; one that cannot be read is asked for again."""
    try:
        known = json.loads(place.read_text("utf-8"))
    except (OSError, ValueError):
        return {}
    return known if isinstance(known, dict) and {"etag", "more", "page"} <= known.keys() else {}
