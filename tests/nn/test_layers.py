"""Layers with weights, against plain numpy."""

import keras
import numpy as np
import pytest
import tensorflow as tf

from dreamerv3_tf.nn import inits, layers, norms


def random(*shape):
    return np.random.default_rng(0).normal(size=shape).astype("float32")


def built(layer, *shape):
    layer.build(shape)
    for weight in layer.weights:
        weight.assign(random(*weight.shape))
    return layer


def test_a_block_linear_layer_is_a_block_diagonal_matrix():
    layer, x = built(layers.BlockLinear(6, 3), None, 12), random(2, 12)
    matrix = np.zeros((12, 6), "float32")
    for k, block in enumerate(np.asarray(layer.kernel)):
        matrix[4 * k : 4 * k + 4, 2 * k : 2 * k + 2] = block
    want = x @ matrix + np.asarray(layer.bias)
    np.testing.assert_allclose(layer(x), want, rtol=1e-5, atol=1e-6)


def test_every_block_reads_all_of_the_shared_input():
    layer = built(layers.BlockLinear(6, 3, shared=2), None, 12)
    x, shared = random(2, 12), random(2, 2)
    parts = [np.concatenate([x[:, 4 * k : 4 * k + 4], shared], -1) for k in range(3)]
    want = np.concatenate(
        [x @ w for x, w in zip(parts, np.asarray(layer.kernel), strict=True)], -1
    )
    want += np.asarray(layer.bias)
    np.testing.assert_allclose(layer(x, shared), want, rtol=1e-5, atol=1e-6)


def test_blocks_that_do_not_divide_are_refused_with_a_proposal():
    with pytest.raises(ValueError, match="multiple of 4.*Choose one of 8 or 12"):
        layers.BlockLinear(10, 4)


def test_rms_norm_by_hand():
    # Mean square of (3, 4) is 12.5; the scale is 1 at the start.
    layer = norms.RMSNorm(epsilon=0.0)
    layer.build((None, 2))
    want = np.array([[3, 4]]) / np.sqrt(12.5)
    np.testing.assert_allclose(layer(tf.constant([[3.0, 4.0]])), want, rtol=1e-6)


def test_max_pool_shares_the_gradient_among_equals():
    x = tf.constant(np.array([[2, 2], [1, 2]], "float32").reshape(1, 2, 2, 1))
    with tf.GradientTape() as tape:
        tape.watch(x)
        y = layers.max_pool(x)
    assert y.numpy().item() == 2
    grad = tape.gradient(y, x)
    np.testing.assert_allclose(np.reshape(grad, 4), [1 / 3, 1 / 3, 0, 1 / 3])


def test_upsampling_repeats_pixels():
    y = layers.upsample(tf.constant([[[[1.0], [2.0]]]]))
    np.testing.assert_array_equal(np.squeeze(y), [[1, 1, 2, 2], [1, 1, 2, 2]])


def test_a_transposed_convolution_puts_pixels_at_odd_corners():
    conv = layers.Conv(1, 3, stride=2, transposed=True)
    conv.build((None, None, None, 1))
    conv.kernel.assign(np.reshape([[0, 0, 0], [0, 1, 0], [0, 0, 0]], (3, 3, 1, 1)))
    y = conv(tf.constant([[[[1.0], [2.0]]]]))
    np.testing.assert_array_equal(np.squeeze(y), [[0, 0, 0, 0], [0, 1, 0, 2]])


@pytest.mark.parametrize("shape", [(256, 128), (8, 32, 64), (5, 5, 16, 32)])
def test_fresh_kernels_spread_as_one_over_the_root_of_all_inputs(shape):
    keras.utils.set_random_seed(1)
    kernel = np.asarray(inits.FanIn()(shape))
    sigma = 1 / np.sqrt(np.prod(shape[:-1]))
    np.testing.assert_allclose(kernel.std(), sigma, rtol=0.02)
    np.testing.assert_allclose(np.abs(kernel).max(), 2.2736 * sigma, rtol=0.01)


def test_an_outscale_of_zero_starts_at_zero():
    layer = layers.Linear(4, outscale=0.0)
    layer.build((None, 3))
    assert not np.any(layer(random(2, 3)))


def test_an_mlp_needs_a_layer():
    with pytest.raises(ValueError, match="at least 1"):
        layers.MLP(0, 8)


def test_layers_compute_in_sixteen_bits_and_keep_weights_in_thirty_two():
    layer = layers.MLP(2, 8, dtype=keras.DTypePolicy("mixed_bfloat16"))
    layer.build((None, 3))
    assert layer(tf.constant(random(2, 3), tf.bfloat16)).dtype == tf.bfloat16
    assert {weight.dtype for weight in layer.weights} == {"float32"}
