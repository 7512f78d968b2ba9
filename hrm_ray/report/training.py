"""The first two questions, answered from `metrics.jsonl`: do the losses fall, and does validation track training?"""

from __future__ import annotations

from hrm_ray.evaluate import consistency, series
from hrm_ray.evaluate.series import Metrics, Series
from hrm_ray.report.checks import Check, Question, Thresholds, judge
from hrm_ray.report.text import ABSENT, number, percent, signed

LOSSES = {"plan_loss": "Plan loss", "code_loss": "Code loss", "refinement_loss": "Refinement loss"}


def losses_fall(metrics: Metrics | None, limits: Thresholds) -> Question:
    """Answer question 1 for each training loss."""
    checks: list[Check] = []
    for name, subject in LOSSES.items():
        loss = metrics.series("train", name) if metrics else None
        checks += _falls(subject, loss, limits)
    return Question(
        "Do the losses fall consistently?",
        "Training losses in nats. The slope is the median over all pairs of steps (Theil-Sen), "
        "which outliers do not move; start and end are means of the first and the last 5% of the steps. Settled: the "
        "steps at the end over which the smoothed loss stays within 1% of its end.",
        tuple(checks),
    )


def _falls(subject: str, loss: Series | None, limits: Thresholds) -> list[Check]:
    count = len(loss) if loss else 0
    if loss is None or count < limits.enough.train_lines:
        return [_too_few(subject, "Logged steps", count, limits.enough.train_lines)]
    found = consistency.course(loss, limits.falling.windows)
    return [
        Check(subject, "Start to end", found.end, f"{number(found.start)} to {number(found.end)}"),
        Check(
            subject,
            "Fall",
            found.fall,
            percent(found.fall),
            f"at least {percent(limits.falling.fall)}",
            judge(found.fall >= limits.falling.fall),
        ),
        Check(subject, "Slope per 1,000 steps", found.slope, signed(found.slope), "below 0", judge(found.slope < 0)),
        Check(
            subject,
            f"Share of windows that fall, of {limits.falling.windows}",
            found.falling_share,
            percent(found.falling_share),
            f"at least {percent(limits.falling.share)}",
            judge(found.falling_share >= limits.falling.share),
        ),
        Check(subject, "Settled, share of the steps", found.plateau, percent(found.plateau)),
    ]


def validation_tracks(metrics: Metrics | None, limits: Thresholds) -> Question:
    """Answer question 2; the refinement loss has other weights in training, so only its own course is asked."""
    checks: list[Check] = []
    for name, subject in LOSSES.items():
        validation = metrics.series("validation", name) if metrics else None
        train = metrics.series("train", name) if metrics else None
        count, enough = len(validation or ()), limits.enough
        if train is None or validation is None or count < enough.validations:
            checks.append(_too_few(subject, "Validations", count, enough.validations))
        elif len(train) < enough.train_lines:
            checks.append(_too_few(subject, "Logged steps", len(train), enough.train_lines))
        else:
            checks += _course(subject, validation, limits)
            checks += _together(subject, train, validation, limits) if name != "refinement_loss" else []
    return Question(
        "Does validation track training?",
        "Validation against training, smoothed over 5% of the steps, at the same steps. Validation reads other "
        "repositories or later times, so that a gap is expected, and also that it opens a little from the start, where "
        "both losses are those of a guess; by more than is needed here it is memory. Of the refinement loss only the "
        "course counts: in validation its classes are balanced and the feedback is hidden.",
        tuple(checks),
    )


def _course(subject: str, validation: Series, limits: Thresholds) -> list[Check]:
    start, end = series.ends(validation)
    best, rise = float(validation.values.min()), limits.tracking.rise
    above = end / best - 1 if best else None
    return [
        Check(
            subject,
            "First to last",
            end,
            f"{number(start)} to {number(end)}",
            "no higher at the end",
            judge(end <= start),
        ),
        Check(
            subject,
            "Last above best",
            above,
            f"{number(end)} against 0" if above is None else percent(above),
            f"at most {percent(rise)}",
            judge(end <= best * (1 + rise)),
        ),
    ]


def _together(subject: str, train: Series, validation: Series, limits: Thresholds) -> list[Check]:
    trained, gap = series.at(series.smooth(train), validation.steps), consistency.gap(train, validation)
    r = series.correlation(trained, validation.values)
    start, end = series.ends(Series(validation.steps, trained))
    low, high = series.ends(validation)[::-1]
    wider = gap.last - gap.first
    shared = (high - low) / (start - end) if start > end else None
    wanted = limits.tracking
    return [
        Check(
            subject,
            "Correlation with training",
            r,
            number(r, 2),
            f"at least {number(wanted.correlation, 2)}",
            judge(None if r is None else r >= wanted.correlation),
        ),
        Check(
            subject,
            "Share of training's fall",
            shared,
            percent(shared),
            f"at least {percent(wanted.shared_fall)}",
            judge(None if shared is None else shared >= wanted.shared_fall),
        ),
        Check(
            subject,
            "Gap to training, first to last",
            wider,
            f"{signed(gap.first)} to {signed(gap.last)}",
            f"wider by at most {percent(wanted.opening)} of the last validation",
            judge(wider <= wanted.opening * abs(low)),
        ),
        Check(subject, "Slope of the gap per 1,000 steps", gap.slope, signed(gap.slope)),
    ]


def _too_few(subject: str, what: str, count: int, needed: int) -> Check:
    return Check(subject, what, count, number(count) if count else ABSENT, f"at least {needed}", "not measured")
