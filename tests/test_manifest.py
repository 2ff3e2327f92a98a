"""What is saved with a run, and which runs may go on."""

import json

import pytest

from dreamerv3_tf import presets
from dreamerv3_tf.run import manifest
from dreamerv3_tf.values import ConfigError

TASK = "dmc_cartpole_balance"
FACTS = {"device": "cpu", "precision": "float32"}


def save(logdir, config, **facts):
    command = ["dreamerv3", "--task", "a b"]
    manifest.save(logdir, config, command=command, facts=FACTS | facts)


def test_a_run_is_saved_with_all_that_made_it(tmp_path):
    config = presets.load(TASK, ["quick"], ["seed=3"])
    save(tmp_path / "new", config)
    assert presets.load_saved(tmp_path / "new" / "config.yaml") == config
    (start,) = json.loads((tmp_path / "new" / "manifest.json").read_text())["starts"]
    assert start["command"] == "dreamerv3 --task 'a b'"
    assert (start["seed"], start["device"], start["precision"]) == (3, "cpu", "float32")
    assert start["packages"]["tensorflow"].startswith("2.21")
    assert start["sources"]["run.envs"] == "configs/quick.yaml"
    assert start["git"] is None or len(start["git"]["commit"]) == 40


def test_each_start_is_added_and_the_newest_settings_stay(tmp_path):
    save(tmp_path, presets.load(TASK))
    save(tmp_path, presets.load(TASK, [], ["run.steps=7"]))
    starts = json.loads((tmp_path / "manifest.json").read_text())["starts"]
    assert len(starts) == 2
    assert presets.load_saved(tmp_path / "config.yaml").run.steps == 7
    assert sorted(path.name for path in tmp_path.iterdir()) == [
        "config.yaml",
        "manifest.json",
    ]


def test_an_empty_folder_is_free_to_use(tmp_path):
    assert not manifest.check_resume(tmp_path, presets.load(TASK))
    assert not manifest.check_resume(tmp_path / "none", presets.load(TASK))


def test_the_same_settings_go_on(tmp_path):
    save(tmp_path, presets.load(TASK))
    longer = presets.load(TASK, [], ["run.steps=7", "log.every=1"])
    assert manifest.check_resume(tmp_path, longer, FACTS)


def test_other_settings_are_refused_with_each_difference(tmp_path):
    save(tmp_path, presets.load(TASK))
    other = presets.load(TASK, [], ["run.envs=3", "agent.lam=0.9"])
    facts = FACTS | {"precision": "bfloat16"}
    with pytest.raises(ConfigError) as caught:
        manifest.check_resume(tmp_path, other, facts)
    text = str(caught.value)
    assert str(tmp_path) in text and "\n" not in text
    for part in ("run.envs: 16 -> 3", "agent.lam: 0.95 -> 0.9"):
        assert part in text
    assert "precision: float32 -> bfloat16" in text
    assert "leave out --task" in text


def test_a_broken_manifest_is_named(tmp_path):
    save(tmp_path, presets.load(TASK))
    (tmp_path / "manifest.json").write_text("{")
    with pytest.raises(ConfigError, match="manifest.json: expected JSON"):
        manifest.check_resume(tmp_path, presets.load(TASK))
