"""What DMLab needs of the machine, what is there, and what to do."""

from __future__ import annotations

import ctypes.util
import os
import sys
from collections.abc import Mapping
from typing import Any

from dreamerv3_tf.envs.dmlab.runtimes import GAME, STEPS
from dreamerv3_tf.envs.foreign import probe
from dreamerv3_tf.envs.hooks import Finding

PACKAGES = {"native": ("deepmind_lab",), "dmlab_gym": ("deepmind_lab", "dmlab_gym")}


def find(runtime: str, settings: Mapping[str, Any]) -> list[Finding]:
    """All findings for a runtime.

    Args:
        runtime: `native` or `dmlab_gym`.
        settings: the `env:` section.
    """
    chosen = os.path.expanduser(str(settings.get("python", "")))
    python = chosen or sys.executable
    seen = probe(python, GAME)
    here = "python" in seen
    own = "" if chosen else " (our own; env.python is not set)"
    found = [
        Finding(
            "interpreter",
            here,
            f"{python}{own}, Python {seen['python']}" if here else seen["error"],
            "Set env.python to the Python that has DMLab.",
        )
    ]
    if here:
        found.append(_numpy(seen))
        found += [_package(name, seen) for name in PACKAGES[runtime]]
    if settings.get("renderer", "software") == "software":
        found.append(_osmesa())
    return found


def _numpy(seen: Mapping[str, Any]) -> Finding:
    version = seen.get("numpy", "")
    return Finding(
        "numpy",
        bool(version) and int(version.split(".")[0]) < 2,
        f"numpy {version}" if version else seen["no numpy"],
        "DeepMind's own build of DMLab loads beside NumPy 1 only.",
        needed=not version,
    )


def _package(name: str, seen: Mapping[str, Any]) -> Finding:
    version = seen.get(name)
    return Finding(
        name,
        version is not None,
        f"{name} {version}" if version else seen[f"no {name}"],
        f"Build it into an interpreter of its own, and set env.python to it; {STEPS}.",
    )


def _osmesa() -> Finding:
    path = ctypes.util.find_library("OSMesa")
    return Finding(
        "libOSMesa",
        path is not None,
        path or "no libOSMesa",
        "The renderer 'software' draws with it; install libosmesa6.",
        needed=False,  # some builds carry their own
    )
