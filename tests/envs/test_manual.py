"""What settings of environments do, read from the suites."""

import pytest

from dreamerv3_tf import envs
from dreamerv3_tf.envs import manual

TASKS = {"gym": "gym_CartPole-v1", "own": "own_math:sin", "given": None}


@pytest.mark.parametrize("suite", [s for s in envs.suites() if s not in TASKS])
def test_every_setting_of_every_suite_is_explained(suite):
    for key in envs.env_settings(suite, "x"):
        text = manual.setting_text(f"{suite}_x", key)
        assert len(text.split()) >= 2, f"{suite}.make does not say what {key} does"


@pytest.mark.parametrize(
    "task, key, text",
    [
        ("dmc_x", "repeat", "control steps for each action; rewards are summed."),
        (
            "dmc_vision_x",
            "repeat",
            "control steps for each action; rewards are summed.",
        ),
        ("atari100k_x", "gray", "show luminance, one channel, instead of colours."),
        ("own_math:sin", "limit", "bound of actions that have none of their own."),
        (
            "given_x",
            "options",
            "arguments that only a `**kwargs` of the function takes.",
        ),
        ("own_math:sin", "depth", ""),
    ],
)
def test_functions_that_are_named_there_are_read_too(task, key, text):
    assert manual.setting_text(task, key) == text


def test_phrases_may_have_several_lines():
    text = "Makes it.\n\nArgs:\n    one: of\n        two lines.\n    two: more.\n\n"
    text += "Raises:\n    Error: never.\n"
    assert manual.arguments(text) == {"one": "of two lines.", "two": "more."}
