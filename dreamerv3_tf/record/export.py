"""The policy as a SavedModel that needs nothing but TensorFlow.

    <folder>/
      saved_model.pb, variables/    functions and weights
      metadata.json                 what goes in and out; see `describe`

In Python:

    policy = tf.saved_model.load(folder)
    carry = policy.initial(batch)
    action, carry = policy.step(carry, observation, is_first)

`observation` and `action` are dicts by key, as the environment has them: images in
uint8, integers, floats. `step_sample` samples the action, `step_mode` takes the most
likely one, and `step` is the one of them that was asked for. Everything that the policy
remembers is in `carry`, the seed of its sampling too, so the same carry gives the same
action. Put `[seed, 0]` into the rows of `carry["seed"]` to start from another seed.

For a server there are signatures of the same functions with flat, named tensors, batch
first: `initial`, `step_sample`, `step_mode`, and `serving_default`, which is `step`.
Inputs: `obs_KEY`, `is_first` and the entries of the carry, `deter`, `stoch`, `seed` and
`prevact_KEY`. Outputs: `action_KEY` and the carry after the step.

The functions are the agent's own. Where XLA compiles those, it compiles these too, on
the first call with each batch size, and on the same machine results are equal bit by
bit. `compute.xla=off` exports plain graphs, for servers and converters without XLA.
"""

from __future__ import annotations

import datetime
import json
import pathlib
import platform
import re
import shutil
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
import tensorflow as tf

from dreamerv3_tf import __version__
from dreamerv3_tf.spaces import Space
from dreamerv3_tf.structs import Latent, PolicyCarry

FORMAT = 1
METADATA = "metadata.json"
MODES = ("sample", "mode")

NOTES = [
    "Rows of a batch share one draw of random numbers, from the seed in row 0 of the "
    "carry. The same row in another place or batch may get another action.",
    "is_first starts an episode: what the carry says about the past does not count.",
    "Observations and actions are those of the environment after its wrappers. "
    "Continuous actions are not clipped: clip them to low and high.",
]


class Served:
    """A policy as functions without hidden state; see the module.

    Args:
        agent: an `Agent`.
        mode: what `step` does, `sample` or `mode`.
        seed: what `initial` puts into the carry.

    Attributes:
        observation: name of the tensor of each key, in the signatures.
        action: the same of the actions.
        prevact: the same of the previous actions, in the carry.
        signatures: functions with flat, named tensors.
        weights: what they read.
    """

    def __init__(self, agent, mode: str, seed: int):
        self.agent, self.seed = agent, seed
        inputs = {key: agent.obs_space[key] for key in agent.model.inputs}
        self.observation = named("obs", inputs)
        self.action = named("action", agent.act_space)
        self.prevact = named("prevact", agent.act_space)
        batch = tf.TensorSpec((), tf.int32, "batch")
        self.initial = tf.function(self._initial, (batch,), autograph=False)
        self.carry = tf.nest.map_structure(any_batch, self._initial(1))
        self.inputs = specs(inputs)
        own = {name: agent.policy_function(name) for name in MODES}
        self.steps = {name: self._stepper(function) for name, function in own.items()}
        self.step = self.steps[mode]
        found = {v.ref() for f in own.values() for v in f.graph.variables}
        self.weights = sorted((x.deref() for x in found), key=lambda v: v.name)
        self.signatures = {
            "initial": self.initial.get_concrete_function(),
            "step_sample": self._signature(self.steps["sample"]),
            "step_mode": self._signature(self.steps["mode"]),
            "serving_default": self._signature(self.step),
        }

    def _initial(self, batch) -> dict:
        seed = tf.tile(tf.constant([[self.seed, 0]], tf.int32), (batch, 1))
        return self._pack(self.agent.initial_policy(batch), seed)

    def _pack(self, carry: PolicyCarry, seed) -> dict:
        action = {name: carry.action[key] for key, name in self.prevact.items()}
        return {**carry.latent._asdict(), **action, "seed": seed}

    def _stepper(self, function: Callable):
        def step(carry, observation, is_first):
            prevact = {key: carry[name] for key, name in self.prevact.items()}
            before = PolicyCarry(Latent(carry["deter"], carry["stoch"]), prevact)
            obs, seed = {**observation, "is_first": is_first}, carry["seed"]
            action, _, after = function(before, obs, seed[0])
            return action, self._pack(after, seed + tf.constant([0, 1]))

        first = tf.TensorSpec((None,), tf.bool, "is_first")
        return tf.function(step, (self.carry, self.inputs, first), autograph=False)

    def _signature(self, step: Callable):
        def call(is_first, **tensors):
            carry = {name: tensors[name] for name in self.carry}
            obs = {key: tensors[name] for key, name in self.observation.items()}
            action, after = step(carry, obs, is_first)
            return {**{self.action[key]: x for key, x in action.items()}, **after}

        flat = {name: self.inputs[key] for key, name in self.observation.items()}
        flat |= {"is_first": tf.TensorSpec((None,), tf.bool), **self.carry}
        flat = {name: tf.TensorSpec(x.shape, x.dtype, name) for name, x in flat.items()}
        return tf.function(call, autograph=False).get_concrete_function(**flat)


class Exported(tf.Module):
    """What `tf.saved_model.load` gives back."""

    def __init__(self, served: Served):
        super().__init__("policy")
        self.initial, self.step = served.initial, served.step
        self.step_sample, self.step_mode = (served.steps[name] for name in MODES)
        # Keras' variables are invisible to a tf.Module, those behind them are not.
        self.weights = served.weights


def export_policy(
    agent,
    folder: str | pathlib.Path,
    *,
    mode: str = "sample",
    seed: int = 0,
    facts: Mapping[str, Any] | None = None,
) -> pathlib.Path:
    """Writes the policy as a SavedModel; it is there whole or not at all.

    Args:
        agent: an `Agent`; it is not changed, and later training does not change what
            was written.
        folder: to be made. An earlier export there is replaced.
        mode: `sample`, or `mode` for the most likely actions, unless the caller of the
            policy says otherwise.
        seed: of sampling, unless the caller says otherwise.
        facts: entries to add to `metadata.json`.

    Returns:
        The folder.

    Raises:
        ValueError: unknown `mode`, or two keys that no server could tell apart.
        FileExistsError: `folder` holds something else.
        OSError: the disk is full, or the like. An earlier export is untouched.
    """
    if mode not in MODES:
        raise ValueError(f"mode is '{mode}', expected one of {', '.join(MODES)}.")
    folder = pathlib.Path(folder).absolute()
    if folder.exists() and not (folder / METADATA).is_file():
        raise FileExistsError(
            f"{folder} exists and is no exported policy. Move it away, or export to "
            "another folder."
        )
    served = Served(agent, mode, seed)
    part = folder.with_name(f".{folder.name}.part")
    shutil.rmtree(part, ignore_errors=True)
    try:
        tf.saved_model.save(Exported(served), str(part), served.signatures)
        metadata = {**describe(served), "mode": mode, **(facts or {})}
        text = json.dumps(metadata, indent=2, allow_nan=False) + "\n"
        (part / METADATA).write_text(text, encoding="utf-8")
        replace_folder(folder, part)
    except BaseException:
        shutil.rmtree(part, ignore_errors=True)
        raise
    return folder


def describe(served: Served) -> dict[str, Any]:
    """What `metadata.json` says, as JSON values.

    Spaces of observations and actions by key, with the name of their tensor in the
    signatures and what the policy does to them first; tensors of each signature,
    `null` standing for the batch; sizes, precision, versions.
    """
    agent = served.agent
    observation = tensors(agent.obs_space, served.observation)
    for key, entry in observation.items():
        symlog = agent.model.encoder.symlog
        entry["preprocessing"] = preprocessing(agent.obs_space[key], symlog)
    rssm = agent.model.rssm
    return {
        "format": FORMAT,
        "time": datetime.datetime.now().astimezone().isoformat(timespec="seconds"),
        "seed": served.seed,
        "observation": observation,
        "action": tensors(agent.act_space, served.action),
        "signatures": {name: flat(f) for name, f in served.signatures.items()},
        "notes": NOTES,
        "precision": rssm.compute_dtype,
        "xla": agent.compile_policy,
        "sizes": {
            "deter": rssm.deter,
            "stoch": rssm.stoch,
            "classes": rssm.classes,
            "parameters": sum(int(np.prod(v.shape)) for v in served.weights),
        },
        "versions": {
            "dreamerv3_tf": __version__,
            "python": platform.python_version(),
            "tensorflow": tf.__version__,
        },
    }


def flat(signature) -> dict[str, Any]:
    """Inputs and outputs of a signature by name, as JSON values."""

    def entry(spec):
        return {"dtype": spec.dtype.name, "shape": list(spec.shape)}

    inputs = signature.structured_input_signature
    inputs = {spec.name: spec for spec in tf.nest.flatten(inputs)}
    both = {"inputs": inputs, "outputs": signature.structured_outputs}
    return {
        side: {name: entry(spec) for name, spec in specs.items()}
        for side, specs in both.items()
    }


def tensors(spaces: Mapping[str, Space], names: Mapping[str, str]) -> dict[str, dict]:
    """Spaces of the keys in `names`, with the names of their tensors."""
    return {key: {"tensor": name, **space(spaces[key])} for key, name in names.items()}


def space(entry: Space) -> dict[str, Any]:
    """A space as JSON values; bounds are single numbers where all elements agree."""
    found: dict[str, Any] = {"dtype": entry.dtype.name, "shape": list(entry.shape)}
    kind = "image" if entry.image else "discrete" if entry.discrete else "continuous"
    found |= {"kind": kind, "low": bound(entry.low), "high": bound(entry.high)}
    found["high_is_exclusive"] = kind != "continuous"
    if entry.discrete:
        found["classes"] = bound(np.reshape(entry.classes, entry.shape))
    return found


def bound(values) -> Any:
    """A bound as JSON values, `None` where it is infinite."""
    values = np.asarray(values)
    if values.size and (values == values.flat[0]).all():
        values = np.asarray(values.flat[0])
    bounds = values.astype(object)
    bounds[~np.isfinite(values)] = None
    return bounds.tolist()


def preprocessing(entry: Space, symlog: bool) -> str:
    """What the policy itself does to an observation before the networks see it."""
    if entry.image:
        return "x / 255 - 0.5"
    if entry.discrete:
        return "one-hot of x - low; -1 marks a missing value"
    return "symlog: sign(x) ln(1 + |x|)" if symlog else "none"


def named(prefix: str, keys) -> dict[str, str]:
    """Name of the tensor of each key, which may hold letters, digits and `_` only.

    Raises:
        ValueError: two keys get the same name.
    """
    plain = {key: re.sub(r"[^A-Za-z0-9_]", "_", key) for key in sorted(keys)}
    names = {key: f"{prefix}_{word}" for key, word in plain.items()}
    if len(set(names.values())) < len(names):
        raise ValueError(
            f"Keys {', '.join(names)} differ in punctuation only, so their tensors "
            "cannot be told apart. Rename one of them in the environment."
        )
    return names


def specs(spaces: Mapping[str, Space]) -> dict[str, tf.TensorSpec]:
    """Specs of batches of entries of these spaces."""
    return {k: tf.TensorSpec((None, *x.shape), x.dtype) for k, x in spaces.items()}


def any_batch(x) -> tf.TensorSpec:
    """Spec of tensors like `x`, for any batch."""
    return tf.TensorSpec((None, *x.shape[1:]), x.dtype)


def replace_folder(folder: pathlib.Path, part: pathlib.Path) -> None:
    """Puts `part` in the place of `folder`, in one rename."""
    old = folder.with_name(f".{folder.name}.old")
    shutil.rmtree(old, ignore_errors=True)
    if folder.exists():
        folder.rename(old)
    part.rename(folder)
    shutil.rmtree(old, ignore_errors=True)
