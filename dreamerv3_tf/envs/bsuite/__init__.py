"""The Behaviour Suite for Reinforcement Learning (Osband et al. 2020).

468 small configurations of 23 experiments, `bsuite_catch/0`; a bare `bsuite_catch` is
configuration 0. The suite scores *all* episodes of a training, from the first one on,
so a run has one environment, ends by itself after the suite's number of episodes, and
writes the suite's own log, `LOGDIR/bsuite/bsuite_id_-_catch-0.csv`.
`tools/bsuite_sweep.py` runs many of them and computes the scores.
"""

from __future__ import annotations

import inspect
import pathlib
from collections.abc import Mapping
from types import ModuleType
from typing import Any

from dreamerv3_tf import values
from dreamerv3_tf.envs.base import Env, EnvError, require
from dreamerv3_tf.envs.bsuite import mnist, state
from dreamerv3_tf.envs.bsuite.log import Log
from dreamerv3_tf.envs.bsuite.task import Behaviour
from dreamerv3_tf.values import Natural

INSTALL = "bsuite"


def make(
    name: str,
    *,
    seed: int,
    index: int = 0,
    episodes: Natural = 0,
    mnist_dir: str = "",
    logdir: str | None = None,
) -> Env:
    """One configuration of the suite.

    Args:
        name: `EXPERIMENT/NUMBER`; without a number it is 0.
        seed: of what the suite leaves to chance; many configurations bring a seed.
        index: must be 0.
        episodes: after which a run ends; 0 takes the suite's own number, the only one
            that gives scores of the suite.
        mnist_dir: folder with the training files of MNIST, for the mnist experiments.
        logdir: folder of the run, for the suite's log; none writes no log.

    Raises:
        EnvError: unknown configuration, a second environment, or the package or the
            files of MNIST are missing.
    """
    if index:
        raise EnvError(
            "The suite 'bsuite' scores the episodes of one environment, in their "
            "order; set run.envs=1 and run.eval_envs=1."
        )
    del episodes  # see the hook of that name
    load_package()
    identity = full_name(name)
    path = None if logdir is None else log_path(identity, pathlib.Path(logdir))
    return Behaviour(load_env(identity, seed, mnist_dir), Log(path))


def episodes(name: str, settings: Mapping[str, Any]) -> int:
    """Episodes of a complete run; see `hooks.env_episodes`.

    Raises:
        EnvError: unknown configuration, or the package is missing.
    """
    load_package()
    sweep = require("bsuite.sweep", INSTALL)
    return settings.get("episodes") or sweep.EPISODES[full_name(name)]


def parallel(settings: Mapping[str, Any]) -> str:
    """How environments run side by side; see `hooks.env_parallel`."""
    del settings
    return "none"


def facts(settings: Mapping[str, Any]) -> dict[str, str]:
    """What must stand beside every score; see `hooks.env_facts`."""
    if count := settings.get("episodes"):
        return {"note": f"{count:,} episodes, so these are no scores of BSuite"}
    return {}


def load_package() -> ModuleType:
    """The package.

    Raises:
        EnvError: it is missing.
    """
    return require("bsuite", INSTALL)


def full_name(name: str) -> str:
    """Identity of a configuration, with its number.

    Raises:
        EnvError: the suite has no such configuration.
    """
    known = require("bsuite.sweep", INSTALL).SETTINGS
    identity = name if "/" in name else f"{name}/0"
    if identity in known:
        return identity
    experiment = identity.partition("/")[0]
    counts: dict[str, int] = {}
    for other in known:
        other = other.partition("/")[0]
        counts[other] = counts.get(other, 0) + 1
    if experiment in counts:
        raise EnvError(
            f"Task 'bsuite_{name}': expected bsuite_{experiment}/0 to "
            f"bsuite_{experiment}/{counts[experiment] - 1}."
        )
    raise EnvError(
        f"Task 'bsuite_{name}': the suite has no '{experiment}'."
        f"{values.nearest(experiment, counts)} Experiments: {', '.join(counts)}."
    )


def load_env(identity: str, seed: int, mnist_dir: str = "") -> Any:
    """The suite's own environment, with seeds where it leaves them to chance.

    The package seeds those from the system's noise, which no run can repeat. Seeds that
    belong to a configuration stay.

    Raises:
        EnvError: the files of MNIST are not in `mnist_dir`.
    """
    package = require("bsuite.bsuite", INSTALL)
    settings = require("bsuite.sweep", INSTALL).SETTINGS[identity]
    experiment = identity.partition("/")[0]
    load = package.EXPERIMENT_NAME_TO_ENVIRONMENT[experiment]
    if experiment.startswith("mnist"):
        with mnist.provided(identity, mnist_dir):
            env = load(**settings)
    else:
        env = load(**settings)
    parameter = inspect.signature(load).parameters.get("seed")
    preset = parameter.default if parameter else None
    missing = None if preset is inspect.Parameter.empty else preset
    if settings.get("seed", missing) is None:
        state.reseed(env, seed)
    return env


def log_path(identity: str, logdir: pathlib.Path) -> pathlib.Path:
    """Where the log of a configuration lies; the suite finds it by this name."""
    names = require("bsuite.logging.csv_logging", INSTALL)
    file = identity.replace("/", names.SAFE_SEPARATOR)
    return logdir / "bsuite" / f"{names.BSUITE_PREFIX}{file}.csv"
