"""Which loss trains what, and what the losses of a fresh agent are."""

import numpy as np
import pytest
import tensorflow as tf

from dreamerv3_tf.agent.noise import FixedNoise

WORLD = {"encoder", "core", "post"}  # what shapes the states
# Source: Hafner et al. 2025, Methods. The state reaches `dyn` through deter alone.
TRAINS = {
    "vec": WORLD | {"decoder"},
    "mode": WORLD | {"decoder"},
    "rew": WORLD | {"reward"},
    "con": WORLD | {"cont"},
    "dyn": WORLD | {"prior"},
    "rep": WORLD,
    "policy": {"actor"},
    "value": {"critic"},
    "repval": WORLD | {"critic"},
}


def part(path: str) -> str:
    """Which part of the agent a weight belongs to."""
    first, second = path.split("/")[:2]
    if first != "rssm":
        return first
    return second.split("_")[0]


def trained_by_each_loss(tiny, agent) -> dict[str, set[str]]:
    """Parts with a gradient that is not zero, for each loss."""
    # Heads start at zero, where no gradient reaches what is below them.
    rng = np.random.default_rng(1)
    for variable in agent.updater.variables:
        if not np.any(variable):
            variable.assign(rng.normal(0, 0.1, variable.shape))
    batch = tiny.batch(agent)
    carry, seq = agent.context.split(agent.initial_train(2), batch)
    noise = agent._noise_for(seq, tiny.seed(0))
    with tf.GradientTape(persistent=True) as tape:
        losses = agent.objective.losses(carry, seq, noise, training=False).losses
        totals = {key: tf.reduce_mean(loss) for key, loss in losses.items()}
    variables, found = agent.updater.variables, {}
    for key, total in totals.items():
        gradients = tape.gradient(total, [v.value for v in variables])
        found[key] = {
            part(variable.path)
            for variable, gradient in zip(variables, gradients, strict=True)
            if gradient is not None and np.any(gradient)
        }
    return found


# Free nats would hide the gradients of the divergences.
OPEN = "agent.free_nats=0"


def test_each_loss_trains_what_it_should_and_nothing_else(tiny):
    assert trained_by_each_loss(tiny, tiny.agent(None, None, OPEN)) == TRAINS


def test_gradients_can_be_kept_from_the_states(tiny):
    settings = [OPEN, "agent.reward_grad=false", "agent.replay_critic_grad=false"]
    found = trained_by_each_loss(tiny, tiny.agent(None, None, *settings))
    assert found["rew"] == {"reward"} and found["repval"] == {"critic"}
    assert found["con"] == TRAINS["con"]


def test_imagination_can_train_the_states_that_it_starts_from(tiny):
    agent = tiny.agent(None, None, OPEN, "agent.actor_critic_grads=true")
    found = trained_by_each_loss(tiny, agent)
    assert found["policy"] == WORLD | {"actor"}
    assert found["value"] == WORLD | {"critic"}


def losses_of(tiny, agent, batch=None, **changes):
    batch = (batch or tiny.batch(agent))._replace(**changes)
    carry, seq = agent.context.split(agent.initial_train(2), batch)
    noise = agent._noise_for(seq, tiny.seed(0))
    outcome = agent.objective.losses(carry, seq, noise, training=True)
    return outcome, seq


def test_a_fresh_agent_has_the_losses_that_zero_heads_have(tiny):
    # −ln of a uniform distribution over 41 and 5 bins; the critic counts twice.
    agent = tiny.agent()
    outcome, seq = losses_of(tiny, agent)
    np.testing.assert_allclose(outcome.losses["rew"], np.log(41), rtol=1e-5)
    going = 1 - np.asarray(seq.is_last, "float32")[:, :-1]
    want = 2 * np.log(5) * going
    np.testing.assert_allclose(outcome.losses["repval"], want, rtol=1e-5)
    assert (np.asarray(outcome.losses["dyn"]) >= 1).all()
    assert (np.asarray(outcome.losses["rep"]) >= 1).all()
    metrics = {key: float(value) for key, value in outcome.metrics.items()}
    assert metrics["behavior/rew"] == metrics["behavior/val"] == 0
    np.testing.assert_allclose(metrics["behavior/ent/action"], np.log(3), rtol=1e-3)


@pytest.mark.parametrize("discounted", ["true", "false"])
def test_the_continue_head_learns_the_discount_where_it_carries_it(tiny, discounted):
    agent = tiny.agent(None, None, f"agent.discount_in_cont={discounted}")
    heard = []
    agent.model.cont.call = lambda feat: heard.append(feat) or tf.zeros(feat.shape[:-1])
    outcome, seq = losses_of(tiny, agent)
    # With p = ½ the loss is ln 2 whatever the label; the slope tells the label.
    assert heard
    np.testing.assert_allclose(outcome.losses["con"], np.log(2), rtol=1e-5)
    top = 1 - 1 / 333 if discounted == "true" else 1.0
    agent.model.cont.call = lambda feat: tf.fill(feat.shape[:-1], 1.0)
    outcome, seq = losses_of(tiny, agent)
    goal = top * (1 - np.asarray(seq.is_terminal, "float32"))
    want = np.log1p(np.exp(1)) - goal  # −y ln p − (1 − y) ln(1 − p) at logit 1
    np.testing.assert_allclose(outcome.losses["con"], want, rtol=1e-5)


def test_running_out_of_time_is_not_dying(tiny):
    agent = tiny.agent()
    batch = tiny.batch(agent)
    alive = tf.zeros_like(batch.is_terminal)
    died, _ = losses_of(tiny, agent, batch)
    lived, _ = losses_of(tiny, agent, batch, is_terminal=alive)
    assert not np.allclose(died.losses["con"], lived.losses["con"])


def test_imagination_starts_from_the_last_steps_where_asked(tiny):
    agent = tiny.agent(None, None, "agent.imag_last=2")
    outcome, _ = losses_of(tiny, agent)
    shapes = {key: tuple(loss.shape) for key, loss in outcome.losses.items()}
    assert shapes["policy"] == shapes["value"] == (2, 2)
    assert shapes["repval"] == (2, 1)
    assert shapes["rew"] == (2, 4)
    behaved, latent = behaved_of(tiny, agent)
    want = tf.reshape(latent.deter[:, 2:], (4, -1))
    np.testing.assert_array_equal(behaved.imagined.latent.deter[0], want)


def behaved_of(tiny, agent):
    """Everything that one imagination produced, and the latents it started from."""
    batch = tiny.batch(agent)
    carry, seq = agent.context.split(agent.initial_train(2), batch)
    noise = agent._noise_for(seq, tiny.seed(0))
    tokens = agent.model.tokens(seq.obs)
    latent = agent.model.learn(carry, tokens, seq, noise.post)[0].latent
    behaved, _ = agent.objective.behave(latent, seq, noise, training=True)
    return behaved, latent


@pytest.mark.parametrize("bootstrap", ["true", "false"])
def test_returns_and_advantages_use_the_same_critic(tiny, bootstrap):
    agent = tiny.agent(None, None, f"agent.slow_critic.bootstrap={bootstrap}")
    for critic, top in ((agent.behavior.critic, 0.2), (agent.behavior.slow, 0.3)):
        bias = critic.weights[-1]
        bias.assign(top * np.arange(bias.shape[0]))
    (learned, _, judged, _), _ = behaved_of(tiny, agent)
    assert np.min(judged.slow - judged.value) > 1e3
    value = np.asarray(judged.slow if bootstrap == "true" else judged.value)
    # Rewards are zero, so the last return is what is left of the last value.
    want = np.asarray(judged.cont)[:, -1] * value[:, -1]
    np.testing.assert_allclose(learned.ret[:, -1], want, rtol=1e-5)
    scale = agent.behavior.return_norm.stats()[1]
    want = np.mean((np.asarray(learned.ret) - value[:, :-1]) / scale)
    np.testing.assert_allclose(learned.metrics["behavior/adv"], want, rtol=1e-4)


def test_what_is_imagined_is_what_the_actor_chooses(tiny):
    agent = tiny.agent()
    agent.noise = FixedNoise(agent.model.rssm.stoch, agent.act_space)
    behaved, latent = behaved_of(tiny, agent)
    states, actions, _ = behaved.imagined
    feat = tf.concat([states.deter, tf.reshape(states.stoch, (3, 8, 16))], -1)
    best = agent.behavior.actor(feat)["action"].pick(None)
    np.testing.assert_array_equal(actions["action"], best)
    np.testing.assert_array_equal(states.deter[0], tf.reshape(latent.deter, (8, -1)))
