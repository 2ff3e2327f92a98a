"""The file of a sweep: which tasks and seeds, how, and what is done already."""

from __future__ import annotations

import dataclasses
import functools
import json
import pathlib
import re
import sys
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from curves.runs import read_run, read_scores

from dreamerv3_tf import presets, values
from dreamerv3_tf.config import Config, walk
from dreamerv3_tf.envs.hooks import env_episodes
from dreamerv3_tf.main import check_environment
from dreamerv3_tf.merging import read_file
from dreamerv3_tf.record.checkpoint import Checkpoints
from dreamerv3_tf.run import manifest
from dreamerv3_tf.values import ConfigError

from .pool import Job

MODES = ("train", "train_eval", "eval")
KEYS = ("logdir", "mode", "tasks", "seeds", "preset", "settings", "jobs")


class Plan(NamedTuple):
    """A sweep.

    Attributes:
        logdir: folder of all runs; each lies in `TASK/seedN` below it.
        mode: `train`, `train_eval`, or `eval` for runs that are there already.
        tasks: names.
        seeds: of the runs of each task.
        preset: names of presets.
        settings: `section.key=value` each.
        jobs: how many run at a time.
    """

    logdir: pathlib.Path
    mode: str
    tasks: tuple[str, ...]
    seeds: tuple[int, ...]
    preset: tuple[str, ...]
    settings: tuple[str, ...]
    jobs: int

    def folder(self, task: str, seed: int) -> pathlib.Path:
        """Folder of a run."""
        return self.logdir / re.sub(r"[^\w.-]", "_", task) / f"seed{seed}"


def read_plan(path: pathlib.Path) -> Plan:
    """The sweep that a YAML file asks for.

    Raises:
        ConfigError: the file cannot be read, or a key or value does not fit.
    """
    tree = read_file(path, str(path))
    if not isinstance(tree, dict):
        raise ConfigError(f"{path}: expected keys such as `tasks`, not '{tree}'.")
    for key in tree:
        if key not in KEYS:
            raise ConfigError(
                f"{path}: no key '{key}'.{values.nearest(key, KEYS)} "
                f"Keys: {', '.join(KEYS)}."
            )
    mode = tree.get("mode", "train")
    if mode not in MODES:
        raise ConfigError(
            f"{path}: mode is '{mode}', expected one of {', '.join(MODES)}."
        )
    if not isinstance(tree.get("logdir"), str) or not tree["logdir"]:
        raise ConfigError(f"{path}: logdir is missing, the folder of all runs.")
    plan = Plan(
        logdir=pathlib.Path(tree["logdir"]).expanduser().absolute(),
        mode=mode,
        tasks=_words(tree, "tasks", path),
        seeds=tuple(_whole(x, "seeds", path, 0) for x in _words(tree, "seeds", path)),
        preset=_words(tree, "preset", path, optional=True),
        settings=_settings(tree.get("settings") or {}, path),
        jobs=_whole(tree.get("jobs", "1"), "jobs", path, 1),
    )
    folders = [plan.folder(task, seed) for task in plan.tasks for seed in plan.seeds]
    if len(set(folders)) < len(folders):
        raise ConfigError(f"{path}: a task or a seed is there twice.")
    return plan


def _words(
    tree: Mapping[str, Any], key: str, path: pathlib.Path, optional: bool = False
) -> tuple[str, ...]:
    """A list of words, also written as a single one."""
    value = tree.get(key, [] if optional else None)
    found = [value] if isinstance(value, str) and value else value
    fits = isinstance(found, list) and (found or optional)
    if fits and all(isinstance(word, str) for word in found):
        return tuple(found)
    raise ConfigError(f"{path}: {key} is '{value}', expected a list such as [a, b].")


def _whole(text: Any, key: str, path: pathlib.Path, least: int) -> int:
    if isinstance(text, str) and text.isdigit() and int(text) >= least:
        return int(text)
    raise ConfigError(
        f"{path}: {key} has '{text}', expected integers of at least {least}."
    )


def _settings(tree: Any, path: pathlib.Path) -> tuple[str, ...]:
    """Settings as the command line has them; nested or by full names in the file."""
    if not isinstance(tree, dict):
        raise ConfigError(f"{path}: settings is '{tree}', expected section.key: value.")
    found = []
    for name, value in walk(tree):
        text = value if isinstance(value, str) else values.to_text(value)
        found.append(f"{name}={text}")
    return tuple(found)


def make_jobs(plan: Plan) -> list[Job]:
    """A job for each task and seed.

    Raises:
        ConfigError: settings do not exist or fit, a folder holds a run with other
            settings, or there is no run to evaluate.
    """
    jobs = []
    for task in plan.tasks:
        asked = [] if plan.mode == "eval" else asked_configs(plan, task)
        jobs += [_job(plan, task, seed, asked) for seed in plan.seeds]
    return jobs


def _job(plan: Plan, task: str, seed: int, asked: Sequence[Config]) -> Job:
    folder = plan.folder(task, seed)
    command = [sys.executable, "-m", "dreamerv3_tf.main", "--logdir", str(folder)]
    command += ["--mode", plan.mode]
    if plan.preset:
        command += ["--preset", ",".join(plan.preset)]
    if plan.mode == "eval":
        done = functools.partial(is_evaluated, folder, saved_config(plan, folder))
    else:
        command += ["--task", task, "--seed", str(seed)]
        check_folder(folder, [dataclasses.replace(x, seed=seed) for x in asked])
        done = functools.partial(is_trained, folder, asked[0])
    name = f"{task}, seed {seed}"
    return Job(name, (*command, *plan.settings), folder / f"{plan.mode}.log", done)


def asked_configs(plan: Plan, task: str) -> list[Config]:
    """The settings of runs to be trained: on a CPU, and on an accelerator.

    The size may depend on the machine, and here TensorFlow is not asked for it.

    Raises:
        ConfigError: they do not exist or fit.
    """
    found = [
        presets.load(task, plan.preset, plan.settings, accelerator=accelerator)
        for accelerator in (False, True)
    ]
    check_environment(found[0])
    return found


def check_folder(folder: pathlib.Path, asked: Sequence[Config]) -> None:
    """Checks that a folder is free, or holds a run with one of the settings.

    Raises:
        ConfigError: it holds another run.
    """
    saved = folder / manifest.CONFIG
    if not saved.exists():
        return
    old = presets.load_saved(saved)
    found = [presets.differences(old, new) for new in asked]
    if all(found):
        key, before, now = found[0][0]
        raise ConfigError(
            f"{folder} holds a run with other settings, {len(found[0])} of them, such "
            f"as {key}: {values.to_text(before)} -> {values.to_text(now)}. Choose "
            "another logdir."
        )


def saved_config(plan: Plan, folder: pathlib.Path) -> Config:
    """The settings of a run that is to be evaluated.

    Raises:
        ConfigError: there is none, or the changes do not exist or fit.
    """
    if Checkpoints(folder / "ckpt").latest() is None:
        raise ConfigError(
            f"{folder} has no checkpoint to evaluate. Train first, with `mode: train`."
        )
    return presets.load_saved(folder / manifest.CONFIG, plan.preset, plan.settings)


def is_trained(folder: pathlib.Path, config: Config) -> bool:
    """Whether the latest checkpoint has all steps, or the run all episodes it may have.

    Raises:
        RunError: the scores of the run cannot be read.
    """
    step = Checkpoints(folder / "ckpt").latest()
    if step is None:
        return False
    if step >= config.run.steps:
        return True
    episodes = env_episodes(config.task, config.env)
    if not episodes:
        return False
    return len(read_scores(read_run(folder)).frames) >= episodes


def is_evaluated(folder: pathlib.Path, config: Config) -> bool:
    """Whether the latest checkpoint was evaluated with so many episodes."""
    result = read_evaluation(folder, config)
    return result is not None and result["episodes"] >= config.eval.episodes


def read_evaluation(folder: pathlib.Path, config: Config) -> dict[str, Any] | None:
    """The evaluation of the latest checkpoint, `None` where there is none.

    A file that a killed process left half written counts as none.
    """
    step = Checkpoints(folder / "ckpt").latest() or 0
    frames = step * int(config.env.get("repeat", 1))
    path = folder / "eval" / f"{frames:09d}-{config.eval.mode}.json"
    if not path.exists():
        return None
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except ValueError:
        return None
