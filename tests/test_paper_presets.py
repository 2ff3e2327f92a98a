"""The presets of the two papers, and their sizes."""

import re

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


# Suites of the papers' tables of benchmarks.
SUITES = ("atari_pong", "atari100k_pong", "bsuite_catch/0", "crafter_reward")
SUITES += ("dmc_walker_walk", "dmc_vision_walker_walk", "dmlab_rooms_watermaze")
SUITES += ("minecraft_diamond", "procgen_coinrun")
TASKS = ("dmc_walker_walk", "dmc_vision_walker_walk", "crafter_reward", "dummy_disc")
TASKS += ("bsuite_catch/0", "gym_CartPole-v1", "minecraft", "vizdoom_basic", *SUITES)


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


# Frames, action repeat, environments, train ratio and size: Hafner et al. 2023 (arXiv
# v1) and 2025 (arXiv v2), tables of benchmarks; the code at e3f0224. BSuite has no
# budget; procgen came in 2025.
TABLES = {
    "paper2023": {
        "atari_pong": (200e6, 4, 8, 64, "2023-xl"),
        "atari100k_pong": (400e3, 4, 1, 1024, "2023-s"),
        "bsuite_catch/0": (None, 1, 1, 1024, "2023-xl"),
        "crafter_reward": (1e6, 1, 1, 512, "2023-xl"),
        "dmc_walker_walk": (500e3, 2, 4, 512, "2023-s"),
        "dmc_vision_walker_walk": (1e6, 2, 4, 512, "2023-s"),
        "dmlab_rooms_watermaze": (50e6, 4, 8, 64, "2023-xl"),
        "minecraft_diamond": (100e6, 1, 16, 16, "2023-xl"),
    },
    "paper2025": {
        "atari_pong": (200e6, 4, 16, 32, "200m"),
        "atari100k_pong": (400e3, 4, 1, 128, "200m"),
        "bsuite_catch/0": (None, 1, 1, 1024, "200m"),
        "crafter_reward": (1e6, 1, 1, 512, "200m"),
        "dmc_walker_walk": (500e3, 2, 16, 512, "12m"),
        "dmc_vision_walker_walk": (1e6, 2, 16, 512, "12m"),
        "dmlab_rooms_watermaze": (100e6, 4, 16, 32, "200m"),
        "minecraft_diamond": (100e6, 1, 64, 32, "200m"),
        "procgen_coinrun": (50e6, 1, 16, 64, "200m"),
    },
    # Agent steps there: 1.1e6, 1.1e8 and 1e10, which stands for no end.
    "reference2026": {
        "atari_pong": (200e6, 4, 16, 32, "200m"),
        "atari100k_pong": (400e3, 4, 1, 256, "200m"),
        "bsuite_catch/0": (None, 1, 1, 1024, "200m"),
        "crafter_reward": (1e6, 1, 1, 512, "200m"),
        "dmc_walker_walk": (1e6, 1, 16, 1024, "1m"),
        "dmc_vision_walker_walk": (1e6, 1, 16, 256, "200m"),
        "dmlab_rooms_watermaze": (100e6, 4, 16, 32, "200m"),
        "minecraft_diamond": (None, 1, 16, 32, "200m"),
        "procgen_coinrun": (100e6, 1, 16, 64, "200m"),
    },
}


@pytest.mark.parametrize(
    "version, task",
    [(version, task) for version, table in TABLES.items() for task in table],
)
def test_each_task_is_as_the_table_has_it(version, task):
    frames, repeat, envs, ratio, size = TABLES[version][task]
    config = presets.load(task, [version], accelerator=True)
    assert config.env.get("repeat", 1) == repeat
    assert (config.run.envs, config.run.train_ratio) == (envs, ratio)
    assert config.size == size
    if frames is None:
        assert config.run.steps == 1e10  # without end
    else:
        # A tenth more at most, so that the log reaches the budget.
        assert 1 <= config.run.steps * repeat / frames <= 1.101


ATARI = {"repeat": 4, "sticky": True, "actions": "all"}
ATARI |= {"size": (96, 96), "gray": True, "noops": 30, "resize": "bilinear"}
ATARI100K = {"repeat": 4, "sticky": False, "actions": "needed"}
ATARI100K |= {"size": (64, 64), "gray": False, "noops": 30, "resize": "bilinear"}
ATARI2023 = {"size": (64, 64), "gray": False, "noops": 0, "resize": "box"}
DMLAB = {"repeat": 4, "size": (64, 64)}


@pytest.mark.parametrize(
    "version, task, env",
    [
        ("paper2023", "atari_pong", {**ATARI, **ATARI2023}),
        ("paper2025", "atari_pong", ATARI),
        ("reference2026", "atari_pong", ATARI),
        ("paper2023", "atari100k_pong", {**ATARI100K, "resize": "box"}),
        ("paper2025", "atari100k_pong", ATARI100K),
        ("paper2023", "dmlab_rooms_watermaze", {**DMLAB, "actions": "impala"}),
        ("paper2025", "dmlab_rooms_watermaze", {**DMLAB, "actions": "popart"}),
    ],
)
def test_environments_are_as_each_version_has_them(version, task, env):
    assert presets.load(task, [version]).env == env


def test_the_preprint_plays_atari100k_in_float32():
    for task, precision in (("atari100k_pong", "float32"), ("atari_pong", "auto")):
        config = presets.load(task, ["paper2023"])
        assert (config.compute.precision, config.compute.half) == (precision, "float16")


@pytest.mark.parametrize("task", [*SUITES, "gym_CartPole-v1", "own_x:y"])
def test_the_published_code_is_the_paper_but_for_what_its_preset_lists(root, task):
    paper, code = (
        presets.load(task, [name], accelerator=True)
        for name in ("paper2025", "reference2026")
    )
    found = {key for key, *_ in presets.differences(paper, code, free=())}
    assert "agent.actor.unimix" in found and code.agent.actor.unimix == 0
    text = (root / "configs" / "reference2026.yaml").read_text()
    listed = dict(walk(values.parse(text, "reference2026")))
    listed = {re.sub(r"@\w+", "", key) for key in listed}
    sized = {"size", "agent.deter", "agent.hidden", "agent.classes", "agent.units"}
    assert found <= listed | sized | {"agent.depth"}


@pytest.mark.parametrize("version", presets.VERSIONS)
@pytest.mark.parametrize("task", ["atari_pong", "dmc_walker_walk", "bsuite_catch/0"])
def test_other_presets_are_changes_to_a_version_wherever_it_is_named(version, task):
    first = presets.load(task, [version, "quick", "no_twohot"])
    assert first == presets.load(task, ["quick", version, "no_twohot"])
    assert first == presets.load(task, ["quick", "no_twohot", version])
    assert (first.run.train_ratio, first.replay.batch_length) == (64, 32)
    assert first.agent.bins == "huber" and first.agent.optimizer.lr == 3e-4


def test_two_versions_at_once_are_refused():
    with pytest.raises(values.ConfigError, match="paper2025 and reference2026 are"):
        presets.load("dummy_disc", ["paper2025", "quick", "reference2026"])


def test_ablations_are_found_by_name_and_listed_apart(root):
    folder = root / "configs"
    plain, ablations = presets.list_presets(folder)
    assert "no_twohot" in ablations and "quick" in plain and "defaults" not in plain
    assert not set(plain) & set(ablations)
    for name in ablations:
        path = presets.find_preset(folder, name)
        assert path == folder / "ablations" / f"{name}.yaml"
        assert "Hafner et al." in path.read_text().replace("\n# ", " ")
    with pytest.raises(values.ConfigError, match="'no_unimix'.* Ablations: no_free_b"):
        presets.load("dummy_disc", ["no_unimx"])


def test_joint_ablations_are_their_parts_together():
    kl = ["no_kl_balance", "no_free_bits"]
    joint = {
        "no_kl_balance_free_bits": kl,
        "no_robustness": ["no_obs_symlog", "no_return_norm", "no_twohot", *kl],
    }
    for name, parts in joint.items():
        whole, pieces = (presets.load("dummy_disc", x) for x in ([name], parts))
        assert whole == pieces
