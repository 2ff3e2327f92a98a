"""Train, evaluate and export DreamerV3, and check environments.

  python -m dreamerv3_tf.main --task SUITE_NAME [--preset a,b] [--logdir DIR] [--seed N]
      [section.key=value ...]

An environment of your own is --task MODULE:FUNCTION; see docs/environments.md.

Settings and their meaning: configs/ and dreamerv3_tf/config.py; `--dry_run` prints them
merged. The same command on the same --logdir goes on where the first one stopped, and
so does --logdir alone. Flags:
"""

from __future__ import annotations

import pathlib
import re
import signal
import sys
import time
from collections.abc import Sequence
from typing import NamedTuple

if not __package__ and sys.path[0] == str(pathlib.Path(__file__).resolve().parent):
    # Run as a script, in this process or in a spawned one: its own folder comes first
    # there, so `import config` would find ours, and the package would not be found.
    sys.path[0] = str(pathlib.Path(__file__).resolve().parent.parent)

from absl import flags

import dreamerv3_tf
from dreamerv3_tf.config import Config
from dreamerv3_tf.run.settings import Request, check_environment
from dreamerv3_tf.values import ConfigError, nearest

MODES = ("train", "train_eval", "eval", "export", "explain", "check_env")


class Arguments(NamedTuple):
    """What the command line says.

    Attributes:
        values: flags by name.
        overrides: the trailing `section.key=value`.
    """

    values: flags.FlagValues
    overrides: list[str]

    def config(self) -> Config:
        """The configuration that these arguments ask for, on a CPU.

        Raises:
            ConfigError: it does not exist or fit.
        """
        return self.request().config()

    def request(self) -> Request:
        """The same without the flags that are about the program only."""
        asked = self.values
        short = {"seed": asked.seed, "env.backend": asked.backend}
        given = [f"{key}={value}" for key, value in short.items() if value is not None]
        return Request(
            asked.task or "",
            asked.preset or [],
            [*self.overrides, *given],
            asked.logdir or "",
            asked.configs,
        )

    def logdir(self, task: str) -> pathlib.Path:
        """The folder of the run, a new one in `~/logdir` where none is asked for."""
        now = time.strftime("%Y%m%d-%H%M%S")
        folder = self.values.logdir or f"~/logdir/{re.sub('[/:]', '_', task)}/{now}"
        return pathlib.Path(folder).expanduser().absolute()


def define_flags() -> flags.FlagValues:
    """Flags of the program, apart from those that other packages define."""
    own = flags.FlagValues()
    own.set_gnu_getopt(True)  # flags may follow section.key=value
    text = {
        "task": "What to learn: dmc_walker_walk, gym_CartPole-v1, my_module:make_env.",
        "logdir": "Folder of the run (default: ~/logdir/TASK/TIME).",
        "configs": "Folder of settings, instead of the program's own.",
        "seed": "Of everything random, an integer.",  # its type is checked as a setting
        "backend": "The game below a task that has several; short for env.backend.",
    }
    for name, meaning in text.items():
        flags.DEFINE_string(name, None, meaning, flag_values=own)
    flags.DEFINE_list(
        "preset",
        [],
        "Files of configs/ and configs/ablations/, by name.",
        flag_values=own,
    )
    flags.DEFINE_string("mode", "train", f"{', '.join(MODES)}.", flag_values=own)
    switches = {
        "dry_run": "Print the settings, sizes and memory, and stop.",
        "version": "Print the version and stop.",
        "help": "Print this text and stop.",
    }
    for name, meaning in switches.items():
        flags.DEFINE_boolean(name, False, meaning, flag_values=own)
    return own


def parse(argv: Sequence[str]) -> Arguments:
    """Flags and overrides of a command line.

    Raises:
        ConfigError: an unknown flag or mode, a value of the wrong type, or no run to
            evaluate or export.
    """
    own = define_flags()
    try:
        rest = own(list(argv))
    except flags.UnrecognizedFlagError as error:
        raise unknown_flag(error.flagname, list(own)) from error
    except flags.IllegalFlagValueError as error:
        place = str(error).partition(":")[0]  # only switches refuse values
        raise ConfigError(f"command line: {place}, expected true or false.") from error
    except flags.Error as error:
        problem = " ".join(str(error).split())
        raise ConfigError(f"command line: {problem}.") from error
    if own.mode not in MODES:
        hint = nearest(own.mode, MODES)
        raise ConfigError(
            f"--mode is '{own.mode}', expected one of {', '.join(MODES)}.{hint}"
        )
    if own.mode in ("eval", "export") and not own.logdir:
        raise ConfigError(f"--mode {own.mode} needs the --logdir of a run.")
    return Arguments(own, rest[1:])


def unknown_flag(name: str, known: list[str]) -> ConfigError:
    """The error for a flag that does not exist."""
    known = [f"--{flag}" for flag in sorted(known)]
    hint = nearest(f"--{name}", known)
    if "." in name:
        hint = f" Settings have no dashes: {name}=VALUE."
    return ConfigError(
        f"command line: no flag '--{name}'.{hint} Flags: {', '.join(known)}."
    )


def usage(own: flags.FlagValues) -> str:
    """The text of --help."""
    lines = [f"  --{name:<8} {own[name].help}" for name in sorted(own)]
    return "\n".join([__doc__ or "", *lines])


def main(argv: Sequence[str]) -> int:
    """Runs the command line; returns the exit status.

    Raises:
        ConfigError: the command line, a file or a run does not fit.
    """
    arguments = parse(argv)
    asked = arguments.values
    if asked.help:
        print(usage(asked))
        return 0
    if asked.version:
        print(f"dreamerv3_tf {dreamerv3_tf.__version__}")
        return 0
    config = arguments.config()
    check_environment(config)  # bad input ends here, before the slow import
    if asked.mode == "check_env" and not asked.dry_run:
        from dreamerv3_tf.run import check

        return check.check_run(config)
    from dreamerv3_tf.run import launch

    request = arguments.request()
    config = launch.sized(config, request)
    if asked.mode == "explain":
        from dreamerv3_tf.run import explain

        return explain.explain_run(config, request, measure=not asked.dry_run)
    return launch.launch(
        config,
        mode=asked.mode,
        logdir=arguments.logdir(config.task),
        dry_run=asked.dry_run,
        command=list(argv),
    )


def cli() -> None:
    """The console script: one line on stderr and status 2 for bad input."""
    try:
        status = main(sys.argv)
    except ConfigError as error:
        print(f"dreamerv3: {error}", file=sys.stderr)
        status = 2
    except KeyboardInterrupt:
        print("dreamerv3: interrupted", file=sys.stderr)
        status = 128 + signal.SIGINT
    sys.exit(status)


if __name__ == "__main__":
    cli()
