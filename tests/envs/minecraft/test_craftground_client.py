"""The unmodified client of CraftGround 2.7.4 plays with a fake game over its socket."""

import json
import os
import stat
import sys

import numpy as np
import pytest

from dreamerv3_tf.envs.minecraft.actions import COMMANDS, NAMES
from dreamerv3_tf.envs.minecraft.backend import NOOP
from dreamerv3_tf.envs.minecraft.craftground.backend import CraftGroundBackend
from dreamerv3_tf.envs.minecraft.items import INVENTORY

# The client drops a socket for each try to connect, and one of its own when it closes.
pytestmark = pytest.mark.filterwarnings(
    "ignore::ResourceWarning", "ignore::pytest.PytestUnraisableExceptionWarning"
)

KIT = [["oak_log", 12], ["cobblestone", 24], ["raw_iron", 4], ["coal", 1]]


@pytest.fixture
def runtime(craftground_folder, tmp_path, monkeypatch):
    """Folder whose `gradlew` starts the fake game; the package is importable."""
    for package in ("gymnasium", "psutil", "PIL", "google.protobuf"):
        pytest.importorskip(package, reason="the client of CraftGround needs it")
    fakes = os.path.join(os.path.dirname(__file__), "fakes")
    root = os.path.abspath(os.path.join(os.path.dirname(__file__), "..", "..", ".."))
    stub = tmp_path / "stub"
    stub.mkdir()
    # The client imports torch for one type annotation; it is 800 MB otherwise.
    (stub / "torch.py").write_text("class Tensor:\n    pass\n")
    script = tmp_path / "runtime" / "gradlew"
    script.parent.mkdir()
    path = os.pathsep.join([str(craftground_folder), str(stub), fakes, root])
    errors = tmp_path / "server.txt"
    script.write_text(
        "#!/bin/sh\n"
        f"PYTHONPATH='{path}' exec '{sys.executable}' "
        f"'{fakes}/craftground_server.py' 2>>'{errors}'\n"
    )
    script.chmod(script.stat().st_mode | stat.S_IXUSR)
    monkeypatch.syspath_prepend(str(stub))
    monkeypatch.syspath_prepend(str(craftground_folder))
    before = set(sys.modules)
    yield script.parent
    for name in set(sys.modules) - before:
        if name.partition(".")[0] in ("craftground", "torch"):
            del sys.modules[name]
    if errors.exists():
        print(errors.read_text())  # pytest shows it where the test failed


@pytest.fixture
def play_on(runtime, monkeypatch):
    """Makes a function from settings of the game to a backend; closes it."""
    made = []

    def make(**settings):
        monkeypatch.setenv("FAKE", json.dumps({"seed": 5, **settings}))
        made.append(CraftGroundBackend(seed=0, craftground_runtime=str(runtime)))
        return made[-1]

    yield make
    for one in made:
        one.close()


def run(game, script):
    raw = None
    for name in script.split():
        raw = game.step(COMMANDS[NAMES.index(name)])
        slow = name.startswith(("craft", "place", "smelt", "equip"))
        for _ in range(3 if slow else 0):
            raw = game.step(NOOP)
    return raw


def held(raw):
    pairs = zip(INVENTORY, raw.inventory.tolist(), strict=True)
    return {name: count for name, count in pairs if count and name != "air"}


def test_the_whole_way_to_an_iron_pickaxe_a_death_and_a_new_episode(play_on):
    game = play_on(kit=KIT, drops=[250])
    raw = game.reset()
    assert raw.image.shape == (64, 64, 3) and raw.image.std() > 5
    assert raw.life == 20 and raw.inventory[INVENTORY.index("air")] == 365
    start = raw.position
    raw = run(game, "forward " * 12)
    assert np.abs(raw.position - start)[[0, 2]].sum() > 1  # walked
    run(game, "turn_down turn_down turn_down")
    raw = run(game, "craft_planks craft_planks craft_planks craft_crafting_table")
    assert held(raw)["crafting_table"] == 1 and held(raw)["planks"] == 8  # crafted
    raw = run(game, "place_crafting_table craft_stick craft_wooden_pickaxe")
    assert held(raw)["wooden_pickaxe"] == 1 and "crafting_table" not in held(raw)
    raw = run(game, "craft_planks craft_stick craft_stone_pickaxe craft_furnace")
    assert held(raw)["stone_pickaxe"] == 1 and held(raw)["cobblestone"] == 13
    raw = run(game, "turn_right turn_right place_furnace " + "smelt_iron_ingot " * 3)
    assert held(raw)["iron_ingot"] == 3 and held(raw)["iron_ore"] == 1  # smelted
    raw = run(game, "turn_left turn_left craft_iron_pickaxe equip_iron_pickaxe")
    assert held(raw)["iron_pickaxe"] == 1
    assert raw.position[4] == 45  # three turns of exactly 15 degrees
    before = sum(held(raw).values())
    raw = run(game, "attack " * 6 + "forward " * 30)  # breaks, picks up
    assert sum(held(raw).values()) > before
    for _ in range(300):
        raw = game.step(NOOP)
        if raw.dead:
            break
    assert raw.dead and raw.life == 0
    raw = game.reset()
    assert not raw.dead and raw.life == 20 and held(raw) == {}
    assert np.abs(raw.position - start)[[0, 2]].max() > 1000
    process = game.client.env.process
    game.close()
    assert process.poll() is not None


def test_a_game_that_crashes_is_lost_and_started_again(play_on, monkeypatch):
    monkeypatch.setenv("FAKE_CRASH", "5")
    game = play_on()
    game.reset()
    lost = [game.step(NOOP).lost for _ in range(6)]
    assert lost == [False] * 5 + [True]
    assert game.reset().life == 20
    assert not game.step(NOOP).lost
