"""The logger, its JSON lines and its TensorBoard files."""

import io
import json
import os
import signal
import subprocess
import sys

import numpy as np
import pytest
from PIL import Image

from dreamerv3_tf.record.jsonlines import SCORE, JSONLines, read_jsonl
from dreamerv3_tf.record.logger import Kind, Logger, make_point


class Recorder:
    """An output that keeps what it is given."""

    def __init__(self):
        self.writes = []
        self.closed = False

    def write(self, points):
        self.writes.append(list(points))

    def close(self):
        self.closed = True


def lines_of(path):
    return [json.loads(line) for line in path.read_text().splitlines()]


@pytest.mark.parametrize(
    ("value", "kind"),
    [
        (1, Kind.SCALAR),
        (True, Kind.SCALAR),
        (np.float32(2.5), Kind.SCALAR),
        (np.array(3), Kind.SCALAR),
        ("text", Kind.TEXT),
        (np.zeros((4, 5, 1), np.uint8), Kind.IMAGE),
        (np.zeros((4, 5, 3), np.uint8), Kind.IMAGE),
        (np.zeros((2, 4, 5, 3), np.uint8), Kind.VIDEO),
        (np.zeros((2, 4, 5, 3), np.float32), Kind.HISTOGRAM),
        ([1, 2, 3], Kind.HISTOGRAM),
    ],
)
def test_a_value_shows_what_kind_of_metric_it_is(value, kind):
    assert make_point(0, "x", value).kind is kind


@pytest.mark.parametrize(
    "value",
    [object(), {"a": 1}, np.zeros((4, 5), np.uint8), np.zeros((4, 5, 2), np.uint8)],
)
def test_what_cannot_be_logged_is_refused_by_name(value):
    with pytest.raises(ValueError, match="Metric 'part/x' is"):
        Logger([], lambda: 0).add({"x": value}, prefix="part")


def test_points_keep_the_step_at_which_they_were_added():
    step, output = [10], Recorder()
    logger = Logger([output], lambda: step[0])
    logger.add({"score": 1.0}, prefix="episode")
    step[0] = 20
    logger.add({"score": 2.0}, prefix="episode")
    logger.write()
    points = [(p.step, p.name, p.value) for p in output.writes[0]]
    assert points == [(10, "episode/score", 1.0), (20, "episode/score", 2.0)]
    logger.write()
    assert output.writes[1] == []


def test_closing_writes_the_rest_to_every_output():
    outputs = [Recorder(), Recorder()]
    logger = Logger(outputs, lambda: 0)
    logger.add({"x": 1.0})
    logger.close()
    assert all(len(o.writes) == 1 and o.closed for o in outputs)


def test_json_has_a_line_per_step_with_the_scalars_of_that_step(tmp_path):
    step = [4]
    logger = Logger([JSONLines(tmp_path)], lambda: step[0])
    logger.add({"loss/dyn": 1.5, "note": "no scalar", "curve": np.ones(3)})
    logger.add({"opt/lr": 4e-5})
    step[0] = 8
    logger.add({"loss/dyn": 2})
    logger.write()
    assert lines_of(tmp_path / "metrics.jsonl") == [
        {"step": 4, "loss/dyn": 1.5, "opt/lr": 4e-5},
        {"step": 8, "loss/dyn": 2},
    ]
    assert (tmp_path / "scores.jsonl").read_text() == ""


def test_no_score_is_lost_where_episodes_end_together(tmp_path):
    logger = Logger([JSONLines(tmp_path)], lambda: 100)
    for score in (1.0, 2.0):
        logger.add({"score": score, "length": 11}, prefix="episode")
    logger.add({"score": 5.0}, prefix="eval")
    logger.write()
    scores = lines_of(tmp_path / "scores.jsonl")
    assert scores == [{"step": 100, "episode/score": x} for x in (1.0, 2.0)]
    metrics = lines_of(tmp_path / "metrics.jsonl")
    assert [line["episode/score"] for line in metrics] == [1.0, 2.0]


def test_numbers_that_json_has_not_are_valid_json_and_read_back(tmp_path):
    values = {"a": float("nan"), "b": float("inf"), "c": float("-inf"), "d": 0.1}
    output = JSONLines(tmp_path)
    output.write([make_point(1, name, value) for name, value in values.items()])
    output.close()
    path = tmp_path / "metrics.jsonl"

    def refuse(text):
        raise AssertionError(f"{text} is no JSON")

    json.loads(path.read_text(), parse_constant=refuse)
    np.testing.assert_equal(read_jsonl(path), [{"step": 1} | values])


def test_every_line_of_both_files_repeats_the_facts(tmp_path):
    output = JSONLines(tmp_path, facts={"backend": "voxel", "note": "not the game"})
    output.write([make_point(n, name, 2.0) for n in (1, 2) for name in ("x", SCORE)])
    output.close()
    for name in ("metrics.jsonl", "scores.jsonl"):
        lines = (tmp_path / name).read_text().splitlines()
        assert len(lines) == 2
        for line in lines:
            assert json.loads(line)["backend"] == "voxel"
            assert json.loads(line)["note"] == "not the game"
    assert read_jsonl(tmp_path / "scores.jsonl")[0] == {"step": 1, SCORE: 2.0}


def test_a_second_run_appends_and_repairs_a_half_line(tmp_path):
    first = JSONLines(tmp_path)
    first.write([make_point(1, "x", 1.0)])
    first.close()
    path = tmp_path / "metrics.jsonl"
    with path.open("a") as file:
        file.write('{"step": 2, "x": 1.')
    assert read_jsonl(path) == [{"step": 1, "x": 1.0}]
    notices = []
    second = JSONLines(tmp_path, notices.append)
    second.write([make_point(3, "x", 3.0)])
    second.close()
    assert read_jsonl(path) == [{"step": 1, "x": 1.0}, {"step": 3, "x": 3.0}]
    assert len(notices) == 1 and "metrics.jsonl" in notices[0]
    JSONLines(tmp_path, notices.append).close()
    assert len(notices) == 1


@pytest.mark.parametrize("tail", [b"x" * 200_000, b'{"step"'])
def test_a_file_of_half_a_line_becomes_empty(tmp_path, tail):
    (tmp_path / "scores.jsonl").write_bytes(tail)
    JSONLines(tmp_path, lambda _: None).close()
    assert (tmp_path / "scores.jsonl").read_bytes() == b""


def test_a_broken_line_inside_a_file_is_named(tmp_path):
    path = tmp_path / "metrics.jsonl"
    path.write_text('{"step": 1}\noops\n{"step": 2}\n')
    with pytest.raises(ValueError, match="metrics.jsonl, line 2"):
        read_jsonl(path)


def test_what_was_written_survives_a_kill(tmp_path):
    code = (
        "import sys, time\n"
        "from dreamerv3_tf.record.jsonlines import JSONLines\n"
        "from dreamerv3_tf.record.logger import make_point\n"
        "output = JSONLines(sys.argv[1])\n"
        "output.write([make_point(7, 'episode/score', 1.0)])\n"
        "print('written', flush=True)\n"
        "time.sleep(60)\n"
    )
    command = [sys.executable, "-c", code, str(tmp_path)]
    with subprocess.Popen(command, stdout=subprocess.PIPE) as child:
        assert child.stdout and child.stdout.readline() == b"written\n"
        os.kill(child.pid, signal.SIGKILL)
    assert read_jsonl(tmp_path / "scores.jsonl") == [{"step": 7, "episode/score": 1.0}]


def test_the_package_imports_without_tensorflow():
    code = (
        "import importlib, pkgutil, sys\n"
        "import dreamerv3_tf.record as record\n"
        "for module in pkgutil.iter_modules(record.__path__):\n"
        "    if module.name != 'export':\n"
        "        importlib.import_module(f'dreamerv3_tf.record.{module.name}')\n"
        "heavy = {'tensorflow', 'keras', 'tensorboard'} & set(sys.modules)\n"
        "assert not heavy, heavy\n"
    )
    subprocess.run([sys.executable, "-c", code], check=True)


@pytest.fixture(scope="module")
def board(tmp_path_factory):
    """Everything a TensorBoard output can write, read back."""
    from tensorboard.backend.event_processing import event_accumulator

    from dreamerv3_tf.record.tensorboard import TensorBoard

    directory = str(tmp_path_factory.mktemp("board"))
    hparams = {"agent.units": 64, "agent.act": "silu", "agent.mults": [2, 3]}
    step = [5]
    logger = Logger([TensorBoard(directory, hparams, fps=10)], lambda: step[0])
    rng = np.random.default_rng(0)
    logger.add(
        {
            "loss/dyn": 1.5,
            "config": "run:\n  steps: 3",
            "weights": np.arange(10),
            "picture": np.full((6, 8, 3), [255, 0, 128], np.uint8),
            "gray": np.full((6, 8, 1), 77, np.uint8),
            "openloop": rng.integers(0, 256, (7, 16, 24, 3), np.uint8),
        }
    )
    step[0] = 9
    logger.add({"loss/dyn": float("inf")})
    logger.close()
    accumulator = event_accumulator.EventAccumulator(directory)
    accumulator.Reload()
    return accumulator


def tensors(board, tag):
    return [event.tensor_proto for event in board.Tensors(tag)]


def test_tensorboard_has_scalars_at_their_steps(board):
    from tensorboard.util.tensor_util import make_ndarray

    events = board.Tensors("loss/dyn")
    values = [(event.step, make_ndarray(event.tensor_proto)) for event in events]
    assert values == [(5, 1.5), (9, float("inf"))]


def test_tensorboard_has_texts_and_histograms(board):
    (text,) = tensors(board, "config")
    assert text.string_val[0] == b"run:\n  steps: 3"
    (histogram,) = tensors(board, "weights")
    rows = np.frombuffer(histogram.tensor_content).reshape(-1, 3)  # left, right, count
    assert rows[:, 2].sum() == 10 and rows[0, 0] == 0 and rows[-1, 1] == 9


@pytest.mark.parametrize(
    ("tag", "color"), [("picture", [255, 0, 128]), ("gray", [77, 77, 77])]
)
def test_tensorboard_has_images(board, tag, color):
    (event,) = board.Images(tag)
    image = Image.open(io.BytesIO(event.encoded_image_string))
    assert image.format == "PNG" and image.size == (8, 6) == (event.width, event.height)
    assert (np.asarray(image.convert("RGB")) == color).all()


def test_tensorboard_has_videos_as_gif(board):
    (event,) = board.Images("openloop")
    image = Image.open(io.BytesIO(event.encoded_image_string))
    assert image.format == "GIF" and image.size == (24, 16)
    assert getattr(image, "n_frames", 0) == 7 and image.info["duration"] == 100


def test_tensorboard_has_the_hyperparameters(board):
    from tensorboard.plugins.hparams import metadata

    summary = board.SummaryMetadata("_hparams_/session_start_info")
    content = summary.plugin_data.content
    data = metadata.parse_session_start_info_plugin_data(content).hparams
    assert data["agent.units"].number_value == 64
    assert data["agent.act"].string_value == "silu"
    assert data["agent.mults"].string_value == "[2, 3]"
