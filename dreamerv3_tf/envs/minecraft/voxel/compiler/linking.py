"""A compiler for Numba that optimises each kernel once, as a whole.

Numba on its own optimises every function, along with all that it calls, and makes
machine code of it, though only the code of the kernels is ever run. Here the functions
that kernels call stay as they are until a kernel takes them all in.
"""

from __future__ import annotations

from typing import Any

from llvmlite import binding
from numba.core import compiler
from numba.core.codegen import JITCodeLibrary


class Part(JITCodeLibrary):
    """LLVM code of a function that only other compiled functions call."""

    def finalize(self) -> None:
        """Closes the library; its code is neither optimised nor made executable."""
        self._raise_if_finalized()
        self._finalized = True
        for function in self._final_module.functions:
            external = function.linkage == binding.Linkage.external
            if external and not function.is_declaration:
                function.linkage = "linkonce_odr"

    def get_pointer_to_function(self, _: str) -> int:
        """Always 0: there is no machine code, and nobody calls it from Python."""
        self._ensure_finalized()
        return 0

    @property
    def codegen(self) -> Any:
        """Takes the function's environment, of which only Python's callers make use."""
        return self

    def set_env(self, *_: Any) -> None:
        """Does nothing; see `codegen`."""

    def _get_module_for_linking(self) -> Any:
        self._ensure_finalized()
        return self._final_module


class Whole(JITCodeLibrary):
    """Code of a kernel and of all that it calls."""

    def finalize(self) -> None:
        """Links everything, optimises it, and makes machine code of it."""
        self._linking_libraries = self._all_parts()
        super().finalize()

    def _all_parts(self) -> list[Any]:
        found, todo = {}, list(self._linking_libraries)
        while todo:
            library = todo.pop()
            if library not in found:
                found[library] = None
                if isinstance(library, Part):
                    todo.extend(library._linking_libraries)
        return list(found)


class Compiler(compiler.Compiler):
    """Numba's default compiler with the libraries of this module."""

    def define_pipelines(self) -> list[Any]:
        """The passes of the default compiler; chooses the library on the way."""
        state: Any = self.state
        if state.library is None:
            kind = Part if state.flags.no_cpython_wrapper else Whole
            state.library = kind(state.targetctx.codegen(), state.func_id.func_qualname)
            state.library.enable_object_caching()
        return super().define_pipelines()
