"""What the 2023 version does different: turns, continues, gradients, optimizers."""

import keras
import numpy as np
import pytest
import tensorflow as tf

from dreamerv3_tf import presets
from dreamerv3_tf.agent.optimizers import Adam, LaProp, Updater
from dreamerv3_tf.run.build import build_agent
from dreamerv3_tf.run.device import Device
from dreamerv3_tf.values import ConfigError


def updated(optimizer, start, *gradients):
    variables = [keras.Variable(np.asarray(value, "float32")) for value in start]
    optimizer.build(variables)
    for gradient in gradients:
        optimizer.apply([tf.constant(x, tf.float32) for x in gradient], variables)
    return [np.asarray(variable) for variable in variables]


def test_two_updates_of_adam_by_hand():
    # Gradients 2 and −1: μ̂ = (0.9 · 0.2 − 0.1) / 0.19 = 0.421053, ν̂ = 2.49925;
    # steps lr · 2 / (2 + 0.5) = 0.08 and lr · 0.421053 / (1.580902 + 0.5) = 0.0202342.
    got = updated(Adam(0.1, agc=0.0, epsilon=0.5), [3.0], [2.0], [-1.0])
    np.testing.assert_allclose(got, [3 - 0.08 - 0.0202342], rtol=1e-5)


def test_clipping_together_keeps_the_direction():
    # The norm of (3, 4) is 5; cut to 1 it is (0.6, 0.8), which ν remembers.
    optimizer = LaProp(0.0, agc=0.0, clip=1.0)
    updated(optimizer, [1.0, 1.0], [3.0, 4.0])
    np.testing.assert_allclose(optimizer.nu, [0.001 * 0.36, 0.001 * 0.64], rtol=1e-4)
    optimizer = LaProp(0.0, agc=0.0, clip=10.0)
    updated(optimizer, [1.0, 1.0], [3.0, 4.0])
    np.testing.assert_allclose(optimizer.nu, [0.009, 0.016], rtol=1e-4)


def test_the_loss_scale_stays_within_its_bounds():
    variable = keras.Variable(np.ones(2, "float32"))
    updater = Updater(LaProp(0.1), [variable], True, max_scale=4e3)
    metrics = updater.apply([tf.ones(2)])
    np.testing.assert_allclose(float(updater.scale(tf.constant(1.0))), 4e3)
    assert metrics["opt/loss_scale"] == 1e4  # what this update was computed with


def test_metrics_of_a_group_bear_its_name():
    variable = keras.Variable(np.ones(2, "float32"))
    metrics = Updater(LaProp(0.1), [variable], name="actor").apply([tf.ones(2)])
    assert {"opt/actor/lr", "opt/actor/grad_norm"} <= set(metrics)


CHOICES = [
    "norm=layer",
    "norm_bias=false",
    "init=fan_avg",
    "out_init=uniform_avg",
    "cell=dense",
    "initial=learned",
    "image_net=stride",
    "bins=symlog",
    "bins=symlog_mse",
    "encoder.units=7",
    "decoder.units=7",
    "decoder.grid_norm=false",
    "decoder.output=linear",
    "first_cont=replayed",
    "imagined_cont=hard discount_in_cont=false",
    "actor_gradient=dynamics",
    "optimizer.kind=adam",
    "optimizer.clip=1.0",
    "updates=in_turn replay_critic_grad=false",
    "decoder.symlog=false encoder.symlog=false",
    "rec_grad=false",
    "return_norm.kind=meanstd advantage_norm.kind=meanstd",
    "actor_critic_grads=true",
    "slow_critic.bootstrap=true",
    "imag_last=2",
]


@pytest.mark.parametrize(
    "choice", [*(f"agent.{word}" for word in CHOICES), "replay.context=0"]
)
def test_each_choice_learns_alone(tiny, choice):
    settings = choice.replace(" ", " agent.").split()
    agent = tiny.agent({**tiny.image, **tiny.vectors}, tiny.mixed, *settings)
    batch = tiny.batch(agent)
    carry, seq = agent.context.split(agent.initial_train(2), batch)
    noise = agent._noise_for(seq, tiny.seed(0))
    outcome = agent._step(carry, seq, noise)
    losses = [float(tf.reduce_mean(loss)) for loss in outcome.losses.values()]
    assert np.isfinite(losses).all()
    assert float(outcome.metrics["opt/grad_norm"]) > 0


def preprint(tiny, obs, act, *settings):
    """A tiny agent of the 2023 version."""
    small = ["agent.stoch=4", "agent.imag_length=2", "agent.reward.bins=41"]
    config = presets.load("dummy_disc", ["paper2023", "debug"], [*small, *settings])
    device = Device("/CPU:0", "", False, "float32", "off")
    signals = {k: v for k, v in tiny.agent().obs_space.items() if k not in tiny.vectors}
    return build_agent(config, device, {**obs, **signals}, act)


def test_actor_and_critic_learn_from_old_states_and_new_weights(tiny):
    agent = preprint(tiny, tiny.vectors, tiny.mixed, "agent.free_nats=0")
    batch, seen, behave = tiny.batch(agent), [], agent.objective.behave
    kernel = agent.model.rssm.prior_out.kernel
    start = kernel.numpy()

    def listening(latent, *args, **kwargs):
        seen.append((kernel.numpy(), latent.deter.numpy()))
        return behave(latent, *args, **kwargs)

    agent.objective.behave = listening
    carry, seq = agent.context.split(agent.initial_train(2), batch)
    outcome = agent._step(carry, seq, agent._noise_for(seq, tiny.seed(0)))
    moved, deter = seen[0]
    assert not np.array_equal(moved, start)  # the world model was updated before
    np.testing.assert_array_equal(moved, kernel.numpy())  # and not again
    np.testing.assert_array_equal(deter, outcome.latent.deter)
    for name in ("actor", "critic"):
        assert int(agent.turns[name].inner.iterations) == 1


def test_groups_in_turn_share_no_weight_and_leave_none_out(tiny):
    agent = preprint(tiny, tiny.vectors, tiny.mixed)
    groups = [agent.updater, *agent.turns.values()]
    paths = [variable.path for group in groups for variable in group.variables]
    together = tiny.agent(None, tiny.mixed, "agent.initial=learned").updater.variables
    parts = {path.split("/")[0] for path in paths}
    assert len(paths) == len(set(paths))
    assert parts == {variable.path.split("/")[0] for variable in together}
    lrs = [float(group.inner.learning_rate) for group in groups]
    np.testing.assert_allclose(lrs, [1e-4, 3e-5, 3e-5], rtol=1e-6)
    assert [group.inner.clip for group in groups] == [1000, 100, 100]


def test_all_state_of_the_optimizers_is_saved(tiny):
    agent = preprint(tiny, tiny.vectors, tiny.mixed)
    names = [name for name in agent.variables() if name.startswith("optimizer/")]
    moments = sum(len(x.variables) for x in (agent.updater, *agent.turns.values()))
    assert sum(name.endswith(("_mu", "_nu")) for name in names) == 2 * moments


def test_the_slow_critic_is_a_copy_after_the_first_update(tiny):
    agent = preprint(tiny, tiny.vectors, tiny.choice)
    fast, slow = (
        head.out.kernel for head in (agent.behavior.critic, agent.behavior.slow)
    )
    fast.assign(np.ones(fast.shape))
    agent.behavior.follow_critic(tf.constant(1))
    np.testing.assert_allclose(slow, np.ones(fast.shape))
    fast.assign(2 * np.ones(fast.shape))
    agent.behavior.follow_critic(tf.constant(2))
    np.testing.assert_allclose(slow, 1.02 * np.ones(fast.shape), rtol=1e-6)


def test_continues_can_be_hard_and_real_at_the_start(tiny):
    agent = preprint(tiny, tiny.vectors, tiny.choice)
    agent.model.cont.out.bias.assign([0.1])
    agent.model.cont.out.kernel.assign(0 * agent.model.cont.out.kernel)
    feat = tf.zeros((3, 2, agent.model.feat_width))
    got = agent.objective._going_on(feat, tf.constant([True, False]))
    np.testing.assert_array_equal(got, [[0, 1], [1, 1], [1, 1]])
    agent.model.cont.out.bias.assign([-0.1])
    got = agent.objective._going_on(feat, tf.constant([True, False]))
    np.testing.assert_array_equal(got, [[0, 1], [0, 0], [0, 0]])


def policy_gradients(tiny, agent):
    """Gradient of the policy loss, by variable."""
    rng = np.random.default_rng(1)
    for variable in agent.updater.variables:
        if not np.any(variable):
            variable.assign(rng.normal(0, 0.1, variable.shape))
    batch = tiny.batch(agent)
    carry, seq = agent.context.split(agent.initial_train(2), batch)
    noise = agent._noise_for(seq, tiny.seed(0))
    with tf.GradientTape() as tape:
        losses = agent.objective.losses(carry, seq, noise, training=False).losses
        total = tf.reduce_mean(losses["policy"])
    variables = agent.updater.variables
    gradients = tape.gradient(total, [v.value for v in variables])
    pairs = zip(variables, gradients, strict=True)
    return {v.path: np.array(g) for v, g in pairs if g is not None and np.any(g)}


def test_through_the_dynamics_only_the_actor_learns(tiny):
    settings = ["agent.actor_gradient=dynamics", "agent.entropy=0"]
    found = policy_gradients(tiny, tiny.agent(None, tiny.mixed, *settings))
    assert {path.split("/")[0] for path in found} == {"actor"}
    assert "actor/turn_mean/kernel" in found


def test_discrete_actions_learn_by_their_probability_either_way(tiny):
    way = [
        policy_gradients(tiny, tiny.agent(None, None, f"agent.actor_gradient={name}"))
        for name in ("reinforce", "dynamics")
    ]
    assert way[0].keys() == way[1].keys()
    for path, gradient in way[0].items():
        np.testing.assert_array_equal(gradient, way[1][path])


def test_continuous_actions_learn_another_way_through_the_dynamics(tiny):
    way = [
        policy_gradients(
            tiny, tiny.agent(None, tiny.mixed, f"agent.actor_gradient={x}")
        )
        for x in ("reinforce", "dynamics")
    ]
    kernel = "actor/turn_mean/kernel"
    assert not np.allclose(way[0][kernel], way[1][kernel])


@pytest.mark.parametrize(
    "setting, expected",
    [
        ("agent.imagined_cont=hard", "a discount_in_cont of false"),
        ("agent.updates=in_turn", "agent.replay_critic_grad is true"),
        ("agent.imag_last=1", "agent.replay_critic is true; expected 0, or 2 steps"),
    ],
)
def test_choices_that_exclude_each_other_are_refused(setting, expected):
    with pytest.raises(ConfigError, match=expected):
        presets.load("dummy_disc", ["debug"], [setting])
