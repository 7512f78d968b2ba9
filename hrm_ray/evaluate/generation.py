"""Write held-out changes, and measure what was written against the reference and against copying the input."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass, replace
from itertools import islice, pairwise
from typing import Any, Final

from sacrebleu.metrics.chrf import CHRF

from hrm_ray.config import Evaluate
from hrm_ray.errors import UserError
from hrm_ray.evaluate.adherence import adherence
from hrm_ray.evaluate.go_check import GoCheck
from hrm_ray.evaluate.opened import Network, Opened
from hrm_ray.evaluate.statistics import mean, share, share_interval
from hrm_ray.golang.declarations import declarations
from hrm_ray.golang.leaves import distance, leaves, similarity
from hrm_ray.golang.syntax import Diagnostic, validate
from hrm_ray.model.generate import Check, Written, generate
from hrm_ray.model.sampling import Sampling
from hrm_ray.prepare import edits
from hrm_ray.prepare.examples import Example
from hrm_ray.prepare.plan import header, kinds_of
from hrm_ray.prepare.tokenizer import Tokenizer
from hrm_ray.train.fit import is_out_of_memory

_CHRF = CHRF()

CHANGES: Final = ("added", "modified")
BRACED = frozenset({"struct", "interface"})

LEFT = 3
"""A change is close that leaves less than one part in so many of the input's distance to the reference.

Half of the tokens of Go are the same few: of 342 held-out added functions one constant function came nearer to 260 than
their bare heads are, and a call `x.y()` put into a function goes 3 of 5 tokens of the way wherever a call was added. No
answer that looks at nothing goes as far as this but by chance (docs/log.md).
"""


@dataclass(frozen=True)
class Request:
    """One answer that is asked for."""

    prefix: Sequence[int]
    """Ids of problem and context."""
    id: str
    """Seeds what is drawn."""
    before: str = ""
    """The declaration that is edited; empty of an addition."""
    checked: bool = True
    """Refuse what `GoCheck` does: above all to begin another hunk or to end while the answer is not valid Go."""
    chosen: bool = True
    """Take the likeliest of `evaluate.candidates` answers that are valid Go and a change, of a checked request."""

    def header(self, tokenizer: Tokenizer) -> list[int]:
        """Return how the plan begins: with the declarations that are modified; empty of an addition."""
        return tokenizer.encode(header(self.before))

    def texts(self, written: Written, tokenizer: Tokenizer) -> tuple[str, str]:
        """Return the plan and the whole declaration that were written."""
        return edits.texts(written.plan, written.code, self.prefix, self.before, tokenizer)

    def check(self, tokenizer: Tokenizer) -> Check | None:
        """Return the check for `generate`."""
        return GoCheck(self.prefix, self.before, tokenizer) if self.checked else None

    def stands(self, written: Written, tokenizer: Tokenizer) -> bool:
        """Whether this answer is valid Go and a change."""
        return GoCheck(self.prefix, self.before, tokenizer).ends(written, True)


@dataclass(frozen=True)
class Attempt:
    """One generated change with its scores."""

    index: int
    """Row of the split."""
    example: Example
    written: Written
    plan: str
    code: str
    diagnostic: Diagnostic | None
    improved: bool
    close: bool
    exact: bool
    copied: bool
    edit_similarity: float
    copy_edit_similarity: float
    chrf: float
    """Character n-gram F-score (Popovic 2015), 0 to 1, of the same tokens; of the common measures of code the one that
    agrees best with people (arXiv 2208.03133)."""
    adherence: float | None
    """Share of the plan's steps that the code realises; None where it is not valid or has no plan."""

    @property
    def valid(self) -> bool:
        """Strictly valid Go, of the kinds that the predicted plan names."""
        return self.diagnostic is None


def chosen(opened: Opened, count: int) -> list[int]:
    """Return the first `count` rows of the split to which an exact answer would improve.

    They are sorted by a hash, so they are a fair draw.
    """
    examples = opened.solve.shards.example
    return list(islice((row for row in range(len(opened.solve)) if can_improve(examples(row))), count))


def left_out(opened: Opened) -> dict[str, int]:
    """Count the rows of the split that are never chosen, by kind of change."""
    examples = map(opened.solve.shards.example, range(len(opened.solve)))
    changes = [example.change for example in examples if not can_improve(example)]
    return {change: changes.count(change) for change in CHANGES}


def can_improve(example: Example) -> bool:
    """Return false where the reference is the input in all but comments: no answer is nearer to it.

    That is a modification of comments alone, and an addition that is no more than its own bare head, such as
    `type ID int`, `var mu sync.Mutex` and `func (T) Close() {}`.
    """
    return leaves(example.code) not in inputs(example)


def requests(opened: Opened, rows: Sequence[int], *, checked: bool = True) -> list[Request]:
    """Return what is asked for at these rows of the split."""
    examples = map(opened.solve.shards.example, rows)
    return [
        Request(opened.solve.prefix(row).tolist(), example.id, example.before, checked)
        for row, example in zip(rows, examples, strict=True)
    ]


def scored(opened: Opened, rows: Sequence[int], written: Sequence[Written]) -> list[Attempt]:
    """Measure what was written to these rows of the split."""
    asked = requests(opened, rows)
    return [
        score(row, opened.solve.shards.example(row), one, *request.texts(one, opened.tokenizer))
        for row, request, one in zip(rows, asked, written, strict=True)
    ]


def score(index: int, example: Example, written: Written, plan: str, code: str) -> Attempt:
    """Measure one attempt.

    It improves if it is valid, of the kinds that were really declared, and nearer to the reference than the input, in
    tokens without comments; it is close if it goes more than two thirds of the way. The bare head of what was written
    is an input of an addition too.
    """
    diagnostic = validate(code, kinds_of(plan))
    ours, reference = leaves(code), leaves(example.code)
    given, written_head = inputs(example), () if example.before else (head(code),)
    away, far = distance(ours, reference), min(distance(one, reference) for one in (*given, *written_head))
    fits = diagnostic is None and validate(code, example.kinds) is None
    return Attempt(
        index=index,
        example=example,
        written=written,
        plan=plan,
        code=code,
        diagnostic=diagnostic,
        improved=fits and away < far,
        close=fits and LEFT * away < far,
        exact=diagnostic is None and ours == reference,
        copied=bool(ours) and ours == given[0],
        edit_similarity=similarity(ours, reference),
        chrf=_CHRF.sentence_score(" ".join(ours), [" ".join(reference)]).score / 100,
        copy_edit_similarity=max(similarity(one, reference) for one in given),
        adherence=None if diagnostic else adherence(plan, example.before, code),
    )


def inputs(example: Example) -> list[tuple[str, ...]]:
    """Return the tokens that an answer must be nearer to the reference than: the declaration before; of an addition its
    anchor, as often as there are declarations, and the bare head of the reference."""
    if example.before:
        return [leaves(example.before)]
    return [leaves(example.anchor) * len(example.kinds), head(example.code)]


def copies(found: Sequence[Attempt]) -> list[Attempt]:
    """Return what copying the input would have been to the same examples.

    The input of an addition is its anchor or the reference's bare head, which no model is given, whichever is more
    similar to the reference: copying is shown at its best.
    """
    return [copy(attempt.index, attempt.example) for attempt in found]


def copy(index: int, example: Example) -> Attempt:
    """Score the input as if it had been written, behind the true plan."""
    anchors, reference = "\n\n".join([example.anchor] * len(example.kinds)), leaves(example.code)
    texts = [example.before] if example.before else [anchors, " ".join(head(example.code))]
    code = max(texts, key=lambda one: similarity(leaves(one), reference))
    return replace(score(index, example, Written(finished=True), example.plan, code), copied=True)


def head(code: str) -> tuple[str, ...]:
    """Return the tokens of the declarations in `code` without what they contain: signatures, names, empty braces."""
    tokens: list[str] = []
    for declaration in declarations(f"package p\n\n{code}"):
        signature = leaves(declaration.signature)
        has_body = declaration.kind in {"function", "method"} and signature != leaves(declaration.text)
        # Where a signature joins lines it has semicolons, and of a struct or interface it keeps the word alone.
        for token, after in pairwise([*(token for token in signature if token != ";"), ""]):
            tokens += [token, "{", "}"] if token in BRACED and after != "{" else [token]
        tokens += ["{", "}"] if has_body else []
    return tuple(tokens)


def summary(found: Sequence[Attempt]) -> dict[str, Any]:
    """Return one `G` of `evaluation.json`."""
    valid, improved, close = ([getattr(one, name) for one in found] for name in ("valid", "improved", "close"))
    pulls = [(attempt.example.repository, attempt.example.number) for attempt in found]
    return {
        "count": len(found),
        "finished_share": share([attempt.written.finished for attempt in found]),
        "valid_share": share(valid),
        "valid_interval": share_interval(valid, pulls),
        "first_share": share([one.valid and not one.copied and one.written.tries == 1 for one in found]),
        "tries": mean([attempt.written.tries for attempt in found]),
        "improved_share": share(improved),
        "improved_interval": share_interval(improved, pulls),
        "close_share": share(close),
        "close_interval": share_interval(close, pulls),
        "exact_share": share([attempt.exact for attempt in found]),
        "copy_share": share([attempt.copied for attempt in found]),
        "valid_share_of_changed": share([attempt.valid for attempt in found if not attempt.copied]),
        "edit_similarity": mean([attempt.edit_similarity for attempt in found]),
        "copy_edit_similarity": mean([attempt.copy_edit_similarity for attempt in found]),
        "chrf": mean([attempt.chrf for attempt in found]),
        "plan_adherence": mean([attempt.adherence for attempt in found if attempt.adherence is not None]),
    }


def measure(found: Sequence[Attempt]) -> dict[str, Any]:
    """Return the shares of the `generation` of `evaluation.json`, all and by kind of change."""
    groups = {change: [a for a in found if a.example.change == change] for change in CHANGES}
    return {"all": summary(found)} | {change: summary(group) for change, group in groups.items()}


def records(found: Sequence[Attempt], decisions: Sequence[str]) -> Iterator[dict[str, Any]]:
    """Yield the lines of `generations.jsonl`."""
    for attempt, decision in zip(found, decisions, strict=True):
        example = attempt.example
        told = ("id", "repository", "number", "path", "change", "title", "body", "before", "plan", "code")
        scored = ("valid", "improved", "close", "exact", "edit_similarity", "copy_edit_similarity", "chrf", "adherence")
        yield {
            **{name: getattr(example, name) for name in told},
            "predicted_plan": attempt.plan,
            "generated": attempt.code,
            "finished": attempt.written.finished,
            "tries": attempt.written.tries,
            "diagnostic": asdict(attempt.diagnostic) if attempt.diagnostic else None,
            **{name: getattr(attempt, name) for name in scored},
            "decision": decision,
            "log_likelihood": attempt.written.mean_log_likelihood,
        }


def write(network: Network, asked: Sequence[Request], ended: Callable[[int], None] = lambda _: None) -> list[Written]:
    """Write a plan and code for each request as `evaluate` of the settings says.

    `ended` is told whenever more rows have come to their ends, how many those are.

    Raises:
        UserError: there is no memory for the states of so many rows at a time.
    """
    settings, tokenizer = network.config.evaluate, network.tokenizer
    several = [at for at, one in enumerate(asked) if one.checked and one.chosen]
    rounds = settings.candidates if several else 1
    found = _write(network, asked, [one.id for one in asked], sampling_of(settings), lambda done: ended(done // rounds))
    drawn = [(at, number) for number in range(2, rounds + 1) for at in several]
    ids = [f"{asked[at].id} candidate {number}" for at, number in drawn]
    sampling = sampling_of(settings)._replace(temperature=settings.candidate_temperature)
    others = _write(
        network, [asked[at] for at, _ in drawn], ids, sampling, lambda done: ended((len(asked) + done) // rounds)
    )
    candidates = {at: [found[at]] for at in several}
    for (at, _), other in zip(drawn, others, strict=True):
        candidates[at].append(other)
    for at, written in candidates.items():
        found[at] = likeliest(written, [asked[at].stands(one, tokenizer) for one in written])
    return found


def likeliest(written: Sequence[Written], stands: Sequence[bool]) -> Written:
    """Return the likeliest answer of those that stand, the first where none does; its `tries` say which was the first
    to stand, or how many did not."""
    able = [one for one, able in zip(written, stands, strict=True) if able]
    tries = stands.index(True) + 1 if able else len(written)
    return replace(max(able or written[:1], key=lambda one: one.log_likelihood), tries=tries)


def _write(
    network: Network,
    asked: Sequence[Request],
    ids: Sequence[str],
    sampling: Sampling,
    ended: Callable[[int], None] = lambda _: None,
) -> list[Written]:
    """Write to each request once, what is drawn being seeded by these ids."""
    settings, tokenizer = network.config.evaluate, network.tokenizer
    seeds, prefixes = [seed_of(network.config.seed, one) for one in ids], [one.prefix for one in asked]
    checks, begun = [one.check(tokenizer) for one in asked], [one.header(tokenizer) for one in asked]
    try:
        return generate(network.engine.model, prefixes, seeds, sampling, settings.batch, ended, checks, begun)
    except (MemoryError, RuntimeError) as error:
        if not is_out_of_memory(error):
            raise
        smaller = f"batch={settings.batch // 2}" if settings.batch > 1 else "max_code_tokens=SMALLER"
        raise UserError(
            f"out of memory on {network.engine.device}, writing {settings.batch} changes at a time; "
            f"next to try: --set evaluate.{smaller}"
        ) from error


def sampling_of(settings: Evaluate) -> Sampling:
    """Return the budgets and the way of drawing that these settings ask for."""
    return Sampling(
        settings.max_plan_tokens, settings.max_code_tokens, settings.temperature, settings.top_p, settings.min_p
    )


def seed_of(seed: int, example_id: str) -> int:
    """Return the seed of one row of a run."""
    return int.from_bytes(hashlib.sha256(f"{seed}:{example_id}".encode()).digest()[:8])
