"""Encoder, decoder, heads and recurrent model."""

import keras
import numpy as np
import pytest
import tensorflow as tf

from dreamerv3_tf.nn import decoder, heads
from dreamerv3_tf.nn.encoder import Encoder, encode_vectors, vector_width
from dreamerv3_tf.nn.rssm import RSSM
from dreamerv3_tf.spaces import Space
from dreamerv3_tf.structs import Latent

FLOAT, WHOLE, BYTE = (np.dtype(x) for x in ("float32", "int32", "uint8"))
CNN = {"depth": 2, "mults": (2, 3, 4, 4), "kernel": 5, "layers": 1, "units": 8}
MLP = {"layers": 1, "units": 8}


def test_vectors_are_joined_by_sorted_key_with_integers_one_hot():
    spaces = {"b": Space(FLOAT, (2,)), "a": Space(WHOLE, (), 0, 3)}
    values = {"b": tf.constant([[1.0, -2.0]]), "a": tf.constant([2])}
    got = encode_vectors(values, spaces, tf.float32)
    np.testing.assert_array_equal(got, [[0, 0, 1, 1, -2]])
    assert vector_width(spaces) == 5


def test_classes_count_from_the_lowest_value_and_may_differ():
    spaces = {"a": Space(WHOLE, (2,), [1, 0], [3, 3])}
    got = encode_vectors({"a": tf.constant([[2, 0]])}, spaces, tf.float32)
    np.testing.assert_array_equal(got, [[0, 1, 1, 0, 0]])


def test_missing_values_become_zeros_entry_by_entry():
    spaces = {"a": Space(WHOLE, (), 0, 3), "b": Space(FLOAT, (2,))}
    values = {
        "a": tf.constant([-1, 1]),
        "b": tf.constant([[1.0, 2.0], [-np.inf, 2.0]]),
    }
    got = encode_vectors(values, spaces, tf.float32, squash=True)
    symlog = np.log1p([1.0, 2.0])
    want = [[0, 0, 0, *symlog], [0, 1, 0, 0, 0]]
    np.testing.assert_allclose(got, want, rtol=1e-6)


@pytest.mark.parametrize("dtype", ["bool", "uint8", "int64"])
def test_every_integer_type_is_encoded(dtype):
    space = Space(np.dtype(dtype), (2,), 0, 2)
    value = tf.constant(np.array([[1, 0]], dtype))
    got = encode_vectors({"a": value}, {"a": space}, tf.float32)
    np.testing.assert_array_equal(got, [[0, 1, 1, 0]])


def test_minus_one_is_a_value_where_the_range_has_it():
    space = Space(WHOLE, (), -1, 2)
    got = encode_vectors({"a": tf.constant([-1])}, {"a": space}, tf.float32)
    np.testing.assert_array_equal(got, [[1, 0, 0]])


def test_a_broken_observation_is_not_taken_for_a_missing_one():
    spaces = {"a": Space(FLOAT, (2,))}
    got = encode_vectors({"a": tf.constant([[np.nan, 1.0]])}, spaces, tf.float32)
    assert np.isnan(got).any()


@pytest.mark.parametrize("shape", [(50, 64, 3), (32, 64, 3), (64, 272, 3)])
def test_images_that_do_not_work_are_refused_in_plain_words(shape):
    with pytest.raises(ValueError, match="multiple of 16 between 48 and 256"):
        Encoder({"view": Space(BYTE, shape)}, **CNN)


def test_images_of_two_sizes_are_refused():
    spaces = {"a": Space(BYTE, (48, 48, 3)), "b": Space(BYTE, (64, 64, 3))}
    with pytest.raises(ValueError, match="all have one size"):
        Encoder(spaces, **CNN)


def test_an_image_that_is_no_image_is_refused():
    with pytest.raises(ValueError, match="uint8"):
        Encoder({"a": Space(FLOAT, (4, 4, 3))}, **CNN)


def test_an_observation_without_inputs_is_refused():
    with pytest.raises(ValueError, match="no key"):
        Encoder({}, **CNN)


@pytest.mark.parametrize("strided", [False, True])
def test_several_images_of_any_shape_come_back_in_their_shapes(strided):
    spaces = {"b": Space(BYTE, (48, 80, 1)), "a": Space(BYTE, (48, 80, 3))}
    encoder = Encoder(spaces, **CNN, strided=strided)
    encoder.build()
    rng = np.random.default_rng(0)
    obs = {
        key: tf.constant(rng.integers(0, 256, (2, 3, *space.shape)), tf.uint8)
        for key, space in spaces.items()
    }
    assert encoder(obs).shape == (2, 3, encoder.width) == (2, 3, 3 * 5 * 8)
    latent = Latent(tf.ones((2, 3, 8)), tf.ones((2, 3, 2, 4)))
    decode = decoder.Decoder(spaces, **CNN, blocks=4, strided=strided)
    decode.build(Latent((None, 8), (None, 2, 4)))
    means = decode.image_means(latent)
    for key, space in spaces.items():
        assert means[key].shape == (2, 3, *space.shape)
        assert np.min(means[key]) >= 0 and np.max(means[key]) <= 1


def test_the_loss_of_an_image_is_a_plain_sum():
    # 255 / 255 against 0.25 at 48 · 48 · 1 pixels: 2304 · 0.75².
    spaces = {"a": Space(BYTE, (48, 48, 1))}
    decode = decoder.Decoder(spaces, **CNN, blocks=0)
    means = {"a": tf.fill((1, 48, 48, 1), 0.25)}
    obs = {"a": tf.fill((1, 48, 48, 1), tf.constant(255, tf.uint8))}
    np.testing.assert_allclose(decode.image_losses(means, obs)["a"], [1296.0])


def test_the_loss_of_a_vector_is_in_symlog_units():
    # (2 − ln(1 + e − 1))² + (0 − 0)² = 1.
    value = tf.constant([[np.e - 1, 0.0]])
    got = decoder.vector_loss(tf.constant([[2.0, 0.0]]), value, Space(FLOAT, (2,)))
    np.testing.assert_allclose(got, [1.0], rtol=1e-5)


def test_the_loss_of_integers_is_a_cross_entropy_of_each():
    # Uniform over 2 and over 4 classes: ln 2 + ln 4.
    space = Space(WHOLE, (2,), [1, 0], [3, 4])
    got = decoder.vector_loss(tf.zeros((1, 6)), tf.constant([[2, 3]]), space)
    np.testing.assert_allclose(got, [np.log(8)], rtol=1e-6)
    best = decoder.vector_value(tf.constant([[0.0, 1, 0, 0, 5, 0]]), space)
    np.testing.assert_array_equal(best, [[2, 2]])


def test_fresh_reward_heads_predict_exactly_nothing():
    head = heads.TwoHotHead(255, MLP)
    head.build((None, 6))
    dist = head(tf.random.stateless_normal((3, 6), (0, 1)))
    np.testing.assert_array_equal(dist.mean(), np.zeros(3))
    loss = -dist.log_prob(tf.constant([0.0, 3.0, -1e3]))
    np.testing.assert_allclose(loss, np.full(3, np.log(255)), rtol=1e-5)


def test_an_actor_speaks_for_every_kind_of_action():
    spaces = {
        "move": Space(WHOLE, (), 0, 5),
        "keys": Space(WHOLE, (2, 2), 0, [[2, 3], [4, 5]]),
        "press": Space(np.dtype(bool), (3,)),
        "turn": Space(FLOAT, (2, 3)),
    }
    actor = heads.Actor(spaces, MLP, unimix=0.01)
    actor.build((None, 6))
    for key, dist in actor(tf.zeros((7, 6))).items():
        space = spaces[key]
        assert tuple(dist.pick(None).shape) == (7, *space.shape)
        entropy = heads.sum_event(dist.entropy(), space)
        assert entropy.shape == (7,)
        low, high = actor.entropy_bounds(key)
        assert (low - 1e-4 <= entropy.numpy()).all()
        assert (entropy.numpy() <= high + 1e-4).all()


def rssm(**settings):
    keras.utils.set_random_seed(3)
    sizes = {"deter": 8, "hidden": 4, "stoch": 3, "classes": 4, "blocks": 4}
    model = RSSM(**{**sizes, **settings}, name="rssm")
    model.build(5, 2)
    return model


def sequence(steps, seed=0):
    rng = np.random.default_rng(seed)
    tokens, action = rng.normal(size=(2, steps, 5)), rng.normal(size=(2, steps, 2))
    noise = rng.uniform(size=(steps, 2, 3))
    return tuple(tf.constant(x, tf.float32) for x in (tokens, action, noise))


def test_observing_step_by_step_is_observing_a_sequence():
    model, (tokens, action, noise) = rssm(dyn_layers=2), sequence(4)
    reset = tf.constant([[False, False, True, False]] * 2)
    carry = Latent(tf.ones((2, 8)), tf.ones((2, 3, 4)))
    seen = model.observe(carry, tokens, action, reset, noise)
    for t in range(4):
        carry, _ = model.observe_step(
            carry, tokens[:, t], action[:, t], reset[:, t], noise[t]
        )
        np.testing.assert_allclose(carry.deter, seen.latent.deter[:, t], atol=1e-6)
        np.testing.assert_allclose(carry.stoch, seen.latent.stoch[:, t], atol=1e-6)


def test_nothing_before_a_reset_matters_after_it():
    model, (tokens, action, noise) = rssm(), sequence(5)
    reset = tf.constant([[False, False, True, False, False]] * 2)
    carry = model.initial(2)
    before = model.observe(carry, tokens, action, reset, noise)
    change = tf.constant([1.0, 1, 0, 0, 0])[None, :, None] * 9
    # The action before the reset step belongs to the episode before, too.
    late = tf.constant([1.0, 1, 1, 0, 0])[None, :, None] * 9
    other = Latent(carry.deter + 1, carry.stoch + 1)
    after = model.observe(other, tokens + change, action + late, reset, noise)
    for x, y in zip(before.latent, after.latent, strict=True):
        assert not np.allclose(x[:, :2], y[:, :2])
        np.testing.assert_array_equal(x[:, 2:], y[:, 2:])


def test_large_actions_are_scaled_to_one():
    model = rssm()
    deter, stoch = tf.ones((1, 8)), tf.ones((1, 12))
    got = model.core(deter, stoch, tf.constant([[7.0, -0.5]]))
    want = model.core(deter, stoch, tf.constant([[1.0, -0.5]]))
    np.testing.assert_allclose(got, want, atol=1e-6)


def test_the_update_gate_starts_low():
    # Without weights: u = sigmoid(−1) and a candidate of 0, so h' = (1 − u) h.
    model = rssm()
    for weight in model.core.weights:
        weight.assign(tf.zeros(weight.shape))
    got = model.core(tf.ones((1, 8)), tf.zeros((1, 12)), tf.zeros((1, 2)))
    np.testing.assert_allclose(got, np.full((1, 8), 1 / (1 + np.exp(-1))), rtol=1e-6)


def test_free_nats_cut_the_sum_over_groups_and_its_gradient():
    model = rssm(free_nats=1.0)
    deter = tf.ones((1, 1, 8))
    post = model.prior(deter)  # the same distribution: a divergence of zero
    with tf.GradientTape() as tape:
        tape.watch(post)
        dyn, rep, _ = model.losses(deter, post)
    np.testing.assert_array_equal([dyn, rep], np.ones((2, 1, 1)))
    assert not np.any(tape.gradient(rep, post))
    far = post + tf.constant([5.0, 0, 0, 0])
    dyn, rep, _ = model.losses(deter, far)
    assert dyn[0, 0] > 1
    np.testing.assert_allclose(dyn, rep, rtol=1e-6)


def test_each_divergence_trains_its_own_side():
    model = rssm(free_nats=0.0)
    deter, post = tf.ones((1, 1, 8)), tf.random.stateless_normal((1, 1, 3, 4), (0, 1))
    with tf.GradientTape(persistent=True) as tape:
        tape.watch([deter, post])
        dyn, rep, _ = model.losses(deter, post)
    assert tape.gradient(dyn, post) is None and np.any(tape.gradient(dyn, deter))
    assert tape.gradient(rep, deter) is None and np.any(tape.gradient(rep, post))
