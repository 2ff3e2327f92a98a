"""The 30 levels of DMLab-30, and which of them is played when."""

from __future__ import annotations

from dreamerv3_tf import values
from dreamerv3_tf.envs.base import EnvError

FOLDER = "contributed/dmlab30/"
"""Where the levels are among the engine's scripts."""

LEVELS = (
    "explore_goal_locations_large",
    "explore_goal_locations_small",
    "explore_object_locations_large",
    "explore_object_locations_small",
    "explore_object_rewards_few",
    "explore_object_rewards_many",
    "explore_obstructed_goals_large",
    "explore_obstructed_goals_small",
    "language_answer_quantitative_question",
    "language_execute_random_task",
    "language_select_described_object",
    "language_select_located_object",
    "lasertag_one_opponent_large",
    "lasertag_one_opponent_small",
    "lasertag_three_opponents_large",
    "lasertag_three_opponents_small",
    "natlab_fixed_large_map",
    "natlab_varying_map_randomized",
    "natlab_varying_map_regrowth",
    "psychlab_arbitrary_visuomotor_mapping",
    "psychlab_continuous_recognition",
    "psychlab_sequential_comparison",
    "psychlab_visual_search",
    "rooms_collect_good_objects_test",
    "rooms_exploit_deferred_effects_test",
    "rooms_keys_doors_puzzle",
    "rooms_select_nonmatching_object",
    "rooms_watermaze",
    "skymaze_irreversible_path_hard",
    "skymaze_irreversible_path_varied",
)
"""Names as in the published tables; two of them have a variant for training."""

TEST, TRAIN = "_test", "_train"
HOLD_OUT = {"allowHoldOutLevels": "true", "mixerSeed": str(0x600D5EED)}
"""Settings of the engine for levels that training never draws."""


def find_level(name: str, held_out: bool) -> tuple[str, dict[str, str]]:
    """Path of the script that is played, and settings of the engine that go with it.

    Levels ending in `_test` are trained on as `_train`. Where `held_out` is set, the
    test levels themselves are played, and what the others hold out.

    Args:
        name: of a level, or of the training variant of one.
        held_out: whether to play what training never shows.

    Raises:
        EnvError: there is no such level.
    """
    known = {*LEVELS, *(_trained(level) for level in LEVELS)}
    if name not in known:
        raise EnvError(
            f"Task 'dmlab_{name}': DMLab-30 has no level '{name}'."
            f"{values.nearest(name, LEVELS)} Levels: {', '.join(LEVELS)}."
        )
    if held_out:
        return FOLDER + name, dict(HOLD_OUT)
    return FOLDER + _trained(name), {}


def has_instructions(name: str) -> bool:
    """Whether a level tells the agent what to do, in words."""
    return name.startswith("language_")


def _trained(level: str) -> str:
    return level.removesuffix(TEST) + TRAIN if level.endswith(TEST) else level
