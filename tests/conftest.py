"""Settings that all tests share."""

import os
import pathlib

import hypothesis
import pytest

from dreamerv3_tf.run import compilation

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")  # no notes about instruction sets
compilation.set_flags()  # XLA reads them once: before any test, not in one of them

hypothesis.settings.register_profile(
    "house", deadline=None, max_examples=50, derandomize=True, database=None
)
hypothesis.settings.load_profile("house")


@pytest.fixture(scope="session")
def root() -> pathlib.Path:
    """The checkout."""
    return pathlib.Path(__file__).resolve().parent.parent
