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
import pathlib
import sys
from collections.abc import Callable
from typing import Any

import numba
from numba import types

from dreamerv3_tf.cache import cache_root
from dreamerv3_tf.envs.minecraft.voxel.compiler.linking import Compiler

PACKAGE = __name__.rpartition(".")[0].rpartition(".")[0]
HERE = pathlib.Path(__file__).resolve().parents[1]

KERNEL: dict[str, Any] = {"cache": True, "nogil": True}
INNER: dict[str, Any] = {"no_cpython_wrapper": True}
OPTIONS: dict[str, Any] = {"no_cfunc_wrapper": True, "pipeline_class": Compiler}


def kernel(signature: Any = None, **options) -> Callable:
    """Decorator of a function that Python calls: compiled once, releases the GIL."""
    return _decorator(signature, {**OPTIONS, **KERNEL, **options})


def inner(function: Callable | None = None, **options) -> Any:
    """Decorator of a function that only kernels and other inner functions call.

    It has no machine code of its own and none in the cache: that of each kernel holds
    all that the kernel calls (see `linking.py`).

    With `_nrt=False` Numba does not count references to arrays, which for a function of
    a few lines on the arrays of `State` costs more than all else, in running and in
    compiling. Such a function may neither make an array nor return one; functions that
    it calls inherit the option, so those of them that make arrays say `_nrt=True`.
    """
    decorate = _decorator(None, {**OPTIONS, **INNER, **options})
    return decorate if function is None else decorate(function)


def _decorator(signature: Any, options: dict[str, Any]) -> Callable:
    arguments = () if signature is None else (signature,)

    def decorate(function: Callable) -> Any:
        before = numba.config.CACHE_DIR
        numba.config.CACHE_DIR = str(cache_folder(function.__module__))
        try:
            return _ignore_literals(numba.njit(*arguments, **options)(function))
        finally:
            numba.config.CACHE_DIR = before

    return decorate


def _ignore_literals(dispatcher: Any) -> Any:
    """Has calls with different constants share one compiled function.

    Numba types the constant in `draw(word, 0, 4)` as `Literal[int](4)` and compiles
    `draw` again for each; LLVM propagates constants anyway.
    """
    find = dispatcher.get_call_template

    def find_template(args, kws):
        plain = {name: types.unliteral(kind) for name, kind in kws.items()}
        return find(tuple(map(types.unliteral, args)), plain)

    dispatcher.get_call_template = find_template
    return dispatcher


@functools.cache
def cache_folder(module: str) -> pathlib.Path:
    """Cache folder of a module of this package, or of a script or test that uses it."""
    own = module.startswith(f"{PACKAGE}.")
    name = module[len(PACKAGE) + 1 :] if own else module.rpartition(".")[2]
    digest = hashlib.sha256(numba.__version__.encode())
    files = sources(name) if own else set()
    if not files:  # not of this package
        path = pathlib.Path(getattr(sys.modules[module], "__file__", "") or "")
        text = path.read_text(encoding="utf-8") if path.is_file() else ""
        digest.update(text.encode())
        files = set().union(*map(sources, imports(text)))
    for file in sorted(files):
        digest.update(path_of(file).read_bytes())
    return cache_root() / "numba" / f"{name}-{digest.hexdigest()[:16]}"


def sources(name: str) -> set[str]:
    """Modules of this package that a module of it depends on, itself included."""
    found, todo = set(), [name]
    while todo:
        name = todo.pop()
        if name not in found and path_of(name).exists():
            found.add(name)
            todo.extend(imports(path_of(name).read_text(encoding="utf-8")))
    return found


def path_of(name: str) -> pathlib.Path:
    """File of a module by its name in this package, as `land.trees`."""
    return HERE / f"{name.replace('.', '/')}.py"


@functools.cache
def imports(text: str) -> frozenset[str]:
    """Names that a module with this text imports from this package, such as `state`,
    `land.trees`, and `land.trees.place` for what may be a module or not."""
    found = set()
    for node in ast.walk(ast.parse(text)):
        module = getattr(node, "module", None) or ""
        if isinstance(node, ast.ImportFrom) and f"{module}.".startswith(f"{PACKAGE}."):
            folder = module[len(PACKAGE) + 1 :]
            found.add(folder)
            found.update(f"{folder}.{a.name}".lstrip(".") for a in node.names)
    return frozenset(found)
