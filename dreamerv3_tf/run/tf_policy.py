"""The agent as a policy of TF-Agents: for its drivers, and for its `PolicySaver`.

    env = tf_py_environment.TFPyEnvironment(py_environment)
    policy = Policy(agent, env.time_step_spec(), env.action_spec())
    driver = DynamicStepDriver(env, policy, observers=[...], num_steps=100)

TF-Agents 0.19 needs Python 3.11 or older; only this module imports it.
"""

from __future__ import annotations

import contextlib
import pathlib
import shutil
from collections.abc import Iterator
from typing import Any

import numpy as np
import tensorflow as tf
from absl import logging
from tf_agents.policies import policy_saver, tf_policy
from tf_agents.specs import tensor_spec
from tf_agents.trajectories import policy_step, time_step

from dreamerv3_tf.agent.agent import Agent
from dreamerv3_tf.envs.adapters import leaves as nested
from dreamerv3_tf.envs.adapters import masks, time_steps
from dreamerv3_tf.envs.adapters.leaves import Leaf, Leaves
from dreamerv3_tf.envs.base import RESERVED, EnvError
from dreamerv3_tf.record.export import Served, replace_folder
from dreamerv3_tf.spaces import Space
from dreamerv3_tf.structs import SIGNALS
from dreamerv3_tf.values import ConfigError

SPECS = "policy_specs.pbtxt"
"""A file that every folder of a `PolicySaver` has."""


class Policy(tf_policy.TFPolicy):
    """A policy whose state is the agent's carry; it starts anew where `is_first`.

    Everything random comes from the seed in its state, so the same state gives the same
    action, and the `seed` of `action` does not count. It has no `distribution`.

    Args:
        agent: the agent.
        time_step_spec: of the environment; by default of flat dicts as the agent sees
            them.
        action_spec: of the environment; by default of flat dicts as the agent acts,
            continuous ones from -1 to 1.
        mode: `sample`, or `mode` for the most likely actions.
        seed: in the states of `get_initial_state`.

    Raises:
        ConfigError: the specs are of another environment than the agent's.
    """

    def __init__(
        self,
        agent: Agent,
        time_step_spec: Any = None,
        action_spec: Any = None,
        *,
        mode: str = "sample",
        seed: int = 0,
    ):
        served = Served(agent, mode, seed)
        inputs = {key: agent.obs_space[key] for key in agent.model.inputs}
        if time_step_spec is None:
            seen = {key: spec_of(key, space) for key, space in inputs.items()}
            time_step_spec = time_step.time_step_spec(seen)
        if action_spec is None:
            action_spec = {k: spec_of(k, s) for k, s in agent.act_space.items()}
        observed, chosen = read_specs(time_step_spec.observation, action_spec)
        observed = match(inputs, observed, "observations")
        chosen = match(agent.act_space, chosen, "actions")
        super().__init__(
            time_step_spec,
            action_spec,
            {
                k: tf.TensorSpec(x.shape[1:], x.dtype, k)
                for k, x in served.carry.items()
            },
            automatic_state_reset=False,  # it would begin with the same seed each time
            clip=False,
            name="dreamer",
        )
        self._served = served
        self._observed = {k: in_tensors(observed[k], inputs[k]) for k in observed}
        self._chosen = {k: in_tensors(chosen[k], agent.act_space[k]) for k in chosen}
        # Keras' variables are invisible to a tf.Module, those behind them are not.
        self._weights = served.weights

    def _get_initial_state(self, batch_size):
        state = self._served.initial(1 if batch_size is None else batch_size)
        if batch_size is None:
            return {key: value[0] for key, value in state.items()}
        if isinstance(batch_size, int):
            for value in state.values():
                value.set_shape((batch_size, *value.shape[1:]))
        return state

    def _action(self, time_step, policy_state, seed=None):
        del seed
        obs = nested.encode(self._observed, time_step.observation)
        action, state = self._served.step(policy_state, obs, time_step.is_first())
        action = nested.decode(self.action_spec, self._chosen, action)
        return policy_step.PolicyStep(action, state, ())

    def _distribution(self, time_step, policy_state):
        del time_step, policy_state
        raise NotImplementedError("This policy gives actions, not distributions.")


def save_policy(policy: Policy, folder: pathlib.Path, step: int) -> pathlib.Path:
    """Writes a policy as TF-Agents does; it is there whole or not at all.

    Args:
        policy: to be written.
        folder: to be made. An earlier policy there is replaced.
        step: agent steps, what `get_train_step` of the policy tells.

    Returns:
        The folder.

    Raises:
        FileExistsError: `folder` holds something else.
    """
    if folder.exists() and not (folder / SPECS).is_file():
        raise FileExistsError(
            f"{folder} exists and is no policy of TF-Agents. Move it away, or export "
            "to another folder."
        )
    part = folder.with_name(f".{folder.name}.part")
    shutil.rmtree(part, ignore_errors=True)
    try:
        train_step = tf.Variable(tf.constant(step, tf.int64), trainable=False)
        with quiet_saver():
            policy_saver.PolicySaver(policy, train_step=train_step).save(str(part))
        replace_folder(folder, part)
    except BaseException:
        shutil.rmtree(part, ignore_errors=True)
        raise
    return folder


@contextlib.contextmanager
def quiet_saver() -> Iterator[None]:
    """Without the warning that there is no `distribution`, which is as it should be."""
    before = logging.get_verbosity()
    logging.set_verbosity(logging.ERROR)
    try:
        yield
    finally:
        logging.set_verbosity(before)


def spec_of(key: str, space: Space) -> Any:
    """The spec of an entry of a space."""
    if space.dtype == np.dtype(bool):
        return tf.TensorSpec(space.shape, tf.bool, key)
    dtype = tf.dtypes.as_dtype(space.dtype)
    low, high = np.asarray(space.low), np.asarray(space.high)
    if space.image or space.discrete:
        high = high - 1
    elif not (np.isfinite(low) & np.isfinite(high)).all():
        return tf.TensorSpec(space.shape, dtype, key)
    bounds = low.astype(space.dtype), high.astype(space.dtype)
    bounded: Any = tensor_spec.BoundedTensorSpec
    return bounded(space.shape, dtype, *bounds, key)


def read_specs(observation: Any, action: Any) -> tuple[Leaves, Leaves]:
    """Entries of nested specs by flat keys, as for an environment.

    Raises:
        ConfigError: one of them has no counterpart here.
    """
    arrays: Any = tensor_spec.to_nest_array_spec((observation, action))
    seen, chosen = arrays
    describe, taken = time_steps.describe, (*SIGNALS, *RESERVED)
    try:
        actions = nested.flatten(chosen, describe, "action", taken, observed=False)
        entries = nested.flatten(
            seen, describe, "observation", (*taken, *actions), observed=True
        )
    except EnvError as error:
        raise ConfigError(f"tf_policy: {error}") from error
    return masks.adopt(entries, actions, "auto"), actions


def match(mine: dict[str, Space], found: Leaves, what: str) -> Leaves:
    """The entries of specs by the agent's keys; one that stands alone needs no name.

    Raises:
        ConfigError: they are of another environment.
    """
    matched = {key: found.get(key.replace("/", "_")) for key in mine}
    if len(mine) == len(found) == 1:
        matched = dict(zip(mine, found.values(), strict=True))
    leaves = {k: x for k, x in matched.items() if x and form(x.space) == form(mine[k])}
    if len(leaves) < len(mine) or (what == "actions" and len(found) > len(mine)):
        there = {key: leaf.space for key, leaf in found.items()}
        raise ConfigError(
            f"tf_policy: the specs are of other {what} than the agent's: {there} "
            f"instead of {mine}."
        )
    return leaves


def form(space: Space) -> tuple:
    """What must be the same where an entry is written in two ways."""
    if space.discrete:
        return space.classes
    return space.shape if space.image else (space.size, None)


def in_tensors(leaf: Leaf, space: Space) -> Leaf:
    """The leaf with `encode` and `decode` for batches of tensors.

    Args:
        leaf: an entry of a spec.
        space: its counterpart of the agent.
    """
    entry, dtype = leaf.entry, tf.dtypes.as_dtype(leaf.entry.dtype)
    shape = (-1, *space.shape)

    def encode(value):
        if space.image:
            return as_picture(value, leaf)
        if space.discrete and leaf.space.dtype == np.dtype(bool):
            return tf.reshape(tf.cast(value, tf.bool), shape)
        if space.discrete:
            counted = tf.cast(value, tf.int64) - entry.low.astype(np.int64)
            counted = tf.reshape(counted, shape) + space.low
            return tf.cast(counted, space.dtype)
        limit = np.finfo(np.float32).max
        value = tf.clip_by_value(tf.cast(value, tf.float32), -limit, limit)
        return tf.reshape(value, shape)

    def decode(value):
        if space.discrete:
            counted = tf.cast(value, tf.int64) - space.low
            return tf.cast(counted + entry.low.astype(np.int64), dtype)
        low, high = leaf.space.low, leaf.space.high
        share = (tf.clip_by_value(tf.cast(value, tf.float64), -1.0, 1.0) + 1) / 2
        scaled = share * (high - low) + low
        return tf.cast(tf.clip_by_value(scaled, low, high), dtype)

    return leaf._replace(encode=encode, decode=decode)


def as_picture(value, leaf: Leaf):
    """Pictures `[N, H, W, C]` in uint8; see `adapters/leaves.py`."""
    entry = leaf.entry
    axes = nested.picture_axes(entry.shape) or (0, 1)
    others = [axis for axis in range(len(entry.shape)) if axis not in axes]
    value = tf.transpose(value, [0, *(axis + 1 for axis in (*axes, *others))])
    value = tf.reshape(value, (-1, *leaf.space.shape))
    low, high = float(entry.low.flat[0]), float(entry.high.flat[0])
    if entry.dtype == np.uint8 and (low, high) == (0, 255):
        return value
    share = (tf.cast(value, tf.float64) - low) / (high - low)
    return tf.cast(tf.round(tf.clip_by_value(share, 0.0, 1.0) * 255), tf.uint8)
