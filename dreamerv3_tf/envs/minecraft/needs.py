"""What each backend needs of the machine, what is there, and what to do."""

from __future__ import annotations

import ctypes.util
import importlib.metadata
import importlib.util
import os
import pathlib
import re
import shutil
import subprocess
import sys
from collections.abc import Mapping
from typing import Any

from dreamerv3_tf.envs.foreign import probe
from dreamerv3_tf.envs.hooks import Finding
from dreamerv3_tf.envs.minecraft.minerl import GAME

STEPS = "docs/minecraft.md has the steps"
RUNTIME = "craftground_runtime_mc121"


def find(backend: str, settings: Mapping[str, Any]) -> list[Finding]:
    """All findings for a backend.

    Args:
        backend: `voxel`, `minerl` or `craftground`.
        settings: the `env:` section.
    """
    if backend == "voxel":
        return [package(name) for name in ("numba", "PIL")]
    if backend == "minerl":
        python = os.path.expanduser(str(settings.get("minerl_python", "")))
        return _minerl(python or sys.executable)
    return _craftground(str(settings.get("craftground_runtime", "")))


def missing(backend: str, settings: Mapping[str, Any]) -> str:
    """The end of an error message: what the backend lacks, as far as can be seen."""
    lacks = [f for f in find(backend, settings) if f.needed and not f.ok]
    lines = [f"\n  {f.name}: {f.found}. {f.advice}" for f in lacks]
    return "\nWhat is missing on this machine:" + "".join(lines) if lines else ""


def _minerl(python: str) -> list[Finding]:
    seen = probe(python, GAME)
    here = "python" in seen
    own = " (our own; env.minerl_python is not set)" if python == sys.executable else ""
    found = [
        Finding(
            "interpreter",
            here,
            f"{python}{own}, Python {seen['python']}" if here else seen["error"],
            "Set env.minerl_python to the Python that has MineRL.",
        )
    ]
    if here:
        found += _in_interpreter(seen)
    return [
        *found,
        java(8, "MineRL's Minecraft 1.11.2 runs on no other; install openjdk-8-jdk"),
        display(),
    ]


def _in_interpreter(seen: Mapping[str, Any]) -> list[Finding]:
    version = seen.get("minerl")
    packages = Finding(
        "minerl",
        version is not None,
        f"minerl {version} with numpy {seen.get('numpy')}"
        if version
        else seen["error"],
        "Install minerl==0.4.4, or the paper's build of it, with NumPy < 1.24 and "
        f"gym < 0.24 into that interpreter; {STEPS}.",
    )
    if version is None:
        return [packages]
    gamma = (seen.get("options") or {}).get("gamma", "not set")
    return [
        packages,
        Finding(
            "version",
            version.startswith("0.4.4"),
            f"minerl {version}",
            "0.4.4 is the last one with the abstract crafting actions.",
            needed=version != "unknown",
        ),
        Finding(
            "brightness",
            gamma == "5.0",
            f"gamma {gamma} in its options.txt",
            "The paper's build of MineRL has 5.0 and does not reset it; with the "
            f"published 0.4.4 nights and caves are darker than in the paper. {STEPS}.",
            needed=False,
        ),
    ]


def _craftground(runtime: str) -> list[Finding]:
    found = [package("craftground"), package("torch", "craftground")]
    if runtime:
        script = pathlib.Path(runtime).expanduser() / "gradlew"
        found.append(
            Finding(
                "runtime",
                script.exists(),
                f"env.craftground_runtime is {runtime}",
                "It has no gradlew; expected the folder of CraftGround's mod.",
            )
        )
    else:
        found.append(package(RUNTIME, RUNTIME.replace("_", "-")))
    return [
        *found,
        java(21, "CraftGround builds and runs its mod with it; install openjdk-21-jdk"),
        program("cmake", "CraftGround's first start builds a library; install cmake"),
        library("GL", "Install libgl1-mesa-dev, or the driver of your graphics card"),
        library("GLEW", "Install libglew-dev"),
        display(),
    ]


def package(module: str, install: str = "") -> Finding:
    """Whether a package is in our interpreter; it is not imported.

    Args:
        module: name to import.
        install: name to install, where it is another.
    """
    name = install or {"PIL": "pillow"}.get(module, module)
    there = importlib.util.find_spec(module) is not None
    found = f"{module} is not installed"
    if there:
        try:
            found = f"{name} {importlib.metadata.version(name)}"
        except importlib.metadata.PackageNotFoundError:
            found = f"{module} is there"
    return Finding(module, there, found, f"Install it: pip install {name}")


def java(version: int, why: str) -> Finding:
    """Whether the Java that Gradle would take is of a version."""
    home = os.environ.get("JAVA_HOME")
    path = str(pathlib.Path(home) / "bin" / "java") if home else shutil.which("java")
    advice = f"{why}, and let JAVA_HOME or PATH lead to it."
    name = f"Java {version}"
    if not path:
        return Finding(name, False, "no java on PATH, and JAVA_HOME is not set", advice)
    try:
        done = subprocess.run(
            [path, "-version"], capture_output=True, text=True, timeout=60, check=True
        )
    except (OSError, subprocess.SubprocessError) as error:
        return Finding(name, False, f"{path} does not run ({error})", advice)
    said = re.search(r'version "(?:1\.)?(\d+)[^"]*"', done.stderr + done.stdout)
    if said is None:
        return Finding(name, False, f"{path} does not tell its version", advice)
    return Finding(name, int(said[1]) == version, f"{path} is Java {said[1]}", advice)


def program(name: str, why: str) -> Finding:
    """Whether a program is on the path."""
    path = shutil.which(name)
    return Finding(name, path is not None, path or f"no {name} on PATH", f"{why}.")


def library(name: str, why: str) -> Finding:
    """Whether the linker finds a library."""
    path = ctypes.util.find_library(name)
    return Finding(f"lib{name}", path is not None, path or f"no lib{name}", f"{why}.")


def display() -> Finding:
    """Whether there is a screen, real or virtual, for Minecraft's window."""
    screen = os.environ.get("DISPLAY")
    if sys.platform != "linux" or screen:
        return Finding(
            "display", True, f"DISPLAY is {screen}" if screen else "a desktop"
        )
    if shutil.which("xvfb-run"):
        found, advice = "no DISPLAY, but xvfb-run is here", "Begin the command with"
    else:
        found, advice = "no DISPLAY and no xvfb-run", "Install xvfb, then begin it with"
    return Finding(
        "display", False, found, f"{advice}: xvfb-run -a -s '-screen 0 1024x768x24'"
    )
