"""Actions that are not allowed: never chosen, neither for real nor in imagination."""

import numpy as np
import pytest
import tensorflow as tf

from dreamerv3_tf.envs import EnvError, make_env
from dreamerv3_tf.envs.base import random_action
from dreamerv3_tf.nn.heads import Actor, MaskHead
from dreamerv3_tf.spaces import Space, find_masks

WHOLE, BOOL = np.dtype(np.int32), np.dtype(bool)
CHOICE = {"action": Space(WHOLE, (), 0, 3)}
MASKED = {"vec": Space(np.dtype(np.float32), (3,)), "action_mask": Space(BOOL, (3,))}


def actor(spaces):
    part = Actor(spaces, {"layers": 1, "units": 8}, outscale=1.0)
    part.build((None, 4))
    return part


def test_what_is_not_allowed_has_no_chance_and_the_rest_shares_the_unimix():
    feat = tf.random.stateless_normal((2, 4), (1, 2)) * 9
    allowed = {"action": tf.constant([[True, False, True], [False, True, False]])}
    probs = actor(CHOICE)(feat, allowed)["action"].probs_parameter().numpy()
    np.testing.assert_array_equal(probs[~allowed["action"].numpy()], 0)
    np.testing.assert_allclose(probs.sum(-1), 1, rtol=1e-6)
    assert probs[0].min(initial=1, where=[True, False, True]) >= 0.01 / 2 * 0.999
    np.testing.assert_allclose(probs[1], [0, 1, 0])


def test_where_nothing_is_allowed_everything_is():
    feat = tf.ones((1, 4))
    none = {"action": tf.zeros((1, 3), tf.bool)}
    policy = actor(CHOICE)
    np.testing.assert_allclose(
        policy(feat, none)["action"].probs_parameter(),
        policy(feat)["action"].probs_parameter(),
        rtol=1e-6,
    )


def test_a_mask_does_not_bring_classes_to_life_that_an_element_lacks():
    spaces = {"keys": Space(WHOLE, (2,), 0, np.array([2, 5]))}
    allowed = {"keys": tf.constant([[[False, False, True, True, True], [True] * 5]])}
    probs = actor(spaces)(tf.ones((1, 4)), allowed)["keys"].probs_parameter().numpy()
    # The first element has 2 classes and neither is allowed: both are possible again.
    np.testing.assert_array_equal(probs[0, 0] > 0, [True, True, False, False, False])


def test_the_loss_of_the_head_is_that_of_independent_coins():
    head = MaskHead({"action": MASKED["action_mask"]}, {"layers": 1, "units": 8})
    head.build((None, 4))
    feat, mask = tf.ones((1, 4)), np.array([[True, False, True]])
    p = 1 / (1 + np.exp(-head(feat)["action"].numpy()[0].astype(float)))
    want = -np.log(p[0]) - np.log(1 - p[1]) - np.log(p[2])
    np.testing.assert_allclose(head.loss(feat, {"action": mask}), [want], rtol=1e-5)


@pytest.mark.parametrize("xla", ["off", "full"])
def test_imagined_actions_obey_the_masks_that_the_model_predicts(tiny, xla):
    agent = tiny.agent(MASKED, CHOICE, xla=xla)
    batch = tiny.batch(agent)
    carry = agent.initial_train(2)
    _, _, metrics = agent.train(carry, batch, tiny.seed(0, 1))
    assert np.isfinite(float(metrics["loss/mask"]))
    assert all(np.isfinite(float(value)) for value in metrics.values())
    carry, seq = agent.context.split(carry, batch)
    noise = agent._noise_for(seq, tiny.seed(0, 1))
    seen, *_ = agent.model.learn(carry, agent.model.tokens(seq.obs), seq, noise.post)
    behaved, _ = agent.objective.behave(seen.latent, seq, noise, training=False)
    allowed = behaved.imagined.allowed["action"].numpy()
    action = behaved.imagined.action["action"].numpy()
    assert not allowed.all() and allowed.any(-1).any()
    fine = np.take_along_axis(allowed, action[..., None], -1)[..., 0]
    assert (fine | ~allowed.any(-1)).all()


def test_the_head_learns_what_is_allowed(tiny):
    settings = ("agent.optimizer.lr=1e-2", "agent.optimizer.warmup=0")
    agent = tiny.agent(MASKED, CHOICE, *settings)
    history = tiny.train(agent, tiny.batch(agent), 40)
    losses = [float(metrics["loss/mask"]) for metrics in history]
    assert min(losses[-5:]) < losses[0] / 2


def test_the_policy_never_does_what_the_environment_forbids(tiny):
    env = make_env("dummy_mask", seed=0, length=60)  # raises for what is not allowed
    agent = tiny.agent(env.obs_space, env.act_space)
    carry, obs = agent.initial_policy(1), env.reset()
    for index in range(120):
        batch = {key: np.asarray(value)[None] for key, value in obs.items()}
        mode = ("sample", "mode")[index % 2]
        action, _, carry = agent.policy(carry, batch, tiny.seed(index), mode)
        chosen = {key: value.numpy()[0] for key, value in action.items()}
        obs = env.reset() if obs["is_last"] else env.step(chosen)


def test_random_actions_are_allowed_ones_and_each_of_them_comes():
    rng, mask = np.random.default_rng(0), np.array([True, False, True])
    obs = {"action_mask": mask}
    drawn = [int(random_action(CHOICE, obs, rng)["action"]) for _ in range(300)]
    counts = np.bincount(drawn, minlength=3)
    assert counts[1] == 0 and counts[[0, 2]].min() > 100  # 150 expected of each


def test_the_dummy_raises_for_what_it_forbids():
    env = make_env("dummy_mask", seed=0)
    obs = env.reset()
    with pytest.raises(EnvError, match="not allowed"):
        env.step({"act_disc": np.int32(obs["act_disc_mask"].argmin())})


def test_a_mask_of_another_shape_is_refused():
    obs = {"action_mask": Space(BOOL, (4,))}
    with pytest.raises(ValueError, match=r"'action_mask' is .* expected bool .*\(3,\)"):
        find_masks(obs, CHOICE)
