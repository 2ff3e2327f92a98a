"""`--task minecraft`: trains, goes on, evaluates; and every number names its game."""

import json
import math

import pytest

from dreamerv3_tf import main
from dreamerv3_tf.record.glossary import describe
from dreamerv3_tf.record.jsonlines import read_jsonl

SMALL = [
    "--preset=debug", "compute.device=cpu", "compute.xla=off", "run.prefill=4",
    "compute.deterministic=false", "env.length=10", "log.every=0.1",
    "log.report_every=5",
]  # fmt: skip
NOT_THE_GAME = "not Minecraft scores"


def run(*arguments):
    return main.main(["dreamerv3", *map(str, arguments)])


@pytest.fixture(scope="module")
def logdir(tmp_path_factory):
    """A run of 200 steps that went on for 40 more, was evaluated and exported."""
    folder = tmp_path_factory.mktemp("minecraft")
    at = f"--logdir={folder}"
    assert run("--task=minecraft", at, *SMALL, "run.envs=2", "run.steps=200") == 0
    assert run(at, "run.steps=240") == 0
    assert run(at, "--mode=eval", "eval.episodes=2") == 0
    assert run(at, "--mode=export") == 0
    return folder


def test_it_trains_saves_and_goes_on(logdir):
    rows = read_jsonl(logdir / "metrics.jsonl")
    losses = [row["opt/loss"] for row in rows if "opt/loss" in row]
    assert losses and all(map(math.isfinite, losses))
    assert rows[-1]["progress/agent_steps"] == 240
    assert [path.name for path in (logdir / "ckpt").glob("save-*")]
    starts = json.loads((logdir / "manifest.json").read_text())["starts"]
    assert len(starts) == 2


def test_the_configuration_names_the_backend(logdir):
    saved = (logdir / "config.yaml").read_text().splitlines()
    assert [line.split("#")[0].strip() for line in saved if "backend:" in line] == [
        "backend: voxel"
    ]


@pytest.mark.parametrize("name", ["metrics.jsonl", "scores.jsonl"])
def test_every_line_of_a_metric_file_names_the_backend(logdir, name):
    rows = [json.loads(line) for line in (logdir / name).read_text().splitlines()]
    assert rows
    for row in rows:
        assert row["backend"] == "voxel" and NOT_THE_GAME in row["note"]


def test_evaluation_export_and_manifest_name_the_backend(logdir):
    (evaluation,) = (logdir / "eval").glob("*.json")
    (export,) = (logdir / "export").glob("*/metadata.json")
    starts = json.loads((logdir / "manifest.json").read_text())["starts"]
    for text in (evaluation.read_text(), export.read_text(), json.dumps(starts[-1])):
        assert '"backend": "voxel"' in text and NOT_THE_GAME in text


def test_every_greeting_and_evaluation_says_so(logdir, capsys):
    assert run(f"--logdir={logdir}", "run.steps=240") == 0
    assert NOT_THE_GAME in capsys.readouterr().out
    assert run(f"--logdir={logdir}", "--mode=eval", "eval.episodes=1") == 0
    assert NOT_THE_GAME in capsys.readouterr().out


def test_tensorboard_shows_milestones_videos_and_the_backend(logdir):
    from tensorboard.backend.event_processing import event_accumulator as reader
    from tensorboard.util.tensor_util import make_ndarray

    events = reader.EventAccumulator(str(logdir), {reader.IMAGES: 0})
    events.Reload()
    tags = events.Tags()
    wanted = {"episode/score", "episode/milestone/log", "episode/milestone/diamond"}
    wanted |= {"episode/milestones", "progress/milestones", "environment"}
    assert wanted <= set(tags["tensors"])
    for name in (*tags["tensors"], *tags["images"]):
        assert name.startswith("_hparams_") or describe(name)
    text = make_ndarray(events.Tensors("environment")[0].tensor_proto)
    assert NOT_THE_GAME in str(text)
    assert set(tags["images"]) == {"report/openloop/image", "episode/video/image"}
    # Three sequences; each frame of 64 and its border is doubled, the strip has 112.
    video = events.Images("report/openloop/image")[-1]
    assert video.width == 3 * (2 * (64 + 4) + 112)


def test_another_backend_does_not_go_on_with_the_run(logdir):
    from dreamerv3_tf.values import ConfigError

    with pytest.raises(ConfigError, match="env.backend: voxel -> minerl"):
        run("--task=minecraft", f"--logdir={logdir}", *SMALL, "run.envs=2",
            "env.backend=minerl")  # fmt: skip
