"""Everything that the settings `clean` ask of a pull request or function, whatever it was collected by."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace

from hrm_ray.collect import filters
from hrm_ray.collect.filters import Dropped
from hrm_ray.collect.functions import Function
from hrm_ray.collect.licenses import check_license, is_allowed
from hrm_ray.collect.records import ChangedFile, PullRequest
from hrm_ray.collect.scrub import scrubbed, scrubbed_go
from hrm_ray.config import Clean
from hrm_ray.golang.files import is_generated, is_generated_name, is_skipped
from hrm_ray.golang.syntax import parse_file_ok, validate


def cleaned(pull_request: PullRequest, settings: Clean, drops: Counter[str], replaced: Counter[str]) -> PullRequest:
    """Return a pull request with the files that may be learnt from, without secrets and personal data.

    `drops` counts the files that are left out, by reason, and `replaced` what was taken out of texts, by kind.

    Raises:
        Dropped: it is left out as a whole; the caller counts that.
    """
    check_license(pull_request.repo.license, settings)
    filters.check_kind(pull_request.pull_request, settings)
    files = tuple(file for file in pull_request.files if _is_usable(file, settings, drops))
    filters.check_files(files, settings)
    without = scrubbed(replace(pull_request, files=files), replaced)
    if not without.pull_request.title:
        raise Dropped("pull request without a title")
    pairs = zip(files, without.files, strict=True)
    return replace(without, files=tuple(after for before, after in pairs if _still_parses(before, after, drops)))


def cleaned_function(function: Function, settings: Clean, replaced: Counter[str]) -> Function:
    """Return a documented function without secrets and personal data.

    Raises:
        Dropped: its license is not allowed, or it is not Go without them.
    """
    if not is_allowed(function.license, settings):
        raise Dropped(f"function under {function.license}")
    texts = {name: scrubbed_go(getattr(function, name), replaced) for name in ("doc", "outline", "anchor", "code")}
    if texts["code"] != function.code and validate(texts["code"]) is not None:
        raise Dropped("function that is not Go without its secrets")
    return replace(function, **texts)


def _is_usable(file: ChangedFile, settings: Clean, drops: Counter[str]) -> bool:
    reason = _refusal(file, settings)
    if reason:
        drops[reason] += 1
    return not reason


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
