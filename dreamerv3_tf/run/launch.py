"""What a mode of the command line does, from settings to exit status."""

from __future__ import annotations

import os
import pathlib
import sys
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from dreamerv3_tf import presets
from dreamerv3_tf.config import Config
from dreamerv3_tf.envs import EnvError
from dreamerv3_tf.envs.hooks import prepare_env
from dreamerv3_tf.record.checkpoint import CheckpointError, Checkpoints
from dreamerv3_tf.replay.segments import ReplayError
from dreamerv3_tf.run import device as devices
from dreamerv3_tf.run import manifest
from dreamerv3_tf.run.settings import Request
from dreamerv3_tf.run.vector import WorkerError
from dreamerv3_tf.values import ConfigError

CHATTER = (
    "I0000",
    "W0000",
    "WARNING: All log",
    "E0000 00:00",
    "To enable the following",
)
"""How lines begin that TensorFlow writes while it starts, whatever the machine."""


def accelerator(config: Config) -> bool:
    """Whether the run would have one."""
    with quiet_start():
        return bool(devices.accelerators(config.compute))


def sized(config: Config, request: Request) -> Config:
    """The configuration for this machine: `config` was made as if it were a CPU."""
    if config.sources["size"] == "cpu_size" and accelerator(config):
        return request.config(accelerator=True)
    return config


def launch(
    config: Config,
    *,
    mode: str,
    logdir: pathlib.Path,
    dry_run: bool,
    command: Sequence[str],
) -> int:
    """Runs a mode; returns the exit status.

    Args:
        config: the settings.
        mode: `train`, `train_eval`, `eval` or `export`.
        logdir: folder of the run.
        dry_run: describe the run and stop; writes nothing.
        command: the command line, to be saved with the run.

    Raises:
        ConfigError: see `ready`.
    """
    with ready(config, mode, logdir, needs_run=not dry_run) as start:
        from dreamerv3_tf.run import modes

        if dry_run:
            return modes.describe(config, start.device)
        if mode == "eval":
            return modes.evaluate_run(config, start.device, logdir)
        if mode == "export":
            return modes.export_run(config, start.device, logdir)
        evaluations = mode == "train_eval"
        _, stopped = modes.train_run(
            config, start, logdir, command=command, evaluations=evaluations
        )
        return 128 + stopped if stopped else 0


@contextmanager
def ready(
    config: Config, mode: str, logdir: pathlib.Path, needs_run: bool = True
) -> Iterator[devices.Start]:
    """Sets up the machine for a run; what people did wrong inside is a `ConfigError`.

    Args:
        config: the settings.
        mode: `train`, `train_eval`, `eval` or `export`.
        logdir: folder of the run.
        needs_run: whether modes that use a run look for one.

    Raises:
        ConfigError: the settings do not fit the machine, the task, or the run that is
            in `logdir` already.
    """
    used = mode in ("eval", "export")
    if used and needs_run:
        require_checkpoint(logdir, mode)
    with quiet_start():
        device = devices.set_up(config.compute)
        from dreamerv3_tf.run import modes  # noqa: F401  (here it starts in quiet)
    # Any machine may evaluate; only training must go on in the same precision.
    facts = {} if used else {"precision": device.precision}
    found = manifest.check_resume(logdir, config, facts)
    line = presets.size_line(config)
    if line:
        print(line, flush=True)
    with plain_errors():
        prepare_env(config.task, config.env, lambda text: print(text, flush=True))
        yield devices.Start(device, found)


@contextmanager
def plain_errors() -> Iterator[None]:
    """Makes one kind of error of what people did wrong in different places.

    Raises:
        ConfigError: an environment can't be made, or a file of the run does not fit.
        WorkerError: an environment broke down: its own traceback tells more.
    """
    try:
        yield
    except WorkerError:
        raise
    except (EnvError, ReplayError, CheckpointError) as error:
        raise ConfigError(str(error)) from error


def require_checkpoint(logdir: pathlib.Path, mode: str) -> None:
    """Checks that there is something to evaluate or export.

    Raises:
        ConfigError: there is not.
    """
    if Checkpoints(logdir / "ckpt").latest() is None:
        raise ConfigError(
            f"--mode {mode}: {logdir} has no checkpoint, expected the --logdir of a "
            "run that has saved one."
        )


@contextmanager
def quiet_start() -> Iterator[None]:
    """Keeps TensorFlow's start-up lines off the terminal; anything else is shown."""
    sys.stderr.flush()
    saved = os.dup(2)
    with tempfile.TemporaryFile() as file:
        os.dup2(file.fileno(), 2)
        try:
            yield
        finally:
            sys.stderr.flush()
            os.dup2(saved, 2)
            os.close(saved)
            file.seek(0)
            for line in file.read().decode(errors="replace").splitlines():
                if line.strip() and not line.startswith(CHATTER):
                    print(line, file=sys.stderr)
