"""Numba, with a cache of compiled code that is never stale.

Numba compiles a function again when the file that holds it has changed, but not when a
function that it calls, in another file, has. So each module gets a cache folder named
after the text of the module and of all that it imports from this package. The folders
lie in `$DREAMERV3_TF_CACHE`, or else in the user's cache directory.
"""

from __future__ import annotations

import ast
import functools
import hashlib
import os
import pathlib
import sys
from collections.abc import Callable
from typing import Any

import numba

HERE = pathlib.Path(__file__).resolve().parent
PACKAGE = __name__.rpartition(".")[0]

OPTIONS: dict[str, Any] = {"cache": True, "nogil": True}
INNER: dict[str, Any] = {"no_cpython_wrapper": True, "no_cfunc_wrapper": True}


def kernel(signature: Any = None, **options) -> Callable:
    """Decorator of a function that Python calls: compiled once, releases the GIL."""
    return _decorator(signature, {**OPTIONS, **options})


def inner(function: Callable | None = None, **options) -> Any:
    """Decorator of a function that only compiled functions call; cheaper to compile."""
    decorate = _decorator(None, {**OPTIONS, **INNER, **options})
    return decorate if function is None else decorate(function)


def cache_root() -> pathlib.Path:
    """Folder of all compiled code."""
    chosen = os.environ.get("DREAMERV3_TF_CACHE")
    if chosen:
        return pathlib.Path(chosen).expanduser()
    base = os.environ.get("XDG_CACHE_HOME") or "~/.cache"
    return pathlib.Path(base).expanduser() / "dreamerv3_tf"


def _decorator(signature: Any, options: dict[str, Any]) -> Callable:
    arguments = () if signature is None else (signature,)

    def decorate(function: Callable) -> Any:
        before = numba.config.CACHE_DIR
        numba.config.CACHE_DIR = str(cache_folder(function.__module__))
        try:
            return numba.njit(*arguments, **options)(function)
        finally:
            numba.config.CACHE_DIR = before

    return decorate


@functools.cache
def cache_folder(module: str) -> pathlib.Path:
    """Cache folder of a module of this package."""
    name = module.rpartition(".")[2]
    if not (HERE / f"{name}.py").exists():  # a test, or a script of its own
        path = pathlib.Path(getattr(sys.modules[module], "__file__", "") or "")
        text = path.read_bytes() if path.is_file() else b""
        digest = hashlib.sha256(text)
    else:
        digest = hashlib.sha256(numba.__version__.encode())
        for file in sorted(sources(name)):
            digest.update((HERE / f"{file}.py").read_bytes())
    return cache_root() / "numba" / f"{name}-{digest.hexdigest()[:16]}"


def sources(name: str) -> set[str]:
    """Modules of this package that a module of it depends on, itself included."""
    found, todo = set(), [name]
    while todo:
        name = todo.pop()
        if name not in found and (HERE / f"{name}.py").exists():
            found.add(name)
            todo.extend(_imported(name))
    return found


@functools.cache
def _imported(name: str) -> frozenset[str]:
    found = set()
    for node in ast.walk(ast.parse((HERE / f"{name}.py").read_text(encoding="utf-8"))):
        if isinstance(node, ast.ImportFrom) and node.module:
            if node.module == PACKAGE:
                found.update(alias.name for alias in node.names)
            elif node.module.startswith(f"{PACKAGE}."):
                found.add(node.module[len(PACKAGE) + 1 :])
    return frozenset(found)
