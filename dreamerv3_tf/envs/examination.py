"""Whether an environment is fit for training: the contract, and what lies beyond it.

The contract (`contract.py`) is what the program relies on. Beyond it lie seeds, and
what `verdicts.py` looks at: what is wrong there makes runs slow, hard to repeat or
hopeless, and mostly is only worth knowing.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np

from dreamerv3_tf.envs import verdicts
from dreamerv3_tf.envs.adapters import adapt, is_env
from dreamerv3_tf.envs.base import Env, EnvError
from dreamerv3_tf.envs.contract import Walk, space_problems
from dreamerv3_tf.envs.finding import Finding, to_lines
from dreamerv3_tf.envs.wrapper import Wrapper
from dreamerv3_tf.envs.wrappers import wrap

STAGES = 4
"""Times that the encoder of all presets halves an image."""

SECONDS = 3.0
"""How long it may take to play on, beyond the steps that must be."""

OTHERS = 4
"""Other seeds to try until one gives another episode."""

PATIENCE = 30.0
"""Seconds until which it is tried again with other seeds."""

Make = Callable[[int], Env]
"""Makes a fresh environment, given a seed."""


class Report(NamedTuple):
    """What `check_env` found; printed, it is a line for each finding."""

    findings: list[Finding]

    @property
    def problems(self) -> list[Finding]:
        """What has to change."""
        return [finding for finding in self.findings if finding.problem]

    def __str__(self) -> str:
        return "\n".join(to_lines(self.findings))

    __repr__ = __str__


def check_env(env: Any, *, steps: int = 200, seed: int = 0) -> Report:
    """Checks an environment with random actions.

    Args:
        env: a fresh environment of ours, gymnasium, dm_env or TF-Agents; it is left in
            the middle of an episode. Or a function or class that makes one, with or
            without an argument `seed`; it is called several times, so seeds are checked
            too.
        steps: number of steps to try, over as many episodes as they fill.
        seed: of the environment and the random actions.

    Returns:
        All that was looked at, with what is worth knowing.

    Raises:
        EnvError: something has to change; the text lists all of it, with what was
            found, what was expected and what to change.
    """
    single = is_env(env)
    name = type(env).__name__ if single else getattr(env, "__name__", str(env))

    def make(seed: int) -> Env:
        return ready(env if single else create(env, seed), seed)

    report = Report(examine(make, steps=steps, seed=seed, again=not single))
    if report.problems:
        lines = "".join(
            f"\n  {n}. {finding.found} {finding.advice}".rstrip()
            for n, finding in enumerate(report.problems, 1)
        )
        raise EnvError(
            f"{name} breaks the environment contract in {len(report.problems)} way(s):"
            f"{lines}"
        )
    return report


def create(function: Callable[..., Any], seed: int) -> Any:
    """What a function or class makes, with the seed where it takes one."""
    from dreamerv3_tf.envs.own import seeded

    return function(**seeded(function, seed))


def ready(env: Any, seed: int) -> Env:
    """An environment of another library as the agent sees it; one of ours as it is."""
    adapted = adapt(env, seed)
    return adapted if adapted is env else wrap(adapted)


def examine(
    make: Make,
    *,
    steps: int = 200,
    seed: int = 0,
    more: int = 0,
    stages: int = STAGES,
    again: bool = True,
) -> list[Finding]:
    """All that was looked at; where the contract is broken, only that.

    Args:
        make: makes an environment; each is closed again, unless it is the only one.
        steps: number of steps to try.
        seed: of the environment and the random actions.
        more: number of further steps where they take no longer than `SECONDS`.
        stages: times that the encoder halves an image.
        again: whether `make` gives a fresh environment at each call.

    Raises:
        EnvError: it can't be made.
    """
    start = time.perf_counter()
    env = make(seed)
    try:
        if problems := space_problems(env):
            return [Finding("contract", False, text) for text in problems]
        walk = Walk(env, np.random.default_rng(seed))
        walk.go(steps)
        if walk.findings:
            return [Finding("contract", False, text) for text in walk.findings]
        deadline = time.perf_counter() + SECONDS
        while walk.count < steps + more and time.perf_counter() < deadline:
            walk.go(walk.count + 20)
        findings = [
            Finding("contract", True, f"kept over {walk.count:,} random steps"),
            Finding("sees", True, verdicts.in_words(env.obs_space)),
            Finding("does", True, verdicts.in_words(env.act_space)),
            *own_findings(env),
            *verdicts.network(env, stages),
            *verdicts.finite(walk),
            verdicts.reward(walk),
            verdicts.episode(walk),
            verdicts.speed(walk),
            verdicts.picture(env),
        ]
    finally:
        if again:
            env.close()
    took = time.perf_counter() - start
    return [*findings, *seed_findings(make, walk, steps, seed, took, again)]


def own_findings(env: Env) -> list[Finding]:
    """What the adapter of an environment of another library has to say."""
    while isinstance(env, Wrapper):
        env = env.env
    findings = getattr(env, "findings", None)
    return findings() if findings else []


def seed_findings(
    make: Make, walk: Walk, steps: int, seed: int, took: float, again: bool
) -> list[Finding]:
    """Whether seeds decide everything, and environments leave each other alone.

    Args:
        make: makes an environment.
        walk: of an environment of this seed that was alone.
        steps: number of steps to compare.
        seed: of `walk`.
        took: seconds that making and playing it took.
        again: whether `make` gives a fresh environment at each call.
    """
    if not again:
        text = "not tried, for there is one environment only"
        advice = "Give the function that makes it, and seeds are checked too."
        return [Finding("seeds", False, text, advice, needed=False)]
    if took > PATIENCE:
        text = f"not tried, for one environment took {took:.0f} s already"
        return [Finding("seeds", False, text, needed=False)]
    count = min(steps, 100)
    want = walk.trace[: count + 1]
    same = _trace(make, seed, seed, count)
    if same != want:
        where = _differs(same, want)
        return [
            Finding(
                "seeds",
                False,
                f"the same seed and actions gave another episode, from step {where} on",
                "Draw all random numbers from a generator that is seeded with the "
                "seed of the environment (gymnasium: self.np_random after "
                "super().reset(seed=seed)); let the function that makes it have an "
                "argument `seed` where reset() takes none. Runs can't be repeated "
                "otherwise.",
                needed=False,
            )
        ]
    findings = [Finding("seeds", True, "same seed, same episode; other seed, another")]
    # Several, for two seeds may begin alike by chance.
    others = (_trace(make, seed + step, seed, count) for step in range(1, 1 + OTHERS))
    if all(other == want for other in others):
        findings = [
            Finding(
                "seeds",
                False,
                f"{OTHERS} other seeds gave the same episode",
                "Fine where nothing is random; else the seed is not used.",
                needed=False,
            )
        ]
    return [*findings, independence_finding(make, want, seed)]


def _trace(make: Make, seed: int, actions: int, count: int) -> list[bytes]:
    env = make(seed)
    try:
        walk = Walk(env, np.random.default_rng(actions))
        walk.go(count)
        return walk.trace
    finally:
        env.close()


def _differs(one: list[bytes], other: list[bytes]) -> int:
    pairs = enumerate(zip(one, other, strict=False))
    return next((i for i, (a, b) in pairs if a != b), min(len(one), len(other)))


def independence_finding(make: Make, want: list[bytes], seed: int) -> Finding:
    """Whether an environment is the same while another one is played beside it."""
    envs: list[Env] = []
    try:
        envs = [make(seed)]
        envs.append(make(seed + 1))
    except EnvError as error:
        for env in envs:
            env.close()
        text = f"a second one in this process can't be made: {error}"
        return Finding("independence", False, text, needed=False)
    walks = [Walk(env, np.random.default_rng(seed + i)) for i, env in enumerate(envs)]
    for step in range(len(want)):
        for walk in walks:
            walk.go(step)
    for env in envs:
        env.close()
    return Finding(
        "independence",
        walks[0].trace == want,
        "two in one process leave each other alone"
        if walks[0].trace == want
        else "two in one process disturb each other",
        "They share something that changes: np.random, a variable of the module or "
        "the class. Processes (run.parallel=process) keep them apart.",
        needed=False,
    )
