"""Where compiled programs are kept from one start to the next."""

from __future__ import annotations

import os
import pathlib


def cache_root() -> pathlib.Path:
    """`$DREAMERV3_TF_CACHE`, or else a folder in the user's cache directory."""
    chosen = os.environ.get("DREAMERV3_TF_CACHE")
    if chosen:
        return pathlib.Path(chosen).expanduser()
    base = os.environ.get("XDG_CACHE_HOME") or "~/.cache"
    return pathlib.Path(base).expanduser() / "dreamerv3_tf"
