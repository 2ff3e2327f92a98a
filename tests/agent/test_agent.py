"""The agent as a whole: acting, learning, reporting, in every way of compiling it."""

import functools

import numpy as np
import pytest
import tensorflow as tf

from dreamerv3_tf.structs import PolicyCarry


@pytest.fixture(scope="module")
def stepped(tiny):
    """`stepped(mode, images)`: an agent on vectors, and an image if so, after one train
    step; before it, that step's metrics and gradients."""

    @functools.cache
    def step(mode, images):
        inputs = {**tiny.vectors, **(tiny.image if images else {})}
        agent = tiny.agent(inputs, None, xla=mode)
        return (*first_step(tiny, agent), agent)

    return step


def first_step(tiny, agent):
    """Metrics and gradients of one train step."""
    apply = agent.updater.apply

    def apply_and_tell(gradients):
        pairs = zip(agent.updater.variables, gradients, strict=True)
        told = {variable.path: gradient for variable, gradient in pairs}
        return {**apply(gradients), "gradients": told}

    agent.updater.apply = apply_and_tell
    batch = tiny.batch(agent)
    _, entries, metrics = agent.train(agent.initial_train(2), batch, tiny.seed(1))
    gradients = metrics.pop("gradients")
    return {**metrics, **entries}, gradients


WAYS = [
    ("split", True),
    ("full", False),
    pytest.param("full", True, marks=pytest.mark.slow),
]
"""Ways of compiling, and whether there is an image; XLA takes its time with those."""


@pytest.mark.parametrize("mode, images", WAYS)
def test_compiling_changes_neither_losses_nor_gradients(stepped, mode, images):
    values, gradients, _ = stepped("off", images)
    others, other_gradients, _ = stepped(mode, images)
    assert values.keys() == others.keys()
    for name, value in values.items():
        np.testing.assert_allclose(
            others[name], value, rtol=1e-4, atol=1e-4, err_msg=name
        )
    for name, gradient in gradients.items():
        worst = np.max(np.abs(gradient - other_gradients[name]))
        assert worst <= 1e-4 * max(np.max(np.abs(gradient)), 1e-6), name


def test_running_eagerly_changes_nothing(tiny, stepped):
    values, gradients, _ = stepped("off", True)
    agent = tiny.agent({**tiny.vectors, **tiny.image})
    batch = tiny.batch(agent)
    carry, seq = agent.context.split(agent.initial_train(2), batch)
    noise = agent._noise_for(seq, tiny.seed(1))
    with tf.GradientTape() as tape:
        outcome = agent.objective.losses(carry, seq, noise, training=True)
        total = agent.objective.total(outcome.losses)
    for name, value in outcome.metrics.items():
        np.testing.assert_allclose(value, values[name], rtol=1e-4, atol=1e-4)
    variables = agent.updater.variables
    found = tape.gradient(total, [variable.value for variable in variables])
    for variable, gradient in zip(variables, found, strict=True):
        want = gradients[variable.path]
        worst = np.max(np.abs(gradient - want))
        assert worst <= 1e-4 * max(np.max(np.abs(want)), 1e-6), variable.path


@pytest.mark.parametrize("mode", ["split", "full"])
def test_noise_is_the_same_inside_and_outside_of_xla(tiny, agent, mode):
    batch = tiny.batch(agent)
    _, seq = agent.context.split(agent.initial_train(2), batch)

    @tf.function(jit_compile=mode == "full", autograph=False)
    def draw(seed):
        return agent._noise_for(seq, seed)

    here, there = agent._noise_for(seq, tiny.seed(3)), draw(tiny.seed(3))
    tf.nest.map_structure(np.testing.assert_array_equal, here, there)


@pytest.mark.parametrize("mode, images", [("off", True), *WAYS])
def test_nothing_is_traced_twice(tiny, stepped, mode, images):
    agent = stepped(mode, images)[-1]
    tiny.train(agent, tiny.batch(agent), 4)
    carry = agent.initial_policy(2)
    for step in range(5):
        _, _, carry = agent.policy(carry, observation(agent, 2), tiny.seed(step))
    assert agent.traces["train"] == agent.traces["policy"] == 1


def observation(agent, count, seed=0):
    """Random observations of the first step of an episode."""
    rng = np.random.default_rng(seed)
    obs = {
        key: np.stack([space.sample(rng) for _ in range(count)])
        for key, space in agent.model.inputs.items()
    }
    obs["is_first"] = np.ones(count, bool)
    return {key: tf.constant(value) for key, value in obs.items()}


SLOW = [pytest.param(mode, marks=pytest.mark.slow) for mode in ("split", "full")]


@pytest.mark.parametrize("mode", ["off", *SLOW])
def test_the_same_seed_gives_the_same_twenty_steps_bit_for_bit(tiny, mode):
    inputs = {**tiny.vectors, **tiny.image} if mode == "split" else None
    runs = []
    for _ in range(2):
        agent = tiny.agent(inputs, None, "agent.optimizer.lr=1e-3", xla=mode)
        history = tiny.train(agent, tiny.batch(agent), 20)
        weights = [np.asarray(weight) for weight in agent.variables().values()]
        runs.append((history, weights))
    for one, two in zip(*(history for history, _ in runs), strict=True):
        for name, value in one.items():
            np.testing.assert_array_equal(value, two[name], err_msg=name)
    for one, two in zip(*(weights for _, weights in runs), strict=True):
        np.testing.assert_array_equal(one, two)


@pytest.mark.parametrize("mode, images", WAYS)
def test_compiled_steps_can_be_repeated_bit_for_bit(tiny, stepped, mode, images):
    agent = stepped(mode, images)[-1]
    variables, batch, runs = agent.variables(), tiny.batch(agent), []
    saved = {name: np.asarray(variable) for name, variable in variables.items()}
    for _ in range(2):
        for name, variable in variables.items():
            variable.assign(saved[name])
        runs.append(tiny.train(agent, batch, 20))
    for one, two in zip(*runs, strict=True):
        for name, value in one.items():
            tf.nest.map_structure(np.testing.assert_array_equal, value, two[name])


def test_another_seed_gives_other_samples(tiny, agent):
    obs, carry = observation(agent, 64), agent.initial_policy(64)
    actions = [agent.policy(carry, obs, tiny.seed(s))[0]["action"] for s in (1, 1, 2)]
    np.testing.assert_array_equal(actions[0], actions[1])
    assert np.any(actions[0] != actions[2])


def test_the_first_update_moves_nothing(tiny):
    agent = tiny.agent()
    batch, weights = tiny.batch(agent), agent.updater.variables
    before = [np.asarray(weight) for weight in weights]
    first = tiny.train(agent, batch, 1)[0]
    assert first["opt/lr"] == first["opt/update_rms"] == 0
    for weight, old in zip(weights, before, strict=True):
        np.testing.assert_array_equal(weight, old)
    assert tiny.train(agent, batch, 1)[0]["opt/lr"] > 0
    pairs = zip(weights, before, strict=True)
    assert any(np.any(np.asarray(weight) != old) for weight, old in pairs)


@pytest.mark.parametrize("mode", ["off", SLOW[1]])
def test_learning_lowers_every_loss_of_the_world_model(tiny, mode):
    settings = ["agent.optimizer.lr=1e-3", "agent.optimizer.warmup=1"]
    inputs = {**tiny.vectors, **tiny.image}
    agent = tiny.agent(inputs, None, "agent.units=16", *settings, xla=mode)
    history = tiny.train(agent, tiny.batch(agent), 100)
    for key in ("vec", "mode", "image", "rew", "con"):
        first, last = (history[i][f"loss/{key}"] for i in (0, -1))
        assert last < 0.9 * first, f"{key}: {first} → {last}"
    # The divergences start at almost nothing and then pay for what they carry.
    before, after = history[0]["opt/loss"], history[-1]["opt/loss"]
    assert after < 0.8 * before and np.isfinite(after)


@pytest.mark.parametrize("precision", ["bfloat16", "float16"])
def test_sixteen_bits_learn_with_weights_of_thirty_two(tiny, precision):
    settings = ["agent.optimizer.lr=1e-3", "agent.optimizer.warmup=1"]
    agent = tiny.agent(None, None, *settings, precision=precision)
    assert agent.model.rssm.compute_dtype == precision
    history = tiny.train(agent, tiny.batch(agent), 40)
    assert {weight.dtype for weight in agent.updater.variables} == {"float32"}
    for metrics in history:
        assert all(np.isfinite(x) for k, x in metrics.items() if k[:4] != "opt/")
    for key in ("vec", "mode", "rew"):
        assert history[-1][f"loss/{key}"] < history[0][f"loss/{key}"]
    # Until the scale of the loss fits, updates are skipped.
    assert np.isfinite(history[-1]["opt/grad_norm"])
    assert history[-1]["opt/updates"] >= 30
    if precision == "float16":
        assert history[0]["opt/loss_scale"] == 1e4
    entries = agent.context.store(agent.model.rssm.initial(1))
    assert entries["deter"].dtype.size == 2


def test_an_infinite_gradient_leaves_the_weights_and_halves_the_scale(tiny):
    agent = tiny.agent(precision="float16")
    batch = tiny.batch(agent)
    history = tiny.train(agent, batch, 8)
    scale, updates = (history[-1][f"opt/{key}"] for key in ("loss_scale", "updates"))
    before = [np.asarray(weight) for weight in agent.updater.variables]
    broken = batch._replace(reward=batch.reward * np.inf)
    assert tiny.train(agent, broken, 1)[0]["opt/updates"] == updates
    for weight, old in zip(agent.updater.variables, before, strict=True):
        np.testing.assert_array_equal(weight, old)
    metrics = tiny.train(agent, batch, 1)[-1]
    assert metrics["opt/loss_scale"] == scale / 2
    assert metrics["opt/updates"] == updates + 1


@pytest.mark.parametrize("mode", ["off", SLOW[1]])
def test_every_kind_of_action_acts_and_learns(tiny, mode):
    agent = tiny.agent(None, tiny.mixed, xla=mode)
    history = tiny.train(agent, tiny.batch(agent), 2)
    assert all(np.isfinite(value) for value in history[-1].values())
    carry = agent.initial_policy(5)
    for step in range(3):
        action, _, carry = agent.policy(carry, observation(agent, 5), tiny.seed(step))
        for key, space in agent.act_space.items():
            value = action[key].numpy()
            assert value.dtype == space.dtype and value.shape == (5, *space.shape)
            if space.discrete:
                assert all(space.problem(row) is None for row in value)
    assert agent.traces["policy"] == 1


def test_the_mode_of_the_policy_needs_no_chance(tiny):
    agent = tiny.agent(None, None, "agent.unimix=0")
    weight = agent.model.rssm.post_out.weights[0]
    weight.assign(np.asarray(weight) * 1e4)  # latents without doubt
    obs, carry = observation(agent, 64), agent.initial_policy(64)
    calls = [agent.policy(carry, obs, tiny.seed(s), "mode")[0] for s in (1, 2)]
    np.testing.assert_array_equal(calls[0]["action"], calls[1]["action"])
    sampled = agent.policy(carry, obs, tiny.seed(1), "sample")[0]
    assert np.any(sampled["action"] != calls[0]["action"])


def test_an_episode_start_forgets_what_the_policy_carries(tiny, agent):
    obs, fresh = observation(agent, 2), agent.initial_policy(2)
    worn = tf.nest.map_structure(lambda x: x + 1, fresh.latent)
    action = {key: value + 1 for key, value in fresh.action.items()}
    results = [
        agent.policy(carry, obs, tiny.seed(1))[-1].latent
        for carry in (fresh, PolicyCarry(worn, action))
    ]
    tf.nest.map_structure(np.testing.assert_array_equal, *results)


def test_acting_follows_the_posterior_of_training(tiny, agent):
    """Two policy steps reach the state that a train step reaches on the same data."""
    batch = tiny.batch(agent, steps=2)
    first = tf.constant([[False, True, False]] * 2)
    batch = batch._replace(is_first=first)
    _, seq = agent.context.split(agent.initial_train(2), batch)
    carry, posts = agent.initial_policy(2), []
    for t in (1, 2):
        obs = {key: value[:, t] for key, value in batch.obs.items()}
        obs["is_first"] = first[:, t]
        _, _, carry = agent.policy(carry, obs, tiny.seed(t))
        taken = {key: value[:, t] for key, value in batch.action.items()}
        carry = carry._replace(action=taken)
        posts.append(agent.noise.policy(tiny.seed(t), 2)[0])
    seen = agent.model.rssm.observe(
        agent.initial_train(2),
        agent.model.tokens(seq.obs),
        seq.prevact,
        seq.is_first,
        tf.stack(posts),
    )
    for got, want in zip(carry.latent, seen.last, strict=True):
        np.testing.assert_allclose(got, want, atol=1e-5)


def test_the_slow_critic_follows_the_critic(tiny):
    settings = ["agent.slow_critic.rate=0.25", "agent.slow_critic.every=2"]
    agent = tiny.agent(None, None, *settings, "agent.optimizer.lr=0.1")
    batch = tiny.batch(agent)
    behavior = agent.behavior
    expected = [np.asarray(weight) for weight in behavior.slow.weights]
    for number in range(1, 5):
        tiny.train(agent, batch, 1)
        if number % 2:  # it follows at the first step, and at every second from there
            fast = [np.asarray(weight) for weight in behavior.critic.weights]
            pairs = zip(fast, expected, strict=True)
            expected = [0.25 * new + 0.75 * old for new, old in pairs]
        for weight, want in zip(behavior.slow.weights, expected, strict=True):
            np.testing.assert_allclose(weight, want, rtol=1e-5, atol=1e-7)


def test_every_variable_can_be_changed_and_put_back(tiny):
    agent = tiny.agent(tiny.vectors, None, "agent.return_norm.debias=true")
    tiny.train(agent, tiny.batch(agent), 2)
    variables = agent.variables()
    names = " ".join(variables)
    parts = "encoder rssm decoder reward cont actor critic slow_critic return_norm"
    for part in (*parts.split(), "optimizer", "iteration", "nu", "mu"):
        assert part in names, part
    trained = sum(len(part.weights) for part in agent.trained.values())
    assert len(agent.updater.inner.nu) == trained
    saved = {name: np.asarray(variable) for name, variable in variables.items()}
    batch = tiny.batch(agent)
    want = tiny.train(agent, batch, 2)
    changed = {name: np.asarray(variable) for name, variable in variables.items()}
    still = {n for n, x in saved.items() if np.array_equal(x, changed[n])}
    assert all("optimizer/" in name or "norm" in name for name in still), still
    for name, variable in variables.items():
        variable.assign(saved[name] + 1)
    for name, variable in variables.items():
        variable.assign(saved[name])
    again = tiny.train(agent, batch, 2)
    for one, two in zip(want, again, strict=True):
        for name, value in one.items():
            np.testing.assert_array_equal(value, two[name], err_msg=name)


def test_variables_of_the_state_are_all_there(tiny, stepped):
    """No variable that a train step touches is missing from `variables`."""
    agent = stepped("off", True)[-1]
    known = {id(variable.value) for variable in agent.variables().values()}
    batch = tiny.batch(agent)
    graph = agent.train.get_concrete_function(
        agent.initial_train(2), batch, tiny.seed(0)
    )
    used = {id(variable) for variable in graph.variables}
    assert used <= known


@pytest.mark.parametrize("channels", [1, 3])
def test_a_report_learns_nothing_and_shows_what_is_foreseen(tiny, channels):
    space = type(tiny.image["image"])(np.dtype(np.uint8), (12, 16, channels))
    agent = tiny.agent({"image": space, **tiny.vectors})
    before = {name: np.asarray(v) for name, v in agent.variables().items()}
    batch = tiny.batch(agent, rows=3, steps=4)
    metrics, videos = agent.report(agent.initial_train(3), batch, tiny.seed(0))
    for name, variable in agent.variables().items():
        np.testing.assert_array_equal(variable, before[name], err_msg=name)
    assert np.isfinite(float(metrics["loss/image"]))
    video = videos["image"].numpy()
    # Three pictures of 12 above each other and a border; three rows of 16 and borders.
    assert video.shape == (4 + 10, 3 * 12 + 4, 3 * (16 + 4), 3)
    np.testing.assert_array_equal(video[0, 0, 0], [0, 255, 0])
    np.testing.assert_array_equal(video[2, 0, 0], [255, 0, 0])
    assert not video[4:].any()
    truth = np.broadcast_to(batch.obs["image"][0, 1], (12, 16, 3))
    np.testing.assert_array_equal(video[0, 2:14, 2:18], truth)


def test_a_report_foresees_vectors_that_are_asked_for(tiny):
    agent = tiny.agent({**tiny.image, **tiny.vectors})
    key = next(k for k, space in tiny.vectors.items() if not space.discrete)
    agent.report_vectors = (key,)
    batch = tiny.batch(agent, rows=3, steps=4)
    _, foreseen = agent.report(agent.initial_train(3), batch, tiny.seed(0))
    shape = tiny.vectors[key].shape
    assert foreseen[key].shape == (2, 3, 4, *shape)
    truth, predicted = foreseen[key].numpy()
    np.testing.assert_array_equal(truth, batch.obs[key][:, 1:])  # without context
    assert np.isfinite(predicted).all() and (predicted != truth).any()
    assert foreseen["image"].dtype == np.uint8
