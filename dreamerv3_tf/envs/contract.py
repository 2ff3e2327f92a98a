"""Whether an environment keeps the contract of `base.Env`, in plain sentences."""

from __future__ import annotations

import hashlib
import time
from collections.abc import Callable, Mapping

import numpy as np

from dreamerv3_tf.envs.base import (
    RESERVED,
    Env,
    EnvError,
    Obs,
    random_action,
    signal_spaces,
)
from dreamerv3_tf.spaces import Space, find_masks
from dreamerv3_tf.structs import FLAGS, SIGNALS

DTYPES = ("float32", "int32", "uint8", "bool")
"""What `wrappers.UnifyDtypes` leaves over."""


def find_problems(env: Env, *, steps: int = 200, seed: int = 0) -> list[str]:
    """Checks an environment against the contract with random actions.

    Args:
        env: a fresh environment; it is left in the middle of an episode.
        steps: number of steps to try, over as many episodes as they fill.
        seed: of the random actions.

    Returns:
        Sentences that say what was found, what was expected and what to change; none
        when all is well.
    """
    if findings := space_problems(env):
        return findings  # stepping would only repeat them
    walk = Walk(env, np.random.default_rng(seed))
    walk.go(steps)
    return walk.findings


def space_problems(env: Env) -> list[str]:
    """What is wrong with the spaces of `env`, as sentences."""
    if found := _type_problems(env):
        return found
    for key, expected in signal_spaces().items():
        space = env.obs_space.get(key)
        if space is None or (space.dtype, space.shape) != (expected.dtype, ()):
            found.append(
                f"obs_space['{key}'] is {space}; expected a scalar of dtype "
                f"{expected.dtype}. envs.base.signal_spaces() gives all four."
            )
    if not [key for key in env.obs_space if _is_input(key)]:
        found.append(
            "obs_space has nothing for the agent to see; expected at least one key "
            "besides the reward, the flags and log/ keys."
        )
    for key in sorted(set(env.obs_space) & set(env.act_space)):
        found.append(
            f"'{key}' is both an observation and an action; rename one of them, "
            "replay stores both side by side."
        )
    try:
        find_masks(env.obs_space, env.act_space)
    except ValueError as error:
        found.append(str(error))
    for key in sorted(set(env.obs_space) | set(env.act_space)):
        found.extend(_name_problems(key, key in env.act_space))
    for key, space in {**env.obs_space, **env.act_space}.items():
        found.extend(_space_problems(key, space))
    found.extend(_bound_problems(env))
    return found


def _type_problems(env: Env) -> list[str]:
    found = []
    for name in ("obs_space", "act_space"):
        spaces = getattr(env, name, None)
        if not isinstance(spaces, Mapping) or not spaces:
            found.append(
                f"{name} is {spaces!r}; expected a dict with a Space for each key."
            )
        elif wrong := [key for key, s in spaces.items() if not isinstance(s, Space)]:
            found.append(
                f"{name} has values that are no Space: {', '.join(map(str, wrong))}; "
                "use dreamerv3_tf.spaces.Space."
            )
    return found


def _is_input(key: str) -> bool:
    return key not in SIGNALS and not key.startswith("log/")


def _name_problems(key: str, is_action: bool) -> list[str]:
    if key in RESERVED:
        return [f"The key '{key}' belongs to replay; give it another name."]
    if is_action and not _is_input(key):
        return [f"The action key '{key}' means something else in observations; rename."]
    if "/" in key and not key.startswith("log/"):
        return [f"The key '{key}' has a slash, which only log/ keys may; use '_'."]
    return []


def _bound_problems(env: Env) -> list[str]:
    return [
        f"The action '{key}' has a bound on one side only; give it both, or none: "
        "agents act from -1 to 1, which is scaled to both bounds."
        for key, space in env.act_space.items()
        if (np.isfinite(space.low) != np.isfinite(space.high)).any()
    ]


def _space_problems(key: str, space: Space) -> list[str]:
    found = []
    if space.dtype.name not in DTYPES:
        found.append(
            f"'{key}' has dtype {space.dtype}; expected one of {', '.join(DTYPES)}. "
            "Wrap the environment in UnifyDtypes."
        )
    low = np.asarray(space.low)
    if space.discrete and (low != 0).any():
        found.append(
            f"'{key}' is discrete and starts at {low.min()}; expected classes "
            "that count from 0, so subtract the start."
        )
    return found


class Walk:
    """Walks through episodes with random actions, and notes each finding once.

    Attributes:
        findings: sentences, as of `find_problems`.
        trace: for each observation of a reset or step, the bytes of all but log/ keys,
            as a digest.
        rewards: of each step.
        lengths: steps of each episode that is over; `ends` has whether it was terminal.
        infinite: keys of which some value was infinite.
        step_seconds: what the environment took for its steps, each.
        reset_seconds: the same for resets.
    """

    def __init__(self, env: Env, rng: np.random.Generator):
        self.env = env
        self.rng = rng
        self.findings: list[str] = []
        self.seen: set[str] = set()
        self.kept: list[tuple[str, np.ndarray, np.ndarray]] = []
        self.trace: list[bytes] = []
        self.rewards: list[float] = []
        self.lengths: list[int] = []
        self.ends: list[bool] = []
        self.infinite: set[str] = set()
        self.step_seconds: list[float] = []
        self.reset_seconds: list[float] = []
        self.obs: Obs | None = None
        self.count = 0
        self.length = 0

    def note(self, topic: str, text: str) -> None:
        if topic not in self.seen:
            self.seen.add(topic)
            self.findings.append(text)

    def go(self, steps: int) -> None:
        """Walks on, until `steps` steps or resets in the middle are done in all."""
        if not self.trace and not self.seen:
            self.obs = self.reset()
        while self.obs is not None and self.count < steps:
            self.count += 1
            over = bool(self.obs.get("is_last", False))
            if over:
                self.step_after_last()
            self.obs = self.reset() if over else self.step()

    def reset(self) -> Obs | None:
        obs = self.call("reset()", self.env.reset)
        self.length = 0
        return obs

    def step(self) -> Obs | None:
        assert self.obs is not None
        action = random_action(self.env.act_space, self.obs, self.rng)
        before = {key: value.copy() for key, value in action.items()}
        obs = self.call(f"step() number {self.count}", self.env.step, action)
        for key in action:
            if not np.array_equal(action[key], before[key], equal_nan=True):
                self.note(
                    f"action {key}",
                    f"step() changed the action '{key}' that it was given; it "
                    "belongs to the caller, so work on a copy.",
                )
        if obs is not None:
            self.rewards.append(float(np.sum(obs.get("reward", 0))))
            self.length += 1
            if np.any(obs.get("is_last", False)):
                self.lengths.append(self.length)
                self.ends.append(bool(np.any(obs.get("is_terminal", False))))
        return obs

    def call(self, where: str, function: Callable[..., Obs], *args) -> Obs | None:
        start = time.perf_counter()
        try:
            obs = function(*args)
        except EnvError as error:  # says itself what is wrong
            self.note("raise", f"{where}: {error}")
            return None
        except Exception as error:  # noqa: BLE001  (reported, and the walk ends)
            text = f"{type(error).__name__}: {error}"
            self.note("raise", f"{where} raised {text}; expected an observation.")
            return None
        seconds = self.reset_seconds if where == "reset()" else self.step_seconds
        seconds.append(time.perf_counter() - start)
        if not isinstance(obs, Mapping):
            self.note(
                "type",
                f"{where} returned a {type(obs).__name__}; expected a dict of arrays "
                "(reward and flags are entries of it).",
            )
            return None
        self.check_keys(where, obs)
        self.check_values(where, obs)
        self.check_flags(where, obs, first=where == "reset()")
        self.check_kept(where, obs)
        self.remember(obs)
        return dict(obs)

    def remember(self, obs: Mapping) -> None:
        digest = hashlib.blake2b(digest_size=16)
        for key in sorted(obs):
            value = np.asarray(obs[key])
            if not key.startswith("log/") and value.dtype != object:
                digest.update(key.encode() + value.tobytes())
            if value.dtype.kind == "f" and np.isinf(value).any():
                self.infinite.add(key)
        self.trace.append(digest.digest())

    def check_keys(self, where: str, obs: Mapping) -> None:
        for key in sorted(set(self.env.obs_space) - set(obs)):
            self.note(f"missing {key}", f"{where} left out '{key}' of obs_space.")
        for key in sorted(set(obs) - set(self.env.obs_space)):
            self.note(
                f"extra {key}",
                f"{where} returned '{key}', which obs_space doesn't have; add it "
                "there, or drop it.",
            )

    def check_values(self, where: str, obs: Mapping) -> None:
        for key, space in self.env.obs_space.items():
            if key not in obs:
                continue
            if not isinstance(obs[key], np.ndarray | np.generic):
                kind = type(obs[key]).__name__
                self.note(
                    f"value {key}",
                    f"'{key}' of {where} is a Python {kind}; expected a numpy array "
                    f"of dtype {space.dtype} and shape {space.shape}.",
                )
            elif problem := space.problem(obs[key]):
                self.note(
                    f"value {key}",
                    f"'{key}' of {where} doesn't fit its space: {problem}. Change the "
                    "value or obs_space.",
                )

    def check_flags(self, where: str, obs: Mapping, first: bool) -> None:
        flag = {key: bool(np.any(obs.get(key, False))) for key in FLAGS}
        if flag["is_first"] != first:
            self.note(
                f"first {first}",
                f"is_first is {flag['is_first']} after {where}; expected {first}: it "
                "marks the observation of a reset and no other.",
            )
        if flag["is_terminal"] and not flag["is_last"]:
            self.note(
                "terminal",
                f"is_terminal is set without is_last after {where}; an episode that "
                "ended for good is also over: set both. A time limit sets is_last "
                "alone.",
            )
        if first and flag["is_last"]:
            self.note(
                "empty", "reset() returned is_last; expected room for one step at least"
            )
        if first and np.any(obs.get("reward", 0) != 0):
            self.note(
                "reward",
                f"reset() returned reward {obs['reward']}; expected 0, no action was "
                "taken yet.",
            )

    def check_kept(self, where: str, obs: Mapping) -> None:
        for key, array, copy in self.kept:
            if not np.array_equal(array, copy, equal_nan=copy.dtype.kind == "f"):
                self.note(
                    f"kept {key}",
                    f"{where} changed the array '{key}' that an earlier call had "
                    "returned; return a new array or a copy each time.",
                )
        arrays = [(k, v) for k, v in obs.items() if isinstance(v, np.ndarray)]
        self.kept = [(key, value, value.copy()) for key, value in arrays]

    def step_after_last(self) -> None:
        # A forbidden action would be refused, and hide that this step is not.
        action = random_action(self.env.act_space, self.obs or {}, self.rng)
        try:
            self.env.step(action)
        except Exception:  # noqa: BLE001  (an error of any kind is what we ask for)
            return
        self.note(
            "after last",
            "step() after is_last returned as if nothing had happened; expected an "
            "error, for the caller forgot reset(). The wrapper CheckSpaces raises it.",
        )
