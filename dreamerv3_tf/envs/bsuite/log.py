"""The log from which the suite computes scores: a CSV file of a few dozen rows."""

from __future__ import annotations

import json
import os
import pathlib
from collections.abc import Mapping
from typing import Any

import numpy as np

from dreamerv3_tf.envs.base import require


class Log:
    """Rows of the suite's `Logging` wrapper, in memory and in a file.

    The suite's own logger keeps its rows in one process only: whoever starts again must
    throw the old ones away. Here they are part of what a checkpoint keeps, and the file
    always holds exactly the rows in memory: it is replaced as a whole, so a reader
    never finds half of it.

    Args:
        path: the file; its folder is made where needed. `None` writes none.
    """

    def __init__(self, path: pathlib.Path | None):
        self.path = path
        self.rows: list[dict[str, Any]] = []

    def write(self, data: Mapping[str, Any]) -> None:
        """Adds a row; called by the suite's wrapper."""
        self.rows.append(dict(data))
        self.save()

    def save(self) -> None:
        """Brings the file to the rows in memory."""
        if self.path is None:
            return
        if not self.rows:
            self.path.unlink(missing_ok=True)
            return
        self.path.parent.mkdir(parents=True, exist_ok=True)
        # As the suite's own logger does it, so numbers look the same to the last digit.
        text = require("pandas", "bsuite").DataFrame(self.rows).to_csv(index=False)
        hidden = self.path.with_name(f".{self.path.name}")
        hidden.write_text(text)
        os.replace(hidden, self.path)

    def state(self) -> np.ndarray:
        """The rows as bytes, uint8 `[n]`."""
        text = json.dumps(self.rows, default=lambda number: number.item())
        return np.frombuffer(text.encode(), np.uint8)

    def restore(self, state: np.ndarray) -> None:
        """Goes back to the rows of `state()`, in the file too."""
        self.rows = json.loads(state.tobytes())
        self.save()
