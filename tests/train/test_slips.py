"""A slip repeats what stands before it, has no loss, and leaves the rest of the document as it was."""

from __future__ import annotations

from collections import Counter

import numpy as np
import pytest

from hrm_ray.model.batch import Document, Part, collate
from hrm_ray.prepare.tokenizer import FIRST_NUMBER, FIRST_TEXT, Control
from hrm_ray.train.slips import FIRST, TIMES, TOKENS, slipped

PLACE = [FIRST_NUMBER + 2, FIRST_NUMBER + 4]
TEXT = [*range(FIRST_TEXT, FIRST_TEXT + 20)]
CODE = [Control.CODE, *PLACE, Control.LINE, *TEXT[:9], Control.LINE, *TEXT[9:], Control.END]
PLAN = [Control.PLAN, *TEXT[:3]]
DOCUMENT = Document([Control.BEFORE, *TEXT], PLAN, CODE, weight=0.5)


def test_it_is_a_stretch_before_it_again_and_the_rest_stays() -> None:
    random, lengths = np.random.default_rng(0), Counter[int]()
    whole = 0
    for _ in range(500):
        made = slipped(DOCUMENT, random)
        code = list(made.code)
        assert [id_ for at, id_ in enumerate(code) if at not in made.slip] == CODE
        slip = [code[at] for at in made.slip]
        assert Control.END not in slip
        (period,) = [
            n for n in range(1, len(slip) + 1) if slip == code[made.slip.start - n : made.slip.start] * (len(slip) // n)
        ][:1]
        assert len(slip) // period <= TIMES
        lengths[len(slip) // period] += 1
        whole += slip[0] == Control.LINE
        assert slip[0] == Control.LINE or period <= TOKENS
        assert made.slip.start > FIRST
    assert set(lengths) == {1, 2, 3}
    assert 200 < whole < 320


def test_a_slip_is_not_predicted_and_what_follows_is() -> None:
    made = slipped(DOCUMENT, np.random.default_rng(1))
    plain, batch = collate([DOCUMENT]), collate([made, DOCUMENT])
    count = len(PLAN) + len(CODE)
    assert batch.targets[:count].tolist() == plain.targets.tolist() == batch.targets[count:].tolist()
    assert batch.target_part.tolist() == [*[Part.PLAN] * len(PLAN), *[Part.CODE] * len(CODE)] * 2
    assert batch.target_weight.tolist() == [0.5] * 2 * count
    after = len(PLAN) + made.slip.start
    assert int(batch.target_at[after]) == len(made.prefix) + len(PLAN) + made.slip.stop - 1
    assert int(batch.target_at[count]) == made.size + len(DOCUMENT.prefix) - 1
    assert batch.spans[0].stop == made.size == DOCUMENT.size + len(made.slip)


@pytest.mark.parametrize("code", [[], [Control.CODE, *PLACE, Control.END], [Control.CODE, *TEXT[:3], Control.END]])
def test_short_code_stays(code: list[int]) -> None:
    short = DOCUMENT._replace(code=code)
    assert slipped(short, np.random.default_rng(0)) == short
