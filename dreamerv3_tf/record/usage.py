"""What the process takes from the machine: memory, processor, disk."""

from __future__ import annotations

import pathlib
import resource
import sys
from collections.abc import Callable, Mapping

import psutil

GIGA = 1e9


class Usage:
    """Resources of this process, its workers and the machine.

    Args:
        logdir: folder of the run; its size and the space left on its disk are given.
        gpu_memory: returns bytes by name, e.g. `{"current": ..., "peak": ...}` from
            `tf.config.experimental.get_memory_info("GPU:0")`; passed in, so that this
            module needs no TensorFlow.
    """

    def __init__(
        self,
        logdir: str | pathlib.Path,
        gpu_memory: Callable[[], Mapping[str, int]] | None = None,
    ):
        self._logdir = pathlib.Path(logdir)
        self._gpu_memory = gpu_memory
        self._process = psutil.Process()
        self._process.cpu_percent()  # the first call has no interval to speak of
        psutil.cpu_percent()

    def metrics(self) -> dict[str, float]:
        """Numbers for the log; memory and disk in GB of 10⁹ bytes, shares in percent.

        Processor shares are means since the last call; 100 is one core for the
        process, and all cores for the machine.
        """
        system = psutil.virtual_memory()
        result = {
            "cpu_percent": self._process.cpu_percent(),
            "ram_gb": self._process.memory_info().rss / GIGA,
            "ram_peak_gb": peak_memory() / GIGA,
            "workers_ram_gb": self._workers_memory() / GIGA,
            "system_cpu_percent": psutil.cpu_percent(),
            "system_ram_percent": system.percent,
            "system_ram_free_gb": system.available / GIGA,
            "logdir_gb": folder_size(self._logdir) / GIGA,
            "disk_free_gb": psutil.disk_usage(str(self._logdir)).free / GIGA,
        }
        if self._gpu_memory:
            for name, size in self._gpu_memory().items():
                result[f"gpu_{name}_gb"] = size / GIGA
        return result

    def _workers_memory(self) -> int:
        total = 0
        for child in self._process.children(recursive=True):
            try:
                total += child.memory_info().rss
            except psutil.NoSuchProcess:
                continue  # it ended since the list was made
        return total


def peak_memory() -> int:
    """Bytes of the largest resident memory this process ever had."""
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak if sys.platform == "darwin" else peak * 1024


def folder_size(folder: pathlib.Path) -> int:
    """Bytes on disk of all files below `folder`; files that vanish meanwhile are 0."""
    total = 0
    for path in folder.rglob("*"):
        try:
            status = path.lstat()
        except FileNotFoundError:
            continue  # deleted since it was listed, as old replay and checkpoints are
        # Blocks, since replay files are allocated in full but filled bit by bit.
        total += status.st_blocks * 512
    return total
