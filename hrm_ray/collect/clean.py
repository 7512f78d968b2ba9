"""Everything that the settings `clean` ask of a pull request or function, whatever it was collected by."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import Field, replace
from typing import Any, ClassVar, Protocol, TypeVar

from hrm_ray.collect import filters
from hrm_ray.collect.filters import Dropped
from hrm_ray.collect.licenses import check_license, licensed
from hrm_ray.collect.records import ChangedFile, PullRequest
from hrm_ray.collect.scrub import scrubbed, scrubbed_texts
from hrm_ray.config import Clean
from hrm_ray.golang.files import is_generated, is_generated_name, is_skipped
from hrm_ray.golang.syntax import parse_file_ok, validate


class _Piece(Protocol):
    """A dataclass of texts about a piece of Go that was collected without its pull request."""

    __dataclass_fields__: ClassVar[dict[str, Field[Any]]]

    @property
    def license(self) -> str: ...

    @property
    def code(self) -> str: ...


Piece = TypeVar("Piece", bound=_Piece)


def cleaned(pull_request: PullRequest, settings: Clean, drops: Counter[str], replaced: Counter[str]) -> PullRequest:
    """Return a pull request with the files that may be learnt from, without secrets and personal data.

    `drops` counts the files that are left out, by reason, and `replaced` what was taken out of texts, by kind.

    Raises:
        Dropped: it is left out as a whole; the caller counts that.
    """
    check_license(pull_request.repo.license, settings)
    if _is_larger(pull_request.pull_request.body, settings.largest_file):
        raise Dropped("pull request with a body that is too large")
    filters.check_kind(pull_request.pull_request, settings)
    files = tuple(_usable(pull_request, settings, drops))
    filters.check_files(files, settings)
    without = scrubbed(replace(pull_request, files=files), replaced)
    if not without.pull_request.title:
        raise Dropped("pull request without a title")
    pairs = zip(files, without.files, strict=True)
    return replace(without, files=tuple(after for before, after in pairs if _still_parses(before, after, drops)))


def cleaned_piece(
    piece: Piece, what: str, go: Iterable[str], spoken: Iterable[str], settings: Clean, replaced: Counter[str]
) -> Piece:
    """Return a documented function, or an example, without secrets and personal data in its fields `go` and `spoken`.

    Raises:
        Dropped: its license is not allowed, or it is not Go without them; the reason calls it `what`.
    """
    check_license(piece.license, settings, what)
    in_go, told = ({name: str(getattr(piece, name)) for name in names} for names in (go, spoken))
    texts: dict[str, Any] = scrubbed_texts(in_go, told, replaced)
    if texts["code"] != piece.code and validate(texts["code"]) is not None:
        raise Dropped(f"{what} that is not Go without its secrets")
    return replace(piece, **texts)


def _usable(pull_request: PullRequest, settings: Clean, drops: Counter[str]) -> Iterator[ChangedFile]:
    """The files that are not refused, with the licence that they state."""
    for file in pull_request.files:
        try:
            if reason := _refusal(file, settings):
                raise Dropped(reason)
            yield licensed(file, file.license, pull_request.repo.license, settings)
        except Dropped as refused:
            drops[str(refused)] += 1


def _refusal(file: ChangedFile, settings: Clean) -> str:
    """Why nothing is learnt from a file, or nothing."""
    sides = [content for content in (file.content_before, file.content_after) if content]
    if not file.filename.endswith(".go"):
        return "file that is not Go"
    if is_skipped(file.filename):
        return "vendored or test-data file"
    if is_generated_name(file.filename) or any(map(is_generated, sides)):
        return "generated file"
    if any(_is_larger(content, settings.largest_file) for content in sides):
        return "file that is too large"
    return ""


def _is_larger(content: str, most: int) -> bool:
    """Whether a text is longer than `most` bytes of UTF-8, of which a character has at most four."""
    return len(content) > most or (4 * len(content) > most and len(content.encode()) > most)


def _still_parses(before: ChangedFile, after: ChangedFile, drops: Counter[str]) -> bool:
    """Whether a file's sides are still Go where they were and something was replaced."""
    sides = ((before.content_before, after.content_before), (before.content_after, after.content_after))
    broken = any(old != new and parse_file_ok(old) and not parse_file_ok(new) for old, new in sides)
    if broken:
        drops["file that is not Go without its secrets"] += 1
    return not broken
