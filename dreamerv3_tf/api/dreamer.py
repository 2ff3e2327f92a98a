"""An agent that was trained: it acts, is evaluated, and imagines."""

from __future__ import annotations

import dataclasses
import functools
import pathlib
import shutil
import weakref
from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np

from dreamerv3_tf.api.conventions import conventions_of, task_of
from dreamerv3_tf.api.imagined import Imagination, imagine, read_context
from dreamerv3_tf.envs.hooks import env_summary
from dreamerv3_tf.run import launch, modes
from dreamerv3_tf.run.evaluate import Evaluation, evaluate
from dreamerv3_tf.run.export import export, export_tf_agents, require_tf_agents
from dreamerv3_tf.run.session import Session, to_numpy
from dreamerv3_tf.run.vector import VectorEnv
from dreamerv3_tf.structs import PolicyCarry
from dreamerv3_tf.values import ConfigError

MODES = ("sample", "mode")


class Carry(NamedTuple):
    """What acting remembers between steps; hand it to the next call.

    Attributes:
        state: latent states and last actions of `N` environments.
        seed: of all sampling since the carry began.
        step: calls so far.
    """

    state: PolicyCarry
    seed: int
    step: int

    def __repr__(self) -> str:
        count = len(self.state.latent.deter)
        return f"<Carry of {count} environments, step {self.step}>"


class Dreamer:
    """A trained agent; `dreamerv3_tf.train` and `dreamerv3_tf.load` return it.

    Observations and actions are those of the environment that it was trained in: what
    `env_fn` returned, or `dreamerv3_tf.make_env(task, seed=0)` where it was a task.

        carry, observation = None, env.reset()[0]
        while True:
            action, carry = dreamer.act(observation, carry)
            observation, reward, terminated, truncated, info = env.step(action)

    Not for several threads at a time.

    Args:
        session: the run, whose agent has its weights.
        env_fn: what made the environments, `None` where the task names them.
        temporary: delete the folder of the run together with this object.

    Attributes:
        config: all settings.
        logdir: folder of the run: checkpoints, replay, logs, `config.yaml`.
        agent: networks and functions; see `dreamerv3_tf.agent.agent.Agent`.
    """

    def __init__(
        self,
        session: Session,
        env_fn: Callable[[], Any] | None = None,
        temporary: bool = False,
    ):
        self.session, self.env_fn = session, env_fn
        self.config, self.logdir = session.config, session.logdir
        self.agent = session.agent
        self.conventions = conventions_of(self.config, self.agent, env_fn)
        self._starts = 0
        if temporary:
            weakref.finalize(self, shutil.rmtree, self.logdir, ignore_errors=True)

    def __repr__(self) -> str:
        config, done = self.config, self.session.progress
        return (
            f"<Dreamer {config.task}, size {config.size}, {done.step:,} agent steps, "
            f"{done.updates:,} train steps, {self.logdir}>"
        )

    @property
    def steps(self) -> int:
        """Agent steps that it has seen in training, over all environments."""
        return self.session.progress.step

    def act(
        self,
        observation: Any,
        carry: Carry | None = None,
        *,
        mode: str = "sample",
        is_first: Any = None,
        info: Any = None,
        seed: int | None = None,
    ) -> tuple[Any, Carry]:
        """Picks an action, or one for each of several environments.

        Args:
            observation: as the environment shows it, or `N` of them with one axis more
                at the front of each entry. Where it has one entry only, a bare array
                will do.
            carry: what the call before returned; `None` starts an episode.
            mode: `sample`, as in training, or `mode` for the most likely action.
            is_first: bool, or `[N]`: where an episode starts, and what the carry says
                about the past does not count. By default the `is_first` of the
                observation, where it has one.
            info: what came with the observation, where the masks of actions are there
                (`env.mask=info`); of `N` environments a list, or a dict of arrays.
            seed: of the sampling, where `carry` is `None`; by default another one for
                each carry, the same ones in each process.

        Returns:
            The action as the environment takes it: an integer for a `Discrete` space,
            an array within its bounds for a `Box`, nested where the space is. For `N`
            observations all entries have one axis more at the front. And the carry for
            the next call. The same observation and carry give the same action.

        Raises:
            ConfigError: the observation does not fit the environment's, or their number
                the carry.
        """
        check_mode(mode)
        obs, single = self.conventions.observe(observation, info)
        count = len(next(iter(obs.values())))
        if carry is None:
            carry = self._begin(count, seed)
        rows = len(carry.state.latent.deter)
        if rows != count:
            raise ConfigError(
                f"act: {count} observations, but the carry is of {rows} environments; "
                "start with carry=None."
            )
        first = is_first if is_first is not None else obs.get("is_first", False)
        obs["is_first"] = np.array(np.broadcast_to(first, count), bool)
        if not carry.step:
            obs["is_first"][:] = True
        action, _, state = self.agent.policy(
            carry.state, obs, [carry.seed, carry.step], mode
        )
        done = self.conventions.act(to_numpy(action), single)
        return done, Carry(state, carry.seed, carry.step + 1)

    def _begin(self, count: int, seed: int | None) -> Carry:
        if seed is None:
            words = np.random.SeedSequence((self.config.seed, self._starts))
            seed = int(words.generate_state(1)[0] >> 1)
            self._starts += 1
        return Carry(self.agent.initial_policy(count), seed, 0)

    def evaluate(
        self,
        env_fn: Callable[[], Any] | str | None = None,
        episodes: int | None = None,
        *,
        mode: str | None = None,
        video: bool = False,
        seed: int | None = None,
    ) -> Evaluation:
        """Plays episodes without learning; as `--mode eval`, but writes nothing.

        Args:
            env_fn: makes other environments with the same spaces, as for `train`; by
                default those of the training, with other seeds.
            episodes: how many; by default `eval.episodes`.
            mode: `sample` or `mode`; by default `eval.mode`.
            video: keep pictures of the first environment.
            seed: of environments and actions; by default that of the run.

        Returns:
            `scores` `[episodes]` and `lengths` `[episodes]`, statistics in `metrics`
            (`score_mean`, `score_median`, `score_iqm`, its bounds, …), and `videos`.

        Raises:
            ConfigError: a bad argument, or the environments have other spaces.
        """
        config = self.config
        asked = {"episodes": episodes, "mode": mode}
        asked = {key: value for key, value in asked.items() if value is not None}
        check_mode(asked.get("mode", "sample"))
        if asked.get("episodes", 1) < 1:
            raise ConfigError(f"evaluate: episodes is {episodes}, expected 1 or more.")
        section = dataclasses.replace(config.eval, **asked)
        config = dataclasses.replace(
            config, eval=section, seed=config.seed if seed is None else seed
        )
        config = task_of(config, self.env_fn if env_fn is None else env_fn)
        with launch.plain_errors():
            config, envs = modes.evaluation_envs(config)
            try:
                self._require_spaces(envs)
                result = evaluate(
                    self.agent,
                    envs,
                    episodes=section.episodes,
                    mode=section.mode,
                    seed=config.seed,
                    video=video,
                    summarize=functools.partial(env_summary, config.task),
                )
            finally:
                envs.close()
        assert result, "nothing breaks off an evaluation here"
        return result

    def _require_spaces(self, envs: VectorEnv) -> None:
        for mine, theirs in (
            (self.agent.obs_space, envs.obs_space),
            (self.agent.act_space, envs.act_space),
        ):
            there = {k: s for k, s in theirs.items() if not k.startswith("log/")}
            if {k: repr(s) for k, s in mine.items()} != {
                k: repr(s) for k, s in there.items()
            }:
                raise ConfigError(
                    "evaluate: these environments have other spaces than those of the "
                    f"training: {there} instead of {mine}."
                )

    def imagine(
        self,
        observation: Any,
        actions: Any = None,
        *,
        length: int | None = None,
        mode: str = "sample",
        seed: int = 0,
    ) -> Imagination:
        """What the agent expects to happen, without the environment.

        Args:
            observation: the first of an episode, or its first `T` of them: a list, or
                with one axis more at the front of each entry.
            actions: a list of actions, or all with one axis more at the front of each
                entry. The first `T − 1` are those that were taken between the
                observations, the rest are imagined. Where no more are given, the policy
                chooses.
            length: steps that the policy imagines; by default `agent.imag_length`.
            mode: `sample` actions and latent states, or `mode` for the most likely.
            seed: of the sampling.

        Raises:
            ConfigError: observations or actions do not fit the environment's, or their
                numbers each other.
        """
        check_mode(mode)
        steps = self.config.agent.imag_length if length is None else length
        if steps < 1:
            raise ConfigError(f"imagine: length is {length}, expected 1 or more.")
        context = read_context(self.conventions, observation, actions)
        if context.future and length is not None:
            raise ConfigError(
                "imagine: length is for the policy's own actions; give no actions "
                "beyond those between the observations, or no length."
            )
        found = imagine(self.agent, context, steps, mode, seed)
        return Imagination(
            self.conventions.act(found.action, single=False),
            found.observation,
            found.reward,
            found.cont,
            found.value,
        )

    def export(
        self, folder: str | pathlib.Path | None = None, *, tf_agents: bool = False
    ) -> pathlib.Path:
        """Writes the policy as a SavedModel that needs nothing but TensorFlow.

        Args:
            folder: to be made; by default in `export/` of the folder of the run. An
                earlier export there is replaced.
            tf_agents: write it as the `PolicySaver` of TF-Agents does instead.

        Returns:
            The folder; `dreamerv3_tf/record/export.py` says how to use it.

        Raises:
            ConfigError: tf-agents is not installed.
            FileExistsError: `folder` holds something else.
        """
        write = export_tf_agents if tf_agents else export
        target = None if folder is None else pathlib.Path(folder).expanduser()
        return write(self.config, self.agent, self.logdir, self.steps, target)

    def save(self, folder: str | pathlib.Path) -> pathlib.Path:
        """Copies the run, replay included, so that it can be loaded and go on there.

        Only of use for a run without a folder of its own: `train` saves others.

        Args:
            folder: to be made.

        Returns:
            The folder, for `dreamerv3_tf.load` or the `logdir` of `train`.

        Raises:
            FileExistsError: it is there already.
        """
        target = pathlib.Path(folder).expanduser().absolute()
        return pathlib.Path(shutil.copytree(self.logdir, target))

    def tf_policy(
        self, time_step_spec: Any = None, action_spec: Any = None, mode: str = "sample"
    ):
        """The policy for drivers of TF-Agents; see `run/tf_policy.py`.

        Args:
            time_step_spec: of the TF-Agents environment that it shall act in; by
                default flat dicts as the agent sees them.
            action_spec: of that environment; by default flat dicts as the agent acts.
            mode: `sample`, or `mode` for the most likely actions.

        Returns:
            A `tf_agents.policies.TFPolicy`.

        Raises:
            ConfigError: tf-agents is not installed, or the specs don't fit the agent.
        """
        check_mode(mode)
        return require_tf_agents().Policy(
            self.agent, time_step_spec, action_spec, mode=mode, seed=self.config.seed
        )


def check_mode(mode: str) -> None:
    """Refuses unknown ways of choosing actions.

    Raises:
        ConfigError: it is none of them.
    """
    if mode not in MODES:
        raise ConfigError(f"mode is '{mode}', expected 'sample' or 'mode'.")
