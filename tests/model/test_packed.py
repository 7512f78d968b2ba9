"""Weights laid out for few rows give the same numbers, and are gone afterwards."""

from __future__ import annotations

import pytest
import torch
from torch import nn

from hrm_ray.model import packed
from hrm_ray.model.packed import packed_weights


@pytest.mark.parametrize("rows", [1, 7, 64])
def test_the_numbers_are_the_same_and_the_layers_are_as_before(rows: int) -> None:
    model = nn.Sequential(nn.Linear(48, 96, bias=False), nn.SiLU(), nn.Linear(96, 32, bias=False))
    given = torch.randn(rows, 48)
    with torch.inference_mode():
        expected = model(given)
        with packed_weights(model, rows):
            assert "forward" in vars(model[0])
            torch.testing.assert_close(model(given), expected, atol=1e-5, rtol=1e-5)
            torch.testing.assert_close(model(given[:1]), expected[:1], atol=1e-5, rtol=1e-5)
    assert "forward" not in vars(model[0])
    assert model(given).requires_grad


def test_other_precisions_stay_as_they_are() -> None:
    model = nn.Sequential(nn.Linear(8, 8, bias=False)).to(torch.bfloat16)
    with packed_weights(model, 1):
        assert "forward" not in vars(model[0])


def test_an_error_leaves_nothing_behind() -> None:
    model = nn.Sequential(nn.Linear(8, 8, bias=False))
    with pytest.raises(RuntimeError, match="stop"), packed_weights(model, 1):
        raise RuntimeError("stop")
    assert "forward" not in vars(model[0])


def test_a_second_user_at_the_same_time_is_no_error() -> None:
    model = nn.Sequential(nn.Linear(8, 8, bias=False))
    with packed_weights(model, 1), packed_weights(model, 2):
        assert "forward" in vars(model[0])
    assert "forward" not in vars(model[0])


def test_a_copy_that_finds_no_memory_leaves_none_of_the_others(monkeypatch: pytest.MonkeyPatch) -> None:
    model = nn.Sequential(nn.Linear(8, 8, bias=False), nn.Linear(8, 8, bias=False))
    copies = iter([lambda x: x])
    monkeypatch.setattr(packed, "partial", lambda *_: next(copies))
    with pytest.raises(RuntimeError), packed_weights(model, 1):
        pass
    assert not any("forward" in vars(layer) for layer in model)
