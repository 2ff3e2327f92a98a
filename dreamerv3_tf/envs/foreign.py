"""A game in an interpreter of its own, seen from ours.

Some games need an old NumPy or Python, so they can't share a process with the rest of
the program. `foreign_host.py` runs in their interpreter, loads a file that knows the
game, and answers over pipes.
"""

from __future__ import annotations

import contextlib
import json
import os
import pathlib
import select
import signal
import struct
import subprocess
import tempfile
import time
from collections.abc import Mapping
from typing import Any

from dreamerv3_tf.envs.base import EnvError

HOST = pathlib.Path(__file__).parent / "foreign_host.py"
LENGTHS = struct.Struct("<II")  # of the header and the body
PATIENCE = 10.0  # seconds that the host has to close its game
LAST_WORDS = 2000  # characters


class WorkerLost(Exception):
    """The host died or does not answer; the text has its last words."""


class Worker:
    """A running `foreign_host.py`; messages are a dict and raw bytes.

    Args:
        python: interpreter that has the game.
        game: file that knows the game; `foreign_host.py` says what must be in it.
        setting: where the user chose the interpreter, such as `env.python`.
        package: what the interpreter must have, in words.

    Raises:
        EnvError: there is no such interpreter.
    """

    def __init__(self, python: str, game: pathlib.Path, *, setting: str, package: str):
        self.python = python
        self.stderr = tempfile.TemporaryFile()  # noqa: SIM115  (close() does)
        try:
            # A session of its own, so that all that it starts can be ended with it.
            self.process = subprocess.Popen(
                [python, "-u", str(HOST), str(game)],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=self.stderr,
                start_new_session=True,
            )
        except OSError as error:
            self.stderr.close()
            raise EnvError(
                f"{setting} is '{python}', which can't be run ({error.strerror}); "
                f"expected the path of a Python interpreter that has {package} "
                "installed, such as ~/game/bin/python."
            ) from error

    def ask(
        self, request: Mapping[str, Any], timeout: float
    ) -> tuple[dict[str, Any], bytes]:
        """Sends a request and waits for the reply.

        Args:
            request: anything that JSON can say.
            timeout: seconds.

        Returns:
            Header and body of the reply.

        Raises:
            WorkerLost: the host died or took too long; it is closed then.
        """
        try:
            self._send(request)
            deadline = time.monotonic() + timeout
            header, body = LENGTHS.unpack(self._receive(LENGTHS.size, deadline))
            text = self._receive(header, deadline)
            return json.loads(text), self._receive(body, deadline)
        except TimeoutError:
            words = self.last_words()
            self.close(patience=0)
            raise WorkerLost(f"no answer within {timeout:.0f} s.{words}") from None
        except (OSError, EOFError):
            status = self._status()
            words = self.last_words()
            self.close(patience=0)
            raise WorkerLost(f"its process ended, {status}.{words}") from None

    def last_words(self) -> str:
        """What the host and the game wrote last, for an error message."""
        self.stderr.seek(0, os.SEEK_END)
        start = max(0, self.stderr.tell() - LAST_WORDS)
        self.stderr.seek(start)
        text = self.stderr.read().decode(errors="replace").strip()
        return f" Its last words:\n{text}" if text else " It said nothing."

    def close(self, patience: float = PATIENCE) -> None:
        """Ends the host and all that it started.

        Args:
            patience: seconds that it has to do so itself.
        """
        if self.stderr.closed:
            return
        with contextlib.suppress(OSError):  # it may be gone already
            if patience:
                self._send({"do": "close"})
        assert self.process.stdin and self.process.stdout
        with contextlib.suppress(OSError):
            self.process.stdin.close()
        self._wait(patience)
        for kind in (signal.SIGTERM, signal.SIGKILL):
            with contextlib.suppress(ProcessLookupError, PermissionError):
                os.killpg(self.process.pid, kind)
            self._wait(2.0)
        self.process.stdout.close()
        self.stderr.close()

    def _send(self, request: Mapping[str, Any]) -> None:
        text = json.dumps(request).encode()
        assert self.process.stdin
        self.process.stdin.write(LENGTHS.pack(len(text), 0) + text)
        self.process.stdin.flush()

    def _receive(self, count: int, deadline: float) -> bytes:
        assert self.process.stdout
        pipe, parts = self.process.stdout.fileno(), []
        while count:
            left = deadline - time.monotonic()
            if left <= 0 or not select.select([pipe], [], [], left)[0]:
                raise TimeoutError
            part = os.read(pipe, count)
            if not part:
                raise EOFError
            parts.append(part)
            count -= len(part)
        return b"".join(parts)

    def _status(self) -> str:
        self._wait(2.0)  # its pipe closes a little before it is gone
        code = self.process.poll()
        if code is None:
            return "still running without its pipe"
        if code < 0:
            return f"killed by {signal.Signals(-code).name}"
        return f"exit status {code}"

    def _wait(self, seconds: float) -> None:
        with contextlib.suppress(subprocess.TimeoutExpired):
            self.process.wait(seconds)


def probe(python: str, game: pathlib.Path, timeout: float = 120.0) -> dict[str, Any]:
    """What an interpreter has of a game; `error` says what keeps it from working."""
    command = [python, str(HOST), str(game), "--probe"]
    try:
        done = subprocess.run(command, capture_output=True, timeout=timeout, check=True)
        return json.loads(done.stdout.splitlines()[-1])
    except OSError as error:
        return {"error": f"it can't be run ({error.strerror})"}
    except (subprocess.SubprocessError, ValueError, IndexError) as error:
        return {"error": f"it does not run our program ({error})"}
