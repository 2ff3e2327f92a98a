"""Train, load and use agents from Python, in a script or a notebook.

    import dreamerv3_tf

    dreamer = dreamerv3_tf.train(env_fn, steps=100_000, preset="size1m")
    action, carry = dreamer.act(observation)
    print(dreamer.evaluate(episodes=10).metrics["score_mean"])

Settings, checks, files and errors are those of the command line. Environments of an
`env_fn` run in this process unless `run.parallel` says otherwise; those of a task have
processes of their own, so a script calls this under `if __name__ == "__main__":`.
"""

from __future__ import annotations

import contextlib
import gc
import multiprocessing
import pathlib
import random
import shutil
import signal
import tempfile
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from dreamerv3_tf import presets
from dreamerv3_tf.envs import given
from dreamerv3_tf.run import launch
from dreamerv3_tf.run.settings import Request, check_environment
from dreamerv3_tf.values import ConfigError, to_text

if TYPE_CHECKING:
    from dreamerv3_tf.api.dreamer import Dreamer

EnvFn = Callable[[], Any]
Names = str | Iterable[str]
Settings = Mapping[str, Any] | Iterable[str]


def train(
    env_fn: EnvFn | str | None = None,
    *,
    steps: int | None = None,
    preset: Names = (),
    settings: Settings = (),
    logdir: str | pathlib.Path | None = None,
    seed: int | None = None,
    evaluate: bool = False,
    configs: str | pathlib.Path | None = None,
) -> Dreamer:
    """Trains an agent, and returns it.

    It is `--mode train` of the command line: same settings, same files, same progress
    on the standard output. Ctrl-C, or a notebook's button to interrupt, lets the
    current step finish, saves, and raises `KeyboardInterrupt`; the same call with the
    same `logdir` goes on from there.

    Args:
        env_fn: called without arguments, returns a new environment: of Gymnasium,
            `dm_env`, TF-Agents, or one of ours (`dreamerv3_tf.envs.Env`). It may be a
            lambda or a class, defined in a notebook too. Or the name of a task, such as
            `dmc_walker_walk`. May be left out to go on with the run in `logdir`.
        steps: agent steps of the whole run, over all environments, those of earlier
            calls with this `logdir` included; `run.steps`. By default what task and
            presets say.
        preset: names of presets, as a list or with commas: `"size1m,quick"`.
        settings: `{"agent.imag_length": 10}`, or as on the command line,
            `["agent.imag_length=10"]`. Environments of an `env_fn` run one after the
            other in this process; `run.parallel` can be `thread`, or `process` where
            `env_fn` can be imported by other processes.
        logdir: folder of the run. Where one is there already, it goes on. By default a
            temporary folder, which is deleted together with the returned object; its
            `save` keeps it.
        seed: of everything random.
        evaluate: also evaluate every `eval.every` agent steps, into the logs.
        configs: folder of settings, instead of the program's own.

    Raises:
        ConfigError: something that was asked for does not exist or fit; one line.
        WorkerError: an environment failed in a step.
        KeyboardInterrupt: it was interrupted; the run is saved.
    """
    began = time.monotonic()
    temporary = logdir is None
    if env_fn is None and temporary:
        raise ConfigError(
            "train: env_fn is missing, expected a function that makes environments, a "
            "task such as dmc_walker_walk, or the logdir of a run to go on with."
        )
    changes = [*overrides(settings), *optional("run.steps", steps)]
    request = ask(env_fn, preset, [*changes, *optional("seed", seed)], logdir, configs)
    folder = fresh_folder() if logdir is None else absolute(logdir)
    try:
        return run_training(request, folder, env_fn, began, temporary, evaluate)
    except BaseException as error:
        interrupted = isinstance(error, KeyboardInterrupt)
        if temporary and not interrupted:
            shutil.rmtree(folder, ignore_errors=True)
        raise


def run_training(
    request: Request,
    logdir: pathlib.Path,
    env_fn: EnvFn | str | None,
    began: float,
    temporary: bool,
    evaluations: bool,
) -> Dreamer:
    """Trains; a signal that ended it is raised again once the run is saved.

    Args:
        request: what is asked for.
        logdir: folder of the run.
        env_fn: of `train`.
        began: when the wait began, by `time.monotonic`.
        temporary: delete the folder together with the result.
        evaluations: evaluate now and then.
    """
    config = request.config()
    check_environment(config)
    config = launch.sized(config, request)
    with own_random_state(), launch.ready(config, "train", logdir) as start:
        from dreamerv3_tf.api.dreamer import Dreamer
        from dreamerv3_tf.run import modes

        session, stopped = modes.train_run(
            config,
            start,
            logdir,
            command=["dreamerv3_tf.train", "--task", config.task, *request.changes],
            evaluations=evaluations,
            elapsed=lambda: time.monotonic() - began,
        )
        gc.collect()  # replay files stay open until nothing refers to them
        if stopped:
            signal.raise_signal(stopped)
        return Dreamer(session, None if isinstance(env_fn, str) else env_fn, temporary)


def load(
    logdir: str | pathlib.Path,
    env_fn: EnvFn | None = None,
    *,
    settings: Settings = (),
) -> Dreamer:
    """The agent of a run, as its latest checkpoint has it.

    Args:
        logdir: folder of a run of `train` or of the command line.
        env_fn: as it was given to `train`. Needed where this process can't find it by
            itself: it was a lambda, or defined in a notebook that was restarted.
        settings: changes, as for `train`; only those that do not change the agent.

    Raises:
        ConfigError: there is no checkpoint, or the environment can't be made.
    """
    folder = absolute(logdir)
    request = ask(None, (), overrides(settings), folder, None)
    if not (folder / "config.yaml").exists():
        raise ConfigError(
            f"load: {folder} has no config.yaml, expected the logdir of a run."
        )
    config = request.config()
    with own_random_state(), launch.ready(config, "eval", folder) as start:
        from dreamerv3_tf.api.conventions import task_of
        from dreamerv3_tf.api.dreamer import Dreamer
        from dreamerv3_tf.run import modes

        config = task_of(config, env_fn)
        session = modes.saved_session(config, start.device, folder)
        return Dreamer(session, env_fn)


def ask(
    env_fn: EnvFn | str | None,
    preset: Names,
    changes: list[str],
    logdir: str | pathlib.Path | None,
    configs: str | pathlib.Path | None,
) -> Request:
    """What the arguments ask for, as the command line would.

    Raises:
        ConfigError: `env_fn` is no function, or this is a process that was started for
            an environment.
    """
    refuse_in_workers()
    names = preset.split(",") if isinstance(preset, str) else list(preset)
    names = [name.strip() for name in names if name.strip()]
    task = env_fn if isinstance(env_fn, str) else ""
    if env_fn is not None and not isinstance(env_fn, str):
        if not callable(env_fn):
            raise ConfigError(
                f"env_fn is a {type(env_fn).__name__}, expected a function that makes "
                "a new environment at each call (lambda: ...), or the name of a task."
            )
        task = given.register(env_fn, saved_task(logdir))
        changes = ["run.parallel=none", *changes]
    return Request(task, names, changes, logdir or "", configs)


@contextlib.contextmanager
def own_random_state() -> Iterator[None]:
    """Gives Python's and numpy's random state back, which building an agent sets."""
    ours, theirs = random.getstate(), np.random.get_state()
    try:
        yield
    finally:
        random.setstate(ours)
        np.random.set_state(theirs)


def saved_task(logdir: str | pathlib.Path | None) -> str:
    """The task of the run in a folder; empty where there is none."""
    saved = absolute(logdir or "") / "config.yaml"
    return presets.load_saved(saved).task if logdir and saved.exists() else ""


def refuse_in_workers() -> None:
    """Refuses to train in a process of an environment.

    Such a process imports the main script; if that trains without being asked whether
    it is the main program, each process would start others.

    Raises:
        ConfigError: this is such a process.
    """
    name = multiprocessing.current_process().name
    if name.startswith("Environment "):
        raise ConfigError(
            f"The process of '{name}' imports your script, which trains right away; "
            'put what it does under `if __name__ == "__main__":`.'
        )


def overrides(settings: Settings) -> list[str]:
    """Settings as on the command line, `section.key=value` each."""
    if isinstance(settings, Mapping):
        return [f"{key}={to_text(value)}" for key, value in settings.items()]
    return [settings] if isinstance(settings, str) else list(settings)


def optional(key: str, value: Any) -> list[str]:
    """A setting, where it has a value."""
    return [] if value is None else [f"{key}={to_text(value)}"]


def absolute(folder: str | pathlib.Path) -> pathlib.Path:
    """A folder by its full name."""
    return pathlib.Path(folder).expanduser().absolute()


def fresh_folder() -> pathlib.Path:
    """A new temporary folder."""
    return pathlib.Path(tempfile.mkdtemp(prefix="dreamerv3_"))
