"""Generation over the cache writes what recomputation would, and nothing but text inside a section."""

from __future__ import annotations

from collections.abc import Sequence

import pytest
import torch

from hrm_ray.model import generate as generation
from hrm_ray.model.attention import KeyValueCache, PackedAttention, Prefill
from hrm_ray.model.batch import Document, collate
from hrm_ray.model.generate import decode, generate
from hrm_ray.model.hrm import HRM
from hrm_ray.model.sampling import Sampling
from hrm_ray.prepare.tokenizer import FIRST_NUMBER, FIRST_TEXT, Control
from tests.model.conftest import small_model, solve_document

PREFIXES = [[*solve_document(seed, prefix=size).prefix] for seed, size in ((1, 5), (2, 19), (3, 11))]


def recomputed(model: HRM, document: Document) -> torch.Tensor:
    """Logits after the last token of the document, without a cache."""
    batch = collate([document])
    attend = PackedAttention(batch.spans, batch.ids.device)
    return model.logits(model.states(model.embed(batch.ids), batch.positions, attend, depth=2)[-1:])[0]


@pytest.mark.parametrize("mode", [{}, {"inject": True}, {"mode": "plain"}])
@torch.inference_mode()
def test_the_cache_equals_recomputation(mode: dict[str, object]) -> None:
    model = small_model(**mode)
    documents = [solve_document(seed, prefix=size, plan=5, code=0) for seed, size in ((1, 5), (2, 19), (3, 11))]
    cache = KeyValueCache(model.attention_calls, 3, 40, 4, 8, model.embedding.weight)
    batch = collate([document._replace(plan=document.plan[:1], code=[]) for document in documents])
    model.states(model.embed(batch.ids), batch.positions, Prefill(cache, range(3), batch.spans), depth=2)
    for start, stop in ((1, 2), (2, 4), (4, 5), (5, 6)):
        logits = decode(model, torch.tensor([document.plan[start:stop] for document in documents]), cache)
        for row, document in enumerate(documents):
            for at, token in enumerate(range(start, stop)):
                so_far = document._replace(plan=document.plan[: token + 1], code=[])
                torch.testing.assert_close(logits[row, at], recomputed(model, so_far), atol=1e-5, rtol=1e-5)
        cache.lengths += stop - start


def test_greedy_generation_is_the_argmax_of_recomputation() -> None:
    model, sampling = small_model(), Sampling(max_plan_tokens=6, max_code_tokens=8)
    [written] = generate(model, PREFIXES[:1], [0], sampling)
    ids: list[int] = [Control.PLAN]
    with torch.inference_mode():
        for token in [*written.plan, Control.CODE, *written.code]:
            logits = recomputed(model, Document(PREFIXES[0], ids, []))
            allowed = [*range(FIRST_TEXT, len(logits)), Control.END if Control.CODE in ids else Control.CODE]
            best = max(allowed, key=lambda t: float(logits[t]))
            assert token == best or len(ids) == 1 + sampling.max_plan_tokens
            ids.append(token)


@pytest.mark.parametrize("temperature", [0.0, 1.3])
def test_no_control_token_appears_and_budgets_hold(temperature: float) -> None:
    sampling = Sampling(max_plan_tokens=5, max_code_tokens=7, temperature=temperature, top_p=0.95)
    for written in generate(small_model(), PREFIXES, [1, 2, 3], sampling):
        assert len(written.plan) <= 5
        assert len(written.code) <= 7
        assert written.finished or len(written.code) == 7
        assert all(token >= FIRST_TEXT for token in [*written.plan, *written.code])
        assert written.mean_log_likelihood < 0


def test_a_row_does_not_depend_on_its_neighbours() -> None:
    model, sampling = small_model(), Sampling(max_plan_tokens=5, max_code_tokens=7, temperature=1.0)
    together = generate(model, PREFIXES, [1, 2, 3], sampling)
    alone = [generate(model, [prefix], [seed], sampling)[0] for prefix, seed in zip(PREFIXES, [1, 2, 3], strict=True)]
    assert [(w.plan, w.code) for w in together] == [(w.plan, w.code) for w in alone]


def test_nothing_is_written_to_no_prefix() -> None:
    assert generate(small_model(), [], [], Sampling(max_plan_tokens=1, max_code_tokens=1)) == []


def test_compiled_blocks_write_the_same() -> None:
    """As they are in validation during training; weights that are laid out anew cannot be compiled."""
    model, sampling = small_model(), Sampling(max_plan_tokens=4, max_code_tokens=6)
    expected = generate(model, PREFIXES, [0] * 3, sampling)
    model.execute(recompute=True, compiled=True)
    assert generate(model, PREFIXES, [0] * 3, sampling) == expected


@pytest.mark.parametrize("temperature", [0.0, 1.0])
def test_rows_that_end_make_room(temperature: float, monkeypatch: pytest.MonkeyPatch) -> None:
    """Seven prefixes of unlike lengths, two at a time: what each writes is what it writes alone."""
    model, sampling = small_model(), Sampling(max_plan_tokens=3, max_code_tokens=12, temperature=temperature)
    prefixes = [[*solve_document(seed, prefix=3 * seed).prefix] for seed in range(1, 8)]
    widths: list[int] = []
    told: list[int] = []
    original = generation.decode
    monkeypatch.setattr(generation, "decode", lambda m, t, c: widths.append(len(t)) or original(m, t, c))  # type: ignore[func-returns-value]
    together = generate(model, prefixes, list(range(7)), sampling, rows=2, ended=told.append)
    assert max(widths) == 2
    assert told == sorted(told)
    assert told[-1] == 7
    for seed, (prefix, written) in enumerate(zip(prefixes, together, strict=True)):
        [alone] = generate(model, [prefix], [seed], sampling)
        assert (alone.plan, alone.code, alone.finished) == (written.plan, written.code, written.finished)
        assert alone.log_likelihood == pytest.approx(written.log_likelihood, abs=1e-4)


@pytest.mark.parametrize("temperature", [0.0, 0.3, 1.0])
def test_guesses_change_nothing_but_the_number_of_steps(temperature: float, monkeypatch: pytest.MonkeyPatch) -> None:
    # Without induction heads it repeats itself more, so that guesses hold.
    model = small_model(induction=False)
    sampling = Sampling(max_plan_tokens=20, max_code_tokens=40, temperature=temperature)
    steps: list[int] = []
    original = generation.decode
    monkeypatch.setattr(generation, "decode", lambda m, t, c: steps.append(t.shape[1]) or original(m, t, c))  # type: ignore[func-returns-value]
    found = []
    for guesses in (0, 8):
        monkeypatch.setattr(generation, "GUESSES", guesses)
        steps.clear()
        found.append((generate(model, PREFIXES, [1, 2, 3], sampling), list(steps)))
    (without, one_by_one), (looking_ahead, several) = found
    assert [(w.plan, w.code, w.finished) for w in without] == [(w.plan, w.code, w.finished) for w in looking_ahead]
    assert set(one_by_one) == {1}
    assert max(several) > 1
    assert len(several) < len(one_by_one)
    for one, other in zip(without, looking_ahead, strict=True):
        assert one.log_likelihood == pytest.approx(other.log_likelihood, abs=1e-3)


def test_sampling_depends_on_the_seed_and_a_tiny_nucleus_is_greedy() -> None:
    model = small_model()
    warm = Sampling(max_plan_tokens=8, max_code_tokens=8, temperature=1.0)
    assert generate(model, PREFIXES[:1], [1], warm) == generate(model, PREFIXES[:1], [1], warm)
    assert generate(model, PREFIXES[:1], [1], warm) != generate(model, PREFIXES[:1], [2], warm)
    nucleus = warm._replace(top_p=1e-6)
    greedy = warm._replace(temperature=0.0)
    [a], [b] = generate(model, PREFIXES[:1], [1], nucleus), generate(model, PREFIXES[:1], [9], greedy)
    assert (a.plan, a.code) == (b.plan, b.code)


class Anything:
    """A check that refuses nothing."""

    def follows(self, ids: Sequence[int], token: int) -> bool:
        return True

    def ends(self, written: generation.Written, last: bool) -> bool:
        return True

    def breaks(self, ids: Sequence[int], token: int) -> bool:
        return False


def test_what_a_check_does_not_let_follow_gives_way_to_the_next_best() -> None:
    model, sampling = small_model(induction=False), Sampling(max_plan_tokens=6, max_code_tokens=20)

    class Distinct(Anything):
        def follows(self, ids: Sequence[int], token: int) -> bool:
            return token not in ids

    free, distinct = (generate(model, PREFIXES, [0] * 3, sampling, checks=[check] * 3) for check in (None, Distinct()))
    assert any(len(set(one.code)) < len(one.code) for one in free)
    for one in distinct:
        assert len(set(one.plan)) == len(one.plan)
        assert len(set(one.code)) == len(one.code) > 1


def test_a_whole_answer_is_cut_at_the_first_break_where_it_might_have_ended(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(generation, "REFUSALS", 1000)
    model, sampling = small_model(induction=False), Sampling(max_plan_tokens=4, max_code_tokens=30, temperature=1.0)

    class Fifth(Anything):
        def ends(self, written: generation.Written, last: bool) -> bool:
            return len(written.code) == 5

        def breaks(self, ids: Sequence[int], token: int) -> bool:
            return True

    def write() -> list[generation.Written]:
        return generate(model, PREFIXES * 3, range(9), sampling, checks=[Fifth()] * 9)

    found = write()
    assert {len(one.code) for one in found} == {5}
    assert not all(one.finished for one in found)
    monkeypatch.setattr(generation, "REFUSALS", 0)
    assert {len(one.code) for one in write() if not one.finished} == {5}, "after the last refusal too"


def test_a_check_refuses_ends_and_gives_up_as_it_was_at_the_first(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(generation, "REFUSALS", 3)
    model, seeds = small_model(induction=False), range(9)
    sampling = Sampling(max_plan_tokens=4, max_code_tokens=1000, temperature=1.0)
    ends = list[bool]()

    class Later(Anything):
        def ends(self, written: generation.Written, last: bool) -> bool:
            ends.append(last)
            return len(written.code) >= 20

    class Never(Anything):
        def ends(self, written: generation.Written, last: bool) -> bool:
            return False

    def write(check: generation.Check | None) -> list[generation.Written]:
        return generate(model, PREFIXES * 3, seeds, sampling, checks=[check] * 9)

    free, checked, never = write(None), write(Later()), write(Never())
    assert min(len(one.code) for one in free) < 20 <= min(len(one.code) for one in checked)
    assert set(ends) == {True}
    assert [(one.plan, one.code, one.finished) for one in never] == [(one.plan, one.code, True) for one in free]
    assert [one.log_likelihood for one in never] == pytest.approx([one.log_likelihood for one in free], rel=1e-3)


def test_an_edit_that_does_not_end_is_cut_behind_its_first_line_that_might_have_ended_it(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(generation, "REFUSALS", 1000)
    model, sampling = small_model(induction=False), Sampling(max_plan_tokens=4, max_code_tokens=200, temperature=1.0)
    numbers = range(FIRST_NUMBER + 3, FIRST_NUMBER + 9)
    prefix = [Control.BEFORE, *(id_ for number in numbers for id_ in (number, FIRST_TEXT + 1))]

    def write(check: generation.Check) -> list[generation.Written]:
        return generate(model, [prefix] * 9, range(9), sampling, checks=[check] * 9)

    def lines(one: generation.Written) -> int:
        return one.code.count(Control.LINE)

    class TwoLines(Anything):
        def ends(self, written: generation.Written, last: bool) -> bool:
            return not last or lines(written) == 2

        def breaks(self, ids: Sequence[int], token: int) -> bool:
            return token < FIRST_TEXT

    found = write(TwoLines())
    cut = [one for one in found if not one.finished]
    assert [lines(one) for one in cut if lines(one) > 1] == [2] * len(cut)
    assert min(len(one.code) for one in cut) < sampling.max_code_tokens


def test_what_is_given_of_an_answer_comes_first_and_the_rest_follows_from_it() -> None:
    model, sampling = small_model(), Sampling(max_plan_tokens=6, max_code_tokens=8)

    def written(given: list[list[int]] | None = None, rows: int = 3) -> list[tuple[list[int], list[int], bool]]:
        found = generate(model, PREFIXES, [1, 2, 3], sampling, rows=rows, given=given)
        return [(one.plan, one.code, one.finished) for one in found]

    alone = written()
    assert written([plan[:count] for (plan, _, _), count in zip(alone, (0, 2, 4), strict=True)]) == alone
    assert written([[*plan, Control.CODE] for plan, _, _ in alone], rows=2) == alone
    other = [[FIRST_TEXT + token, FIRST_TEXT + 2] for token in range(3)]
    assert [plan[:2] for plan, _, _ in written(other)] == other
