"""The loop: act, store, learn, and now and then log, report, evaluate and save."""

from __future__ import annotations

import contextlib
import functools
import signal
import threading
from collections.abc import Callable
from types import FrameType
from typing import Any

import numpy as np
import tensorflow as tf

from dreamerv3_tf.envs.hooks import env_episodes, env_legend, env_summary
from dreamerv3_tf.record.clock import Every, Rate
from dreamerv3_tf.record.metrics import Episode, EpisodeStats, Metrics
from dreamerv3_tf.record.strips import write_beside
from dreamerv3_tf.record.usage import Usage
from dreamerv3_tf.run import budget, compilation
from dreamerv3_tf.run.beginning import Beginning, since_start
from dreamerv3_tf.run.build import build_envs, build_loader, build_replay
from dreamerv3_tf.run.device import Device
from dreamerv3_tf.run.driver import Driver
from dreamerv3_tf.run.evaluate import evaluate
from dreamerv3_tf.run.prefill import RandomFirst
from dreamerv3_tf.run.session import (
    Acting,
    Arrays,
    Session,
    agent_state,
    restore_agent,
    to_numpy,
)
from dreamerv3_tf.run.vector import LocalEnvs, TimedEnvs, VectorEnv

LONG = 200  # frames of an episode under way that are worth a video: ten seconds


class Trainer:
    """Everything that happens while an agent trains.

    Timeline of one turn of the loop; environments compute the next observation while
    everything behind `send` happens:

        recv → policy → send → count, store, episode statistics, train × due → clocks

    Args:
        session: the run.
        envs: training environments.
        evaluations: also evaluate every so many agent steps.
        elapsed: seconds since the person who watches began to wait.

    Raises:
        ReplayError: the replay on disk does not fit; see `build_replay`.
    """

    def __init__(
        self,
        session: Session,
        envs: VectorEnv,
        evaluations: bool = False,
        elapsed: Callable[[], float] = since_start,
    ):
        config, agent = session.config, session.agent
        self.session, self.config, self.agent = session, config, agent
        self.progress, self.timer = session.progress, session.timer
        self.local_envs = envs if isinstance(envs, LocalEnvs) else None
        self.max_episodes = env_episodes(config.task, config.env)
        self.replay = build_replay(config, agent, session.logdir / "replay")
        self.loader = build_loader(config, agent, self.replay, session.device)
        self.batch_steps = budget.batch_steps(config)
        self.ratio = budget.train_clock(config)
        self.metrics = Metrics()
        self.usage = Usage(session.logdir, gpu_memory(session.device))
        frames = 1000 if config.log.video else 0
        self.episodes = EpisodeStats(envs.num, frames, on_episode=self.log_episode)
        self.env_rate, self.train_rate = Rate(), Rate()
        self.videos: dict[str, np.ndarray] = {}
        self.clocks = [
            (Every(config.log.report_every), self.report),
            (Every(config.log.every), self.log),
            (Every(config.log.save_every), self.save),
        ]
        self.next_evaluation = self.progress.step if evaluations else None
        self.carry = agent.initial_train(config.replay.batch_size)
        policy = Acting(agent, config.seed, "sample", self.timer)
        if config.run.prefill_policy == "random":
            policy = RandomFirst(policy, agent, config.seed, self.prefilled)
        self.driver = Driver(
            TimedEnvs(envs, self.timer),
            policy,
            [self.count, self.store, self.episodes, self.train],
        )
        self.stopping: int | None = None
        self.begun = Beginning(session.mark, elapsed)

    def close(self) -> None:
        """Ends the background thread and releases the replay."""
        self.loader.close()
        self.replay.close()

    def run(self) -> int | None:
        """Trains until the budget is spent, or until the process is told to stop.

        SIGINT and SIGTERM let the current step finish; the run is then saved. Only the
        main thread hears them.

        Returns:
            The signal that ended the run, or `None`.
        """
        main = threading.current_thread() is threading.main_thread()
        before = {
            number: signal.signal(number, self.stop)
            for number in ((signal.SIGINT, signal.SIGTERM) if main else ())
        }
        try:
            while not self.done and not self.stopping:
                if self.evaluation_due():
                    self.evaluate()
                self.driver.step()
                for due, action in self.clocks:
                    if due():
                        action()
            self.log()
            self.save()
        finally:
            for number, handler in before.items():
                signal.signal(number, handler)
        return self.stopping

    @property
    def done(self) -> str:
        """What there was to do, once nothing is left; empty before that."""
        steps, episodes = self.config.run.steps, self.max_episodes
        if self.progress.step >= steps:
            return f"All {steps:,} of run.steps are done; more go on."
        if episodes and self.episodes.episodes >= episodes:
            return f"All {episodes:,} episodes of the task are done."
        return ""

    def stop(self, number: int, frame: FrameType | None) -> None:
        """The loop ends after this step; a second signal ends it at once."""
        del frame
        if self.stopping:
            raise KeyboardInterrupt
        self.stopping = number
        name = signal.Signals(number).name
        text = f"{name}: saving after this step. Again to leave at once."
        # In a thread: what was interrupted may be in the middle of a print.
        threading.Thread(target=self.session.notice, args=(text,), daemon=True).start()

    # Callbacks of the driver, in their order

    def count(self, transition: Arrays) -> None:
        """Agent steps, first observations included, as in the reference."""
        count = len(transition["is_first"])
        self.progress.step += count
        self.env_rate.add(count)
        self.begun("first environment steps")

    def store(self, transition: Arrays) -> None:
        with self.timer("store"):
            self.replay.add(transition)

    def log_episode(self, episode: Episode) -> None:
        self.session.logger.add(episode.metrics, "episode")
        self.session.logger.add({"score_mean10": self.episodes.recent_score}, "episode")
        self.videos = episode.videos or self.videos

    def train(self, transition: Arrays) -> None:
        """As many train steps as the train ratio asks for."""
        del transition
        if not self.prefilled():
            return
        for _ in range(self.ratio(self.progress.step)):
            self.train_step()

    def prefilled(self) -> bool:
        """Whether there is enough in the replay to train."""
        return len(self.replay) >= budget.enough(self.config)

    def train_step(self) -> None:
        self.begun("training begins (compiling)")
        with self.timer("batch"):
            batch, addresses = self.loader.next()
        with self.timer("train"):
            seed = tf.constant([self.config.seed, self.progress.updates], tf.int32)
            self.carry, entries, metrics = self.agent.train(self.carry, batch, seed)
        with self.timer("write_back"):
            self.loader.update(addresses, to_numpy(entries))
        self.metrics.add(metrics)
        self.progress.updates += 1
        self.train_rate.add()
        if self.begun("first train step done"):
            compilation.seal_programs()

    # What clocks call

    def log(self) -> None:
        """Metrics since the last call, to all outputs."""
        with self.timer("log"):
            logger, metrics = self.session.logger, self.metrics.result()
            logger.add(metrics)
            logger.add(self.replay_stats(), "replay")
            logger.add(self.usage.metrics(), "usage")
            logger.add(self.speeds(), "speed")
            logger.add(self.timer.metrics(), "time")
            logger.add(self.counts(), "progress")
            logger.add(self.episodes.running(), "progress")
            logger.write()
        if not np.isfinite(metrics.get("opt/loss", 0.0)):
            self.session.notice(
                f"WARNING: The loss is {metrics['opt/loss']} at train step "
                f"{self.progress.updates}. Begin anew in another logdir, with "
                "compute.precision=float32 or a smaller agent.optimizer.lr."
            )

    def replay_stats(self) -> dict[str, float]:
        """Statistics of the replay, with the share of its capacity in use."""
        stats, section = self.replay.stats(), self.config.replay
        limits = {"steps": section.capacity, "bytes": section.capacity_bytes}
        shares = [stats[key] / limit for key, limit in limits.items() if limit]
        return {**stats, "fill": max(shares)}

    def speeds(self) -> dict[str, float]:
        """Speed since the last call, per second of wall time."""
        agent, train = self.env_rate.result(), self.train_rate.result()
        return {
            "env_steps": agent * self.progress.frames_per_step,
            "agent_steps": agent,
            "train_steps": train,
            "replayed_steps": train * self.batch_steps,
        }

    def counts(self) -> dict[str, float]:
        """How far the run is."""
        return {
            "env_steps": self.progress.frames,
            "agent_steps": self.progress.step,
            "train_steps": self.progress.updates,
            "episodes": self.episodes.episodes,
        }

    def report(self) -> None:
        """Losses on a fresh batch, open-loop videos, and the last episode's video."""
        if len(self.replay) < self.config.replay.batch_size:
            return
        logger, section, metrics = self.session.logger, self.config.log, Metrics()
        with self.timer("report"):
            videos: dict[str, Any] = {}
            for index in range(section.report_batches):
                length = min(section.report_length, self.config.replay.batch_length)
                batch = self.loader.report(self.config.replay.batch_size, length)
                seed = tf.constant([~self.config.seed, index], tf.int32)
                values, videos = self.agent.report(self.carry, batch, seed)
                metrics.add(values)
            logger.add(metrics.result(), "report")
            if section.video:
                logger.add(self.written(to_numpy(videos)), "report/openloop")
                under_way = self.episodes.frames(LONG)
                logger.add(self.videos or under_way, "episode/video")
            self.videos = {}

    def written(self, foreseen: Arrays) -> Arrays:
        """The videos of a report, with what the task names written beside them."""
        legend = env_legend(self.config.task)
        vectors = {key: foreseen.pop(key) for key in self.agent.report_vectors}
        for key, values in vectors.items():
            foreseen = {
                name: write_beside(video, values, legend[key])
                for name, video in foreseen.items()
            }
        return foreseen

    def evaluation_due(self) -> bool:
        """Whether `eval.every` agent steps have passed; first before training."""
        due = self.next_evaluation
        return due is not None and self.progress.step >= due

    def evaluate(self) -> None:
        """Episodes in environments of their own; logged under `eval/`.

        Being told to stop breaks it off; the next process begins it anew.
        """
        section = self.config.eval
        envs = build_envs(self.config, evaluation=True)
        with self.timer("evaluate"), contextlib.closing(envs):
            result = evaluate(
                self.agent,
                envs,
                episodes=section.episodes,
                mode=section.mode,
                seed=self.config.seed,
                video=section.video,
                stop=lambda: self.stopping is not None,
                summarize=functools.partial(env_summary, self.config.task),
            )
        if result is None:
            return
        self.session.logger.add(result.metrics, "eval")
        self.session.logger.add(result.videos, "eval/video")
        self.session.logger.write()
        self.next_evaluation = self.progress.step + section.every

    # Checkpoints

    def save(self) -> None:
        """Writes a checkpoint of everything but episodes under way."""
        with self.timer("save"):
            self.session.checkpoints.save(self.progress.step, self.state())

    def state(self) -> dict[str, Any]:
        """What a checkpoint keeps."""
        return {
            "agent": agent_state(self.agent),
            "loader": self.loader.state(),
            "progress": {
                "step": self.progress.step,
                "updates": self.progress.updates,
                "policy_calls": self.driver.index,
                "next_evaluation": self.next_evaluation,
                "ratio": self.ratio.state(),
                "episodes": self.episodes.state(),
            },
            "envs": self.local_envs.save_progress() if self.local_envs else [],
        }

    def restore(self, state: dict[str, Any]) -> None:
        """Goes on from a checkpoint; the environments start new episodes."""
        restore_agent(self.agent, state["agent"])
        self.loader.restore(state["loader"])
        progress = state["progress"]
        self.progress.step = progress["step"]
        self.progress.updates = progress["updates"]
        self.driver.index = progress["policy_calls"]
        if self.next_evaluation is not None:
            self.next_evaluation = progress["next_evaluation"] or self.progress.step
        self.ratio.restore(progress["ratio"])
        self.episodes.restore(progress["episodes"])
        if self.local_envs and (kept := state.get("envs")):
            self.local_envs.load_progress(kept)


def gpu_memory(device: Device) -> Callable[[], dict[str, int]] | None:
    """A function that asks TensorFlow what it takes of the accelerator."""
    if not device.accelerated:
        return None
    return lambda: tf.config.experimental.get_memory_info(device.name)
