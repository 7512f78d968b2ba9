"""The contents of files at commits, many in one request; each is checked against its git object id."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Iterator, Sequence

from hrm_ray.collect.filters import Dropped
from hrm_ray.collect.github.answers import Raw, read
from hrm_ray.collect.github.client import Client
from hrm_ray.collect.github.nodes import Blob
from hrm_ray.collect.github.rules import Missing, Outcome, Unable

AT_ONCE = 40
"""Files in one request, while GitHub can compute that many."""

Place = tuple[str, str]
"""A commit and a path in it."""

Content = bytes | Dropped | Unable
"""Of a file, or why it is too large to be read, or cannot be."""

_PART = "f{0}: object(expression: $e{0}) {{ ... on Blob {{ oid byteSize isBinary isTruncated text }} }}"


class Contents:
    """The files of one repository, none read that has more than `largest` bytes."""

    def __init__(self, client: Client, repository: str, largest: int) -> None:
        self._client, self._repository, self._largest = client, repository, largest
        self._at_once = AT_ONCE

    def read(self, places: Sequence[Place]) -> dict[Place, Content]:
        """Return the contents at `places`; there is no entry for what is not there.

        Raises:
            Failure: GitHub gives nothing.
        """
        found: dict[Place, Content] = {}
        left = list(dict.fromkeys(places))
        while left:
            now = left[: self._at_once]
            try:
                found.update(self._read(now))
            except Unable as error:
                if len(now) > 1:
                    self._at_once = len(now) // 2
                    continue
                found[now[0]] = error
            self._at_once = min(2 * self._at_once, AT_ONCE)
            left = left[len(now) :]
        return found

    def _read(self, places: Sequence[Place]) -> Iterator[tuple[Place, Content]]:
        numbers = range(len(places))
        declared = "".join(f", $e{number}: String!" for number in numbers)
        parts = "\n".join(_PART.format(number) for number in numbers)
        text = (
            f"query Contents($owner: String!, $name: String!{declared})"
            f" {{ repository(owner: $owner, name: $name) {{\n{parts}\n}} }}"
        )
        owner, name = self._repository.split("/")
        expressions = {f"e{number}": f"{commit}:{path}" for number, (commit, path) in enumerate(places)}
        outcome = self._client.query(text, {"owner": owner, "name": name, **expressions})
        for place, answer in zip(places, _parts(outcome, len(places)), strict=True):
            content = self._content(answer)
            if content is not None:
                yield place, content

    def _content(self, answer: object) -> Content | None:
        if not answer:  # null where there is nothing at all, {} where there is no file
            return None
        try:
            blob = read(Blob, answer)
            if blob.byte_size > self._largest:
                return Dropped("file that is too large")
            content = (blob.text or "").encode("utf-8", "surrogatepass")
            return content if _object_id(content, blob.oid) == blob.oid else self._raw(blob.oid)
        except Missing:
            return None
        except Unable as error:
            return error

    def _raw(self, oid: str) -> bytes:
        """A file that is cut, binary or otherwise not its text, alone and byte for byte."""
        raw = read(Raw, self._client.get(f"repos/{self._repository}/git/blobs/{oid}").data)
        try:
            content = base64.b64decode(raw.content)
        except ValueError as error:
            raise Unable(f"GitHub gives the object {oid} in another form than base64") from error
        if _object_id(content, oid) != oid:
            raise Unable(f"GitHub gives another content for the object {oid} than it should have")
        return content


def _parts(outcome: Outcome, count: int) -> list[object]:
    """The answers for so many files; of one with errors, null does not say that there is no file."""
    parts = outcome.data.get("repository")
    names = [f"f{number}" for number in range(count)]
    if not isinstance(parts, dict) or not parts.keys() >= set(names):
        raise Unable("GitHub's answer has an unknown form (files are missing)")
    found = [parts[name] for name in names]
    if outcome.errors and None in found:
        raise Unable(f"GitHub does not give it ({outcome.message})")
    return found


def _object_id(content: bytes, like: str) -> str:
    """What git calls a file with this content; the length of `like` tells the repository's hash."""
    hashed = b"blob %d\0%s" % (len(content), content)
    return (hashlib.sha1(hashed) if len(like) == 40 else hashlib.sha256(hashed)).hexdigest()
