"""Resident memory of a process and all that it started, sampled while it runs.

The kernel keeps a peak (VmHWM) of all resident pages, pages of mapped files included.
Those of the replay's files are a cache that the kernel may drop whenever it likes, so
they say nothing about what training needs. It keeps no peak without them.
"""

from __future__ import annotations

import pathlib
import re
import threading
from collections.abc import Iterator

import psutil

REPLAY = re.compile(r"\.dv3( \(deleted\))?$")
"""End of the names of the replay's files among the mapped ones."""


FIGURES = ("total", "anonymous", "beyond_replay", "learner_beyond_replay")


class MemoryWatch:
    """Samples memory in a thread; to be used in a `with`.

    Args:
        pid: the process; its descendants count too.
        interval: seconds between samples.
        replay: also find the pages of replay files, which takes the kernel some ten
            milliseconds a sample.

    Attributes:
        peaks: greatest number of bytes seen of `total`, of `anonymous` memory (what no
            file backs), and with `replay` `beyond_replay` and `learner_beyond_replay`,
            that of the process without its descendants.
    """

    def __init__(self, pid: int, interval: float = 0.05, replay: bool = False):
        self.pid, self.interval, self.replay = pid, interval, replay
        self.peaks: dict[str, int] = {}
        self._done = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)

    def __enter__(self) -> MemoryWatch:
        self._thread.start()
        return self

    def __exit__(self, *error) -> None:
        self._done.set()
        self._thread.join()

    def sample(self) -> None:
        """Looks once."""
        names = FIGURES if self.replay else FIGURES[:2]
        found = dict.fromkeys(names, 0)
        for pid in [self.pid, *descendants(self.pid)]:
            total, anonymous = resident(pid)
            found["total"] += total
            found["anonymous"] += anonymous
            if self.replay:
                beyond = total - replay_pages(pid)
                found["beyond_replay"] += beyond
                found["learner_beyond_replay"] += beyond if pid == self.pid else 0
        for key, size in found.items():
            self.peaks[key] = max(size, self.peaks.get(key, 0))

    def _run(self) -> None:
        while True:
            self.sample()
            if self._done.wait(self.interval):
                return


def descendants(pid: int) -> Iterator[int]:
    """Processes that a process started, and that these started."""
    path = pathlib.Path(f"/proc/{pid}/task/{pid}/children")
    try:
        # The kernel's own list; the other way is to look at all processes there are.
        found = [int(word) for word in path.read_text().split()]
    except (FileNotFoundError, ProcessLookupError):
        found = children(pid)
    for child in found:
        yield child
        yield from descendants(child)


def children(pid: int) -> list[int]:
    """Processes that a process started; none where it has ended."""
    try:
        return [child.pid for child in psutil.Process(pid).children()]
    except psutil.NoSuchProcess:
        return []


def resident(pid: int) -> tuple[int, int]:
    """Bytes of all resident memory, and of what no file backs; 0 of an ended process.

    Memory that processes share counts in each of them.
    """
    if not psutil.LINUX:
        size = psutil.Process(pid).memory_info().rss
        return size, size
    try:
        text = pathlib.Path(f"/proc/{pid}/status").read_text()
    except (FileNotFoundError, ProcessLookupError):
        return 0, 0  # it ended since the list was made
    sizes = {
        name: 1024 * int(size)
        for name, size in re.findall(r"^(Rss\w+):\s+(\d+) kB$", text, re.MULTILINE)
    }
    anonymous = sizes.get("RssAnon", 0) + sizes.get("RssShmem", 0)
    return anonymous + sizes.get("RssFile", 0), anonymous


def replay_pages(pid: int) -> int:
    """Bytes of resident pages of replay files that the process has mapped."""
    try:
        lines = pathlib.Path(f"/proc/{pid}/smaps").read_text().splitlines()
    except (FileNotFoundError, ProcessLookupError, PermissionError):
        return 0  # not Linux, or it ended since the list was made
    size, counted = 0, False
    for line in lines:
        first = line.split(" ", 1)[0]
        if not first.endswith(":"):  # the head of a mapping: addresses, name of a file
            counted = bool(REPLAY.search(line))
        elif counted and first == "Rss:":
            size += 1024 * int(line.split()[1])
    return size
