"""Tokens are drawn from the distribution that was asked for."""

from __future__ import annotations

import pytest
import torch

from hrm_ray.model.sampling import Sampling

PROBABILITIES = torch.tensor([0.1, 0.5, 0.05, 0.35])


def shares(**how: float) -> list[float]:
    """How often each token is drawn at evenly spread numbers."""
    points = (torch.arange(1000) + 0.5) / 1000
    drawn = Sampling(1, 1, **how).draw(PROBABILITIES.log().expand(1000, -1), points)
    return (torch.bincount(drawn, minlength=4) / 1000).tolist()


@pytest.mark.parametrize(
    ("how", "expected"),
    [
        ({}, [0, 1, 0, 0]),
        ({"temperature": 1.0}, [0.1, 0.5, 0.05, 0.35]),
        ({"temperature": 0.5}, [0.0260, 0.6494, 0.0065, 0.3182]),
        ({"temperature": 1.0, "top_p": 0.8}, [0, 0.5882, 0, 0.4118]),
        ({"temperature": 1.0, "top_p": 0.5}, [0, 1, 0, 0]),
        ({"temperature": 1.0, "min_p": 0.15}, [0.1053, 0.5263, 0, 0.3684]),
        ({"temperature": 1.0, "min_p": 0.3, "top_p": 0.9}, [0, 0.5882, 0, 0.4118]),
        ({"temperature": 1.0, "min_p": 1.0}, [0, 1, 0, 0]),
    ],
)
def test_shares(how: dict[str, float], expected: list[float]) -> None:
    assert shares(**how) == pytest.approx(expected, abs=2e-3)


def test_what_is_impossible_is_never_drawn() -> None:
    logits = torch.tensor([[float("-inf"), 0.0, float("-inf"), -30.0]]).expand(3, -1)
    drawn = Sampling(1, 1, temperature=2.0).draw(logits, torch.tensor([0.0, 0.5, 0.999999]))
    assert set(drawn.tolist()) <= {1, 3}
