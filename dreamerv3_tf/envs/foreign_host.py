"""Runs a game behind a pipe; a program for the interpreter that the game lives in.

It and the file of the game run on Python 3.7 or later and import nothing of ours.

  python foreign_host.py GAME.py            serves one game over stdin and stdout
  python foreign_host.py GAME.py --probe    prints what is installed, as JSON

A message in either direction is two uint32 (little endian), the lengths of a JSON
header and of a body of raw bytes, and then the two. `foreign.py` is the other end.

The file of the game has three functions:

  start(settings) -> (game, header)          game.close() is called at the end
  answer(game, request) -> (header, body)    the reply to any other request
  probe() -> dict                            what is there, all that JSON can say
"""

from __future__ import annotations

import importlib.util
import json
import os
import struct
import sys
import traceback
from collections.abc import Mapping
from typing import Any

if sys.path and sys.path[0] == os.path.dirname(os.path.abspath(__file__)):
    del sys.path[0]  # so that no file of this folder hides a module of the game

LENGTHS = struct.Struct("<II")


class Pipe:
    """Messages over what were stdin and stdout; the game writes to stderr instead."""

    def __init__(self):
        # Copies of the descriptors are not inherited, so no child holds them open.
        self.source = os.fdopen(os.dup(0), "rb")
        self.sink = os.fdopen(os.dup(1), "wb")
        nothing = os.open(os.devnull, os.O_RDONLY)
        os.dup2(nothing, 0)
        os.close(nothing)
        os.dup2(2, 1)

    def read(self) -> dict[str, Any] | None:
        """The next request, or None where the other end is gone."""
        lengths = self.source.read(LENGTHS.size)
        if len(lengths) < LENGTHS.size:
            return None
        header, body = LENGTHS.unpack(lengths)
        text = self.source.read(header)
        self.source.read(body)
        return json.loads(text.decode()) if len(text) == header else None

    def write(self, header: Mapping[str, Any], body: bytes = b"") -> None:
        text = json.dumps(header).encode()
        self.sink.write(LENGTHS.pack(len(text), len(body)) + text + body)
        self.sink.flush()


def load(path: str) -> Any:
    """The module in a file."""
    spec = importlib.util.spec_from_file_location("game", path)
    assert spec and spec.loader, path
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def serve(module: Any) -> None:
    """Plays until the other end hangs up, or something can't be mended."""
    pipe, game = Pipe(), None
    try:
        while True:
            request = pipe.read()
            if request is None or request["do"] == "close":
                break
            if request["do"] == "make":
                game, header = module.start(request["settings"])
                pipe.write(header)
            else:
                assert game is not None, "the first request is 'make'"
                pipe.write(*module.answer(game, request))
    except Exception as error:
        traceback.print_exc()
        missing = getattr(error, "name", "") if isinstance(error, ImportError) else ""
        text = f"{type(error).__name__}: {error}"
        pipe.write({"error": text, "missing": missing or ""})
    finally:
        if game is not None:
            game.close()


if __name__ == "__main__":
    loaded = load(sys.argv[1])
    if "--probe" in sys.argv:
        print(json.dumps(loaded.probe()))
    else:
        serve(loaded)
