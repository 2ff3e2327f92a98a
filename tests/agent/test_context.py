"""How sequences begin, and what replay keeps of states."""

import numpy as np
import pytest
import tensorflow as tf

from dreamerv3_tf.agent.context import Context
from dreamerv3_tf.structs import Latent


def test_the_first_trained_step_reads_the_action_of_the_context(tiny, agent):
    batch = tiny.batch(agent)
    _, seq = agent.context.split(agent.initial_train(2), batch)
    want = tf.one_hot(batch.action["action"][:, :-1], 3)
    np.testing.assert_array_equal(seq.prevact, want)
    np.testing.assert_array_equal(seq.obs["vec"], batch.obs["vec"][:, 1:])
    np.testing.assert_array_equal(seq.reward, batch.reward[:, 1:])


def test_rows_start_from_replay_or_go_on_from_the_train_step_before(tiny, agent):
    batch = tiny.batch(agent)._replace(consec=tf.constant([0, 1]))
    carry = Latent(tf.fill((2, 8), 7.0), tf.fill((2, 4, 4), 0.5))
    start, _ = agent.context.split(carry, batch)
    np.testing.assert_array_equal(start.deter[0], batch.context.deter[0])
    want = tf.one_hot(tf.cast(batch.context.stoch[0], tf.int32), 4)
    np.testing.assert_array_equal(start.stoch[0], want)
    np.testing.assert_array_equal(start.deter[1], carry.deter[1])
    np.testing.assert_array_equal(start.stoch[1], carry.stoch[1])


def test_without_context_sequences_start_with_an_action_of_zeros(tiny):
    agent = tiny.agent(None, None, "replay.context=0")
    assert agent.latent_spaces == {}
    batch = tiny.batch(agent)
    _, seq = agent.context.split(agent.initial_train(2), batch)
    assert seq.reward.shape == (2, 4)
    assert not np.any(seq.prevact[:, 0])
    want = tf.one_hot(batch.action["action"][:, :-1], 3)
    np.testing.assert_array_equal(seq.prevact[:, 1:], want)


def test_stored_latents_come_back_bit_for_bit(agent):
    latent = Latent(tf.random.stateless_normal((5, 8), (0, 1)), None)
    stoch = tf.one_hot(tf.constant(np.arange(20).reshape(5, 4) % 4), 4)
    latent = latent._replace(stoch=stoch)
    stored = agent.context.store(latent)
    spaces = agent.latent_spaces
    for key, value in stored.items():
        assert spaces[key].problem(value.numpy()[0]) is None
    back = agent.context.restore(Latent(**stored))
    np.testing.assert_array_equal(back.deter, latent.deter)
    np.testing.assert_array_equal(back.stoch, latent.stoch)


@pytest.mark.parametrize("precision", ["bfloat16", "float16"])
def test_two_bytes_a_unit_keep_what_sixteen_bits_hold(tiny, precision):
    agent = tiny.agent(precision=precision)
    assert agent.context.spaces["deter"].nbytes == 16
    deter = tf.random.stateless_normal((5, 8), (0, 1))
    latent = Latent(tf.cast(deter, precision), tf.zeros((5, 4, 4)))
    stored = agent.context.store(latent)
    for key, value in stored.items():
        assert agent.latent_spaces[key].problem(value.numpy()[0]) is None
    back = agent.context.restore(Latent(**stored)).deter
    assert back.dtype == precision
    np.testing.assert_array_equal(
        *(tf.cast(x, tf.float32) for x in (back, latent.deter))
    )


def test_two_bytes_a_unit_round_what_thirty_two_bits_hold(agent):
    context = Context(agent.model, 1, deter_bytes=2)
    deter = tf.constant([[1.0, -0.25, 0.1, 0, 0, 0, 0, 0]])
    stored = context.store(Latent(deter, tf.zeros((1, 4, 4))))
    back = context.restore(Latent(**stored)).deter
    np.testing.assert_allclose(back, deter, rtol=1e-3)


def test_an_episode_start_forgets_the_stored_latents(tiny, agent):
    batch = tiny.batch(agent)
    begins = batch._replace(
        is_first=tf.concat(
            [batch.is_first[:, :1], tf.ones((2, 1), bool), batch.is_first[:, 2:]], 1
        )
    )
    results = []
    for shift in (0.0, 5.0):
        stored = batch.context._replace(deter=batch.context.deter + shift)
        carry, seq = agent.context.split(
            agent.initial_train(2), begins._replace(context=stored)
        )
        noise = agent._noise_for(seq, tiny.seed(0))
        losses = agent.objective.losses(carry, seq, noise, training=False).losses
        results.append(losses)
    for key in ("vec", "dyn", "rew"):
        np.testing.assert_array_equal(results[0][key], results[1][key])
