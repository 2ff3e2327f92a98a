"""Settings that all tests share."""

import os
import pathlib

import hypothesis
import pytest

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")  # no notes about instruction sets

hypothesis.settings.register_profile(
    "house", deadline=None, max_examples=50, derandomize=True, database=None
)
hypothesis.settings.load_profile("house")


@pytest.fixture(scope="session")
def root() -> pathlib.Path:
    """The checkout."""
    return pathlib.Path(__file__).resolve().parent.parent
