"""Titles and bodies: what each kind of edit says of itself, in several phrasings and house styles."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from random import Random

TITLES: dict[str, tuple[str, ...]] = {
    "nil_check": (
        "Check {name} for nil in {label}",
        "Avoid a panic in {label} when {name} is nil",
        "Handle a nil {name} in {label}",
    ),
    "nil_element": ("Skip nil {name} of {many} in {label}", "Tolerate nil entries of {many} in {label}"),
    "wrap_error": (
        'Wrap the error of {label} with "{message}"',
        'Say "{message}" when {label} fails',
        "Add context to errors of {label}: {message}",
    ),
    "detail_error": ("Name the {value} in the error of {label}", 'Show {value} when {label} reports "{message}"'),
    "validate_input": (
        "Refuse {name} in {label} when {reason}",
        "Validate {name} in {label}: {reason}",
        "{label}: return an error if {reason}",
    ),
    "normalize_input": ("Take {name} {form} in {label}", "Normalize {name} in {label}: {form}"),
    "off_by_one": (
        "Fix off-by-one in {label}: {subject} {new} {bound}",
        "Make the bound {bound} of {subject} in {label} mean {new}",
        "{label}: compare {subject} as {new} {bound}, not {old}",
    ),
    "early_return": (
        "Leave {label} early instead of nesting",
        "Flatten {label} with an early {leaves}",
        "Use a guard in {label} for {condition}",
    ),
    "switch_case": ('Handle "{case}" in {label}', 'Return {answer} for "{case}" in {label}'),
    "preallocate": ("Preallocate {name} in {label}", "Size {name} by {many} in {label}"),
    "limit_results": ("Stop {label} after {bound} {name}", "Limit {name} in {label} to {bound}"),
    "change_literal": ("Use {new} instead of {old} in {label}", "Change {old} to {new} in {label}"),
    "add_parameter": (
        "Add a {name} parameter to {label}",
        "Let callers of {label} give {name} ({type})",
        "{label}: take {name}, {value} for the present callers",
    ),
    "thread_context": (
        "Pass a context to {label}",
        "Thread context.Context through {label}",
        "Let {label} be cancelled",
    ),
    "return_error": (
        "Return an error from {label} when {reason}",
        "{label}: report an error if {reason}",
        "Let {label} fail when {reason}",
    ),
    "rename": ("Rename {old} to {new}", "Rename {kind} {label} to {new}", "Call {old} {new}"),
    "add_method": (
        "Add {label}",
        "{label}: {summary}",
        "Add {label}, which {summary}",
        "New method {label}: {summary}",
    ),
    "add_function": (
        "Add {label}",
        "{label}: {summary}",
        "Add {label}, which {summary}",
        "New function {label}: {summary}",
    ),
    "add_type": ("Add type {type} with {label}", "Introduce {type}", "Add {type} to hold {fields}"),
    "add_tested_function": ("Add {label} with tests", "Add {label}: {summary}", "Add and test {label}"),
    "add_case": ("Test {label} with {case}", "Cover {case} in {test}", "Add cases to {test}: {case}"),
    "add_constructor_test": ("Test {label}", "Add a test that {label} keeps {fields}"),
    "add_field": ("Add {name} to {type}", "Give {type} a {name} ({kind}), {how}", "Track {name} in {type}"),
    "guard_field": (
        "Guard {field} of {type} with a {kind}",
        "Protect {type}.{field} by {lock}",
        "Fix a data race on {type}.{field}",
    ),
    "name_number": (
        "Name the {value} in {label} {name}",
        "Replace the magic number {value} in {label} by {name}",
        "Introduce constant {name} for {value}",
    ),
    "change_constant": ("Change {label} from {old} to {new}", "Set {label} to {new}"),
    "add_constants": ("Add {label}", "Define {label} as {value}"),
    "remove_function": ("Remove unused {label}", "Drop {label}"),
}

BODIES: dict[str, tuple[str, ...]] = {
    "nil_check": (
        'A nil {name} made {label} panic. It now says "{reason}" where it can.',
        "Callers may hand over no {type}; {label} returns early then.",
    ),
    "nil_element": ("{many} may hold nil after a failed load. {label} goes on with the next one.",),
    "wrap_error": (
        'The bare error did not tell where it came from. It starts with "{message}" now, with {value}.',
        'Callers see "{message}" and {value}; errors.Is still works.',
    ),
    "detail_error": ('"{message}" alone was of no use in the logs; the {value} is what one needs to find the cause.',),
    "validate_input": (
        "{label} accepted a call where {reason}. It returns an error before it changes anything.",
        "Until now nothing was said when {reason}.",
    ),
    "normalize_input": ("Callers give {name} in several forms. {label} now takes it {form}.",),
    "off_by_one": (
        "{bound} itself belongs to the other side: the check on {subject} must be {new} {bound}, it was {old}.",
    ),
    "early_return": (
        "The whole body stood inside `{condition}`. With a {leaves} for the opposite it reads straight down.",
        "Same behaviour, one level less: a {leaves} first.",
    ),
    "switch_case": ('"{case}" fell into the default. By {subject} it gives {answer} now.',),
    "preallocate": ("The number of elements is known from {many}, so {name} need not grow.",),
    "limit_results": ("Nobody reads more than {bound} entries; the loop in {label} ends when {name} has that many.",),
    "change_literal": ("In {label}: `{where}` takes {new} where it had {old}.",),
    "add_parameter": (
        "{label} gets {name} as its last parameter; it {use}. Updated: {callers}, with {value}.",
        "The new {name} ({type}) {use}.",
    ),
    "thread_context": (
        "{label} checks ctx first. Callers changed: {callers}.",
        "Long runs of {label} could not be stopped. The context is the first parameter, as usual.",
    ),
    "return_error": (
        "When {reason}, {label} now returns an error instead of a zero value. Changed with it: {callers}.",
    ),
    "rename": (
        "{old} says too little. The {kind} is called {new} in all {files} files that use it. No change of behaviour.",
    ),
    "add_method": ("{label} {summary}.{detail}",),
    "add_function": ("{label} {summary}.{detail}",),
    "add_type": ("{type} keeps {fields}. {label} {summary}.{detail}",),
    "add_tested_function": ("{label} {summary}. The table test covers the bounds.",),
    "add_case": ("{test} did not cover {case}.",),
    "add_constructor_test": ("Checks that {label} keeps {fields}.",),
    "add_field": (
        "{type} gets {name} of type {kind}, {how}.",
        "{label} sets the new {name}; present callers use {value}.",
    ),
    "guard_field": ("{field} is used from several goroutines. {lock} is held in {label}.",),
    "name_number": ("{value} in {label} had no name. {name} keeps the value.",),
    "change_constant": ("{old} turned out to be wrong in production, {new} is what we measured.", "{label} was {old}."),
    "add_constants": ("For the changes that follow: {value}.",),
    "remove_function": ("Nothing calls {label} any more.",),
}

_REASONS = (
    "Found while reading the logs of last week.",
    "Reported by a user.",
    "Needed by the next change.",
    "No change of the public API beyond this.",
    "Follow-up to the review.",
)
STYLES = ("plain", "plain", "package", "conventional")
_TYPES = {
    "add": "feat",
    "rename": "refactor",
    "early": "refactor",
    "name": "refactor",
    "preallocate": "perf",
    "remove": "chore",
}


def title(rng: Random, style: str, package: str, edits: Sequence[tuple[str, Mapping[str, str]]]) -> str:
    """The title of a pull request that applied these (kind, facts), in the repository's style."""
    said = "; ".join(rng.choice(TITLES[kind]).format_map(facts) for kind, facts in edits)
    kind = edits[0][0]
    if style == "plain":
        return said
    lowered = said if said.startswith(edits[0][1].get("label", " ")) else said[0].lower() + said[1:]
    if style == "package":
        return f"{package}: {lowered}"
    prefix = "test" if kind in {"add_case", "add_constructor_test"} else _TYPES.get(kind.split("_")[0], "fix")
    return f"{prefix}({package}): {lowered}"


def body(rng: Random, edits: Sequence[tuple[str, Mapping[str, str]]]) -> str:
    """The body: empty four times in ten, else one sentence or list item an edit, sometimes with a reason."""
    if rng.random() < 0.4:
        return ""
    said = [rng.choice(BODIES[kind]).format_map(facts) for kind, facts in edits]
    said = [f"- {line}" for line in said] if len(said) > 1 else said
    return "\n".join(said + ([f"\n{rng.choice(_REASONS)}"] if rng.random() < 0.25 else []))
