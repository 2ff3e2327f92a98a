"""The modes of the program, each a function from settings to exit status."""

from __future__ import annotations

import dataclasses
import pathlib

from dreamerv3_tf.config import Config
from dreamerv3_tf.record import video
from dreamerv3_tf.run import preflight
from dreamerv3_tf.run.build import build_agent, build_envs
from dreamerv3_tf.run.device import Device
from dreamerv3_tf.run.evaluate import Evaluation, evaluate, save_json
from dreamerv3_tf.run.session import Session, load_agent, open_session
from dreamerv3_tf.run.train import Trainer


def train_run(
    config: Config,
    device: Device,
    logdir: pathlib.Path,
    *,
    resume: bool,
    evaluations: bool,
) -> int:
    """Trains, from the start or from the latest checkpoint."""
    start = latest_step(logdir, resume)
    envs = build_envs(config, start=start)
    try:
        session = open_session(config, device, logdir, envs, outputs=True)
        try:
            checkpoint = session.checkpoints.load() if start else None
            trainer = Trainer(session, envs, checkpoint, evaluations)
            if checkpoint:
                session.notice(f"Going on at {session.progress.frames:,} frames.")
            stopped = trainer.run()
            verb = "Stopped" if stopped else "Done"
            session.notice(
                f"{verb} at {session.progress.frames:,} frames, saved in {logdir}. "
                "The same command goes on from here."
            )
        finally:
            session.close()
    finally:
        envs.close()
    return 128 + stopped if stopped else 0


def latest_step(logdir: pathlib.Path, resume: bool) -> int:
    """Agent steps of the latest checkpoint; 0 where there is none."""
    from dreamerv3_tf.record.checkpoint import Checkpoints

    if not resume:
        return 0
    return Checkpoints(logdir / "ckpt").latest() or 0


def evaluate_run(config: Config, device: Device, logdir: pathlib.Path) -> int:
    """Evaluates the latest checkpoint; prints the result and saves it as JSON."""
    count = min(config.run.eval_envs, config.eval.episodes)
    run = dataclasses.replace(config.run, eval_envs=count)
    config = dataclasses.replace(config, run=run)
    envs = build_envs(config, evaluation=True)
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
        )
    finally:
        envs.close()
    report(session, result)
    return 0


def report(session: Session, result: Evaluation) -> None:
    """Prints an evaluation, and writes JSON and videos into `eval/`."""
    config, step = session.config, session.progress
    name = f"{step.frames:09d}-{config.eval.mode}"
    folder = session.logdir / "eval"
    facts = {
        "task": config.task,
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
    print(f"saved as {folder / f'{name}.json'}")


def export_run(config: Config, device: Device, logdir: pathlib.Path) -> int:
    """Writes the policy of the latest checkpoint as a SavedModel."""
    from dreamerv3_tf.run.export import export

    one = dataclasses.replace(config, run=dataclasses.replace(config.run, eval_envs=1))
    envs = build_envs(one, evaluation=True)
    try:
        session = open_session(config, device, logdir, envs, outputs=False)
    finally:
        envs.close()
    load_agent(session)
    path = export(config, session.agent, logdir, session.progress.step)
    print(f"Exported the policy at {session.progress.frames:,} frames to {path}")
    return 0


def describe(config: Config, device: Device) -> int:
    """Prints what a run would be, and stops."""
    one = dataclasses.replace(config, run=dataclasses.replace(config.run, eval_envs=1))
    envs = build_envs(one, evaluation=True)
    try:
        agent = build_agent(config, device, envs.obs_space, envs.act_space)
    finally:
        envs.close()
    print(config.to_yaml(sources=True))
    print(preflight.text(config, device, agent))
    return 0
