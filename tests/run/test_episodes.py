"""A training whose length is given in episodes: it ends by itself, and goes on."""

import pathlib

import pytest
from trainings import SETTINGS

pytest.importorskip("bsuite", reason="the suite whose runs have a number of episodes")

from dreamerv3_tf import main  # noqa: E402
from dreamerv3_tf.envs import make_env  # noqa: E402
from dreamerv3_tf.record.checkpoint import Checkpoints  # noqa: E402
from dreamerv3_tf.values import ConfigError  # noqa: E402

START = [
    *("--task", "bsuite_catch/3", "--preset", "debug"),
    *(setting for setting in SETTINGS if not setting.startswith("env.")),
    *("env.episodes=12", "run.steps=1e6"),
]
ACTING = ["run.prefill=9000"]  # it never trains


def run(logdir, *arguments):
    command = ["dreamerv3", "--logdir", logdir, *START, *arguments]
    return main.main([str(word) for word in command])


def rows(logdir: pathlib.Path):
    text = (logdir / "bsuite" / "bsuite_id_-_catch-3.csv").read_text()
    head, *lines = text.splitlines()
    assert head.startswith("steps,episode,total_return,")
    return [line.split(",") for line in lines]


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    folder = tmp_path_factory.mktemp("whole")
    assert run(folder, *ACTING) == 0
    return folder


def test_it_ends_after_the_last_episode(whole, capsys):
    # Rows at 1, 2, ..., 10 and 12 episodes; each has 9 steps.
    counts = [*range(1, 11), 12]
    assert [(int(r[0]), int(r[1])) for r in rows(whole)] == [(9 * n, n) for n in counts]
    assert Checkpoints(whole / "ckpt").latest() == 120  # each has 10 records
    assert run(whole, *ACTING) == 0  # there is nothing left to do
    assert "All 12 episodes of the task are done." in capsys.readouterr().out


@pytest.mark.slow  # compiles the train step
def test_it_trains_and_ends_too(tmp_path, capsys):
    assert run(tmp_path, "env.episodes=6") == 0
    assert (
        "Saved at 60 frames" in capsys.readouterr().out
    )  # 6 episodes, 10 records each
    assert len(rows(tmp_path)) == 6


def test_an_interrupted_run_has_all_rows_once_and_the_same_episodes(whole, tmp_path):
    assert run(tmp_path, *ACTING, "run.steps=37") == 0  # in the middle of the fourth
    assert [row[1] for row in rows(tmp_path)] == ["1", "2", "3"]
    assert run(tmp_path, *ACTING, "run.steps=84") == 0  # has seen 7 of 8.4 episodes ...
    assert [row[1] for row in rows(tmp_path)] == list(
        "1234567"
    )  # ... as one began anew
    assert run(tmp_path, *ACTING) == 0
    found = rows(tmp_path)
    assert [row[:2] for row in found] == [row[:2] for row in rows(whole)]
    # Until the first break actions are the same, so the returns are.
    assert found[:3] == rows(whole)[:3]


def test_a_run_that_died_after_its_checkpoint_takes_back_what_it_wrote(tmp_path):
    assert run(tmp_path, *ACTING, "run.steps=37") == 0
    before = rows(tmp_path)
    env = make_env("bsuite_catch/3", seed=0, logdir=str(tmp_path))
    for _ in range(5):  # another process goes on to write, and saves nothing
        obs = env.reset()
        while not obs["is_last"]:
            obs = env.step({"action": env.act_space["action"].low.astype("int32")})
    assert len(rows(tmp_path)) == 5
    assert run(tmp_path, *ACTING) == 0
    assert rows(tmp_path)[:3] == before
    assert [row[1] for row in rows(tmp_path)] == [str(n) for n in (*range(1, 11), 12)]


@pytest.mark.parametrize(
    "setting, part",
    [
        ("run.envs=2", "run.envs=1"),
        ("run.parallel=process", "run.parallel=auto"),
        ("run.parallel=thread", "run.parallel=auto"),
    ],
)
def test_what_would_spoil_the_counts_is_refused(setting, part, tmp_path):
    with pytest.raises(ConfigError) as error:
        run(tmp_path / "new", *ACTING, setting)
    assert part in str(error.value) and "\n" not in str(error.value)
    assert not (tmp_path / "new").exists()


def test_evaluations_leave_the_log_alone(whole):
    before = rows(whole)
    assert run(whole, *ACTING, "--mode", "eval", "eval.episodes=3") == 0
    assert rows(whole) == before
