"""The presets of the two papers, and their sizes."""

import pytest

from dreamerv3_tf import presets, values
from dreamerv3_tf.config import walk

PAPERS = ("paper2023", "paper2025")


@pytest.fixture(scope="module")
def trees(root):
    """Values of each preset as they stand in its file, by full name."""
    texts = {name: (root / "configs" / f"{name}.yaml").read_text() for name in PAPERS}
    return {name: dict(walk(values.parse(text, name))) for name, text in texts.items()}


def test_both_papers_name_the_same_keys_in_the_same_order(trees):
    assert list(trees["paper2023"]) == list(trees["paper2025"])


def test_the_presets_list_what_changed_and_nothing_else(trees):
    old, new = (trees[name] for name in PAPERS)
    assert [key for key in old if old[key] == new[key]] == []


def test_lines_of_the_presets_match_so_that_a_diff_is_the_list(root):
    old, new = (
        [
            line.split(":")[0]
            for line in (root / "configs" / f"{name}.yaml").read_text().splitlines()
            if not line.startswith("#")
        ]
        for name in PAPERS
    )
    assert old == new


TASKS = ("dmc_walker_walk", "dmc_vision_walker_walk", "crafter_reward", "dummy_disc")
TASKS += ("bsuite_catch/0", "gym_CartPole-v1", "minecraft_diamond", "vizdoom_basic")


@pytest.mark.parametrize("accelerator", [False, True])
@pytest.mark.parametrize("task", TASKS)
def test_the_paper_of_2025_is_the_default(task, accelerator):
    default = presets.load(task, accelerator=accelerator)
    paper = presets.load(task, ["paper2025"], accelerator=accelerator)
    assert paper.flatten() == default.flatten()


@pytest.mark.parametrize(
    "task, accelerator, size, units, layers",
    [
        ("dmc_walker_walk", True, "2023-s", 512, 2),
        ("crafter_reward", True, "2023-xl", 1024, 5),
        ("crafter_reward", False, "2023-xs", 256, 1),
    ],
)
def test_the_preprint_has_its_own_sizes(task, accelerator, size, units, layers):
    config = presets.load(task, ["paper2023"], accelerator=accelerator)
    agent = config.agent
    assert (config.size, agent.units, agent.hidden) == (size, units, units)
    heads = (agent.reward, agent.cont, agent.actor, agent.critic)
    assert {head.layers for head in heads} == {layers}
    # The vector parts of encoder and decoder do not follow the size.
    assert (agent.encoder.layers, agent.encoder.units) == (5, 1024)
    assert config.sources["size"] == ("paper_size" if accelerator else "cpu_size")


def test_a_size_that_was_named_stays_whatever_the_paper_says():
    config = presets.load("crafter_reward", ["size2023-m", "paper2023"])
    assert config.size == "2023-m" and config.agent.deter == 1024
    config = presets.load("crafter_reward", ["paper2023"], ["size=2023-l"])
    assert config.size == "2023-l" and config.agent.actor.layers == 4


def test_one_choice_of_2023_can_be_taken_alone():
    config = presets.load(
        "dmc_walker_walk", ["paper2025"], ["agent.actor_gradient=dynamics"]
    )
    assert config.agent.actor_gradient == "dynamics" and config.agent.norm == "rms"
