"""Functions without weights."""

import hypothesis.strategies as st
import numpy as np
import tensorflow as tf
from hypothesis import given
from hypothesis.extra import numpy as hnp

from dreamerv3_tf.nn import functions

numbers = hnp.arrays(
    np.float32, 5, elements=st.floats(-1e6, 1e6, width=32, allow_subnormal=False)
)


@given(numbers)
def test_symexp_undoes_symlog(x):
    np.testing.assert_allclose(
        functions.symexp(functions.symlog(x)), x, rtol=2e-5, atol=1e-6
    )


@given(numbers)
def test_symlog_is_odd_and_shrinks(x):
    y = functions.symlog(x).numpy()
    np.testing.assert_array_equal(functions.symlog(-x), -y)
    assert (np.abs(y) <= np.abs(x) + 1e-6).all()


def test_symlog_by_hand():
    # ln(1 + (e − 1)) = 1, and the sign stays outside.
    x = tf.constant([0.0, np.e - 1, 1 - np.e])
    np.testing.assert_allclose(functions.symlog(x), [0, 1, -1], rtol=1e-6)


def test_keep_where_zeroes_whole_rows():
    x = tf.reshape(tf.range(12.0), (3, 2, 2))
    got = functions.keep_where(tf.constant([True, False, True]), x)
    assert not np.any(got[1])
    np.testing.assert_array_equal(got[::2], x[::2])


def test_a_choice_inverts_the_cumulative_distribution():
    # Cumulative sums 0.2, 0.7, 1.0: class 0 below 0.2, class 1 below 0.7, else class 2.
    probs = tf.constant([[0.2, 0.5, 0.3]] * 5)
    noise = tf.constant([0.0, 0.19, 0.21, 0.69, 0.999])
    np.testing.assert_array_equal(functions.pick_index(probs, noise), [0, 0, 1, 1, 2])
    onehot = functions.pick_onehot(probs, noise)
    np.testing.assert_array_equal(np.argmax(onehot, -1), [0, 0, 1, 1, 2])
    np.testing.assert_array_equal(np.sum(onehot, -1), np.ones(5))


def test_choices_come_as_often_as_their_probabilities_say():
    probs = tf.constant([0.05, 0.6, 0.0, 0.35])
    noise = (tf.range(2000.0) + 0.5) / 2000
    chosen = functions.pick_index(tf.broadcast_to(probs, (2000, 4)), noise)
    shares = np.bincount(chosen, minlength=4) / 2000
    np.testing.assert_allclose(shares, probs, atol=1e-3)


def test_without_noise_the_first_of_the_most_likely_is_chosen():
    probs = tf.constant([[0.4, 0.4, 0.2]])
    assert functions.pick_index(probs, None)[0] == 0
    np.testing.assert_array_equal(functions.pick_onehot(probs, None), [[1, 0, 0]])


def test_scan_is_a_loop_over_the_first_axis():
    # States 1, 1 + 2, 3 + 3, 6 + 4; the output is the state before each step.
    state, outputs = functions.scan(
        lambda s, x: (s + x, s),
        tf.constant([1.0]),
        tf.constant([[2.0], [3.0], [4.0]]),
        tf.constant([0.0]),
        3,
    )
    np.testing.assert_array_equal(state, [10])
    np.testing.assert_array_equal(outputs, [[1], [3], [6]])
