"""The mode `check_env`: is all there that a task needs, and is it fit for training?"""

from __future__ import annotations

import time
from collections.abc import Sequence

from dreamerv3_tf.config import Config
from dreamerv3_tf.envs import Env, EnvError, make_env
from dreamerv3_tf.envs.examination import examine
from dreamerv3_tf.envs.finding import Finding, to_lines
from dreamerv3_tf.envs.hooks import env_facts, env_requirements, prepare_env

STEPS = 200

MORE = 1800
"""Further steps where the environment is fast."""


def check_run(config: Config) -> int:
    """Says in plain words what is there and what is missing; returns the exit status.

    The environment is made, and played at random, only where nothing is missing.
    """
    facts = "".join(
        f"\n  {name}: {text}"
        for name, text in env_facts(config.task, config.env).items()
    )
    print(f"Checking {config.task}.{facts}", flush=True)
    needs = env_requirements(config.task, config.env)
    print_findings(needs, "MISSING")
    if missing := [finding.name for finding in needs if finding.problem]:
        print(f"Missing: {', '.join(missing)}. Nothing was started.")
        return 1
    try:
        findings = play(config)
    except EnvError as error:
        print(f"The environment can't be used: {error}")
        return 1
    print_findings(findings, "PROBLEM")
    problems = sum(finding.problem for finding in findings)
    if problems:
        print(f"{problems} problem(s): training would fail or go wrong.")
        return 1
    notes = sum(not finding.ok for finding in findings)
    aside = f", {notes} note(s) worth knowing" if notes else ""
    print(f"The environment keeps its contract{aside}. All is well.")
    return 0


def print_findings(findings: Sequence[Finding], word: str) -> None:
    """A line for each finding, and what to do where something is not well."""
    for line in to_lines(findings, word):
        print(line)


def play(config: Config) -> list[Finding]:
    """What random steps show about the environment.

    Raises:
        EnvError: it can't be made or played.
    """
    prepare_env(config.task, config.env, lambda text: print(text, flush=True))
    print(f"Making the environment, and taking {STEPS} random steps ...", flush=True)
    start = time.monotonic()

    def make(seed: int) -> Env:
        return make_env(config.task, seed=seed, **config.env)

    stages = len(config.agent.encoder.mults)
    findings = examine(make, steps=STEPS, seed=config.seed, more=MORE, stages=stages)
    print(f"Done in {time.monotonic() - start:.1f} s.")
    return findings
