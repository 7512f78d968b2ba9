"""The small dataset of the training tests."""

from tests.train.conftest import dataset

__all__ = ["dataset"]
