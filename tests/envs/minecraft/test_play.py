"""The page on which a person plays: its server, and the page itself in a browser."""

import asyncio
import base64
import contextlib
import io
import json
import pathlib
import shutil
import socket
import subprocess
import sys
import tempfile
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


@pytest.mark.parametrize("command", [{"paused": True}, {"stepping": True}])
def test_the_world_waits_when_paused_or_asked_to_move_only_along(command):
    server = Server(new_game())
    server.command(command)

    async def watch():
        from aiohttp.test_utils import TestClient, TestServer

        client = TestClient(TestServer(server.application()))
        async with client, client.ws_connect("/play") as page:
            await page.receive(timeout=30)
            await asyncio.sleep(0.5)  # ten ticks, if it did not wait
            waited = server.game.steps
            await page.send_json({"paused": False, "stepping": False})
            while server.game.steps < 3:
                await page.receive(timeout=30)
            return waited

    assert asyncio.run(watch()) == 0


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
WATCH = """
var seen = [], told = show;
show = (news) => { seen.push(news.action); told(news); };
"""
"""Keeps what the page is told: an action stands there for a twentieth of a second."""


class Browser:
    """A page in headless Chromium, driven by its debugging protocol."""

    def __init__(self, socket):
        self.socket, self.number = socket, 0

    async def ask(self, method, **parameters):
        self.number += 1
        request = {"id": self.number, "method": method, "params": parameters}
        await self.socket.send_json(request)
        while True:
            answer = await self.socket.receive_json(timeout=60)
            if answer.get("id") == self.number:
                return answer["result"]

    async def value(self, expression):
        result = await self.ask("Runtime.evaluate", expression=expression)
        return result["result"].get("value")

    async def wait(self, expression):
        end = time.monotonic() + 120
        while not await self.value(expression):
            assert time.monotonic() < end, expression
            await asyncio.sleep(0.1)


async def play_in_browser(port, folder, address):
    """Walks, crafts and looks; what the page says, and a screenshot."""
    import aiohttp

    async with aiohttp.ClientSession() as session:
        async with session.put(f"http://127.0.0.1:{port}/json/new") as answer:
            debugger = (await answer.json())["webSocketDebuggerUrl"]
        async with session.ws_connect(debugger, max_msg_size=0) as socket:
            page = Browser(socket)
            await page.ask(
                "Emulation.setDeviceMetricsOverride",
                width=1120, height=860, deviceScaleFactor=1, mobile=False,
            )  # fmt: skip
            await page.ask("Page.navigate", url=address)
            await page.wait("Number(document.body?.dataset.frames) > 3")
            await page.value(WATCH)
            for code, action in {"KeyW": "forward", "Digit1": "craft_planks"}.items():
                await page.ask("Input.dispatchKeyEvent", type="rawKeyDown", code=code)
                await page.wait(f"seen.includes('{action}')")
                await page.ask("Input.dispatchKeyEvent", type="keyUp", code=code)
            shot = await page.ask("Page.captureScreenshot")
            path = folder / "page.png"
            path.write_bytes(base64.b64decode(shot["data"]))
            return path, await page.value("document.body.innerText")


@pytest.mark.skipif(not CHROMIUM, reason="needs Debian's package chromium")
def test_a_browser_shows_the_game_and_obeys_the_keyboard(tmp_path):
    ports = [free_port(), free_port()]
    options = "--headless=new --no-sandbox --disable-gpu --remote-allow-origins=*"
    browser = [CHROMIUM, *options.split(), f"--remote-debugging-port={ports[1]}"]
    programs = [
        [sys.executable, "tools/minecraft_play.py", f"--port={ports[0]}"],
        [*browser, f"--user-data-dir={tmp_path / 'user'}", "about:blank"],
    ]
    with contextlib.ExitStack() as stack:
        for command, port, path in zip(programs, ports, ("", "json"), strict=True):
            process = stack.enter_context(started(command))
            wait_for(f"http://127.0.0.1:{port}/{path}", process)
        address = f"http://127.0.0.1:{ports[0]}/"
        shot, text = asyncio.run(play_in_browser(ports[1], tmp_path, address))
    assert "365 air" in text and "Not Minecraft" in text
    with Image.open(shot) as image:
        pixels = np.asarray(image.convert("RGB"))
    view = pixels[20:660, 20:660]  # where the canvas is
    assert len(np.unique(view.reshape(-1, 3), axis=0)) > 50  # a world, not a blank


def free_port():
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return free.getsockname()[1]


@contextlib.contextmanager
def started(command):
    """A program that runs inside of the `with` and surely ends after it."""
    with tempfile.TemporaryFile("w+") as said:
        process = subprocess.Popen(
            command, cwd=ROOT, stdout=said, stderr=subprocess.STDOUT
        )
        try:
            yield process
        finally:
            process.terminate()
            process.wait(30)


def wait_for(address, process):
    """Waits until a page answers."""
    end = time.monotonic() + 120
    while True:
        try:
            urllib.request.urlopen(address, timeout=5).close()
            return
        except OSError:
            assert process.poll() is None, process.args
            assert time.monotonic() < end, "nobody answers"
            time.sleep(0.2)
