"""Our policy inside of TF-Agents: its drivers, its saver, and its policies."""

import sys

import numpy as np
import pytest
import tensorflow as tf

from dreamerv3_tf import main, presets
from dreamerv3_tf.api.conventions import Conventions
from dreamerv3_tf.envs import make_env
from dreamerv3_tf.envs.adapters import adapt
from dreamerv3_tf.envs.wrappers import wrap
from dreamerv3_tf.record.export import export_policy
from dreamerv3_tf.run import export
from dreamerv3_tf.run.build import build_agent
from dreamerv3_tf.run.device import Device
from dreamerv3_tf.values import ConfigError

WHY = "tf-agents 0.19 exists for Python 3.11 and older"
pytest.importorskip("tf_agents", reason=WHY)

from tf_agents.drivers.dynamic_step_driver import DynamicStepDriver  # noqa: E402
from tf_agents.drivers.py_driver import PyDriver  # noqa: E402
from tf_agents.environments.batched_py_environment import (  # noqa: E402
    BatchedPyEnvironment,
)
from tf_agents.environments.py_environment import PyEnvironment  # noqa: E402
from tf_agents.environments.tf_py_environment import TFPyEnvironment  # noqa: E402
from tf_agents.policies import py_tf_eager_policy  # noqa: E402
from tf_agents.specs import array_spec  # noqa: E402
from tf_agents.trajectories import time_step as ts  # noqa: E402

from dreamerv3_tf.run.tf_policy import Policy, save_policy  # noqa: E402
from dreamerv3_tf.tf_agents import make_py_environment  # noqa: E402

SEED = 5


class Lab(PyEnvironment):
    """Nested specs with bounds and types of their own; episodes of five steps."""

    def __init__(self, side=48):
        super().__init__()
        self.side = side
        self.rng = np.random.default_rng(0)
        self.seen = []

    def observation_spec(self):
        return {
            "camera": array_spec.BoundedArraySpec(
                (3, self.side, self.side), np.float32, 0.0, 1.0
            ),
            "arm": {
                "angles": array_spec.ArraySpec((2, 2, 2), np.float64),
                "tool": array_spec.BoundedArraySpec((), np.int64, 3, 6),
            },
        }

    def action_spec(self):
        return {
            "force": array_spec.BoundedArraySpec(
                (2,), np.float64, [0.0, -1.0], [30.0, 2.0]
            ),
            "grip": array_spec.BoundedArraySpec((), np.int64, 2, 4),
        }

    def _reset(self):
        self.count = 0
        return ts.restart(self._look())

    def _step(self, action):
        if self._current_time_step.is_last():
            return self.reset()
        array_spec.check_arrays_nest(action, self.action_spec())
        self.seen.append(action)
        self.count += 1
        if self.count == 5:
            return ts.termination(self._look(), 1.0)
        return ts.transition(self._look(), float(action["grip"]))

    def _look(self):
        camera = self.rng.random((3, self.side, self.side), np.float32)
        angles, tool = self.rng.normal(size=(2, 2, 2)), self.rng.integers(3, 7)
        return {"camera": camera, "arm": {"angles": angles, "tool": np.int64(tool)}}


class Bare(PyEnvironment):
    """One array to see and one number to choose, as CartPole has them."""

    def observation_spec(self):
        return array_spec.BoundedArraySpec((4,), np.float32, -9.0, 9.0)

    def action_spec(self):
        return array_spec.BoundedArraySpec((), np.int64, 0, 1)

    def _reset(self):
        return ts.restart(np.zeros(4, np.float32))

    def _step(self, action):
        return ts.transition(np.full(4, action, np.float32), 1.0)


def make_agent(env):
    """An agent for the environment, whose actions depend on what it sees."""
    config = presets.load("dummy_image", ["debug"], ["agent.actor.outscale=1.0"])
    wrapped = wrap(adapt(env))
    device = Device("/CPU:0", "CPU", False, "float32", "off")
    agent = build_agent(config, device, wrapped.obs_space, wrapped.act_space)
    return agent, Conventions(wrapped)


@pytest.fixture(scope="module")
def lab():
    """An agent, its conventions, and its policy for `Lab`."""
    env = Lab()
    agent, conventions = make_agent(env)
    specs = env.time_step_spec(), env.action_spec()
    return agent, conventions, Policy(agent, *specs, seed=SEED)


def in_tensors(env):
    """The environment for drivers that work in a graph, without a pool of threads."""
    return TFPyEnvironment(BatchedPyEnvironment([env], multithreading=False))


def looks(count, rows, seed=0):
    """Time steps of `rows` environments; the first of them start episodes."""
    env = Lab()
    env.rng = np.random.default_rng(seed)
    for index in range(count):
        seen = [env._look() for _ in range(rows)]
        seen = tf.nest.map_structure(lambda *x: tf.constant(np.stack(x)), *seen)
        batch = tf.constant(rows)
        if not index:
            yield ts.restart(seen, batch)
        else:
            yield ts.transition(seen, tf.ones(rows), tf.ones(rows))


def played(policy, rows, count=3):
    """Actions of a policy of TF-Agents, time first."""
    state = policy.get_initial_state(rows)
    actions = []
    for step in looks(count, rows):
        action, state, _ = policy.action(step, state)
        actions.append(tf.nest.map_structure(np.asarray, action))
    return actions


def assert_same(left, right, **tolerance):
    tf.nest.assert_same_structure(left, right)
    for one, other in zip(tf.nest.flatten(left), tf.nest.flatten(right), strict=True):
        assert one.dtype == other.dtype
        np.testing.assert_allclose(one, other, **tolerance)


@pytest.mark.parametrize("rows", [1, 3])
def test_it_acts_as_the_agent_does(lab, rows):
    agent, conventions, policy = lab
    carry, expected = agent.initial_policy(rows), []
    for index, step in enumerate(looks(3, rows)):
        obs, _ = conventions.observe(
            tf.nest.map_structure(np.asarray, step.observation)
        )
        obs["is_first"] = np.full(rows, not index)
        flat, _, carry = agent.policy(carry, obs, [SEED, index], "sample")
        flat = {key: value.numpy() for key, value in flat.items()}
        expected.append(conventions.act(flat, single=False))
    assert_same(played(policy, rows), expected, rtol=1e-6, atol=1e-6)


def test_an_episode_starts_where_the_time_step_says_so(lab):
    _, _, policy = lab
    first, second = looks(2, 2)
    _, state, _ = policy.action(first, policy.get_initial_state(2))
    types = tf.constant([ts.StepType.FIRST, ts.StepType.MID])
    mixed, *_ = policy.action(second._replace(step_type=types), state)
    going, *_ = policy.action(second, state)
    fresh = {**policy.get_initial_state(2), "seed": state["seed"]}
    start = second._replace(step_type=tf.constant([ts.StepType.FIRST] * 2))
    anew, *_ = policy.action(start, fresh)
    np.testing.assert_array_equal(mixed["force"][0], anew["force"][0])
    np.testing.assert_array_equal(mixed["force"][1], going["force"][1])
    assert not np.array_equal(going["force"][0], anew["force"][0])


def test_a_dynamic_driver_runs_it(lab):
    env = Lab()
    wrapped, (agent, _, _) = in_tensors(env), lab
    policy = Policy(agent, wrapped.time_step_spec(), wrapped.action_spec())
    records = []
    driver = DynamicStepDriver(
        wrapped, policy, observers=[lambda x: records.append(x) or ()], num_steps=12
    )
    last, state = driver.run(policy_state=policy.get_initial_state(1))
    # 12 steps with two ends of an episode and the resets after them.
    assert len(env.seen) >= 10 and all(0 <= x["force"][0] <= 30 for x in env.seen)
    assert (
        int(state["seed"][0, 1]) == 12 + 2 and last.observation["camera"].shape[0] == 1
    )
    assert {int(x["grip"]) for x in env.seen} <= {2, 3, 4}


def test_a_python_driver_runs_it(lab):
    env, (agent, _, _) = Lab(), lab
    policy = Policy(agent, env.time_step_spec(), env.action_spec(), mode="mode")
    eager = py_tf_eager_policy.PyTFEagerPolicy(policy, batch_time_steps=True)
    records = []
    driver = PyDriver(env, eager, [records.append], max_steps=12)
    driver.run(env.reset(), eager.get_initial_state(1))
    assert len(records) == 14 and len(env.seen) == 12
    assert records[0].is_first() and records[5].next_step_type == ts.StepType.FIRST


def test_bare_arrays_stay_bare():
    env = in_tensors(Bare())
    agent, _ = make_agent(Bare())
    policy = Policy(agent, env.time_step_spec(), env.action_spec())
    step, _, _ = policy.action(env.reset(), policy.get_initial_state(1))
    assert step.dtype == tf.int64 and step.shape == (1,) and int(step[0]) in (0, 1)


@pytest.mark.parametrize("name", ["mixed", "mask"])
def test_it_acts_in_an_environment_of_ours(name):
    # `mask` raises where an action is not allowed.
    env = make_py_environment(f"dummy_{name}", seed=0, length=6)
    inner = make_env(f"dummy_{name}", seed=0, length=6)
    config = presets.load("dummy_mixed", ["debug"], ["agent.actor.outscale=1.0"])
    device = Device("/CPU:0", "CPU", False, "float32", "off")
    agent = build_agent(config, device, inner.obs_space, inner.act_space)
    wrapped = in_tensors(env)
    policy = Policy(agent, wrapped.time_step_spec(), wrapped.action_spec(), seed=SEED)
    DynamicStepDriver(wrapped, policy, num_steps=20).run(
        policy_state=policy.get_initial_state(1)
    )
    # The same with the agent alone.
    obs, carry, rewards = inner.reset(), agent.initial_policy(1), []
    for index in range(6):
        seen = {key: np.asarray(obs[key])[None] for key in agent.policy_inputs}
        action, _, carry = agent.policy(carry, seen, [SEED, index])
        obs = inner.step({key: value.numpy()[0] for key, value in action.items()})
        rewards.append(float(obs["reward"]))
    rerun = make_py_environment(f"dummy_{name}", seed=0, length=6)
    wrapped, found = in_tensors(rerun), []
    step, state = wrapped.reset(), policy.get_initial_state(1)
    while not step.is_last():
        action, state, _ = policy.action(step, state)
        step = wrapped.step(action)
        found.append(float(step.reward))
    np.testing.assert_allclose(found, rewards, rtol=1e-6)


def test_without_specs_it_speaks_as_the_agent_does(lab):
    agent, _, _ = lab
    policy = Policy(agent)
    spec = policy.time_step_spec.observation
    assert spec["camera"].dtype == tf.uint8 and spec["camera"].shape == (48, 48, 3)
    assert (policy.action_spec["force"].minimum == -1).all()
    assert int(policy.action_spec["grip"].maximum) == 2
    seen = {key: tf.zeros((2, *x.shape), x.dtype) for key, x in spec.items()}
    action, *_ = policy.action(
        ts.restart(seen, tf.constant(2)), policy.get_initial_state(2)
    )
    assert np.abs(action["force"]).max() <= 1


def test_saved_it_acts_as_it_did_and_as_the_plain_export(lab, tmp_path):
    agent, conventions, policy = lab
    folder = save_policy(policy, tmp_path / "policy", 77)
    want = played(policy, 2)
    loaded = tf.saved_model.load(str(folder))
    assert int(loaded.get_train_step()) == 77
    assert_same(played(loaded, 2), want, rtol=1e-6)
    again = py_tf_eager_policy.SavedModelPyTFEagerPolicy(
        str(folder), load_specs_from_pbtxt=True
    )
    state = again.get_initial_state(1)
    for step, action in zip(looks(3, 1), played(policy, 1), strict=True):
        alone = tf.nest.map_structure(lambda x: x.numpy()[0], step)
        found, state, _ = again.action(alone, state)
        expected = tf.nest.map_structure(lambda x: x[0], action)
        assert_same(tf.nest.map_structure(np.asarray, found), expected, rtol=1e-6)
    plain = tf.saved_model.load(
        str(export_policy(agent, tmp_path / "plain", seed=SEED))
    )
    carry, actions = plain.initial(2), []
    for index, step in enumerate(looks(3, 2)):
        obs, _ = conventions.observe(
            tf.nest.map_structure(np.asarray, step.observation)
        )
        flat, carry = plain.step(carry, obs, [not index] * 2)
        flat = {key: value.numpy() for key, value in flat.items()}
        actions.append(conventions.act(flat, single=False))
    assert_same(actions, want, rtol=1e-6, atol=1e-6)
    assert save_policy(policy, folder, 78) == folder  # an earlier one is replaced


def test_what_is_no_policy_is_not_replaced(lab, tmp_path):
    (tmp_path / "precious").write_text("x")
    with pytest.raises(FileExistsError, match="no policy of TF-Agents"):
        save_policy(lab[2], tmp_path, 1)
    assert (tmp_path / "precious").exists()


@pytest.mark.parametrize("other, words", [(Bare(), "observations"), (Lab(64), "64")])
def test_specs_of_another_environment_are_refused(lab, other, words):
    with pytest.raises(ConfigError, match=words) as error:
        Policy(lab[0], other.time_step_spec(), other.action_spec())
    assert "\n" not in str(error.value)


@pytest.mark.slow
def test_the_command_line_exports_it_beside_the_plain_policy(tmp_path, monkeypatch):
    settings = ["run.prefill=9000", "run.steps=4", "log.outputs=[]", "compute.xla=off"]
    settings += ["compute.device=cpu", "compute.deterministic=false"]
    start = [
        "--task",
        "dummy_disc",
        "--preset",
        "debug",
        "run.parallel=none",
        *settings,
    ]
    logdir = ["dreamerv3", "--logdir", str(tmp_path)]
    assert main.main([*logdir, *start]) == 0
    ask = [*logdir, "--mode", "export", "export.tf_agents=true"]
    assert main.main(ask) == 0
    assert (tmp_path / "export" / "4" / "metadata.json").exists()
    policy = tf.saved_model.load(str(tmp_path / "export" / "4-tf_agents"))
    assert int(policy.get_train_step()) == 4
    monkeypatch.delitem(sys.modules, "dreamerv3_tf.run.tf_policy")
    monkeypatch.setitem(sys.modules, "tf_agents.policies", None)
    with pytest.raises(ConfigError, match="pip install 'tf-agents"):
        export.require_tf_agents()
