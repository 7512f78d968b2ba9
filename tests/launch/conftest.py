"""The small dataset of the training tests."""

from tests.train.conftest import dataset, other

__all__ = ["dataset", "other"]
