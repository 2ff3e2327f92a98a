"""MineRL's backend through its real pipe, over games that tests make up."""

import ast
import sys
import threading
import time

import numpy as np
import pytest

import dreamerv3_tf.envs.minecraft.minerl.backend as module
from dreamerv3_tf.envs import EnvError, foreign, make_env
from dreamerv3_tf.envs.minecraft.backend import NOOP
from dreamerv3_tf.envs.minecraft.items import EQUIPPED, INVENTORY, NAMES
from dreamerv3_tf.envs.minecraft.minerl import GAME, worker
from dreamerv3_tf.envs.minecraft.minerl.backend import MineRLBackend, merged

LOG, STICK = INVENTORY.index("log"), INVENTORY.index("stick")


@pytest.fixture
def backend(minerl_interpreter):
    """Makes a function from the events of `still.Still` to a backend; closes them."""
    made = []

    def make(events=None, **settings):
        minerl_interpreter(f"lambda **k: still.Still(events={events or {}}, **k)")
        made.append(MineRLBackend(seed=0, **settings))
        return made[-1]

    yield make
    for one in made:
        one.close()


def test_the_pipe_carries_observations_unchanged(backend):
    import still

    game, direct = backend(size=16, break_speed=7.0), still.Still(16, 7.0)
    game_raw, direct_raw = game.reset(), direct.reset()
    commands = [NOOP, {**NOOP, "camera": (-15, 0)}, {**NOOP, "forward": 1}, NOOP]
    for command in commands:
        for key, value in game_raw._asdict().items():
            np.testing.assert_array_equal(value, getattr(direct_raw, key), key)
        game_raw, direct_raw = game.step(command), direct.step(command)
    assert game_raw.image.dtype == np.uint8 and game_raw.inventory.dtype == np.int32
    assert game_raw.inventory[STICK] == 7
    assert EQUIPPED[game_raw.equipped] == "log"


def test_both_kinds_of_logs_are_added():
    counts = np.arange(len(NAMES), dtype=np.int32)
    result = merged(counts)
    assert result.shape == (391,)
    log, log2 = NAMES.index("log"), NAMES.index("log2")
    assert result[LOG] == log + log2
    others = {name: int(n) for name, n in zip(INVENTORY, result, strict=True)}
    assert all(others[name] == NAMES.index(name) for name in others if name != "log")


def test_what_the_game_prints_does_not_disturb_the_pipe(backend):
    game = backend({2: "noise", 3: "noise"})
    game.reset()
    assert [game.step(NOOP).inventory[LOG] for _ in range(4)] == [1, 2, 3, 4]
    assert "printed by a library" in game.worker.last_words()


def test_death_ends_an_episode_and_the_next_one_begins(backend):
    game = backend({3: "dead"})
    game.reset()
    assert [game.step(NOOP).dead for _ in range(3)] == [False, False, True]
    raw = game.reset()
    assert not raw.dead and raw.image[0, 0, 0] == 2  # the second episode


@pytest.mark.parametrize("event", ["lost", "raise", "exit"])
def test_a_lost_game_is_told_and_a_new_episode_begins(backend, event):
    game = backend({2: event})
    game.reset()
    assert not game.step(NOOP).lost
    raw = game.step(NOOP)
    assert raw.lost and not raw.dead
    assert raw.inventory[LOG] == 1  # the last true observation
    assert game.reset().inventory[LOG] == 0
    assert not game.step(NOOP).lost


def test_the_task_marks_the_new_episode_after_a_loss(minerl_interpreter):
    minerl_interpreter("lambda **k: still.Still(events={2: 'raise'}, **k)")
    env = make_env("minecraft", seed=0, backend="minerl")
    env.reset()
    action = {"action": np.int32(0)}
    first = [bool(env.step(action)["is_first"]) for _ in range(4)]
    env.close()
    assert first == [False, True, False, True]


def test_a_game_that_is_lost_again_and_again_ends_the_run(backend):
    game = backend({1: "lost"})
    game.losses.limit = 3
    with pytest.raises(EnvError, match="(?s)lost its game 4 times.*check_env"):
        for _ in range(9):
            game.reset()
            game.step(NOOP)


def test_a_game_that_hangs_is_killed(backend, monkeypatch):
    monkeypatch.setattr(module, "STEP", 1.0)
    game = backend({1: "hang"})
    game.reset()
    worker_process = game.worker.process
    assert game.step(NOOP).lost
    assert worker_process.poll() is not None


def test_closing_leaves_no_process(backend, monkeypatch):
    monkeypatch.setattr(foreign, "PATIENCE", 1.0)
    game = backend({1: "hang"})
    game.reset()
    running = game.worker.process
    game.worker._send({"do": "step", "command": dict(NOOP)})  # hangs now
    start = time.monotonic()
    game.worker.close(patience=0.5)
    assert running.poll() is not None and time.monotonic() - start < 10
    game.close()
    game.close()  # twice is fine


def test_the_last_words_of_a_dead_worker_are_told(backend):
    game = backend({1: "exit"})
    game.reset()
    game.losses.limit = 0
    with pytest.raises(EnvError, match="(?s)exit status 3.*A fatal error"):
        game.step(NOOP)


def test_a_missing_interpreter_is_named():
    with pytest.raises(EnvError, match="minerl_python is '/nowhere/python'.*expected"):
        MineRLBackend(seed=0, minerl_python="/nowhere/python")


def test_a_missing_package_is_named_with_what_to_do():
    with pytest.raises(EnvError, match="(?s)no package 'minerl'.*minerl_python.*voxel"):
        MineRLBackend(seed=0)


def test_a_minerl_that_starts_no_game_says_why_and_what_is_missing(
    minerl_interpreter, monkeypatch
):
    monkeypatch.delenv("DISPLAY", raising=False)
    minerl_interpreter("lambda **k: 1 / 0")
    game = MineRLBackend(seed=0)
    with pytest.raises(EnvError) as caught:
        game.reset()
    text = str(caught.value)
    assert "did not start in 3 attempts" in text and "division by zero" in text
    assert "What is missing on this machine" in text and "display: no DISPLAY" in text


def test_options_are_written_before_the_start(minerl_interpreter):
    site = minerl_interpreter("still.Still")
    game = MineRLBackend(seed=0, minerl_options={"gamma": 5.0, "renderDistance": 6})
    game.reset()
    game.close()
    text = (site / "minerl" / "Malmo" / "run" / "options.txt").read_text()
    assert text == "gamma:5.0\nlang:en_us\nrenderDistance:6\n"


def test_the_probe_tells_versions_and_brightness(minerl_interpreter):
    minerl_interpreter("still.Still", version="0.4.4")
    found = foreign.probe(sys.executable, GAME)
    assert found["minerl"] == "0.4.4" and "error" not in found
    assert found["options"]["gamma"] == "2.0"
    assert found["numpy"] == np.__version__


def test_the_probe_tells_what_is_wrong():
    assert "No module named 'minerl'" in foreign.probe(sys.executable, GAME)["error"]
    assert "can't be run" in foreign.probe("/nowhere/python", GAME)["error"]


def test_the_state_can_not_be_saved(backend):
    game = backend()
    for call in (game.snapshot, lambda: game.restore({})):
        with pytest.raises(EnvError, match="'minerl' can't save its state"):
            call()


def test_people_see_the_picture_enlarged(backend):
    game = backend(size=8)
    with pytest.raises(EnvError, match="no picture before"):
        game.picture(32)
    image = game.reset().image
    np.testing.assert_array_equal(game.picture(16), image.repeat(2, 0).repeat(2, 1))


@pytest.mark.parametrize(
    "program, packages", [(GAME, {"numpy", "minerl"}), (foreign.HOST, set())]
)
def test_the_worker_is_written_for_old_interpreters_and_stands_alone(program, packages):
    tree = ast.parse(program.read_text(), feature_version=(3, 7))
    names = [n for n in ast.walk(tree) if isinstance(n, ast.Import | ast.ImportFrom)]
    roots = {getattr(n, "module", None) or n.names[0].name for n in names}
    roots = {root.partition(".")[0] for root in roots}
    assert roots - set(sys.stdlib_module_names) == packages
    old = {"maxsplit", "removeprefix", "removesuffix", "match"}
    used = {n.attr for n in ast.walk(tree) if isinstance(n, ast.Attribute)}
    assert not used & (old - {"maxsplit"})


def test_only_missing_names_are_given_to_numpy(monkeypatch):
    before = np.bool
    monkeypatch.setattr(np, "float", "old", raising=False)
    monkeypatch.setattr(np, "int", None, raising=False)
    monkeypatch.delattr(np, "int")
    worker.add_missing_names()
    assert np.int is int and np.float == "old" and np.bool is before
    del np.int
    if "object" in vars(np) and np.object is object:
        del np.object


def test_workers_start_their_games_one_after_another(tmp_path, monkeypatch):
    monkeypatch.setattr(worker.tempfile, "gettempdir", lambda: str(tmp_path))
    order = []

    def start():
        with worker.one_at_a_time():
            order.append("second")

    other = threading.Thread(target=start)
    with worker.one_at_a_time():
        other.start()
        other.join(0.2)
        order.append("first")
    other.join(10)
    assert order == ["first", "second"]
