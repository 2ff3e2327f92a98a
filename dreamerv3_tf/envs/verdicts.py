"""What a walk through an environment says about it, beyond the contract."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from dreamerv3_tf.envs.base import Env, EnvError
from dreamerv3_tf.envs.contract import Walk
from dreamerv3_tf.envs.finding import Finding
from dreamerv3_tf.spaces import Space, find_masks, image_size, split_inputs
from dreamerv3_tf.structs import SIGNALS

SLOW = 100
"""Steps per second below which an environment is called slow."""

WIDE = 20_000
"""Width of all vectors together above which it is worth knowing."""

HUGE = 1e4
"""Size of a reward above which it is worth knowing."""


def in_words(spaces: Mapping[str, Space]) -> str:
    """Entries of observations or actions without the signals, on one line."""
    keys = (key for key in spaces if key not in SIGNALS and not key.startswith("log/"))
    return ", ".join(f"{key} {_in_words(spaces[key])}" for key in keys)


def _in_words(space: Space) -> str:
    shape = " × ".join(map(str, space.shape))
    if space.image:
        return f"(picture {shape})"
    if not space.discrete:
        return f"({shape or '1'})"
    counts = sorted(set(space.classes))
    classes = f"{counts[0]}" if len(counts) == 1 else f"{counts[0]} to {counts[-1]}"
    return f"({shape + ', ' if shape else ''}{classes} classes)"


def network(env: Env, stages: int) -> list[Finding]:
    """Whether the encoder can read the observations."""
    logs = [key for key in env.obs_space if key.startswith("log/")]
    inputs = {k: s for k, s in env.obs_space.items() if k not in (*SIGNALS, *logs)}
    try:
        vectors, images = split_inputs(inputs)
        if images:
            image_size(images, stages)
    except ValueError as error:
        return [Finding("networks", False, str(error))]
    masks = len(find_masks(inputs, env.act_space))
    width = sum(_width(space) for space in vectors.values())
    parts = [
        f"{len(images)} image(s)" if images else "",
        f"{len(vectors)} vector(s), {width:,} wide together" if vectors else "",
        f"{masks} action mask(s)" if masks else "",
        f"{len(logs)} log/ entries that the agent does not see" if logs else "",
    ]
    found = "; ".join(part for part in parts if part)
    advice = (
        "The first layer grows with it. Where most of it is a grid, show it as a "
        "picture; drop what the agent does not need."
    )
    return [Finding("networks", width <= WIDE, found, advice, needed=False)]


def _width(space: Space) -> int:
    return sum(space.classes) if space.discrete else space.size


def finite(walk: Walk) -> list[Finding]:
    """Infinite values, which no network survives."""
    return [
        Finding(
            "values",
            False,
            f"'{key}' was infinite.",
            "Give a large finite number instead; a single infinite value makes every "
            "weight NaN.",
        )
        for key in sorted(walk.infinite)
    ]


def reward(walk: Walk) -> Finding:
    """Whether there is a reward, and of which size."""
    rewards = np.asarray([r for r in walk.rewards if np.isfinite(r)] or [0.0])
    low, high = rewards.min(), rewards.max()
    if low == high == 0:
        return Finding(
            "reward",
            False,
            f"0 in all of {len(rewards):,} random steps",
            "Fine where success is rare; else see whether step() returns it.",
            needed=False,
        )
    found = f"{low:.3g} to {high:.3g}, {rewards.mean():.3g} a step on average"
    return Finding(
        "reward",
        max(-low, high) <= HUGE,
        found,
        "Rewards of any size are learned, but such differences only coarsely; divide "
        "them by a constant.",
        needed=False,
    )


def episode(walk: Walk) -> Finding:
    """Whether episodes end."""
    lengths = walk.lengths
    if not lengths:
        return Finding(
            "episodes",
            False,
            f"none ended within {walk.count:,} random steps",
            "Fine where they are long. Scores come at the end of episodes, so one that "
            "never ends needs a limit: env.length=1000, where the suite has it.",
            needed=False,
        )
    low, high = min(lengths), max(lengths)
    steps = f"{low:,}" if low == high else f"{low:,} to {high:,}"
    kinds = {True: "all terminal", False: f"{sum(walk.ends)} terminal"}
    found = f"{len(lengths)} of {steps} steps, {kinds[all(walk.ends)]}"
    return Finding("episodes", True, found)


def speed(walk: Walk) -> Finding:
    """How fast the environment steps by itself."""
    steps, resets = np.asarray(walk.step_seconds), np.asarray(walk.reset_seconds)
    rate = len(steps) / max(steps.sum(), 1e-9)
    found = f"{rate:,.0f} steps per second, {_duration(resets.mean())} for a reset"
    advice = (
        "Training waits for the environment where it takes more time than the agent; "
        "run.envs=8 or more lets processes share the work."
    )
    return Finding("speed", rate >= SLOW, found, advice, needed=False)


def _duration(seconds: float) -> str:
    return f"{seconds * 1000:.1f} ms" if seconds < 1 else f"{seconds:.1f} s"


def picture(env: Env) -> Finding:
    """Whether there are pictures for videos."""
    advice = "There will be no videos of its episodes."
    try:
        picture = env.render()
    except EnvError as error:
        return Finding("picture", False, str(error), advice, needed=False)
    except Exception as error:  # noqa: BLE001  (reported, whatever it is)
        text = f"render() raised {type(error).__name__}: {error}."
        return Finding("picture", False, text, "Raise EnvError where there is none.")
    dtype, shape = getattr(picture, "dtype", None), np.shape(picture)
    if dtype != np.uint8 or len(shape) != 3 or shape[2] != 3:
        return Finding(
            "picture",
            False,
            f"render() returned {type(picture).__name__} of dtype {dtype} and shape "
            f"{shape}; expected uint8 [height, width, 3].",
        )
    return Finding("picture", True, f"{shape[0]} × {shape[1]} pixels")
