"""How XLA compiles for a CPU, and its programs kept on disk.

Compiling a train step takes longer than all else at the start of a run. TensorFlow can
keep what it compiled and find it again by its graph, but it fails on an entry that is
not whole, and does not ask which machine it was made for. So each kind of machine and
settings has its own folder, and entries count once they are sealed by a checksum.
"""

from __future__ import annotations

import atexit
import hashlib
import importlib.metadata
import os
import pathlib
import platform
import sys
import zlib
from collections.abc import Iterable

from dreamerv3_tf.cache import cache_root

XLA_FLAGS = ("--xla_cpu_use_fusion_emitters=false",)
"""Compiling with the older emitters takes 400 MiB less at its peak; what they make is
as fast."""
DIRECTORY = "--tf_xla_persistent_cache_directory"
FOR_CPUS = "--tf_xla_persistent_cache_device_types=XLA_CPU_JIT,CPU"
LARGEST = 2**29
"""Bytes of a folder; the oldest entries go first."""


def set_flags() -> None:
    """Adds our flags to `XLA_FLAGS`, which must happen before XLA is first used; a flag
    that is there already stays as it is."""
    given = os.environ.get("XLA_FLAGS", "")
    missing = [flag for flag in XLA_FLAGS if flag.partition("=")[0] not in given]
    os.environ["XLA_FLAGS"] = " ".join([given, *missing]).strip()


def keep_programs(*facts: object) -> pathlib.Path | None:
    """Has TensorFlow keep what XLA compiles for the CPU, from now on.

    Args:
        facts: settings that the compiled code depends on, besides the machine.

    Returns:
        The folder, or `None` where the user's `TF_XLA_FLAGS` names one, even an empty
        one, or where no folder can be made; the latter with a line that says so.
    """
    flags = os.environ.get("TF_XLA_FLAGS", "")
    if DIRECTORY in flags:
        return None
    folder = cache_root() / "xla" / fingerprint((*facts, os.environ["XLA_FLAGS"]))
    try:
        folder.mkdir(parents=True, exist_ok=True)
        sweep(folder)
    except OSError as error:
        print(
            f"Compiled programs are not kept: {error}. Starts will take longer; set "
            "DREAMERV3_TF_CACHE to a folder that can be written.",
            file=sys.stderr,
        )
        return None
    os.environ["TF_XLA_FLAGS"] = f"{flags} {DIRECTORY}={folder} {FOR_CPUS}".strip()
    atexit.register(seal_programs)
    return folder


def kept() -> pathlib.Path | None:
    """The folder in use, if any."""
    flags = os.environ.get("TF_XLA_FLAGS", "").split()
    found = [flag.partition("=")[2] for flag in flags if flag.startswith(DIRECTORY)]
    return pathlib.Path(found[-1]) if found and found[-1] else None


def fingerprint(facts: Iterable[object]) -> str:
    """Name for a kind of machine and settings."""
    version = importlib.metadata.version("tensorflow")
    words = [version, platform.machine(), str(os.cpu_count()), *map(str, facts)]
    path = pathlib.Path("/proc/cpuinfo")
    if path.exists():
        lines = path.read_text().splitlines()
        telling = ("model name", "flags", "Features")
        words += sorted({line for line in lines if line.startswith(telling)})
    return hashlib.sha256("\n".join(words).encode()).hexdigest()[:16]


def seal_programs() -> None:
    """Writes the checksums of entries that have none yet; at the end of the process, or
    before, once all is compiled."""
    folder = kept()
    for entry in folder.glob("*.pb") if folder else ():
        name = checksum_path(entry)
        try:
            if not name.exists():
                name.write_text(checksum(entry))
        except FileNotFoundError:
            continue  # another process that starts now has swept it away


def sweep(folder: pathlib.Path) -> None:
    """Removes entries that are not sealed and whole, and the oldest of too many."""
    room = LARGEST
    for entry in sorted(folder.glob("*.pb"), key=age):
        room -= entry.stat().st_size
        name = checksum_path(entry)
        whole = name.exists() and name.read_text() == checksum(entry)
        if not whole or room < 0:
            entry.unlink(missing_ok=True)
            name.unlink(missing_ok=True)


def age(path: pathlib.Path) -> float:
    """Sorts the newest first."""
    return -path.stat().st_mtime


def checksum_path(entry: pathlib.Path) -> pathlib.Path:
    """Where the checksum of an entry lies."""
    return entry.with_suffix(".crc32")


def checksum(entry: pathlib.Path) -> str:
    """Of the bytes of a file."""
    return f"{zlib.crc32(entry.read_bytes()):08x}"
