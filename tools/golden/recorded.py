"""A recorded agent's folder: what the recordings of both versions share."""

from __future__ import annotations

import pathlib

from .ledger import Ledger
from .recording import Recording


class Recorded:
    """One recorded agent.

    Args:
        path: the folder.
        config: contents of its `config.json`.
        ledger: where deviations go.
        xla: how train steps and policy are compiled.
    """

    def __init__(self, path: pathlib.Path, config: dict, ledger: Ledger, xla: str):
        self.path, self.config, self.ledger, self.xla = path, config, ledger, xla

    def has(self, name: str) -> bool:
        """Whether there is a file `name.npz`."""
        return (self.path / f"{name}.npz").exists()

    def load(self, name: str) -> Recording:
        """The arrays of `name.npz`."""
        return self.ledger.load(self.path / f"{name}.npz")
