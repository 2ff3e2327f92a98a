"""Reading a profile of TensorFlow: what ran when, on which thread."""

from __future__ import annotations

import pathlib
import re
from collections.abc import Mapping
from typing import NamedTuple

from .operations import Module, Operation
from .parts import find_part

STEP, FETCH = "profiled step", "profiled fetch"
"""Names of the regions that the profiled program marks itself."""

GRAPH_OPERATION = re.compile(r"^(?P<name>[\w.][\w.\\/>-]*):(?P<kind>[A-Z_]\w*)$")
CALLS = re.compile(r"^(\w*PartitionedCall|_?Xla\w+|While|If|Case|__inference_\w+)$")
"""Operations that only call others."""

RUN = "EagerLocalExecute: __inference_"
"""Beginning of the name of the region in which TensorFlow runs a function."""


class Span(NamedTuple):
    """Time of something on one thread, picoseconds.

    Attributes:
        start: first moment.
        end: first moment after it.
        what: index into `Trace.operations`.
        first: whether it begins here; else it goes on after another one inside it.
    """

    start: int
    end: int
    what: int
    first: bool = True


class Trace(NamedTuple):
    """What a profile tells.

    Attributes:
        threads: for each thread its operations, one after the other, never two at once.
        operations: what ran.
        steps: the profiled steps, as `(start, end)` in picoseconds.
        fetches: when results were fetched, likewise.
        runs: when TensorFlow ran a function, likewise.
    """

    threads: list[list[Span]]
    operations: list[Operation]
    steps: list[tuple[int, int]]
    fetches: list[tuple[int, int]]
    runs: list[tuple[int, int]]


def read_trace(folder: pathlib.Path, origins: Mapping[str, str]) -> Trace:
    """The newest profile in a folder.

    Where there is an accelerator, what ran there counts, else what ran on the host.

    Args:
        folder: where the profiler wrote.
        origins: of operations in graphs, of `parts.marked`.

    Raises:
        FileNotFoundError: there is none.
    """
    # Its type stubs leave this module out.
    from tensorflow.tsl.profiler.protobuf import (  # pyright: ignore[reportMissingImports]
        xplane_pb2,
    )

    paths = sorted(folder.rglob("*.xplane.pb"))
    if not paths:
        raise FileNotFoundError(f"{folder}: no *.xplane.pb of a profile there.")
    space = xplane_pb2.XSpace()
    space.ParseFromString(paths[-1].read_bytes())
    planes = {plane.name: plane for plane in space.planes}
    host = Plane(planes["/host:CPU"], {}, {})
    compiled = planes.get("/host:metadata")  # there is none without XLA
    modules = read_modules(compiled) if compiled else {}
    found = [p for name, p in planes.items() if name.startswith("/device:GPU")]
    names: dict[Operation, int] = {}
    threads = []
    for plane in found or [planes["/host:CPU"]]:
        reader = Plane(plane, modules, origins)
        threads += [reader.read_thread(line, names) for line in plane.lines]
    return Trace(
        [thread for thread in threads if thread],
        list(names),
        host.regions(STEP),
        host.regions(FETCH),
        host.regions(RUN),
    )


def read_modules(plane) -> dict[int, Module]:
    """The compiled functions of a profile, by program."""
    from tensorflow.compiler.xla.service import hlo_pb2

    modules = {}
    for program, event in plane.event_metadata.items():
        for stat in event.stats:
            proto = hlo_pb2.HloProto()
            proto.ParseFromString(stat.bytes_value)
            modules[program] = Module(proto.hlo_module, find_part)
    return modules


class Plane:
    """A part of a profile, with its tables of names.

    Args:
        plane: `XPlane`.
        modules: compiled functions by program.
        origins: of operations in graphs.
    """

    def __init__(self, plane, modules: dict[int, Module], origins: Mapping[str, str]):
        self.plane, self.modules, self.origins = plane, modules, origins
        stats = {key: value.name for key, value in plane.stat_metadata.items()}
        self.stats = stats
        self.names = {key: value.name for key, value in plane.event_metadata.items()}
        self._known: dict[tuple, Operation | None] = {}

    def regions(self, name: str) -> list[tuple[int, int]]:
        """When regions whose names begin like this were entered and left."""
        wanted = {key for key, text in self.names.items() if text.startswith(name)}
        found = [
            bounds(line, event)
            for line in self.plane.lines
            for event in line.events
            if event.metadata_id in wanted
        ]
        return sorted(found)

    def read_thread(self, line, names: dict[Operation, int]) -> list[Span]:
        """What ran on a thread, the innermost operation at each moment.

        Args:
            line: `XLine`.
            names: number of each operation; new ones are added.
        """
        events = []
        for event in line.events:
            operation = self.operation(event)
            if operation:
                number = names.setdefault(operation, len(names))
                events.append(Span(*bounds(line, event), number))
        return innermost(events)

    def operation(self, event) -> Operation | None:
        """The operation of an event; `None` where it is none, such as a call."""
        name = self.names[event.metadata_id]
        found = {self.stats[stat.metadata_id]: stat for stat in event.stats}
        if "hlo_op" not in found:
            match = GRAPH_OPERATION.match(name)
            if not match or CALLS.match(match["kind"]):
                return None
            own = match["name"]
            return Operation(match["kind"], self.origins.get(own, own))
        program = found["program_id"]
        key = (program.int64_value or program.uint64_value, name)
        if key not in self._known:
            module = self.modules.get(key[0])
            self._known[key] = module.find(name) if module else Operation(name, "")
        return self._known[key]


def bounds(line, event) -> tuple[int, int]:
    """Start and end of an event, picoseconds."""
    start = line.timestamp_ns * 1000 + event.offset_ps
    return start, start + event.duration_ps


def innermost(spans: list[Span]) -> list[Span]:
    """Spans that may lie in each other, cut so that the inner one counts.

    Returns:
        Spans in order of time, none overlapping another.
    """
    result: list[Span] = []
    stack: list[Span] = []
    clock = 0

    def advance(until: int) -> None:
        """Gives the time up to `until` to whatever is on top of the stack."""
        nonlocal clock
        while stack:
            top = stack[-1]
            end = min(top.end, until)
            if end > clock:
                result.append(top._replace(start=clock, end=end))
                stack[-1] = top._replace(first=False)
                clock = end
            if top.end > until:
                return
            stack.pop()

    for span in sorted(spans, key=lambda span: (span.start, -span.end)):
        advance(span.start)
        clock = max(clock, span.start)
        stack.append(span)
    if stack:
        advance(max(span.end for span in stack))
    return result
