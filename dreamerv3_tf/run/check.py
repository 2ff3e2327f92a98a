"""The mode `check_env`: is all there that a task needs, and is its contract kept?"""

from __future__ import annotations

import textwrap
import time
from collections.abc import Sequence

from dreamerv3_tf.config import Config
from dreamerv3_tf.envs import EnvError, make_env
from dreamerv3_tf.envs.contract import find_problems
from dreamerv3_tf.envs.hooks import Finding, env_facts, env_requirements, prepare_env

STEPS = 200


def check_run(config: Config) -> int:
    """Says in plain words what is there and what is missing; returns the exit status.

    The environment is made, and played at random, only where nothing is missing.
    """
    facts = "".join(
        f"\n  {name}: {text}"
        for name, text in env_facts(config.task, config.env).items()
    )
    print(f"Checking {config.task}.{facts}", flush=True)
    findings = env_requirements(config.task, config.env)
    print_findings(findings)
    missing = [
        finding.name for finding in findings if finding.needed and not finding.ok
    ]
    if missing:
        print(f"Missing: {', '.join(missing)}. Nothing was started.")
        return 1
    try:
        problems = play(config)
    except EnvError as error:
        print(f"The environment can't be used: {error}")
        return 1
    for number, text in enumerate(problems, 1):
        print(f"  {number}. {text}")
    if problems:
        print(f"The environment breaks its contract in {len(problems)} way(s).")
        return 1
    print("The environment keeps its contract. All is well.")
    return 0


def print_findings(findings: Sequence[Finding]) -> None:
    """A line for each finding, and what to do where something is not there."""
    for finding in findings:
        mark = "ok" if finding.ok else "MISSING" if finding.needed else "note"
        print(f"  {mark:<8} {finding.name}: {finding.found}")
        if not finding.ok and finding.advice:
            print(textwrap.indent(textwrap.fill(finding.advice, 75), " " * 11))


def play(config: Config) -> list[str]:
    """What is wrong with the environment, from a few random steps.

    Raises:
        EnvError: it can't be made or played.
    """
    prepare_env(config.task, config.env, lambda text: print(text, flush=True))
    print("Making the environment ...", flush=True)
    start = time.monotonic()
    env = make_env(config.task, seed=config.seed, **config.env)
    try:
        print(f"Taking {STEPS} random steps ...", flush=True)
        problems = find_problems(env, steps=STEPS, seed=config.seed)
    finally:
        env.close()
    print(f"Done in {time.monotonic() - start:.1f} s.")
    return problems
