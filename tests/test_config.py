"""Settings: files, merging, types, and the errors for bad ones."""

import ast
import dataclasses
import math
import shutil
import typing

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dreamerv3_tf import presets, values
from dreamerv3_tf.values import ConfigError, coerce

TASK = "dmc_cartpole_balance"


@pytest.fixture
def folder(tmp_path, root):
    """A copy of `configs/` to write into."""
    return shutil.copytree(root / "configs", tmp_path / "configs")


def message(function, *args, **kwargs) -> str:
    with pytest.raises(ConfigError) as caught:
        function(*args, **kwargs)
    text = str(caught.value)
    assert "\n" not in text
    return text


# Types.


@pytest.mark.parametrize(
    "text, hint, expected",
    [
        ("4e-5", float, 4e-5),
        (".inf", values.Unbounded, math.inf),
        ("3", float, 3.0),
        ("1e6", int, 1_000_000),
        ("5_000_000", int, 5_000_000),
        ("2.75e5", int, 275_000),
        ("1e10", int, 10_000_000_000),
        ("true", bool, True),
        ("False", bool, False),
        ("off", typing.Literal["full", "off"], "off"),
        ("2", typing.Literal["auto", 2, 4], 2),
        ("2,3,4,4", tuple[int, ...], (2, 3, 4, 4)),
        (["2", "3"], tuple[int, ...], (2, 3)),
        ("", tuple[str, ...], ()),
        ("20GB", values.Bytes, 20_000_000_000),
        ("1.5 MiB", values.Bytes, 1_572_864),
        ("4096", values.Bytes, 4096),
        ("0", values.Bytes, 0),
        ("1e-3", typing.Any, 0.001),
        ("12", typing.Any, 12),
        ("CartPole-v1", typing.Any, "CartPole-v1"),
    ],
)
def test_text_becomes_what_the_type_says(text, hint, expected):
    result = coerce(text, hint, "here")
    assert result == expected
    assert type(result) is type(expected)


@pytest.mark.parametrize(
    "text, hint, expected",
    [
        ("yes", bool, "expected true or false"),
        ("1", bool, "expected true or false"),
        ("1.5", int, "expected an integer"),
        (True, int, "expected an integer"),
        ("many", float, "expected a number"),
        ("nan", float, "expected a number"),
        ("inf", values.Positive, "expected a number above 0"),
        ("0", values.Positive, "expected a number above 0"),
        ("0", values.Count, "expected an integer of at least 1"),
        ("1.1", values.Fraction, "expected a number from 0 to 1"),
        ("4", values.Bins, "expected an odd integer of at least 3"),
        ("20XB", values.Bytes, "expected a number of bytes such as 20GB"),
        ("-3", values.Bytes, "expected a number of bytes such as 20GB"),
        ("ful", typing.Literal["full", "off"], "expected one of full, off"),
        ("1,a", tuple[int, ...], "expected a list, each entry an integer"),
        ({"a": "1"}, float, "expected a number"),
        (["1"], str, "expected text"),
    ],
)
def test_a_wrong_value_names_the_place_and_what_was_expected(text, hint, expected):
    assert message(coerce, text, hint, "file: key").startswith("file: key is ")
    assert expected in message(coerce, text, hint, "file: key")


@given(st.floats(allow_nan=False) | st.integers() | st.booleans() | st.text())
def test_any_value_survives_being_written_and_read(value):
    text = values.to_text(value)
    if isinstance(value, str) and not value.isprintable():
        return  # YAML has no way to write these in single quotes
    assert coerce(values.parse(text, "text"), type(value), "text") == value


def test_yaml_errors_name_line_and_column(folder):
    (folder / "broken.yaml").write_text("run: {envs: 3\nlog:\n")
    text = message(presets.load, TASK, ["broken"], configs=folder)
    assert text.startswith("configs/broken.yaml: line 2, column ")


def test_a_key_given_twice_is_an_error(folder):
    (folder / "twice.yaml").write_text("run: {envs: 3, envs: 4}\n")
    text = message(presets.load, TASK, ["twice"], configs=folder)
    assert "key 'envs' is given twice" in text


# The shipped files.


def test_every_setting_has_its_value_in_the_defaults_or_the_size():
    config = presets.load("nosuite_x")
    from_files = {"configs/defaults.yaml", "configs/size1m.yaml"}
    by_program = {"task": "--task", "size": "cpu_size"}
    for key in config.flatten():
        expected = {by_program[key]} if key in by_program else from_files
        assert config.sources[key] in expected, key


def test_every_preset_and_task_file_loads_and_cites_its_source(root):
    for path in sorted((root / "configs").glob("*.yaml")):
        if path.stem != "defaults":
            presets.load(TASK, [path.stem])
        assert path.read_text().startswith("#"), path
    for path in sorted((root / "configs" / "tasks").glob("*.yaml")):
        presets.load(f"{path.stem}_x")
        assert path.read_text().startswith("#"), path


@pytest.mark.parametrize(
    "size, width",
    [("1m", 64), ("12m", 256), ("25m", 384), ("50m", 512), ("100m", 768)]
    + [("200m", 1024), ("400m", 1536)],
)
def test_sizes_are_those_of_the_paper(size, width):
    # deter = 8 d, hidden = units = d, classes = depth = d / 16
    config = presets.load(TASK, [f"size{size}"])
    agent = config.agent
    assert config.size == size
    assert (agent.deter, agent.hidden, agent.units) == (8 * width, width, width)
    assert (agent.classes, agent.depth) == (width // 16, width // 16)
    assert (agent.stoch, agent.blocks) == (32, 8)


@pytest.mark.parametrize(
    "task, frames, repeat, envs, ratio, size",
    [
        ("dmc_walker_walk", 500_000, 2, 16, 512, "12m"),
        ("dmc_vision_walker_walk", 1_000_000, 2, 16, 512, "12m"),
        ("crafter_reward", 1_000_000, 1, 1, 512, "200m"),
    ],
)
def test_tasks_have_the_settings_of_the_paper(task, frames, repeat, envs, ratio, size):
    config = presets.load(task, accelerator=True)
    assert config.run.steps == 1.1 * frames / repeat  # a tenth more than the budget
    assert config.env.get("repeat", 1) == repeat
    assert (config.run.envs, config.run.train_ratio) == (envs, ratio)
    assert config.size == config.paper_size == size


def test_quick_is_what_the_results_were_made_with():
    config = presets.load(TASK, ["size1m", "quick"])
    assert (config.replay.batch_size, config.replay.batch_length) == (8, 32)
    assert (config.run.train_ratio, config.run.envs) == (64, 4)
    assert (config.agent.optimizer.lr, config.agent.optimizer.warmup) == (3e-4, 100)
    assert config.env["repeat"] == 2
    assert "repeat" not in presets.load("gym_CartPole-v1", ["quick"]).env


# Merging.


def test_later_layers_win_and_are_remembered():
    config = presets.load(
        TASK, ["debug", "quick"], ["run.envs=3", "agent.optimizer.lr=1e-3"]
    )
    expected = {
        "agent.lam": (0.95, "configs/defaults.yaml"),
        "run.steps": (275_000, "configs/tasks/dmc.yaml"),
        "agent.deter": (8, "configs/debug.yaml"),
        "replay.batch_size": (8, "configs/quick.yaml"),
        "run.envs": (3, "command line"),
        "agent.optimizer.lr": (1e-3, "command line"),
    }
    flat = config.flatten()
    for key, pair in expected.items():
        assert (flat[key], config.sources[key]) == pair


def test_the_longest_name_of_a_task_file_counts(folder):
    (folder / "tasks" / "dmc_cartpole.yaml").write_text("run: {envs: 7}\n")
    assert presets.load("dmc_cartpole_balance", configs=folder).run.envs == 7
    assert presets.load("dmc_cartpoles", configs=folder).run.envs == 16
    assert presets.load("dmc_vision_x", configs=folder).env["size"] == (64, 64)


def test_a_section_of_a_suite_counts_for_its_tasks_only(folder):
    (folder / "mine.yaml").write_text("run@gym: {envs: 7}\nenv@dmc: {repeat: 5}\n")
    assert presets.load("gym_x", ["mine"], configs=folder).run.envs == 7
    config = presets.load("dmc_vision_x", ["mine"], configs=folder)
    assert (config.run.envs, config.env["repeat"]) == (16, 5)
    (folder / "mine.yaml").write_text("run@gim: {envs: 7}\n")
    text = message(presets.load, "dmc_x", ["mine"], configs=folder)
    assert "no suite 'gim' for 'run@gim'. Did you mean 'gym'?" in text
    (folder / "mine.yaml").write_text("run@gym: {env: 7}\n")
    text = message(presets.load, "dmc_x", ["mine"], configs=folder)
    assert "no key 'env' in 'run'. Did you mean 'envs'?" in text


def test_the_size_is_the_papers_on_an_accelerator_and_small_on_a_cpu():
    assert presets.load(TASK, accelerator=True).agent.units == 256
    assert presets.load(TASK).agent.units == 64
    line = presets.size_line(presets.load(TASK))
    assert line.startswith("Size 1m") and "--preset size12m" in line
    assert "paper's" in presets.size_line(presets.load(TASK, accelerator=True))


@pytest.mark.parametrize(
    "names, overrides, units, size, source",
    [
        (["size25m"], [], 384, "25m", "configs/size25m.yaml"),
        ([], ["size=25m"], 384, "25m", "command line"),
        (["size25m"], ["agent.units=99"], 99, "25m", "configs/size25m.yaml"),
        (["debug"], [], 8, "custom", "configs/debug.yaml"),
        (["debug", "size25m"], [], 384, "25m", "configs/size25m.yaml"),
        (["size25m", "debug"], [], 8, "custom", "configs/debug.yaml"),
        (["debug"], ["size=25m"], 384, "25m", "command line"),
        (["size25m"], ["size=auto"], 384, "25m", "configs/size25m.yaml"),
    ],
)
def test_a_named_size_holds_on_any_device(names, overrides, units, size, source):
    for accelerator in (False, True):
        config = presets.load(TASK, names, overrides, accelerator=accelerator)
        assert config.agent.units == units
        assert (config.size, config.sources["size"]) == (size, source)


def test_a_preset_may_be_a_file_anywhere(tmp_path):
    path = tmp_path / "mine.yaml"
    path.write_text("size: 12m\nagent: {units: 128}\n")
    config = presets.load(TASK, [str(path)])
    assert (config.agent.units, config.agent.hidden) == (128, 256)
    assert config.sources["agent.units"] == str(path)


@pytest.mark.parametrize(
    "override, parts",
    [
        ("agent.lamm=1", ["no key 'lamm' in 'agent'", "'lam'?", "Keys there: act,"]),
        ("agnt.lam=1", ["no key 'agnt' in the top level", "'agent'?"]),
        ("agent.scales.polcy=1", ["no key 'polcy' in 'agent.scales'", "'policy'?"]),
        ("replay.mixture.recent=1", ["no key 'recent'", "Keys there: priority,"]),
        ("task=dmc_x", ["no key 'task' in the top level"]),
        ("sources=3", ["no key 'sources' in the top level"]),
        ("agent=3", ["agent is '3', expected a section"]),
        ("agent.lam.x=3", ["expected a number from 0 to 1"]),
        ("agent.lam", ["cannot read 'agent.lam', expected section.key=value"]),
        ("size=13m", ["size is '13m', expected auto, custom or one of 1m, 12m"]),
        ("env.x=[1", ["env.x: line 1", "is not YAML"]),
        (
            "agent.deter=100",
            ["agent.deter is 100; agent.blocks is 8; expected a deter"],
        ),
        ("agent.classes=300", ["agent.classes is 300; expected 2 to 256"]),
        (
            "replay.context=2",
            ["replay.context is '2', expected an integer from 0 to 1"],
        ),
        ("replay.mixture.priority=0.5", ["replay.mixture is {", "sum 1, not 1.5"]),
        ("replay.batch_size=0", ["expected an integer of at least 1"]),
        (
            "agent.return_norm.low=96",
            ["agent.return_norm.low is 96.0", "expected a low percentile"],
        ),
        (
            "agent.optimizer.schedule=linear",
            ["anneal is 0; agent.optimizer.schedule is linear", "more train steps"],
        ),
        ("agent.encoder.mults=", ["agent.encoder.mults is []; expected one stage"]),
        (
            "agent.decoder.blocks=7",
            ["agent.decoder.blocks is 7; agent.deter is 512;", "divisor"],
        ),
    ],
)
def test_a_bad_setting_is_one_line_that_says_what_to_do(override, parts):
    text = message(presets.load, TASK, [], [override])
    assert text.startswith("command line: ")
    for part in parts:
        assert part in text


def test_a_bad_key_in_a_file_names_the_file(folder):
    (folder / "tasks" / "dmc.yaml").write_text("run: {step: 3}\n")
    text = message(presets.load, TASK, configs=folder)
    assert text.startswith("configs/tasks/dmc.yaml: no key 'step' in 'run'.")
    assert "Did you mean 'steps'?" in text


def test_an_unknown_preset_names_the_nearest_and_all_of_them():
    text = message(presets.load, TASK, ["quik"])
    assert "no preset 'quik'. Did you mean 'quick'? Presets: debug, " in text
    assert "no preset 'defaults'" in message(presets.load, TASK, ["defaults"])


def test_a_setting_without_value_is_an_error(folder):
    path = folder / "defaults.yaml"
    path.write_text(path.read_text().replace("  lam: 0.95\n", ""))
    text = message(presets.load, TASK, configs=folder)
    assert text.startswith("configs/defaults.yaml: no value for agent.lam")


# Saving and comparing.


def test_a_saved_configuration_loads_as_it_was(tmp_path):
    path = tmp_path / "config.yaml"
    for names in (["quick"], ["debug", "quick"]):
        config = presets.load("dmc_vision_x", names, ["env.camera=2", "seed=5"])
        for sources in (False, True):
            path.write_text(config.to_yaml(sources))
            assert presets.load_saved(path) == config
    changed = presets.load_saved(path, ["size1m"], ["run.envs=2"])
    assert (changed.agent.units, changed.run.envs) == (64, 2)


def test_a_saved_configuration_must_be_one(tmp_path):
    path = tmp_path / "config.yaml"
    path.write_text("run: {envs: 3}\n")
    assert "saved configuration of a run" in message(presets.load_saved, path)


def test_differences_are_listed_with_both_values():
    old = presets.load(TASK)
    new = presets.load(TASK, ["size12m"], ["agent.lam=0.9", "env.image=true"])
    found = dict((key, pair) for key, *pair in presets.differences(old, new))
    assert found["agent.lam"] == [0.95, 0.9]
    assert found["agent.units"] == [64, 256]
    assert found["env.image"] == [None, True]
    assert "size" not in found


def test_how_long_and_where_it_runs_may_change():
    old = presets.load(TASK)
    changes = ["run.steps=7", "log.every=7", "eval.episodes=7", "compute.threads=1"]
    new = presets.load(TASK, [], changes)
    assert old != new and presets.differences(old, new) == []
    assert presets.differences(old, presets.load(TASK, [], ["run.envs=7"]))


def test_names_that_are_free_to_change_exist():
    keys = presets.load(TASK).flatten()
    for name in presets.FREE_TO_CHANGE:
        assert any(presets.is_free(key, [name]) for key in keys), name


def test_a_configuration_cannot_be_changed():
    config = presets.load(TASK)
    with pytest.raises(dataclasses.FrozenInstanceError):
        config.run.envs = 3  # pyright: ignore


def test_every_setting_has_a_comment_that_explains_it(root):
    files = [
        root / "dreamerv3_tf" / f"{name}.py" for name in ("config", "agent_config")
    ]
    text = "\n".join(
        path.read_text().split("from __future__ import annotations")[1]
        for path in files
    )
    classes = [node for node in ast.parse(text).body if isinstance(node, ast.ClassDef)]
    sections = {node.name for node in classes}
    for node in classes:
        for field in node.body:
            if (
                isinstance(field, ast.AnnAssign)
                and ast.unparse(field.target) != "sources"
            ):
                lines = text.splitlines()[field.lineno - 1 : field.end_lineno]
                section = ast.unparse(field.annotation) in sections
                assert section or any("  # " in line for line in lines), lines
