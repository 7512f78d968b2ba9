"""The table of edits, and how one is applied: edit trees, mend what tests expect, tidy imports and columns."""

from __future__ import annotations

from dataclasses import dataclass

from hrm_ray.collect.synthetic import edits_declarations as declarations
from hrm_ray.collect.synthetic import edits_signatures as signatures
from hrm_ray.collect.synthetic import edits_statements as statements
from hrm_ray.collect.synthetic.drafts import Place
from hrm_ray.collect.synthetic.edits_base import Editor
from hrm_ray.collect.synthetic.layout import tidy
from hrm_ray.collect.synthetic.tables import refresh
from hrm_ray.collect.synthetic.tree import Package

EDITS: dict[str, tuple[float, Editor]] = {
    "add_method": (7, declarations.add_method),
    "add_function": (5, declarations.add_function),
    "add_type": (1.5, declarations.add_type),
    "add_tested_function": (2.5, declarations.add_tested_function),
    "add_case": (3, declarations.add_case),
    "add_constructor_test": (1.2, declarations.add_constructor_test),
    "add_field": (1.5, declarations.add_field),
    "add_constants": (0.7, declarations.add_constants),
    "guard_field": (0.5, declarations.guard_field),
    "name_number": (1, declarations.name_number),
    "change_constant": (0.7, declarations.change_constant),
    "remove_function": (0.7, declarations.remove_function),
    "add_parameter": (2, signatures.add_parameter),
    "thread_context": (1.2, signatures.thread_context),
    "return_error": (1.5, signatures.return_error),
    "rename": (1.5, signatures.rename),
    "nil_check": (1, statements.nil_check),
    "nil_element": (0.35, statements.nil_element),
    "wrap_error": (1.2, statements.wrap_error),
    "detail_error": (1.2, statements.detail_error),
    "validate_input": (1.5, statements.validate_input),
    "normalize_input": (0.7, statements.normalize_input),
    "off_by_one": (1, statements.off_by_one),
    "early_return": (1, statements.early_return),
    "switch_case": (1, statements.switch_case),
    "preallocate": (0.4, statements.preallocate),
    "limit_results": (0.5, statements.limit_results),
    "change_literal": (1, statements.change_literal),
}
"""Weight and function of each kind of edit."""


@dataclass(frozen=True)
class Applied:
    """An edit that was made: its kind, what the wording may say, the package after it."""

    kind: str
    facts: dict[str, str]
    package: Package


def apply(kind: str, place: Place) -> Applied | None:
    """Apply this kind of edit somewhere in the package; None where nothing in it fits."""
    edit = EDITS[kind][1](place)
    if edit is None:
        return None
    after = place.package.changed(edit.files)
    mended = refresh(after)
    files = {path: tidy(source) for path, source in {**edit.files, **mended}.items()}
    return Applied(kind, edit.facts, place.package.changed(files))


def apply_any(place: Place) -> Applied:
    """Apply some edit, drawn by weight."""
    kinds, weights = list(EDITS), [weight for weight, _ in EDITS.values()]
    while True:
        applied = apply(place.rng.choices(kinds, weights)[0], place)
        if applied is not None and applied.package.files != place.package.files:
            return applied
