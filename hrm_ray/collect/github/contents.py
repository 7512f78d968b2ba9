"""The contents of files at commits, many in one request; each is checked against its git object id."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Iterator, Sequence

from hrm_ray.collect.filters import Dropped
from hrm_ray.collect.github.answers import Raw, read
from hrm_ray.collect.github.client import Client
from hrm_ray.collect.github.nodes import Blob
from hrm_ray.collect.github.rules import Failure, Missing, TooMuch

AT_ONCE = 40
"""Files in one request, while GitHub can compute that many."""

Place = tuple[str, str]
"""A commit and a path in it."""

_PART = "f{0}: object(expression: $e{0}) {{ ... on Blob {{ oid byteSize isBinary isTruncated text }} }}"


class Contents:
    """The files of one repository, none read that has more than `largest` bytes."""

    def __init__(self, client: Client, repository: str, largest: int) -> None:
        self._client, self._repository, self._largest = client, repository, largest
        self._at_once = AT_ONCE

    def read(self, places: Sequence[Place]) -> dict[Place, bytes | Dropped]:
        """Return the contents at `places`: no entry for what is not there, the reason for what is too large.

        Raises:
            Failure: GitHub does not give one, not even alone.
        """
        found: dict[Place, bytes | Dropped] = {}
        left = list(dict.fromkeys(places))
        while left:
            now = left[: self._at_once]
            try:
                found.update(self._read(now))
            except TooMuch as error:
                if len(now) == 1:
                    raise Failure(str(error)) from error
                self._at_once = len(now) // 2
                continue
            left = left[len(now) :]
        return found

    def _read(self, places: Sequence[Place]) -> Iterator[tuple[Place, bytes | Dropped]]:
        numbers = range(len(places))
        declared = "".join(f", $e{number}: String!" for number in numbers)
        parts = "\n".join(_PART.format(number) for number in numbers)
        text = (
            f"query Contents($owner: String!, $name: String!{declared})"
            f" {{ repository(owner: $owner, name: $name) {{\n{parts}\n}} }}"
        )
        owner, name = self._repository.split("/")
        expressions = {f"e{number}": f"{commit}:{path}" for number, (commit, path) in enumerate(places)}
        data = self._client.query(text, {"owner": owner, "name": name, **expressions})
        for number, place in enumerate(places):
            content = self._content((data["repository"] or {}).get(f"f{number}"))
            if content is not None:
                yield place, content

    def _content(self, answer: object) -> bytes | Dropped | None:
        if not answer:  # null where there is nothing at all, {} where there is no file
            return None
        blob = read(Blob, answer)
        if blob.byte_size > self._largest:
            return Dropped("file that is too large")
        content = (blob.text or "").encode("utf-8", "surrogatepass")
        return content if _object_id(content, blob.oid) == blob.oid else self._raw(blob.oid)

    def _raw(self, oid: str) -> bytes | None:
        """A file that is cut, binary or otherwise not its text, alone and byte for byte."""
        try:
            raw = read(Raw, self._client.get(f"repos/{self._repository}/git/blobs/{oid}").data)
        except Missing:
            return None
        content = base64.b64decode(raw.content)
        if _object_id(content, oid) != oid:
            raise Failure(f"GitHub gives another content for the object {oid} than it should have")
        return content


def _object_id(content: bytes, like: str) -> str:
    """What git calls a file with this content; the length of `like` tells the repository's hash."""
    hashed = b"blob %d\0%s" % (len(content), content)
    return (hashlib.sha1(hashed) if len(like) == 40 else hashlib.sha256(hashed)).hexdigest()
