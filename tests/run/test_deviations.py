"""Which values deviate from a paper, and what is said about them."""

import fnmatch

import pytest

from dreamerv3_tf import presets
from dreamerv3_tf.config import walk
from dreamerv3_tf.run.explain import deviations
from dreamerv3_tf.run.explain.deviations import chosen_paper, compare
from dreamerv3_tf.run.explain.notes import NOTES, equations, find_note
from dreamerv3_tf.values import parse

KEYS = [key for key in presets.load("dmc_walker_walk").flatten() if key[:4] != "env."]


def found(task, names=(), changes=(), paper="paper2025"):
    """Key, value and the paper's value of what deviates."""
    config = presets.load(task, names, changes, accelerator=True)
    return [tuple(d)[:3] for d in compare(config, paper).deviations]


@pytest.mark.parametrize("key", KEYS)
def test_every_setting_has_a_note(key):
    assert find_note(key).does.endswith(".")


def test_every_note_has_a_setting():
    unused = [name for name in NOTES if not fnmatch.filter(KEYS, name)]
    assert unused == []


def test_settings_of_the_agent_have_an_equation():
    free = ("agent.optimizer.max_loss_scale",)
    without = [k for k in KEYS if k[:6] == "agent." and not find_note(k).enters]
    assert without == list(free)


def test_equations_fit_the_terminal_and_are_all_used():
    texts = {k: v for k, v in vars(equations).items() if k.isupper()}
    used = {note.enters for note in NOTES.values()}
    assert [name for name, text in texts.items() if text not in used] == []
    assert all(len(text) <= 82 for text in used)


def test_a_setting_without_a_note_is_an_error():
    with pytest.raises(KeyError, match="agent.unheard_of"):
        find_note("agent.unheard_of")


@pytest.mark.parametrize("task", ["dmc_walker_walk", "gym_CartPole-v1", "dummy_disc"])
def test_the_defaults_are_the_paper(task):
    config = presets.load(task, accelerator=True)
    result = compare(config, "paper2025")
    assert result.deviations == []
    # Neither the task nor paper_size and cpu_size count as values that are equal.
    flat = {key for key in config.flatten() if not key.startswith("env.")}
    assert result.equal >= len(flat) - 3


def test_changes_are_listed_with_both_values():
    changes = ["agent.lam=0.9", "run.envs=2", "env.repeat=4", "log.every=5", "seed=3"]
    assert found("dmc_walker_walk", (), changes) == [
        ("env.repeat", 4, 2),
        ("seed", 3, 0),
        ("agent.lam", 0.9, 0.95),
        ("run.envs", 2, 16),
        ("log.every", 5.0, 120.0),
    ]


def test_a_size_is_one_deviation():
    assert found("dmc_walker_walk", ["size1m"]) == [("size", "1m", "12m")]
    assert found("dmc_walker_walk", ["size12m"]) == []
    one = presets.load("dmc_walker_walk")  # on a CPU
    assert [d.key for d in compare(one, "paper2025").deviations] == ["size"]
    assert compare(one, "paper2025").deviations[0].set_by == "cpu_size"


def test_single_values_beside_a_size_are_compared_with_the_paper_in_that_size():
    assert found("dmc_walker_walk", ["size1m"], ["agent.units=128"]) == [
        ("size", "1m", "12m"),
        ("agent.units", 128, 64),
    ]


def test_a_custom_size_is_listed_value_by_value():
    keys = [key for key, *_ in found("dmc_walker_walk", ["debug"])]
    assert {"size", "agent.deter", "agent.units", "agent.stoch"} < set(keys)


def test_a_world_of_our_own_is_not_the_papers_game():
    assert found("minecraft_diamond") == [("env.backend", "voxel", "minerl")]
    assert found("minecraft_diamond", (), ["env.backend=minerl"]) == []


def test_the_default_of_a_suite_is_no_deviation():
    assert found("dmc_walker_walk", (), ["env.camera=-1"]) == []
    (one,) = found("dmc_walker_walk", (), ["env.camera=1"])
    assert one == ("env.camera", 1, -1)


def test_the_preprint_deviates_from_itself_in_nothing_and_from_the_article_in_its_keys(
    root,
):
    assert found("crafter_reward", ["paper2023"], paper="paper2023") == []
    text = (root / "configs" / "paper2023.yaml").read_text()
    tree = {k: v for k, v in parse(text, "").items() if "@" not in k}
    named = {key for key, _ in walk(tree)} - {"paper_size", "cpu_size"}
    listed = {key for key, *_ in found("crafter_reward", ["paper2023"])}
    # Its size brings layers of its own, and the task may have values for each paper.
    size = [f"agent.{x}" for x in ("deter", "depth", "classes", "units", "hidden")]
    heads = [f"agent.{x}.layers" for x in ("reward", "cont", "actor", "critic")]
    assert named <= listed
    rest = {k for k in listed - named if k.startswith("agent.")}
    assert rest <= {*size, *heads}


def test_the_last_paper_that_is_named_is_compared_with():
    assert chosen_paper([]) == "paper2025"
    assert chosen_paper(["size1m", "paper2023", "quick"]) == "paper2023"
    assert chosen_paper(["paper2023", "paper2025"]) == "paper2025"


@pytest.mark.parametrize(
    "change, group, text",
    [
        ("agent.lam=0.9", "algorithm", "the paper's table of hyperparameters"),
        ("agent.dyn_layers=2", "algorithm", "the text of the paper, or the code"),
        ("agent.units=7", "model size", "the paper's table of model sizes"),
        ("run.train_ratio=1", "training budget", "the paper's table of benchmarks"),
        ("run.prefill=1", "training budget", "the text of the paper, or the code"),
        ("env.repeat=1", "environment", "the paper's table of benchmarks"),
        ("env.camera=1", "environment", "the default of dmc"),
        ("log.keep=1", "machine, logs", "ours, the paper has no such choice"),
        ("compute.threads=1", "machine, logs", "ours, the paper has no such choice"),
    ],
)
def test_deviations_have_a_group_and_a_source(change, group, text):
    config = presets.load("dmc_walker_walk", (), [change], accelerator=True)
    (one,) = compare(config, "paper2025").deviations
    assert one.group == group and one.set_by == "command line"
    assert one.source.startswith(text)
    assert group in deviations.GROUPS


def test_tasks_that_a_paper_does_not_have_are_ours():
    for task, paper, ours in (
        ("gym_CartPole-v1", "paper2025", True),
        ("procgen_coinrun", "paper2023", True),
        ("procgen_coinrun", "paper2025", False),
    ):
        config = presets.load(task, [paper], ["run.envs=3"], accelerator=True)
        (one,) = compare(config, paper).deviations
        assert one.source.startswith("ours, the paper does not have") == ours
