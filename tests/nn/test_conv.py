"""Convolutions and pooling that take a shorter way to the same numbers."""

import numpy as np
import pytest
import tensorflow as tf

from dreamerv3_tf.nn import functions, layers


def test_taps_of_a_5x5_kernel_by_hand():
    # Row 2i sees rows 2i-2 … 2i+2, which are i-1, i-1, i, i, i+1 of the small image;
    # row 2i+1 sees 2i-1 … 2i+3: i-1, i, i, i+1, i+1.
    even = [[1, 1, 0, 0, 0], [0, 0, 1, 1, 0], [0, 0, 0, 0, 1]]
    odd = [[1, 0, 0, 0, 0], [0, 1, 1, 0, 0], [0, 0, 0, 1, 1]]
    np.testing.assert_array_equal(functions.phase_taps(5), np.array([even, odd], bool))


@pytest.mark.parametrize("jit", [False, True], ids=["graph", "xla"])
@pytest.mark.parametrize("size", [1, 2, 3, 4, 5, 7])
def test_a_convolution_of_phases_is_the_one_of_the_upsampled_image(size, jit):
    rng = np.random.default_rng(size)
    x = tf.constant(rng.normal(size=(2, 3, 5, 4)), tf.float32)
    force = tf.constant(rng.normal(size=(2, 6, 10, 3)), tf.float32)
    short, long = (layers.Conv(3, size, upsampled=up) for up in (True, False))
    for layer in (short, long):
        layer.build((None, None, None, 4))
    short.bias.assign([1.0, 2.0, 3.0])
    long.set_weights(short.get_weights())

    @tf.function(jit_compile=jit, autograph=False)
    def results(layer, x):
        with tf.GradientTape() as tape:
            tape.watch(x)
            y = layer(x if layer is short else layers.upsample(x))
        weights = [weight.value for weight in layer.weights]
        return y, *tape.gradient(y, [x, *weights], output_gradients=force)

    for got, expected in zip(results(short, x), results(long, x), strict=True):
        np.testing.assert_allclose(got, expected, rtol=1e-4, atol=1e-4)


def test_equal_maxima_share_the_gradient():
    # Squares with one, two and four maxima, and a force of 12 on each.
    x = tf.constant([[3, 1, 5, 5, 2, 2], [0, 2, 4, 1, 2, 2]], tf.float32)[
        None, ..., None
    ]
    with tf.GradientTape() as tape:
        tape.watch(x)
        y = layers.max_pool(x)
    assert y[0, 0, :, 0].numpy().tolist() == [3, 5, 2]
    gradient = tape.gradient(y, x, output_gradients=12 * tf.ones_like(y))
    expected = [[12, 0, 6, 6, 3, 3], [0, 0, 0, 0, 3, 3]]
    np.testing.assert_array_equal(gradient[0, ..., 0], expected)


@pytest.mark.parametrize("dtype", ["float32", "bfloat16", "float16"])
@pytest.mark.parametrize("jit", [False, True], ids=["graph", "xla"])
def test_pooling_and_its_gradient_are_those_of_a_maximum(dtype, jit):
    rng = np.random.default_rng(0)
    x = tf.constant(rng.integers(0, 4, (3, 4, 6, 2)), dtype)  # many equal values

    @tf.function(jit_compile=jit, autograph=False)
    def results(is_fast, x):
        pool = layers.max_pool if is_fast else slow
        with tf.GradientTape() as tape:
            tape.watch(x)
            y = pool(x)
        return y, tape.gradient(y, x, output_gradients=tf.ones_like(y))

    def slow(x):
        return tf.reduce_max(tf.reshape(x, (3, 2, 2, 3, 2, 2)), (2, 4))

    for got, expected in zip(
        results(layers.max_pool, x), results(slow, x), strict=True
    ):
        np.testing.assert_array_equal(got, expected)


def test_a_network_of_them_takes_any_number_of_images():
    conv = layers.Conv(2, 5, upsampled=True)
    conv.build((None, None, None, 3))
    spec = tf.TensorSpec((None, 4, 4, 3), tf.float32)
    function = tf.function(lambda x: layers.max_pool(conv(x)), input_signature=[spec])
    for count in (1, 3):
        assert function(tf.ones((count, 4, 4, 3))).shape == (count, 4, 4, 2)
