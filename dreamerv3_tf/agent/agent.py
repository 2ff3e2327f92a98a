"""The agent: acting, learning and reporting, each one `tf.function`."""

from __future__ import annotations

from collections.abc import Mapping

import keras
import tensorflow as tf
from tensorflow.types.experimental import ConcreteFunction

from dreamerv3_tf.nn import functions
from dreamerv3_tf.spaces import Space
from dreamerv3_tf.structs import Batch, Latent, PolicyCarry

from .context import Context
from .imagination import choose
from .noise import RandomNoise
from .objective import Objective
from .optimizers import Updater
from .report import openloop, openloop_grid
from .steps import compiled, make_train_step


class Agent:
    """DreamerV3.

    Three functions sample, and take their seed as an argument: `policy`, `train` and
    `report`. Given the same weights, inputs and seed they return the same values.

    Args:
        obs_space: spaces of the observation entries, signals included; `log/` keys are
            ignored.
        act_space: spaces of the action entries.
        objective: world model, actor, critics and their losses.
        optimizer: trains all of it by one summed loss; the world model alone where
            there are `turns`.
        context: how sequences start, and what is stored of states.
        xla: `full` compiles a whole train step, `split` its gradients, `off`
            nothing.
        turns: optimizers of `actor` and `critic`, where updates come in turn.
        loss_scaling: needed for float16.
        max_loss_scale: bound of its factor.
        report_vectors: continuous observation keys that `report` predicts too.
    """

    def __init__(
        self,
        obs_space: dict[str, Space],
        act_space: dict[str, Space],
        objective: Objective,
        optimizer: keras.optimizers.Optimizer,
        context: Context,
        *,
        xla: str = "off",
        turns: Mapping[str, keras.optimizers.Optimizer] | None = None,
        loss_scaling: bool = False,
        max_loss_scale: float = 1e5,
        report_vectors: tuple[str, ...] = (),
    ):
        self.obs_space, self.act_space = obs_space, act_space
        self.objective, self.context = objective, context
        self.report_vectors = report_vectors
        self.model, self.behavior = objective.model, objective.behavior
        self.behavior.build(self.model.feat_width)
        self.noise = RandomNoise(self.model.rssm.stoch, act_space)
        scaling, turns = (loss_scaling, max_loss_scale), turns or {}
        parts, later = self.trained, {name: self.trained[name] for name in turns}
        rest = [part for name, part in parts.items() if name not in turns]
        weights = [w for part in rest for w in part.trainable_weights]
        self.updater = Updater(optimizer, weights, *scaling)
        self.turns = {
            name: Updater(turns[name], part.trainable_weights, *scaling, name)
            for name, part in later.items()
        }
        self.traces = {"train": 0, "policy": 0, "report": 0}
        self._step = make_train_step(objective, self.updater, xla, self.turns)
        self.compile_policy = xla != "off"
        self._policies: dict[str, ConcreteFunction] = {}
        self.train = compiled(self._train, False)
        self.report = compiled(self._report, False)

    @property
    def trained(self) -> dict[str, keras.layers.Layer]:
        """Parts with weights that the optimizer trains, by name."""
        model, behavior = self.model, self.behavior
        return {
            "encoder": model.encoder,
            "rssm": model.rssm,
            "decoder": model.decoder,
            "reward": model.reward,
            "cont": model.cont,
            **({"mask": model.mask} if model.mask else {}),
            "actor": behavior.actor,
            "critic": behavior.critic,
        }

    @property
    def parts(self) -> dict[str, keras.layers.Layer]:
        """All parts that hold state, by name; the optimizer aside."""
        behavior = self.behavior
        return {
            **self.trained,
            "slow_critic": behavior.slow,
            "return_norm": behavior.return_norm,
            "value_norm": behavior.value_norm,
            "advantage_norm": behavior.advantage_norm,
        }

    @property
    def latent_spaces(self) -> dict[str, Space]:
        """What replay stores of the state at each step."""
        return self.context.spaces

    def variables(self) -> dict[str, keras.Variable]:
        """All state of the agent by name: weights, averages, optimizer.

        A flat dict on purpose: automatic tracking overlooks layers held in lists.
        """
        named = {w.path: w for part in self.parts.values() for w in part.weights}
        expected = sum(len(part.weights) for part in self.parts.values())
        assert len(named) == expected, "two variables share a path"
        for index, variable in enumerate(self.updater.outer.variables):
            named[f"optimizer/{index}/{variable.name}"] = variable
        for part, updater in self.turns.items():
            for index, variable in enumerate(updater.outer.variables):
                named[f"optimizer/{part}/{index}/{variable.name}"] = variable
        return named

    def initial_policy(self, count: int) -> PolicyCarry:
        """Carry before the first step of `count` environments."""
        action = {
            key: tf.zeros((count, *space.shape), space.dtype)
            for key, space in self.act_space.items()
        }
        return PolicyCarry(self.model.rssm.initial(count), action)

    def policy(self, carry: PolicyCarry, obs: dict, seed, mode: str = "sample"):
        """Picks actions.

        Args:
            carry: from `initial_policy` or the call before.
            obs: `{key: [N, *shape]}` with `is_first`; other signals may be absent.
            seed: int32 `[2]`.
            mode: `sample`, or `mode` for the most likely action; the latent states are
                sampled in either case.

        Returns:
            `(action {key: [N, *shape]}, entries {deter, stoch}, carry)`.

        Raises:
            ValueError: unknown `mode`.
        """
        seen = {key: tf.convert_to_tensor(obs[key]) for key in self.policy_inputs}
        seed = tf.convert_to_tensor(seed, tf.int32)
        return self.policy_function(mode)(carry, seen, seed)

    @property
    def policy_inputs(self) -> tuple[str, ...]:
        """Keys of the observation that `policy` reads."""
        return (*self.model.inputs, "is_first")

    def policy_function(self, mode: str) -> ConcreteFunction:
        """What `policy` runs: one function for any number of environments.

        With XLA all of it is compiled, convolutions too: forward and for few rows they
        are as fast as outside, and each border would cost more than they do. Called
        directly, without `tf.function` looking at the types of all arguments again,
        which for a small agent takes as long as the computation.

        Raises:
            ValueError: unknown `mode`.
        """
        if mode not in ("sample", "mode"):
            raise ValueError(f"mode is '{mode}', expected 'sample' or 'mode'.")
        if mode not in self._policies:

            def function(carry, obs, seed):
                return self._policy(carry, obs, seed, mode)

            traced = compiled(function, self.compile_policy)
            self._policies[mode] = traced.get_concrete_function(*self._policy_spec())
        return self._policies[mode]

    def _policy_spec(self):
        def spec(x):
            return tf.TensorSpec((None, *x.shape[1:]), x.dtype)

        spaces = {key: self.obs_space[key] for key in self.policy_inputs}
        obs = {k: tf.TensorSpec((None, *x.shape), x.dtype) for k, x in spaces.items()}
        carry = tf.nest.map_structure(spec, self.initial_policy(1))
        return carry, obs, tf.TensorSpec((2,), tf.int32)

    def _policy(self, carry: PolicyCarry, obs: dict, seed, mode: str):
        self.traces["policy"] += 1
        first = obs["is_first"]
        post, noise = self.noise.policy(seed, functions.lead(first, 0)[0])
        if mode == "mode":
            noise = dict.fromkeys(noise)
        tokens, prevact = self.model.tokens(obs), self.model.encode_action(carry.action)
        latent, _ = self.model.rssm.observe_step(
            carry.latent, tokens, prevact, first, post
        )
        feat = functions.features(latent)
        policy = self.behavior.actor(feat, self.model.seen_masks(obs))
        action = {
            key: tf.cast(value, self.act_space[key].dtype)
            for key, value in choose(policy, noise).items()
        }
        return action, self.context.store(latent), PolicyCarry(latent, action)

    def initial_train(self, batch: int) -> Latent:
        """Carry before the first train step."""
        return self.model.rssm.initial(batch)

    def _train(self, carry: Latent, batch: Batch, seed):
        """One step of learning: all losses, one gradient, one update.

        Args:
            carry: from `initial_train` or the call before.
            batch: see `Batch`.
            seed: int32 `[2]`.

        Returns:
            `(carry, entries {deter, stoch} [B, T, ...] to write back, metrics)`.
        """
        self.traces["train"] += 1
        carry, seq = self.context.split(carry, batch)
        outcome = self._step(carry, seq, self._noise_for(seq, seed))
        return outcome.last, self.context.store(outcome.latent), outcome.metrics

    def _noise_for(self, seq, seed):
        rows, steps = seq.reward.shape
        starts = rows * self.objective.starts(steps)
        return self.noise.train(seed, steps, rows, starts, self.objective.imag_length)

    def _report(self, carry: Latent, batch: Batch, seed):
        """Losses without learning, and what the model foresees.

        Args:
            carry: as in `train`.
            batch: a batch of at least two trained steps.
            seed: int32 `[2]`.

        Returns:
            `(metrics float32 [], foreseen)`; for each image `{key: uint8 [T + 10, H, W,
            C]}`, a video, for each of `report_vectors` `{key: float32 [2, rows, T,
            *shape]}`, truth and prediction of the sequences in the videos.
        """
        self.traces["report"] += 1
        carry, seq = self.context.split(carry, batch)
        noise = self._noise_for(seq, seed)
        outcome = self.objective.losses(carry, seq, noise, training=False)
        if not self.model.encoder.images:
            return outcome.metrics, {}
        rows, steps = seq.reward.shape
        latents = self.noise.latents(seed, steps, rows)
        predicted = openloop(
            self.model, carry, seq, latents, vectors=self.report_vectors
        )
        foreseen = {}
        for key, pred in predicted.items():
            truth = seq.obs[key][: pred.shape[0]]
            if key in self.report_vectors:
                foreseen[key] = tf.stack([tf.cast(truth, tf.float32), pred])
            else:
                foreseen[key] = openloop_grid(truth, pred)
        return outcome.metrics, foreseen
