"""Distributions: hand values and properties."""

import math

import hypothesis.strategies as st
import numpy as np
import pytest
import tensorflow as tf
from hypothesis import given

from dreamerv3_tf.nn import dists

BINS = dists.symexp_bins(255)


def test_bins_by_hand():
    # Steps of 20 / 127 in symlog units around an exact zero.
    want = [-0.170558, -0.370205, -0.603905, -0.877463, -1.197678, -1.572510, -2.011271]
    assert BINS[127] == 0
    np.testing.assert_allclose(BINS[126:119:-1], want, atol=1e-6)
    np.testing.assert_allclose(BINS[0], -4.851652e8, rtol=1e-6)


@pytest.mark.parametrize("count", [2, 5, 41, 255, 256])
def test_bins_are_antisymmetric_and_ascend(count):
    bins = dists.symexp_bins(count)
    assert len(bins) == count and bins.dtype == np.float32
    np.testing.assert_array_equal(bins, -bins[::-1])
    assert (np.diff(bins) >= 0).all()


def twohot_code(target):
    """Weights of a target: the gradient of −log p by the logits is p − weights."""
    logits = tf.zeros((255,))
    with tf.GradientTape() as tape:
        tape.watch(logits)
        loss = -dists.TwoHot(logits, BINS).log_prob(tf.constant(target))
    return 1 / 255 - np.asarray(tape.gradient(loss, logits))


@pytest.mark.parametrize(
    "target, low, weights",
    [
        (0.0, 127, (1.0, 0.0)),
        (0.1, 127, (0.413688, 0.586312)),
        (1.0, 131, (0.617329, 0.382671)),
        (-1.0, 122, (0.382671, 0.617329)),
        (10.0, 142, (0.786963, 0.213037)),
        (100.0, 156, (0.710529, 0.289471)),
        (1e9, 254, (1.0,)),
        (-1e9, 0, (1.0,)),
    ],
)
def test_two_hot_codes_by_hand(target, low, weights):
    want = np.zeros(255)
    want[low : low + len(weights)] = weights
    np.testing.assert_allclose(twohot_code(target), want, atol=2e-6)


@given(st.floats(-1e4, 1e4, width=32))
def test_the_mean_of_an_encoded_number_is_the_number(target):
    code = np.maximum(twohot_code(target), 1e-12)
    mean = dists.TwoHot(tf.math.log(tf.constant(code, tf.float32)), BINS).mean()
    # 1e-12 on the outer bins, 5e8 apart, adds up to nothing: they are mirrored.
    np.testing.assert_allclose(mean, target, rtol=2e-3, atol=2e-3)


@pytest.mark.parametrize("count", [5, 255, 256])
@pytest.mark.parametrize("jit", [False, True])
def test_a_uniform_distribution_has_a_mean_of_exactly_zero(count, jit):
    @tf.function(jit_compile=jit)
    def mean(logits):
        return dists.TwoHot(logits, dists.symexp_bins(count)).mean()

    assert mean(tf.fill((3, count), 0.7)).numpy().tolist() == [0, 0, 0]


def test_kl_with_unimix_by_hand():
    # p = 0.99 softmax + 0.0025; ALGORITHM.md, appendix D.5.
    post = dists.OneHot(tf.constant([2.0, 0, 0, -1]), 0.01)
    prior = dists.OneHot(tf.constant([0.0, 1, 0, 0]), 0.01)
    want = [0.752240, 0.103966, 0.103966, 0.039827]
    np.testing.assert_allclose(post.probs_parameter(), want, atol=1e-6)
    want = [0.175629, 0.473113, 0.175629, 0.175629]
    np.testing.assert_allclose(prior.probs_parameter(), want, atol=1e-6)
    np.testing.assert_allclose(post.kl_divergence(prior), 0.8231266, atol=1e-6)


@given(st.lists(st.floats(-30, 30, width=32), min_size=2, max_size=6))
def test_no_class_is_less_likely_than_its_share_of_the_uniform_part(logits):
    probs = dists.Categorical(tf.constant(logits), 0.05).probs_parameter().numpy()
    assert (probs >= 0.05 / len(logits) * (1 - 1e-4)).all()
    np.testing.assert_allclose(probs.sum(), 1, rtol=1e-5)


@given(st.integers(0, 2**16))
def test_elements_with_fewer_classes_never_choose_the_others(seed):
    rng = np.random.default_rng(seed)
    valid = np.arange(4) < np.array([[2], [4], [1]])
    logits = tf.constant(rng.normal(0, 5, (6, 3, 4)), tf.float32)
    dist = dists.Categorical(logits, 0.1, valid)
    probs = dist.probs_parameter().numpy()
    assert (probs[:, ~valid] == 0).all()
    counts = np.array([2, 4, 1])[:, None]
    floor = np.broadcast_to(0.1 / counts * (1 - 1e-4), (3, 4))
    assert (probs >= np.where(valid, floor, 0)).all()
    noise = tf.constant(rng.uniform(size=(6, 3)), tf.float32)
    assert (dist.pick(noise).numpy() < counts[:, 0]).all()
    assert np.isfinite(dist.entropy()).all()
    assert np.isfinite(dist.log_prob(tf.zeros((6, 3), tf.int32))).all()


def test_without_unimix_the_distribution_is_the_softmax():
    logits = tf.constant([1.0, -2.0, 0.5])
    probs = dists.Categorical(logits, 0.0).probs_parameter()
    np.testing.assert_allclose(probs, tf.nn.softmax(logits), rtol=1e-6)


def test_a_latent_sample_passes_the_gradient_of_the_mixed_probabilities():
    logits, weights = tf.constant([[1.0, 0.0, -1.0]]), tf.constant([[3.0, -1.0, 2.0]])
    with tf.GradientTape(persistent=True) as tape:
        tape.watch(logits)
        sample = dists.OneHot(logits, 0.01).pick(tf.constant([0.99]))
        probs = 0.99 * tf.nn.softmax(logits) + 0.01 / 3
        through = tf.reduce_sum(sample * weights), tf.reduce_sum(probs * weights)
    np.testing.assert_allclose(sample, [[0, 0, 1]], atol=1e-7)
    got, want = (tape.gradient(x, logits) for x in through)
    np.testing.assert_allclose(got, want, rtol=1e-5)


def test_a_latent_may_be_given_its_choice():
    dist = dists.OneHot(tf.constant([[1.0, 0.0, -1.0]]), 0.01)
    np.testing.assert_allclose(dist.pick(tf.constant([[0.0, 1, 0]])), [[0, 1, 0]])


@given(st.floats(-50, 50, width=32), st.floats(-50, 50, width=32))
def test_a_bounded_normal_stays_within_its_bounds(mean, stddev):
    dist = dists.BoundedNormal(tf.constant([mean]), tf.constant([stddev]), 0.1, 1.0)
    assert -1 <= dist.loc[0] <= 1
    assert 0.1 <= dist.scale[0] <= 1 + 1e-6


def test_a_fresh_bounded_normal_by_hand():
    # σ = 0.9 · sigmoid(2) + 0.1 = 0.892717, with entropy ½ ln 2πe + ln σ = 1.305453.
    dist = dists.BoundedNormal(tf.zeros(1), tf.zeros(1), 0.1, 1.0)
    np.testing.assert_allclose(dist.scale, [0.892717], atol=1e-6)
    np.testing.assert_allclose(dist.entropy(), [1.305453], atol=1e-6)
    np.testing.assert_allclose(dist.pick(tf.constant([2.0])), [1.785434], atol=1e-5)
    assert dist.pick(None)[0] == 0


@pytest.mark.parametrize("stddev, entropy", [(0.1, -0.883647), (1.0, 1.418939)])
def test_entropies_of_normals_by_hand(stddev, entropy):
    assert math.isclose(dists.normal_entropy(stddev), entropy, abs_tol=1e-6)


def test_a_binary_loss_takes_a_soft_label():
    # p = sigmoid(ln 3) = 3/4 and y = 1/2: −½ ln ¾ − ½ ln ¼ = 0.836988.
    loss = dists.binary_loss(tf.constant([math.log(3)]), tf.constant([0.5]))
    np.testing.assert_allclose(loss, [0.836988], atol=1e-6)


@pytest.mark.parametrize("count", [3, 41, 255])
@pytest.mark.parametrize("symlog", [False, True])
def test_a_number_is_found_between_the_bins_that_it_lies_between(count, symlog):
    bins = (dists.symlog_bins if symlog else dists.symexp_bins)(count)
    near = [np.nextafter(bins, way, dtype=np.float32) for way in (-np.inf, np.inf)]
    for values, tiny in zip(near, (-1e-30, 1e-30), strict=True):
        values[bins == 0] = tiny  # the float next to zero counts as zero
    rng = np.random.default_rng(0)
    places = rng.uniform(-21, 21, 1000).astype(np.float32)
    others = places if symlog else np.sign(places) * np.expm1(np.abs(places))
    target = np.concatenate([bins, *near, others, [-1e30, 1e30, np.inf, -np.inf]])
    target = target.astype(np.float32)
    got = dists.TwoHot(tf.zeros((len(target), count)), bins, symlog)._number(target)
    want = (bins <= target[:, None]).sum(-1) - 1
    np.testing.assert_array_equal(got, want)


def test_the_gradient_of_the_two_hot_loss_is_code_minus_probability():
    # 0.6 at the middle bin and 0.4 at the last; equal logits are probabilities of 1/3.
    logits = tf.zeros((1, 3))
    with tf.GradientTape() as tape:
        tape.watch(logits)
        value = dists.two_hot_log_prob(
            logits, tf.constant([1]), tf.constant([2]), tf.constant([0.6])
        )
    np.testing.assert_allclose(value, [np.log(1 / 3)], rtol=1e-6)
    got = tape.gradient(value, logits)
    np.testing.assert_allclose(got, [[-1 / 3, 0.6 - 1 / 3, 0.4 - 1 / 3]], rtol=1e-5)
