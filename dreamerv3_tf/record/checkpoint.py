"""Checkpoints: saved whole or not at all, checked when loaded, the last few kept.

    checkpoints/
      save-000007-step-120000/
        manifest.json             size and checksum of every file; versions; itself
        agent.json, agent.bin     one pair per part of the state, see trees.py
        replay.json, replay.bin
      .saving-...                 a save under way, or one that was killed

A save goes into a hidden folder first, every file and the folder are synced to the
disk, and one rename makes it valid. So a kill or a power cut at any moment leaves the
earlier checkpoints as they were. The number of the save, not the step, decides which is
the latest: a run that fell back to an older checkpoint goes on from its own saves.
"""

from __future__ import annotations

import hashlib
import importlib.metadata
import json
import os
import pathlib
import platform
import re
import shutil
import time
from collections.abc import Callable, Collection, Mapping
from typing import Any, NamedTuple

from dreamerv3_tf import __version__
from dreamerv3_tf.record import trees

FORMAT = 1
MANIFEST = "manifest.json"
LIBRARIES = ("tensorflow", "keras", "numpy")

_FOLDER = re.compile(r"save-(\d+)-step-(\d+)")
_PART = re.compile(r"[A-Za-z0-9_]+")


class CheckpointError(Exception):
    """No checkpoint can be loaded; the message says which, why and what is left."""


class Checkpoint(NamedTuple):
    """A checkpoint that was loaded.

    Attributes:
        step: environment steps when it was saved.
        state: tree by part.
        path: its folder.
        versions: of Python and the libraries that saved it.
    """

    step: int
    state: dict[str, trees.Tree]
    path: pathlib.Path
    versions: dict[str, str]


class Checkpoints:
    """The checkpoints of a run.

        checkpoints = Checkpoints(logdir / "checkpoints", keep=3)
        checkpoints.save(step, {"agent": agent.state(), "clock": ratio.state()})
        step, state, *_ = checkpoints.load()

    Args:
        directory: folder of the checkpoints; made by the first save.
        keep: how many to keep.
        notice: told loudly about a damaged checkpoint.

    Raises:
        ValueError: `keep` is below 1.
    """

    def __init__(
        self,
        directory: str | pathlib.Path,
        keep: int = 3,
        notice: Callable[[str], None] = print,
    ):
        if keep < 1:
            raise ValueError(f"At least one checkpoint must be kept, not {keep}.")
        self.directory = pathlib.Path(directory)
        self.keep = keep
        self._notice = notice

    def save(self, step: int, state: Mapping[str, trees.Tree]) -> pathlib.Path:
        """Saves the state and removes the checkpoints beyond the last `keep`.

        Args:
            step: environment steps.
            state: tree by part; the name of a part is made of letters, digits and `_`.

        Returns:
            The folder of the checkpoint, which is on the disk now.

        Raises:
            TypeError: the state holds something that a file cannot; says where.
            ValueError: the name of a part makes no file name.
            OSError: the disk is full, or the like. Earlier checkpoints are untouched.
        """
        for part in state:
            if not _PART.fullmatch(part) or part == "manifest":
                raise ValueError(f"'{part}' is no name for a part of a checkpoint.")
        self.directory.mkdir(parents=True, exist_ok=True)
        self._remove_leftovers()
        number = max((_number(path) for path in self.folders()), default=0) + 1
        final = self.directory / f"save-{number:06d}-step-{step}"
        folder = self.directory / f".saving-{final.name}"
        try:
            folder.mkdir()
            _write(folder, step, state)
            folder.rename(final)
            _sync_folder(self.directory)
        except BaseException:
            shutil.rmtree(folder, ignore_errors=True)
            raise
        for old in self.folders()[: -self.keep]:
            _remove(old)
        return final

    def folders(self) -> list[pathlib.Path]:
        """Folders of the checkpoints, oldest first; those under way are left out."""
        if not self.directory.is_dir():
            return []
        found = [x for x in self.directory.iterdir() if _FOLDER.fullmatch(x.name)]
        return sorted(found, key=_number)

    def latest(self) -> int | None:
        """Step of the last checkpoint, or `None` where there is none."""
        folders = self.folders()
        return _step(folders[-1]) if folders else None

    def load(
        self, step: int | None = None, parts: Collection[str] | None = None
    ) -> Checkpoint:
        """Loads a checkpoint after checking every file of it.

        Without `step` that is the last one; where it is damaged, the notice says which
        file, and the next older intact one is loaded.

        Args:
            step: take the checkpoint of this step, and no other.
            parts: parts of the state to read; by default all.

        Raises:
            CheckpointError: there is no such checkpoint, or none that is intact.
        """
        folders = self.folders()
        if step is not None:
            folders = [path for path in folders if _step(path) == step][-1:]
        if not folders:
            steps = ", ".join(str(_step(path)) for path in self.folders())
            wanted = "" if step is None else f" of step {step}"
            raise CheckpointError(
                f"{self.directory} has no checkpoint{wanted}. Steps: {steps or 'none'}."
            )
        problems = []
        for folder in reversed(folders):
            try:
                checkpoint = _read(folder, parts)
            except (trees.DamagedFile, OSError) as problem:
                problems.append(str(problem))
                continue
            if problems:
                self._notice(
                    "WARNING: DAMAGED CHECKPOINT. "
                    + " ".join(problems)
                    + f" Going back to the older one of step {checkpoint.step:,}, "
                    f"{checkpoint.path}."
                )
            return checkpoint
        raise CheckpointError(
            f"No checkpoint in {self.directory} is intact. "
            + " ".join(problems)
            + " Restore the folder from a backup, or start in a new logdir."
        )

    def _remove_leftovers(self) -> None:
        # Only the run that saves does this: another process, such as an evaluation,
        # would take the folder of a save under way for a leftover.
        for pattern in (".saving-*", ".old-*"):
            for path in self.directory.glob(pattern):
                shutil.rmtree(path)


def _write(folder: pathlib.Path, step: int, state: Mapping[str, trees.Tree]) -> None:
    files: dict[str, trees.FileSum] = {}
    for part, tree in state.items():
        files |= trees.write_tree(folder, part, tree)
    manifest = {
        "format": FORMAT,
        "step": step,
        "time": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()),
        "versions": _versions(),
        "parts": list(state),
        "files": {name: entry._asdict() for name, entry in files.items()},
    }
    manifest["sha256"] = _manifest_sum(manifest)
    text = json.dumps(manifest, indent=2)
    trees.write_file(folder / MANIFEST, text.encode())
    _sync_folder(folder)


def _read(folder: pathlib.Path, parts: Collection[str] | None) -> Checkpoint:
    manifest = _read_manifest(folder)
    missing = set(parts or ()) - set(manifest["parts"])
    if missing:
        raise CheckpointError(
            f"{folder} has no part '{min(missing)}'. "
            f"Parts: {', '.join(manifest['parts'])}."
        )
    sums = {name: trees.FileSum(**entry) for name, entry in manifest["files"].items()}
    chosen = [x for x in manifest["parts"] if parts is None or x in parts]
    for part in chosen:  # sizes of all first: cheap, and finds most damage
        trees.check_size(folder / f"{part}.bin", sums[f"{part}.bin"].size)
        trees.check_size(folder / f"{part}.json", sums[f"{part}.json"].size)
    state = {part: trees.read_tree(folder, part, sums) for part in chosen}
    return Checkpoint(manifest["step"], state, folder, manifest["versions"])


def _read_manifest(folder: pathlib.Path) -> dict[str, Any]:
    path = folder / MANIFEST
    if not path.is_file():
        raise trees.DamagedFile(f"{path} is missing.")
    try:
        manifest = json.loads(path.read_bytes())
        written, version = manifest.pop("sha256"), manifest["format"]
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise trees.DamagedFile(f"{path} is not what was written: {error}.") from error
    if _manifest_sum(manifest) != written:
        raise trees.DamagedFile(f"{path} is not what was written: its checksum.")
    if version > FORMAT:
        raise CheckpointError(
            f"{folder} has format {version}; this program reads up to {FORMAT}. "
            f"It was saved by {manifest['versions']}; update the program."
        )
    return manifest


def _manifest_sum(manifest: dict[str, Any]) -> str:
    text = json.dumps(manifest, sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(text.encode()).hexdigest()


def _versions() -> dict[str, str]:
    versions = {"dreamerv3_tf": __version__, "python": platform.python_version()}
    for name in LIBRARIES:
        try:
            versions[name] = importlib.metadata.version(name)
        except importlib.metadata.PackageNotFoundError:
            versions[name] = "not installed"
    return versions


def _remove(folder: pathlib.Path) -> None:
    # Renamed first, so that a kill in the middle leaves no half checkpoint in the list.
    hidden = folder.with_name(f".old-{folder.name}")
    folder.rename(hidden)
    shutil.rmtree(hidden)


def _sync_folder(folder: pathlib.Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _number(folder: pathlib.Path) -> int:
    match = _FOLDER.fullmatch(folder.name)
    assert match, folder
    return int(match[1])


def _step(folder: pathlib.Path) -> int:
    match = _FOLDER.fullmatch(folder.name)
    assert match, folder
    return int(match[2])
