"""Tells where the time of a train step or a policy step goes, part by part.

    python tools/profile.py [--input vector|image | --task TASK] [--size 1m]
        [--xla split] [--step train|policy] [--envs 16] [--top 20] [--out FILE.png]
        [--json FILE] [section.key=value ...]

Parts are encoder, observe loop, prior, decoder, heads, imagination, actor, critic,
optimizer and so on, forward and backward. The step is the one that training runs, whole
and compiled as always: while TensorFlow traces it, each part's functions get a name
scope, which all operations keep, in the graph and in what XLA compiles; TensorFlow's
profiler then tells what ran when. Each moment of the step counts for the operation that
runs then (shared equally where several threads run one each), so the parts add up to
the step. An operation that XLA fused out of several parts counts for the part of its
result. The table also says how long a step takes without the profiler, and how much of
it no operation ran. Pictures need matplotlib: `pip install '.[plot]'`.
"""

from __future__ import annotations

import importlib.util
import pathlib
import sys
import sysconfig

TOOLS = pathlib.Path(__file__).resolve().parent


def standard_module():
    """Python's own module `profile`."""
    path = pathlib.Path(sysconfig.get_path("stdlib"), "profile.py")
    spec = importlib.util.spec_from_file_location("profile", path)
    assert spec and spec.loader, path
    module = sys.modules["profile"] = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


if __name__ == "__main__":
    sys.path[:0] = [str(TOOLS.parent), str(TOOLS)]
    from profiling.program import main

    sys.exit(main(None, (__doc__ or "").splitlines()[0]))
elif __name__ == "profile":
    # Packages that `import cProfile` while a tool runs look into this folder first, and
    # mean the module of the standard library.
    standard_module()
