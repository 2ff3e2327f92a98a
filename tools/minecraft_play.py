"""Play the Minecraft task on a web page: the 25 actions by keyboard, live.

    python tools/minecraft_play.py [--seed N] [--record FOLDER]

then open http://127.0.0.1:8765. The world runs at 20 ticks a second while the page is
open and not paused. `--record` keeps each step in the replay's format, to be looked at
with `tools/inspect_replay.py`. Only this machine can reach the page.
"""

from __future__ import annotations

import argparse
import asyncio
import io
import json
import pathlib
import sys
import time

ROOT = pathlib.Path(__file__).resolve().parent.parent
sys.path[:0] = [
    path for path in (str(ROOT), str(ROOT / "tools")) if path not in sys.path
]

from PIL import Image  # noqa: E402
from play.game import Game  # noqa: E402

from dreamerv3_tf import envs  # noqa: E402
from dreamerv3_tf.envs.hooks import prepare_env  # noqa: E402

HOST = "127.0.0.1"
TICK = 1 / 20  # seconds
PAGE = pathlib.Path(__file__).resolve().parent / "play" / "page.html"


class Server:
    """Runs the game and shows it to every page that is open.

    Args:
        game: what is played.
        now: source of the time, seconds.
    """

    def __init__(self, game: Game, now=time.monotonic):
        self.game, self.now = game, now
        self.sockets: set = set()
        self.paused = False
        self.stepping = False  # the world moves only while there is something to do

    def application(self):
        """The web application, to be run by aiohttp."""
        from aiohttp import web

        app = web.Application()
        app.router.add_get("/", self.page)
        app.router.add_get("/play", self.talk)
        app.cleanup_ctx.append(self.run)
        return app

    async def page(self, request):
        """The page itself."""
        from aiohttp import web

        del request
        return web.Response(text=PAGE.read_text("utf-8"), content_type="text/html")

    async def talk(self, request):
        """One open page: commands in, pictures out."""
        from aiohttp import WSMsgType, web

        if request.headers.get("Origin", f"http://{request.host}") != (
            f"http://{request.host}"
        ):
            raise web.HTTPForbidden(text="Another site may not play here.")
        socket = web.WebSocketResponse()
        await socket.prepare(request)
        self.sockets.add(socket)
        try:
            await self.show([socket])
            async for message in socket:
                if message.type == WSMsgType.TEXT:
                    await self.obey(socket, message.data)
        finally:
            self.sockets.discard(socket)
            self.game.hold([])
        return socket

    async def obey(self, socket, text: str) -> None:
        """Does what a page asks for; what makes no sense is answered with why."""
        try:
            self.command(json.loads(text))
        except (ValueError, TypeError, AttributeError) as error:
            await socket.send_json({"error": str(error)})

    def command(self, asked: dict) -> None:
        """One command: `hold`, `press`, `pause`, `stepping` or `reset`.

        Raises:
            ValueError: there is no such command or action.
        """
        for key, value in asked.items():
            if key == "hold":
                self.game.hold(list(value))
            elif key == "press":
                self.game.press(value)
            elif key in ("paused", "stepping"):
                setattr(self, key, bool(value))
            elif key == "reset":
                self.game.begin()
            else:
                raise ValueError(f"No command '{key}'.")

    async def run(self, app):
        """Keeps the world going while the server is up."""
        del app
        task = asyncio.create_task(self.loop())
        yield
        task.cancel()
        self.game.close()

    async def loop(self) -> None:
        """Twenty ticks a second, late ones not made up for."""
        due = self.now()
        while True:
            due = max(due + TICK, self.now())
            await asyncio.sleep(max(0.0, due - self.now()))
            waits = self.stepping and not (self.game.held or self.game.pressed)
            if self.sockets and not self.paused:
                if not waits:
                    self.game.tick()
                await self.show(list(self.sockets))

    async def show(self, sockets: list) -> None:
        """Sends status and picture."""
        picture = io.BytesIO()
        Image.fromarray(self.game.frame()).save(picture, "PNG", compress_level=1)
        status = self.game.status()
        status |= {"paused": self.paused, "stepping": self.stepping}
        for socket in sockets:
            if not socket.closed:
                await socket.send_json(status)
                await socket.send_bytes(picture.getvalue())


def main(argv: list[str] | None = None) -> None:
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--task", default="minecraft_diamond")
    parser.add_argument("--seed", type=int, default=0, help="of the worlds")
    parser.add_argument("--port", type=int, default=8765)
    parser.add_argument("--record", type=pathlib.Path, help="folder of the recording")
    parser.add_argument("--length", type=int, default=36000, help="steps of an episode")
    asked = parser.parse_args(argv)
    if envs.suite_of(asked.task)[0] != "minecraft":
        parser.error(f"--task is {asked.task}, expected minecraft_diamond, _wood, ...")
    try:
        from aiohttp import web
    except ModuleNotFoundError:
        parser.exit(2, "This needs aiohttp: pip install '.[play]'\n")
    prepare_env(asked.task, {}, print)
    env = envs.make_env(asked.task, seed=asked.seed, length=asked.length)
    game = Game(env, asked.record)
    app = Server(game).application()
    web.run_app(app, host=HOST, port=asked.port, handle_signals=True)


if __name__ == "__main__":
    main()
