"""LaProp, its schedule and loss scaling."""

import keras
import numpy as np
import pytest
import tensorflow as tf

from dreamerv3_tf.agent.optimizers import LaProp, Schedule, Updater


def updated(optimizer, start, *gradients, name="kernel"):
    variable = keras.Variable(np.asarray(start, "float32"), name=name)
    optimizer.build([variable])
    for gradient in gradients:
        optimizer.apply([tf.constant(gradient, tf.float32)], [variable])
    return np.asarray(variable)


def test_one_update_by_hand():
    # ν = 0.001 · 4 / 0.001 = 4, s = 2 / 2 = 1, m = 0.1 / 0.1 = 1: a step of lr.
    got = updated(LaProp(0.1, agc=0.0), [3.0], [2.0])
    np.testing.assert_allclose(got, [2.9], rtol=1e-4)


def test_two_updates_by_hand():
    # Gradients 2 and −1: ν̂ = (0.000999 · 4 + 0.001) / 0.001999 = 2.49925,
    # s = −1 / 1.58090 = −0.63255; μ̂ = (0.9 · 0.1 − 0.1 · 0.63255) / 0.19 = 0.14076.
    got = updated(LaProp(0.1, agc=0.0), [3.0], [2.0], [-1.0])
    np.testing.assert_allclose(got, [2.9 - 0.014076], rtol=1e-4)


@pytest.mark.parametrize("size", [1e-9, 1.0, 1e9])
def test_a_constant_gradient_moves_by_the_learning_rate_whatever_its_size(size):
    got = updated(LaProp(0.01), [1.0, 1.0], *[[size, -size]] * 4)
    np.testing.assert_allclose(got, [0.96, 1.04], rtol=1e-4)


def test_a_gradient_of_zero_moves_nothing():
    assert updated(LaProp(1.0), [1.0], [0.0], [0.0]).tolist() == [1]


def test_clipping_compares_the_norms_of_whole_tensors():
    # ‖θ‖ = 5, so the limit is 1.5; ‖g‖ = 15 is divided by 10. A later gradient of 1.5
    # is not clipped, and tells apart what ν kept: (0.9, 1.2), not (9, 12).
    optimizer = LaProp(0.0)
    updated(optimizer, [3.0, 4.0], [9.0, 12.0])
    np.testing.assert_allclose(optimizer.nu[0], [0.00081, 0.00144], rtol=1e-4)


def test_weights_of_zero_have_a_limit_too():
    optimizer = LaProp(0.0)  # 0.3 · 1e-3
    updated(optimizer, [0.0], [7.0])
    np.testing.assert_allclose(optimizer.nu[0], [0.001 * 3e-4**2], rtol=1e-4)


def test_decay_shrinks_kernels_alone():
    for name, want in (("kernel", 0.9), ("bias", 1.0)):
        got = updated(LaProp(0.1, decay=1.0), [1.0], [0.0], name=name)
        np.testing.assert_allclose(got, [want], rtol=1e-6)


def test_warm_up_starts_at_exactly_zero():
    schedule = Schedule(4e-5, warmup=1000)
    steps = [float(schedule(step)) for step in (0, 1, 500, 1000, 9999)]
    np.testing.assert_allclose(steps, [0, 3.9999577e-8, 2e-5, 4e-5, 4e-5], rtol=1e-6)


def test_linear_decay_ends_at_a_tenth():
    schedule = Schedule(1.0, warmup=10, decay="linear", anneal=110)
    steps = [float(schedule(step)) for step in (10, 60, 110, 500)]
    np.testing.assert_allclose(steps, [1, 0.55, 0.1, 0.1], rtol=1e-6)


def test_cosine_decay_ends_where_the_reference_does():
    # It hands over 0.1 · lr where a share of lr is asked for: lr · 0.1 · lr.
    schedule = Schedule(0.01, decay="cosine", anneal=100)
    steps = [float(schedule(step)) for step in (0, 50, 100)]
    np.testing.assert_allclose(steps, [0.01, 0.01 * 0.5005, 1e-5], rtol=1e-4)


def test_schedules_that_cannot_be_are_refused():
    with pytest.raises(ValueError, match="none of"):
        Schedule(1.0, decay="exponential")
    with pytest.raises(ValueError, match="anneal above 10"):
        Schedule(1.0, warmup=10, decay="linear", anneal=10)


def test_an_overflow_halves_the_scale_and_leaves_the_weights():
    variable = keras.Variable(np.ones(2, "float32"))
    updater = Updater(LaProp(0.1), [variable], loss_scaling=True)
    scale = float(updater.scale(tf.constant(1.0)))
    updater.apply([tf.constant([np.inf, 1.0])])
    np.testing.assert_array_equal(variable, np.ones(2))
    assert float(updater.scale(tf.constant(1.0))) == scale / 2
    metrics = updater.apply([tf.constant([0.5, 0.5]) * scale / 2])
    assert (np.asarray(variable) < 1).all()
    np.testing.assert_allclose(metrics["opt/grad_norm"], 0.5**0.5, rtol=1e-4)
    np.testing.assert_allclose(metrics["opt/updates"], 1)
