"""From what a person asks for to the settings of a run, without TensorFlow."""

from __future__ import annotations

import pathlib
from collections.abc import Sequence
from typing import NamedTuple

from dreamerv3_tf import envs, presets
from dreamerv3_tf.config import Config
from dreamerv3_tf.values import ConfigError


class Request(NamedTuple):
    """What is asked for, on the command line or from Python.

    Attributes:
        task: `suite_name`; empty to go on with the run in `logdir`.
        presets: names of presets, in order.
        changes: `section.key=value` each.
        logdir: folder of the run; empty for a new one.
        configs: folder of settings, instead of the program's own.
    """

    task: str = ""
    presets: Sequence[str] = ()
    changes: Sequence[str] = ()
    logdir: str | pathlib.Path = ""
    configs: str | pathlib.Path | None = None

    def config(self, accelerator: bool = False) -> Config:
        """The configuration that is asked for.

        Args:
            accelerator: whether the run has one; chooses the size where none is named.

        Raises:
            ConfigError: it does not exist or fit.
        """
        if self.task:
            return presets.load(
                self.task,
                self.presets,
                self.changes,
                configs=self.configs,
                accelerator=accelerator,
            )
        saved = pathlib.Path(self.logdir).expanduser() / "config.yaml"
        if self.logdir and saved.exists():
            return presets.load_saved(
                saved, self.presets, self.changes, configs=self.configs
            )
        raise ConfigError(
            "--task is missing, expected SUITE_NAME such as dmc_walker_walk, "
            "or the --logdir of a run to go on with."
        )


def check_environment(config: Config) -> None:
    """Checks the suite and the `env:` section, without the suite's package.

    Raises:
        ConfigError: no such suite or setting, or a value of another type.
    """
    try:
        suite, name = envs.suite_of(config.task)
    except envs.EnvError as error:
        raise ConfigError(f"--task: {error}") from error
    for key, value in config.env.items():
        try:
            envs.check_settings(suite, {key: value}, name)
        except envs.EnvError as error:
            raise ConfigError(f"{config.sources[f'env.{key}']}: {error}") from error
