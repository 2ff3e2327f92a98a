"""Environments: one module per suite, and its name is the name of the suite.

`make_env("dmc_cartpole_balance", seed=0)` imports `envs/dmc.py` and calls its
`make("cartpole_balance", seed=..., index=0)`. To add a suite, add a file, or a folder
with an `__init__.py`, with such a `make`; its annotated keyword arguments are what the
`env:` section may set. No module here imports TensorFlow, and none imports the package
of a suite before `make`. `hooks.py` has what else a suite may say about itself.
"""

from __future__ import annotations

import importlib
import inspect
import pathlib
import typing
from collections.abc import Mapping
from typing import Any

import numpy as np

from dreamerv3_tf import values
from dreamerv3_tf.envs.adapters import adapt
from dreamerv3_tf.envs.base import Env, EnvError
from dreamerv3_tf.envs.examination import check_env
from dreamerv3_tf.envs.wrappers import wrap

__all__ = [
    "Env",
    "EnvError",
    "adapt",
    "check_env",
    "check_settings",
    "env_seed",
    "env_settings",
    "make_env",
    "suite_of",
    "suites",
    "wrap",
]

NOT_SUITES = (
    "adapters",
    "base",
    "check_spaces",
    "contract",
    "examination",
    "finding",
    "foreign",
    "foreign_host",
    "gl",
    "hooks",
    "manual",
    "raytracing",
    "text",
    "verdicts",
    "wrapper",
    "wrappers",
)


def make_env(
    task: str,
    *,
    seed: int,
    index: int = 0,
    evaluation: bool = False,
    logdir: str | None = None,
    **settings,
) -> Env:
    """One environment, wrapped so that it obeys the contract of `base.Env`.

    Args:
        task: `suite_name`, such as `dmc_walker_walk` or `gym_CartPole-v1`; or
            `module:function` of an environment of your own, see `own.py`.
        seed: of the run.
        index: which of the parallel environments; each has a seed of its own.
        evaluation: whether it is for evaluation; told to suites whose `make` has an
            argument of this name, since their protocol makes a difference.
        logdir: folder of the run that trains in it; told likewise to suites that write
            a log of their own.
        **settings: keyword arguments of the suite's `make`.

    Raises:
        EnvError: unknown suite, name or setting, or a package is missing; one line.
    """
    suite, name = suite_of(task)
    settings = check_settings(suite, settings, name)
    make = _module(suite).make
    known = inspect.signature(make).parameters
    told = {"evaluation": evaluation, "logdir": logdir}
    settings |= {key: value for key, value in told.items() if key in known}
    return wrap(make(name, seed=env_seed(seed, index), index=index, **settings))


def env_seed(seed: int, index: int) -> int:
    """Seed of environment `index` of a run, in [0, 2^31)."""
    words = np.random.SeedSequence((seed, index)).generate_state(1)
    return int(words[0] >> 1)


def suites() -> list[str]:
    """Names of all suites."""
    here = pathlib.Path(__file__).parent
    names = {file.stem for file in here.glob("*.py")} - {"__init__"}
    names |= {file.parent.name for file in here.glob("*/__init__.py")}
    return sorted(names - set(NOT_SUITES))


def suite_of(task: str) -> tuple[str, str]:
    """Suite and name of a task: the suite is the longest prefix that is one.

    Raises:
        EnvError: no prefix is a suite.
    """
    known, parts = suites(), values.with_suite(task).split("_")
    for count in range(len(parts), 0, -1):
        suite = "_".join(parts[:count])
        if suite in known:
            return suite, "_".join(parts[count:])
    close = values.nearest(parts[0], known)
    raise EnvError(
        f"Task '{task}': no suite '{parts[0]}'.{close} Expected SUITE_NAME with one of "
        f"the suites {', '.join(known)}, or MODULE:FUNCTION of your own."
    )


def env_settings(suite: str, name: str = "") -> dict[str, inspect.Parameter]:
    """What the `env:` section may set for a suite: types and defaults.

    Imports nothing heavy, so a configuration is checked without the suite's package.

    Args:
        suite: name of the suite.
        name: of the task, for a suite whose settings depend on it; such a suite has a
            function `settings(name)` with the same result as this one.

    Raises:
        EnvError: no such suite.
    """
    if suite not in suites():
        close = values.nearest(suite, suites())
        raise EnvError(f"No suite '{suite}'.{close} Suites: {', '.join(suites())}.")
    module = _module(suite)
    if hasattr(module, "settings"):
        return module.settings(name)
    parameters = inspect.signature(module.make, eval_str=True).parameters
    own = ("name", "seed", "index", "evaluation", "logdir")
    return {key: value for key, value in parameters.items() if key not in own}


def check_settings(
    suite: str, settings: Mapping[str, Any], name: str = ""
) -> dict[str, Any]:
    """The settings with the types that the suite's `make` asks for.

    Args:
        suite: name of the suite.
        settings: the `env:` section.
        name: of the task; see `env_settings`.

    Raises:
        EnvError: an unknown setting or a value of another type; one line.
    """
    known = env_settings(suite, name)
    checked = {}
    for key, value in settings.items():
        if key not in known:
            names = ", ".join(sorted(known)) or "none"
            raise EnvError(
                f"env: no key '{key}' for the suite '{suite}'."
                f"{values.nearest(key, known)} Keys there: {names}."
            )
        checked[key] = _coerce(value, known[key].annotation, f"env.{key} of '{suite}'")
    return checked


def _coerce(value: Any, hint: Any, where: str) -> Any:
    origin, args = typing.get_origin(hint), typing.get_args(hint)
    if origin is Mapping:
        if not isinstance(value, Mapping):
            raise EnvError(f"{where} is {value!r}, expected pairs 'key: value'.")
        return {str(key): values.to_any(item) for key, item in value.items()}
    try:
        result = values.coerce(value, hint, where)
    except values.ConfigError as error:
        raise EnvError(str(error)) from error
    if origin is tuple and Ellipsis not in args and len(result) != len(args):
        raise EnvError(f"{where} is {value!r}, expected {len(args)} entries.")
    return result


def _module(suite: str):
    return importlib.import_module(f"{__name__}.{suite}")
