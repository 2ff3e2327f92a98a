"""The page on which a person plays: its server, and the page itself in a browser."""

import asyncio
import io
import json
import pathlib
import shutil
import socket
import subprocess
import sys
import time
import urllib.request

import numpy as np
import pytest
from PIL import Image

ROOT = pathlib.Path(__file__).resolve().parents[3]
sys.path.append(str(ROOT / "tools"))

from minecraft_play import Server, main  # noqa: E402
from play.game import Game  # noqa: E402

from dreamerv3_tf.envs import make_env  # noqa: E402
from dreamerv3_tf.envs.minecraft.actions import NAMES  # noqa: E402
from dreamerv3_tf.replay.segments import open_segments  # noqa: E402

pytest.importorskip("aiohttp", reason="the page needs aiohttp")


def new_game(record=None, **settings):
    return Game(make_env("minecraft_diamond", seed=3, **settings), record)


def test_keys_that_are_held_take_turns_and_a_press_comes_first():
    game = new_game()
    game.hold(["forward", "attack"])
    game.press("turn_left")
    done = []
    for _ in range(5):
        game.tick()
        done.append(game.last)
    assert done[0] == "turn_left"
    assert sorted(done[1:3]) == ["attack", "forward"] and done[1:3] == done[3:5]
    game.hold([])
    game.tick()
    assert (game.last, game.steps) == ("noop", 6)
    game.close()


def test_an_unknown_action_is_named():
    game = new_game()
    with pytest.raises(ValueError, match="No action 'fly'.*Actions: noop, attack"):
        game.hold(["fly"])
    game.close()


def test_a_recording_is_a_replay_of_what_was_seen_and_done(tmp_path):
    game = new_game(tmp_path / "recording", length=4)
    seen = [game.obs["image"]]
    for name in ("turn_right", "forward", "forward", "turn_right"):
        game.press(name)
        game.tick()
        seen.append(game.obs["image"])
    assert game.over and not game.status()["dead"]
    game.tick()  # nothing: the episode is over
    game.begin()
    game.close()
    (segment,) = open_segments(tmp_path / "recording")
    rows = segment.committed
    arrays = {key: value[0, :rows] for key, value in segment.arrays.items()}
    assert rows == 6  # five of the first episode, one of the second
    names = [NAMES[i] for i in arrays["action"][:4]]
    assert names == ["turn_right", "forward", "forward", "turn_right"]
    np.testing.assert_array_equal(arrays["image"][:5], seen)
    np.testing.assert_array_equal(arrays["is_first"], [1, 0, 0, 0, 0, 1])
    np.testing.assert_array_equal(arrays["is_last"], [0, 0, 0, 0, 1, 0])
    assert not arrays["is_terminal"].any()


async def talk(server, commands, messages):
    """What a page hears after the commands: pairs of status and picture."""
    from aiohttp.test_utils import TestClient, TestServer

    heard = []
    async with TestClient(TestServer(server.application())) as client:
        page = await (await client.get("/")).text()
        async with client.ws_connect("/play") as open_page:
            for command in commands:
                await open_page.send_json(command)
            while len(heard) < messages:
                message = await open_page.receive(timeout=30)
                heard.append(message.data)
    return page, heard


def test_the_page_gets_status_and_pictures_and_moves_the_world():
    server = Server(new_game())
    commands = [{"hold": ["forward"]}, {"hold": ["fly"]}, {"fly": 1}]
    page, heard = asyncio.run(talk(server, commands, 20))
    assert "craft_planks" in page
    texts = [json.loads(text) for text in heard if isinstance(text, str)]
    errors = [text["error"] for text in texts if "error" in text]
    assert len(errors) == 2 and errors[1] == "No command 'fly'."
    states = [text for text in texts if "steps" in text]
    assert states[-1]["steps"] > states[0]["steps"]
    assert len(states[0]["milestones"]) == 12
    assert ["air", 365] in states[0]["inventory"]
    picture = next(data for data in heard if isinstance(data, bytes))
    with Image.open(io.BytesIO(picture)) as image:
        assert image.size[0] == image.size[1] >= 256


def test_the_world_waits_when_paused_or_asked_to_move_only_along():
    for command in ({"paused": True}, {"stepping": True}):
        server = Server(new_game())
        asyncio.run(talk(server, [command, {"nothing": 0}], 3))
        steps = server.game.steps
        assert steps <= 1
        assert server.paused or server.stepping


def test_another_site_may_not_play():
    async def ask():
        from aiohttp.test_utils import TestClient, TestServer

        server = Server(new_game())
        async with TestClient(TestServer(server.application())) as client:
            answer = await client.get("/play", headers={"Origin": "http://evil.test"})
            return answer.status

    assert asyncio.run(ask()) == 403


def test_only_minecraft_can_be_played_here(capsys):
    with pytest.raises(SystemExit):
        main(["--task", "dmc_walker_walk"])
    assert "expected minecraft_diamond" in capsys.readouterr().err


CHROMIUM = shutil.which("chromium")


@pytest.mark.skipif(not CHROMIUM, reason="needs Debian's package chromium")
def test_a_browser_shows_the_game(tmp_path):
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    command = [sys.executable, "tools/minecraft_play.py", f"--port={port}"]
    game = subprocess.Popen(
        command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    )
    address = f"http://127.0.0.1:{port}/"
    try:
        wait_for(address, game)
        shot = tmp_path / "page.png"
        options = "--headless=new --no-sandbox --disable-gpu --hide-scrollbars"
        browser = [CHROMIUM, *options.split(), f"--user-data-dir={tmp_path / 'user'}"]
        browser += ["--window-size=1120,860", "--timeout=4000", f"--screenshot={shot}"]
        subprocess.run([*browser, address], check=True, capture_output=True, timeout=90)
    finally:
        game.terminate()
        game.communicate(timeout=30)
    with Image.open(shot) as image:
        pixels = np.asarray(image.convert("RGB"))
    view = pixels[20:660, 20:660]  # where the canvas is
    assert len(np.unique(view.reshape(-1, 3), axis=0)) > 50  # a world, not a blank


def wait_for(address, process):
    """Waits until the page answers."""
    end = time.monotonic() + 120
    while True:
        try:
            urllib.request.urlopen(address, timeout=5).close()
            return
        except OSError:
            assert process.poll() is None, process.communicate()[0]
            assert time.monotonic() < end, "the page does not answer"
            time.sleep(0.2)
