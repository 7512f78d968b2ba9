"""The last two questions, answered from `evaluation.json`: does it improve Go, and what does refinement know?"""

from __future__ import annotations

from collections.abc import Iterator

from hrm_ray.report import compare, seeds
from hrm_ray.report.checks import Check, Question, Thresholds, judge
from hrm_ray.report.files import BASELINES, Decided, Evaluation, Generated, RunFolder, Views
from hrm_ray.report.text import ABSENT, interval, number, percent, signed, span

ROLES = {"equal_parameters": "plain model of equal parameters", "equal_flops": "plain model of equal FLOPs"}
DONE_AREA = "Area under the curve, DONE among valid"
ORIGINS = {"constructed": "constructed attempts", "generated": "the model's own attempts"}


def writes_go(run: RunFolder, limits: Thresholds) -> Question:
    """Answer question 3: validity, improvement over the input, and the lead over the plain models."""
    checks = _written(run.evaluation, limits)
    for role in BASELINES:
        checks += _against(run, role, limits)
    return Question(
        "Does it write valid Go that improves?",
        "Held-out declarations, without those of which only comments change; what was refused at first was written "
        "again, as often as the evaluation says. Improved: valid, of the kinds that were "
        "really declared, and nearer to the reference than the input is (edit distance over syntax-tree leaves, "
        "comments left out). The input of an addition is the declaration above it, or a signature with an empty body, "
        "the output's own or the reference's own, whichever is nearest to the reference. Copying the input scores 0 by "
        "construction. An answer that looks at nothing may come nearer too, since much of Go is alike; close asks for "
        "more than two thirds of the way, which such answers do not go. Intervals are of 95%, with pull requests for "
        "draws; the lead over a plain model compares the same declarations, and the same documents, in pairs.",
        tuple(checks),
    )


def _written(evaluation: Evaluation | None, limits: Thresholds) -> list[Check]:
    subject = "All changes"
    if evaluation is None:
        return [Check(subject, "Evaluation", None, ABSENT, "evaluation.json", "not measured")]
    whole, wanted = evaluation.generation.all, limits.writing
    if whole.count < limits.enough.generations:
        needed = f"at least {limits.enough.generations}"
        return [
            Check(subject, "Declarations written", whole.count, number(whole.count), needed, "not measured"),
            *_shown(subject, whole),
            *_shown("Additions", evaluation.generation.added),
            *_shown("Modifications", evaluation.generation.modified),
        ]
    valid, improved = whole.valid_share, whole.improved_interval
    return [
        Check(
            subject,
            "Valid share",
            valid,
            _bounded(valid, whole.valid_interval),
            f"at least {percent(wanted.valid)}",
            judge(None if valid is None else valid >= wanted.valid),
        ),
        Check(
            subject,
            "Improved share",
            whole.improved_share,
            _improved(whole),
            f"lower end at least {percent(wanted.improved)}",
            judge(None if improved is None else improved[0] >= wanted.improved),
        ),
        Check(
            subject,
            "Close to the reference: over two thirds of the way",
            whole.close_share,
            _bounded(whole.close_share, whole.close_interval),
            f"lower end at least {percent(wanted.close)}",
            judge(None if whole.close_interval is None else whole.close_interval[0] >= wanted.close),
        ),
        *_shown("All changes", whole)[3:],
        *_shown("Additions", evaluation.generation.added),
        *_shown("Modifications", evaluation.generation.modified),
    ]


def _improved(part: Generated) -> str:
    return _bounded(part.improved_share, part.improved_interval)


def _bounded(share: float | None, bounds: tuple[float, float] | None, sign: bool = False) -> str:
    return percent(share, sign) + (f" ({interval(bounds, sign)})" if bounds else "")


def _shown(subject: str, part: Generated) -> list[Check]:
    valid = _bounded(part.valid_share, part.valid_interval)
    similarity = f"{number(part.edit_similarity)} ({number(part.copy_edit_similarity)})"
    return [
        Check(subject, f"Valid share of {number(part.count)}", part.valid_share, valid),
        Check(subject, "Improved share", part.improved_share, _improved(part)),
        Check(subject, "Close", part.close_share, _bounded(part.close_share, part.close_interval)),
        Check(subject, "Edit similarity (of copying the input)", part.edit_similarity, similarity),
    ]


def _against(run: RunFolder, role: str, limits: Thresholds) -> list[Check]:
    subject, baseline = f"Against the {ROLES[role]}", run.baselines.get(role)
    if baseline is None and role == "equal_flops":
        return [Check(subject, "Trained beside the run", None, "no", "only where it was trained")]
    found = ("not trained",) if baseline is None else compare.obstacles(run, baseline)
    if baseline is None or found:
        needed = "same data, steps, fold and sampling"
        return [Check(subject, "Evaluated beside the run", None, "; ".join(found), needed, "not measured")]
    assert baseline.evaluation
    theirs = baseline.evaluation.generation.all
    return [
        Check(subject, "The plain model's improved share", theirs.improved_share, _improved(theirs)),
        _share_lead(subject, run, baseline, limits),
        _bits_lead(subject, run, baseline, limits),
        *_over_seeds(subject, run, role, limits),
    ]


def _over_seeds(subject: str, run: RunFolder, role: str, limits: Thresholds) -> Iterator[Check]:
    """What must hold whichever seed it was, where there are seeds enough to say."""
    share, bits = (seeds.lead(run, role, figure) for figure in (seeds.improved, seeds.bits))
    if share and share.interval:
        shown = f"{percent(share.mean, sign=True)} ({interval(share.interval, sign=True)})"
        needed, holds = f"lower end above {percent(limits.writing.lead)}", share.interval[0] > limits.writing.lead
        what = f"Lead in improved share, over {len(share.values)} seeds"
        yield Check(subject, what, share.mean, shown, needed, judge(holds))
    if bits and bits.interval:
        shown = f"{signed(bits.mean)} ({signed(bits.interval[0])} to {signed(bits.interval[1])})"
        what = f"Plan and code bits less its own, over {len(bits.values)} seeds"
        yield Check(subject, what, bits.mean, shown, "upper end below 0", judge(bits.interval[1] < 0))


def _share_lead(subject: str, run: RunFolder, baseline: RunFolder, limits: Thresholds) -> Check:
    what, needed = "Lead in improved share", f"lower end above {percent(limits.writing.lead)}"
    lead = compare.lead(run.samples or (), baseline.samples or ())
    if lead is None or lead.pairs < limits.enough.generations or lead.interval is None:
        pairs = lead.pairs if lead else 0
        return Check(subject, what, None, f"{pairs} pairs", f"{limits.enough.generations} pairs", "not measured")
    shown = _bounded(lead.mean, lead.interval, sign=True)
    return Check(subject, what, lead.mean, shown, needed, judge(lead.interval[0] > limits.writing.lead))


def _bits_lead(subject: str, run: RunFolder, baseline: RunFolder, limits: Thresholds) -> Check:
    what, least = "Bits of plan and code saved", limits.writing.bits
    lead = compare.saving(run.read or (), baseline.read or ())
    if lead is not None and lead.pairs < limits.enough.generations:
        return Check(subject, what, None, f"{lead.pairs} pairs", f"{limits.enough.generations} pairs", "not measured")
    if lead is None or lead.interval is None:
        return Check(subject, what, None, ABSENT, "losses.jsonl of both: evaluate again", "not measured")
    needed = f"lower end at least {percent(least)}"
    shown = _bounded(lead.mean, lead.interval, sign=True)
    return Check(subject, what, lead.mean, shown, needed, judge(lead.interval[0] >= least))


def refinement_knows(evaluation: Evaluation | None, limits: Thresholds) -> Question:
    """Answer question 4 with the feedback hidden; with it shown, the figures are context."""
    checks: list[Check] = []
    for origin, name in ORIGINS.items():
        views: Views | None = getattr(evaluation.decisions, origin) if evaluation and evaluation.decisions else None
        if views is None:
            checks.append(Check(f"On {name}", "Decisions", None, ABSENT, "evaluation.json", "not measured"))
            continue
        checks += _decided(f"On {name}, feedback hidden", views.hidden, limits)
        checks += _context(f"On {name}, feedback shown", views.shown)
    return Question(
        "Does refinement know more than the parser and the likelihood?",
        "Among valid attempts the parser has nothing left to say. There the head must tell DONE from REFINE better "
        "than chance, and better than whatever knows nothing of the change: the model's own mean log-likelihood, the "
        "length of the attempt, its lines, how far it is from the input, how much it repeats, and all of these "
        "together, whichever way round they are read. Copies of the input, which a comparison tells, are left out. The "
        "validator's feedback is hidden; where it is shown, reading it alone gives a balanced accuracy of 2/3. "
        "Intervals are of 95%, with pull requests for draws; a guess has a balanced accuracy of 1/3 (of 1/2 where "
        "two of the classes occur) and an area of 1/2.",
        tuple(checks),
    )


def _decided(subject: str, seen: Decided, limits: Thresholds) -> list[Check]:
    kept, refine, done = (sum(row) for row in seen.confusion)
    smallest, guess = limits.enough.class_documents, seen.balanced_accuracy_of_a_guess
    if guess is None or seen.done_auc_interval is None or min(refine, done) < smallest or not seen.rivals:
        counts = f"{kept} CONTINUE, {refine} REFINE, {done} DONE"
        needed = f"{smallest} each of REFINE and DONE, of three pull requests at least, evaluated by this version"
        return [*_context(subject, seen), Check(subject, "Documents", None, counts, needed, "not measured")]
    lead, strongest = seen.done_auc_lead, f"The same area, less that of its strongest rival, {seen.strongest_rival}"
    return [
        _above(subject, "Balanced accuracy", seen.balanced_accuracy, seen.balanced_accuracy_interval, guess),
        _above(subject, DONE_AREA, seen.done_auc_among_valid, seen.done_auc_interval, 1 / 2),
        _above(subject, strongest, lead, seen.done_auc_lead_interval, limits.judging.lead),
    ]


def _above(subject: str, what: str, value: float | None, bounds: tuple[float, float] | None, floor: float) -> Check:
    """Ask that the lower end of a figure's interval be above a floor."""
    answer = judge(None if bounds is None else bounds[0] > floor)
    return Check(subject, what, value, f"{number(value)} ({span(bounds)})", f"lower end above {number(floor)}", answer)


def _context(subject: str, seen: Decided) -> list[Check]:
    area, strongest = seen.done_auc_among_valid, seen.rivals.get(seen.strongest_rival or "")
    name, theirs = (
        (seen.strongest_rival, strongest.auc) if strongest else ("likelihood", seen.likelihood_auc_among_valid)
    )
    return [
        Check(subject, "Balanced accuracy", seen.balanced_accuracy, number(seen.balanced_accuracy)),
        Check(subject, f"DONE among valid, against {name}", area, f"{number(area)} against {number(theirs)}"),
    ]
