"""What networks of the 2023 version have different, each choice alone."""

import keras
import numpy as np
import pytest
import tensorflow as tf

from dreamerv3_tf.nn import decoder, dists, gru, inits, layers
from dreamerv3_tf.nn.heads import TwoHotHead, make_real_head
from dreamerv3_tf.nn.rssm import RSSM
from dreamerv3_tf.nn.style import Style
from dreamerv3_tf.spaces import Space
from dreamerv3_tf.structs import Latent

OLD = Style("silu", "layer", 1e-3, False, "fan_avg", "uniform_avg")
FLOAT, BYTE = np.dtype(np.float32), np.dtype(np.uint8)


@pytest.mark.parametrize("shape", [(300, 100), (4, 4, 30, 60)])
def test_fan_avg_counts_inputs_and_outputs(shape):
    keras.utils.set_random_seed(1)
    fan = np.prod(shape[:-2]) * (shape[-2] + shape[-1]) / 2
    normal, flat = (
        np.asarray(inits.FanAvg()(shape)),
        np.asarray(inits.UniformAvg()(shape)),
    )
    np.testing.assert_allclose([normal.std(), flat.std()], fan**-0.5, rtol=0.02)
    # Cut at two sigmas of the normal that was cut; flat at √3 standard deviations.
    np.testing.assert_allclose(np.abs(normal).max(), 2.2736 * fan**-0.5, rtol=0.01)
    np.testing.assert_allclose(np.abs(flat).max(), (3 / fan) ** 0.5, rtol=0.01)


def test_outscale_is_of_the_variance_with_fan_avg_and_of_the_weights_with_fan_in():
    keras.utils.set_random_seed(1)
    for init, ratio in (("fan_in", 0.25), ("fan_avg", 0.5), ("uniform_avg", 0.5)):
        stds = []
        for scale in (1.0, 0.25):
            layer = layers.Linear(200, scale, init)
            layer.build((None, 200))
            stds.append(np.asarray(layer.kernel).std())
        np.testing.assert_allclose(stds[1] / stds[0], ratio, rtol=0.03)
        zero = layers.Linear(3, 0.0, init)
        zero.build((None, 3))
        assert not np.any(zero.kernel)


def test_biases_are_left_out_before_a_norm_alone():
    model = RSSM(8, 4, 2, 3, 1, style=OLD, cell="dense", initial="learned", name="rssm")
    model.build(5, 2)
    biased = [w.path for w in model.weights if w.path.endswith("bias")]
    assert biased == ["rssm/prior_logit/bias", "rssm/post_logit/bias"]
    assert (
        sum(w.path.endswith("shift") for w in model.weights) == 5
    )  # cell 2, prior 2, post 1


def test_the_dense_cell_by_hand():
    cell = gru.DenseGRU(1, 1, style=Style(act="none", norm="layer", bias=False))
    cell.build(1, 1, 1)
    # The norm of one unit is zero, so its shift is the hidden layer: x = 0.5.
    cell.hidden.norms[0].shift.assign([0.5])
    # Gates of (h, x) = (2, 0.5): 2·1, 0.5·2, 2·0 = (2, 1, 0), normalised:
    # mean 1, variance 2/3: (1, 0, −1) / √(2/3 + 1e-4) = (1.22465, 0, −1.22465).
    cell.gates.kernel.assign([[1.0, 0.0, 0.0], [0.0, 2.0, 0.0]])
    cell.gates_norm.shift.assign([0.0, 3.0, 0.0])
    got = cell(tf.constant([[2.0]]), tf.constant([[1.0]]), tf.constant([[9.0]]))
    # r = σ(1.22465) = 0.77288; c = tanh(3 r) = 0.98080; u = σ(−2.22465) = 0.09755;
    # h' = 0.09755 · 0.98080 + 0.90245 · 2 = 1.90058.
    np.testing.assert_allclose(got, [[1.90058]], rtol=1e-4)


def test_actions_beyond_one_count_as_one():
    np.testing.assert_allclose(gru.bounded(tf.constant([0.5, -3.0, 7.0])), [0.5, -1, 1])


@pytest.fixture
def learned():
    """A model whose first state is learned, and is not zero."""
    model = RSSM(4, 4, 2, 3, 1, style=OLD, cell="dense", initial="learned")
    model.build(5, 2)
    model.start.assign([0.5, -1.0, 2.0, 0.0])
    return model


def test_a_learned_first_state_is_the_tanh_and_the_likeliest_latents(learned):
    first = learned.initial(2)
    want = np.tanh([0.5, -1.0, 2.0, 0.0])
    np.testing.assert_allclose(first.deter, [want, want], rtol=1e-6)
    best = np.argmax(learned.prior(first.deter), -1)
    np.testing.assert_array_equal(np.argmax(first.stoch, -1), best)
    np.testing.assert_array_equal(np.sum(first.stoch, -1), 1)


def test_an_episode_begins_at_the_learned_state_with_no_action(learned):
    rng = np.random.default_rng(0)
    carry = Latent(
        tf.constant(rng.normal(size=(2, 4)), tf.float32),
        tf.one_hot(rng.integers(0, 3, (2, 2)), 3),
    )
    tokens, action = tf.ones((2, 5)), tf.ones((2, 2))
    reset = tf.constant([True, False])
    got, _ = learned.observe_step(carry, tokens, action, reset, None)
    never = tf.constant([False, False])
    fresh, _ = learned.observe_step(
        learned.initial(2), tokens, tf.zeros((2, 2)), never, None
    )
    going, _ = learned.observe_step(carry, tokens, action, never, None)
    np.testing.assert_allclose(got.deter[0], fresh.deter[0], rtol=1e-6)
    np.testing.assert_allclose(got.deter[1], going.deter[1], rtol=1e-6)
    assert np.abs(got.deter[0] - going.deter[0]).max() > 1e-3


def test_the_learned_state_gets_a_gradient_where_an_episode_begins(learned):
    for reset, reached in ((True, True), (False, False)):
        with tf.GradientTape() as tape:
            flags = tf.constant([[reset, False]])
            carry = tf.nest.map_structure(tf.stop_gradient, learned.initial(1))
            tokens, action = tf.ones((1, 2, 5)), tf.ones((1, 2, 2))
            seen = learned.observe(carry, tokens, action, flags, None)
            total = tf.reduce_sum(seen.latent.deter)
        gradient = tape.gradient(total, learned.start.value)
        assert (gradient is not None and bool(np.any(gradient))) == reached


@pytest.mark.parametrize("name, value", [("cell", "round"), ("initial", "ones")])
def test_an_unknown_choice_is_refused(name, value):
    with pytest.raises(ValueError, match=f"{name} is '{value}', expected"):
        RSSM(4, 4, 2, 3, 1, **{name: value})


# Source: definition of the code over linspace(-20, 20, 255) of symlog values.
@pytest.mark.parametrize(
    "value, below, share",
    [(0.1, 127, 0.394780), (1.0, 131, 0.598515), (10.0, 142, 0.773365)],
)
def test_two_hot_codes_in_symlog_units(value, below, share):
    bins = dists.symlog_bins(255)
    logits = np.random.default_rng(0).normal(size=255).astype("float32")
    logp = logits - np.log(np.sum(np.exp(logits)))
    got = dists.TwoHot(logits, bins, symlog=True).log_prob(tf.constant(value))
    want = share * logp[below] + (1 - share) * logp[below + 1]
    np.testing.assert_allclose(got, want, rtol=1e-5)


def test_the_mean_in_symlog_units_is_the_symexp_of_the_mean_bin():
    head = TwoHotHead(255, {"layers": 1, "units": 4}, 0.0, "symlog")
    head.build((None, 3))
    assert head(tf.ones((1, 3))).mean().numpy().item() == 0  # uniform
    # All on bins 126 and 128, two to one: −1/3 of their distance from 0, 40 / 254.
    logits = np.full(255, -1e9, np.float32)
    logits[[126, 128]] = np.log(2), 0.0
    got = dists.TwoHot(logits, head.bins, symlog=True).mean()
    np.testing.assert_allclose(got, -np.expm1(40 / 254 / 3), rtol=1e-5)


# Prediction 1, target e − 1, so symlog of the target is 1; and prediction 4, target 1.
@pytest.mark.parametrize(
    "kind, mean, near, far",
    [
        ("symlog_mse", np.e - 1, 0.0, (4 - np.log(2)) ** 2),
        ("mse", 1.0, (np.e - 2) ** 2, 9.0),
        ("huber", 1.0, np.sqrt((np.e - 2) ** 2 + 1) - 1, np.sqrt(10) - 1),
    ],
)
def test_one_number_and_its_distances_by_hand(kind, mean, near, far):
    dist = dists.Regression(tf.constant([1.0, 4.0]), kind)
    np.testing.assert_allclose(dist.mean()[0], mean, rtol=1e-6)
    got = -dist.log_prob(tf.constant([np.e - 1, 1.0]))
    np.testing.assert_allclose(got, [near, far], rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("kind", ["symexp", "symlog", "symlog_mse", "mse", "huber"])
def test_targets_of_rewards_and_values_get_no_gradient(kind):
    head = make_real_head(kind, 5, {"layers": 1, "units": 4}, 0.0)
    head.build((None, 3))
    target = tf.constant([2.0])
    with tf.GradientTape() as tape:
        tape.watch(target)
        loss = -head(tf.ones((1, 3))).log_prob(target)
    slope = tape.gradient(loss, [target, head.out.bias.value])
    assert slope[0] is None and np.any(slope[1])


def test_vectors_in_their_own_units_by_hand():
    # (2 − 1)² + (0 − 3)², and with symlog (2 − ln 2)² + (0 − ln 4)².
    space, mean = Space(FLOAT, (2,)), tf.constant([[2.0, 0.0]])
    value = tf.constant([[1.0, 3.0]])
    got = [
        float(decoder.vector_loss(mean, value, space, 0.0, s)[0]) for s in (False, True)
    ]
    want = [10.0, (2 - np.log(2)) ** 2 + np.log(4) ** 2]
    np.testing.assert_allclose(got, want, rtol=1e-6)
    np.testing.assert_array_equal(decoder.vector_value(mean, space, False), mean)


def test_small_errors_of_vectors_count_as_zero_where_asked():
    space = Space(FLOAT, (2,))
    mean = tf.constant([[5e-5, 2e-4]])  # squares 2.5e-9 and 4e-8
    got = [
        float(decoder.vector_loss(mean, tf.zeros((1, 2)), space, tolerance)[0])
        for tolerance in (0.0, 1e-8)
    ]
    np.testing.assert_allclose(got, [4.25e-8, 4e-8], rtol=1e-5)


def test_a_plain_image_decoder_is_linear_in_its_last_layer():
    spaces = {"image": Space(BYTE, (16, 16, 1))}
    make = {"depth": 2, "mults": (1, 2), "kernel": 4, "layers": 1, "units": 4}
    net = decoder.Decoder(
        spaces,
        **make,
        blocks=0,
        style=OLD,
        strided=True,
        grid_norm=False,
        output="linear",
    )
    net.build(Latent((None, 3), (None, 2, 2)))
    names = {weight.path.split("/")[1] for weight in net.weights}
    assert names == {"from_both", "conv0", "norm0", "to_image"}
    net.to_image.kernel.assign(np.zeros(net.to_image.kernel.shape))
    net.to_image.bias.assign([3.0])
    image = net(Latent(tf.ones((1, 3)), tf.ones((1, 2, 2))))["image"]
    np.testing.assert_array_equal(image, np.full((1, 16, 16, 1), 3.5))


def test_a_transposed_convolution_is_the_adjoint_of_the_convolution():
    rng = np.random.default_rng(0)
    kernel = rng.normal(size=(4, 4, 2, 3)).astype("float32")  # [h, w, in, out]
    up = layers.Conv(3, 4, 2, transposed=True, bias=False)
    up.build((None, None, None, 2))
    up.kernel.assign(kernel)
    x = tf.constant(rng.normal(size=(1, 5, 5, 2)), tf.float32)
    y = tf.constant(rng.normal(size=(1, 10, 10, 3)), tf.float32)
    down = tf.nn.conv2d(y, kernel[::-1, ::-1].swapaxes(2, 3), 2, "SAME")
    np.testing.assert_allclose(
        tf.reduce_sum(up(x) * y), tf.reduce_sum(x * down), rtol=1e-4
    )
