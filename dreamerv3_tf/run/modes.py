"""The modes of the program, each a function from settings to exit status."""

from __future__ import annotations

import contextlib
import dataclasses
import functools
import pathlib
import textwrap
from collections.abc import Callable, Sequence

from dreamerv3_tf.config import Config
from dreamerv3_tf.envs.hooks import env_facts, env_summary, in_words
from dreamerv3_tf.record import video
from dreamerv3_tf.record.checkpoint import Checkpoints
from dreamerv3_tf.run import manifest, preflight
from dreamerv3_tf.run.beginning import since_start
from dreamerv3_tf.run.build import build_agent, build_envs
from dreamerv3_tf.run.device import Device, Start
from dreamerv3_tf.run.evaluate import Evaluation, evaluate, save_json
from dreamerv3_tf.run.session import Session, load_agent, open_session
from dreamerv3_tf.run.train import Trainer
from dreamerv3_tf.run.vector import VectorEnv


def train_run(
    config: Config,
    start: Start,
    logdir: pathlib.Path,
    *,
    command: Sequence[str],
    evaluations: bool,
    elapsed: Callable[[], float] = since_start,
) -> tuple[Session, int | None]:
    """Trains, from the start or from the latest checkpoint.

    Args:
        config: the settings.
        start: where, and whether the folder holds a run with these settings.
        logdir: folder of the run.
        command: the command line, saved once all parts have turned out to fit.
        evaluations: evaluate now and then.
        elapsed: seconds since the person who watches began to wait.

    Returns:
        The run, saved and closed, and the signal that ended it, if one did.
    """
    latest = Checkpoints(logdir / "ckpt").latest() if start.resume else None
    with contextlib.ExitStack() as stack:
        envs = build_envs(config, start=latest or 0, logdir=logdir)
        stack.callback(envs.close)
        session = open_session(config, start.device, logdir, envs, outputs=True)
        stack.callback(session.close)
        trainer = Trainer(session, envs, evaluations, elapsed)
        stack.callback(trainer.close)
        if latest is not None:
            trainer.restore(session.checkpoints.load().state)
        facts = {**start.device.facts(), **session.facts}
        manifest.save(logdir, config, command=command, facts=facts)
        if session.facts:
            session.logger.add({"environment": in_words(session.facts)})
        code = textwrap.indent(config.to_yaml(sources=True), "    ")  # in Markdown
        session.logger.add({"config": code})
        session.notice(greeting(session, len(trainer.replay)))
        stopped = None if trainer.done else trainer.run()
        session.notice(farewell(session, trainer.done))
    return session, stopped


def greeting(session: Session, items: int) -> str:
    """What begins, on which machine, and from where."""
    device, frames = session.device, session.progress.frames
    about = in_words(session.facts)
    text = f"{about}\n" if about else ""
    text += f"Training on {device.title} in {device.precision}"
    if frames:
        return f"{text}, going on at {frames:,} frames."
    if items:
        return f"{text}, from the start but for {items:,} sequences in replay."
    return f"{text}, from the start."


def farewell(session: Session, done: str) -> str:
    """How far the run is and how it goes on."""
    how = done or "Stopped; the same command goes on from here."
    return f"Saved at {session.progress.frames:,} frames in {session.logdir}. {how}"


def evaluate_run(config: Config, device: Device, logdir: pathlib.Path) -> int:
    """Evaluates the latest checkpoint; prints the result and saves it as JSON."""
    config, envs = evaluation_envs(config)
    try:
        session = open_session(config, device, logdir, envs, outputs=False)
        load_agent(session)
        section = config.eval
        print(
            f"Evaluating {config.task} at {session.progress.frames:,} frames: "
            f"{section.episodes} episodes, actions by '{section.mode}'."
        )
        result = evaluate(
            session.agent,
            envs,
            episodes=section.episodes,
            mode=section.mode,
            seed=config.seed,
            video=section.video,
            on_episode=lambda e: print(f"  score {e.score:10.2f}   length {e.length}"),
            summarize=functools.partial(env_summary, config.task),
        )
    finally:
        envs.close()
    assert result, "nothing breaks off an evaluation here"
    report(session, result)
    return 0


def evaluation_envs(config: Config) -> tuple[Config, VectorEnv]:
    """Environments of an evaluation, no more than it has episodes; and the settings."""
    count = min(config.run.eval_envs, config.eval.episodes)
    run = dataclasses.replace(config.run, eval_envs=count)
    config = dataclasses.replace(config, run=run)
    return config, build_envs(config, evaluation=True)


def report(session: Session, result: Evaluation) -> None:
    """Prints an evaluation, and writes JSON and videos into `eval/`."""
    config, step = session.config, session.progress
    name = f"{step.frames:09d}-{config.eval.mode}"
    folder = session.logdir / "eval"
    facts = {
        "task": config.task,
        **session.facts,
        "frames": step.frames,
        "agent_steps": step.step,
        "train_steps": step.updates,
        "actions": config.eval.mode,
        "seed": config.seed,
    }
    save_json(folder / f"{name}.json", result, facts)
    for key, frames in result.videos.items():
        path = folder / f"{name}-{key}.gif"
        path.write_bytes(video.gif(video.enlarge(frames)))
        print(f"  video {path}")
    numbers = result.metrics
    print(
        f"mean {numbers['score_mean']:.2f}   median {numbers['score_median']:.2f}   "
        f"IQM {numbers['score_iqm']:.2f} (95 % interval {numbers['score_iqm_low']:.2f} "
        f"to {numbers['score_iqm_high']:.2f})   over {numbers['episodes']:.0f} episodes"
    )
    if session.facts:
        print(in_words(session.facts))
    print(f"saved as {folder / f'{name}.json'}")


def export_run(config: Config, device: Device, logdir: pathlib.Path) -> int:
    """Writes the policy of the latest checkpoint as a SavedModel."""
    from dreamerv3_tf.run.export import export, export_tf_agents

    session = saved_session(config, device, logdir)
    agent, step = session.agent, session.progress.step
    path = export(config, agent, logdir, step)
    print(f"Exported the policy at {session.progress.frames:,} frames to {path}")
    if config.export.tf_agents:
        path = export_tf_agents(config, agent, logdir, step)
        print(f"and for TF-Agents to {path}")
    return 0


def saved_session(config: Config, device: Device, logdir: pathlib.Path) -> Session:
    """The run of the latest checkpoint, without its environments and logs.

    Raises:
        CheckpointError: there is none, or it does not fit.
        EnvError: the task cannot be made.
    """
    one = dataclasses.replace(config, run=dataclasses.replace(config.run, eval_envs=1))
    envs = build_envs(one, evaluation=True)
    try:
        session = open_session(config, device, logdir, envs, outputs=False)
    finally:
        envs.close()
    load_agent(session)
    return session


def describe(config: Config, device: Device) -> int:
    """Prints what a run would be, and stops."""
    one = dataclasses.replace(config, run=dataclasses.replace(config.run, eval_envs=1))
    envs = build_envs(one, evaluation=True)
    try:
        agent = build_agent(config, device, envs.obs_space, envs.act_space)
    finally:
        envs.close()
    print(config.to_yaml(sources=True))
    if facts := env_facts(config.task, config.env):
        print(in_words(facts))
    print(preflight.text(config, device, agent))
    return 0
