"""The policy of a run as a SavedModel."""

from __future__ import annotations

import pathlib

from dreamerv3_tf.agent.agent import Agent
from dreamerv3_tf.config import Config
from dreamerv3_tf.envs.hooks import env_facts
from dreamerv3_tf.record.export import export_policy
from dreamerv3_tf.run import manifest


def export(
    config: Config, agent: Agent, logdir: pathlib.Path, step: int
) -> pathlib.Path:
    """Writes the policy into `<logdir>/export/<step>`; see `record/export.py`.

    An earlier export of the same step is replaced.

    Args:
        config: the settings; `export.mode` chooses what the default function does.
        agent: with the weights to export.
        logdir: folder of the run.
        step: agent steps of these weights.

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
        logdir / "export" / str(step),
        mode=config.export.mode,
        seed=config.seed,
        facts=facts,
    )
