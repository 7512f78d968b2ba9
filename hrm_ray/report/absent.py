"""What was not measured: the report says it, so that nobody takes silence for a result."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from hrm_ray.report import compare, seeds
from hrm_ray.report.files import BASELINES, Evaluation, Generation, RunFolder
from hrm_ray.report.held_out import ORIGINS, ROLES


def not_measured(run: RunFolder, curves: Sequence[str]) -> Iterator[str]:
    """Yield one sentence for each thing; `curves` are the titles of charts without data."""
    yield from _files(run, curves)
    yield from _baselines(run)
    yield from _evaluation(run)
    yield from seeds.obstacles(run)
    if (count := len(seeds.comparable(run))) < seeds.FEWEST:
        tried = f"{max(count, 1)} of the {seeds.FEWEST} that an interval needs"
        yield f"The spread between seeds: there are {tried}. A small lead may be luck."
    yield "Whether acting on the decisions gives better code: nothing was written again after CONTINUE or REFINE."
    yield "Whether people find the changes useful: the measure is distance to the one reference that was merged."


def _files(run: RunFolder, curves: Sequence[str]) -> Iterator[str]:
    if run.metrics is None:
        yield "The course of training: metrics.jsonl is missing."
    elif curves:
        yield f"Curves without data in metrics.jsonl: {', '.join(curves)}."
    if run.last_step is not None and not run.finished:
        yield f"The rest of training: the last logged step is {run.last_step:,} of {run.run.horizon:,}."
    if run.evaluation is None:
        yield "Anything on held-out code: evaluation.json is missing."
    if run.samples is None:
        yield "Samples: generations.jsonl is missing."


def _baselines(run: RunFolder) -> Iterator[str]:
    for role in BASELINES:
        name, baseline = ROLES[role], run.baselines.get(role)
        if baseline is None:
            yield f"The {name}: it was not trained."
        elif baseline.evaluation is None:
            yield f"The {name} on held-out code: it was trained and not evaluated."
        elif found := compare.obstacles(run, baseline):
            yield f"The lead over the {name}: {'; '.join(found)}."
        if baseline and baseline.metrics is None:
            yield f"The training of the {name}: its metrics.jsonl is missing."


def _evaluation(run: RunFolder) -> Iterator[str]:
    evaluation = run.evaluation
    if evaluation is None:
        return
    if evaluation.synthetic:
        yield "Real pull requests: the data are synthetic."
    if evaluation.split != "test":
        yield f"The test fold: the figures are of the {evaluation.split} fold, which also chose the checkpoint."
    if evaluation.test_reads is not None and evaluation.test_reads > 1:
        yield f"A first look: the test fold was read {evaluation.test_reads:,} times, and its figures may flatter."
    if evaluation.losses.code_bits_per_byte_no_plan is None:
        yield "What a plan is worth: the code loss without a plan."
    for origin, name in ORIGINS.items():
        views = getattr(evaluation.decisions, origin, None)
        if views is None:
            yield f"Decisions on {name}."
        elif views.hidden.done_auc_among_valid is None:
            yield f"DONE among valid on {name}: one of the classes is absent."
        elif views.hidden.done_auc_interval is None:
            yield f"How sure DONE among valid on {name} is: too few pull requests, or an evaluation of before."
    yield from _beyond_syntax(evaluation)
    left_out = _left_out(evaluation.generation)
    yield f"{left_out}: nothing can be nearer to the reference than the input, so none was written."
    yield f"Other ways to sample: generations are {_sampled(evaluation.generation)}."


def _beyond_syntax(evaluation: Evaluation) -> Iterator[str]:
    """Valid means the syntax and the kinds of declarations: what else is known of code?"""
    if evaluation.types is None:
        yield "Whether the code type-checks: there was no Go toolchain, or the pull requests are gone."
    yield "Whether the code builds and passes its repository's tests: only its own file is looked at."
    if evaluation.tasks is None:
        yield "Whether what it writes passes tests: evaluate.tasks names none."
    elif left_out := evaluation.tasks.left_out:
        yield f"Tasks: {'; '.join(f'{name}: {reason}' for name, reason in left_out.items())}."


def _left_out(generation: Generation) -> str:
    counts = generation.left_out
    if counts is None:
        return "Changes of comments alone"
    return f"{counts['modified']:,} changes of comments alone, {counts['added']:,} additions of a bare declaration"


def _sampled(generation: Generation) -> str:
    first = "greedy" if generation.temperature == 0 else f"one draw each at temperature {generation.temperature:g}"
    if (drawn := generation.candidates - 1) == 0:
        return first
    heat = f"{generation.candidate_temperature:g}"
    return f"{first}, then {drawn} at {heat}; taken is the likeliest that is valid and a change"
