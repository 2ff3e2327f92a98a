"""The policy of a run as a SavedModel."""

from __future__ import annotations

import importlib
import pathlib
from types import ModuleType

from dreamerv3_tf.agent.agent import Agent
from dreamerv3_tf.config import Config
from dreamerv3_tf.envs.hooks import env_facts
from dreamerv3_tf.record.export import export_policy
from dreamerv3_tf.run import manifest
from dreamerv3_tf.values import ConfigError


def export(
    config: Config,
    agent: Agent,
    logdir: pathlib.Path,
    step: int,
    folder: pathlib.Path | None = None,
) -> pathlib.Path:
    """Writes the policy of a run; see `record/export.py`.

    An earlier export of the same step is replaced.

    Args:
        config: the settings; `export.mode` chooses what the default function does.
        agent: with the weights to export.
        logdir: folder of the run.
        step: agent steps of these weights.
        folder: to be made; by default `<logdir>/export/<step>`.

    Returns:
        The folder of the SavedModel.

    Raises:
        OSError: it cannot be written, or something else is there.
    """
    facts = {
        "task": config.task,
        "env": config.env,
        **env_facts(config.task, config.env),
        "size": config.size,
        "agent_steps": step,
        "train_steps": int(agent.updater.inner.iterations),
        "packages": manifest.versions(),
        "git": manifest.git_state(),
    }
    return export_policy(
        agent,
        folder or logdir / "export" / str(step),
        mode=config.export.mode,
        seed=config.seed,
        facts=facts,
    )


def export_tf_agents(
    config: Config,
    agent: Agent,
    logdir: pathlib.Path,
    step: int,
    folder: pathlib.Path | None = None,
) -> pathlib.Path:
    """Writes the policy as TF-Agents does; see `tf_policy.py`.

    Args:
        config: the settings; `export.mode` chooses what `action` does.
        agent: with the weights to export.
        logdir: folder of the run.
        step: agent steps of these weights.
        folder: to be made; by default `<logdir>/export/<step>-tf_agents`. An earlier
            policy there is replaced.

    Returns:
        The folder.

    Raises:
        ConfigError: tf-agents is not installed.
        OSError: it cannot be written, or something else is there.
    """
    module = require_tf_agents()
    policy = module.Policy(agent, mode=config.export.mode, seed=config.seed)
    target = folder or logdir / "export" / f"{step}-tf_agents"
    return module.save_policy(policy, target, step)


def require_tf_agents() -> ModuleType:
    """The module `tf_policy`.

    Raises:
        ConfigError: tf-agents is not installed.
    """
    try:
        return importlib.import_module("dreamerv3_tf.run.tf_policy")
    except ModuleNotFoundError as error:
        raise ConfigError(
            f"The package '{error.name}' is missing, which policies of TF-Agents need. "
            "It exists for Python 3.11 and older: pip install 'tf-agents>=0.19,<0.20' "
            "there."
        ) from error
