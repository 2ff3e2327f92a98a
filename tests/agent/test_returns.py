"""λ-returns and normalisers."""

import hypothesis.strategies as st
import numpy as np
import pytest
import tensorflow as tf
from hypothesis import given

from dreamerv3_tf.agent.returns import Normalizer, lambda_return

REWARD = tf.constant([[9.0, 1, 2, 3]])
BOOT = tf.constant([[4.0, 5, 6, 7]])
GAMMA = 1 - 1 / 333


def test_an_imagined_return_by_hand():
    # R2 = 3 + 0.7 · 7 = 7.9; R1 = 2 + 0.8 (0.05 · 6 + 0.95 · 7.9) = 8.244; …
    cont = tf.constant([[1.0, 0.9, 0.8, 0.7]])
    got = lambda_return(REWARD, cont, BOOT, 1.0, 0.95)
    np.testing.assert_allclose(got, [[8.27362, 8.244, 7.9]], rtol=1e-6)


@pytest.mark.parametrize(
    "terminal, want",
    [(0, [8.80936071, 7.98198198, 9.97897898]), (1, [3.14354354, 2, 9.97897898])],
)
def test_a_replayed_return_cuts_at_an_end_and_bootstraps_unless_it_is_terminal(
    terminal, want
):
    # The episode ends at index 2. R1 = r2 + γ v2 where time ran out, r2 where it died.
    last = tf.constant([[0.0, 0, 1, 0]])
    live = GAMMA * (1 - last * terminal)
    got = lambda_return(REWARD, live, BOOT, 1 - last, 0.95)
    np.testing.assert_allclose(got, [want], rtol=1e-6)


@given(seed=st.integers(0, 2**16), end=st.integers(1, 4), dies=st.booleans())
def test_nothing_after_the_end_changes_the_return_before_it(seed, end, dies):
    rng = np.random.default_rng(seed)
    reward, boot = rng.normal(size=(2, 3, 6)).astype("float32")
    last = np.zeros((3, 6), "float32")
    last[:, end] = 1
    live = (0.997 * (1 - last * dies)).astype("float32")

    def returns():
        given = (tf.constant(x) for x in (reward, live, boot, 1 - last))
        return lambda_return(*given, 0.95).numpy()

    before = returns()
    reward[:, end + 1 :] += 100
    boot[:, end + 1 :] -= 100
    np.testing.assert_array_equal(before[:, :end], returns()[:, :end])


def test_percentiles_are_followed_slowly_and_from_zero():
    # 0 … 100: the percentiles are 5 and 95; a hundredth of them after one update.
    norm = Normalizer("perc", rate=0.01, limit=0.5)
    offset, scale = norm(tf.range(101.0))
    np.testing.assert_allclose([offset, scale], [0.05, 0.9], rtol=1e-5)
    norm(tf.range(101.0))
    np.testing.assert_allclose(norm.stats()[0], 0.0995, rtol=1e-5)


def test_small_returns_are_not_blown_up():
    norm = Normalizer("perc", rate=1.0, limit=1.0)
    assert norm(tf.constant([0.0, 0.1]))[1] == 1


def test_debiased_moments_are_exact_after_one_update():
    norm = Normalizer("meanstd", rate=0.1, limit=1e-8, debias=True)
    offset, scale = norm(tf.constant([1.0, 5.0]))
    np.testing.assert_allclose([offset, scale], [3, 2], rtol=1e-5)


def test_no_normaliser_changes_nothing():
    norm = Normalizer("none")
    offset, scale = norm(tf.constant([5.0, 7.0]))
    assert (offset, scale, norm.weights) == (0, 1, [])


def test_percentiles_interpolate():
    # Between 0 and 10 at 5 %: 0.5; nearest would be 0.
    offset, _ = Normalizer("perc", rate=1.0)(tf.constant([0.0, 10.0]))
    np.testing.assert_allclose(offset, 0.5, rtol=1e-6)
