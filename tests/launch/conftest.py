"""The small dataset of the training tests, and a head to join."""

from tests.launch.head import head
from tests.train.conftest import dataset, other

__all__ = ["dataset", "head", "other"]
