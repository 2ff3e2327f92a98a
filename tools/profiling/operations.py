"""What XLA made of the operations: its instructions, and where they are from."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any, NamedTuple


class Operation(NamedTuple):
    """Something that ran, as a profile names it.

    Attributes:
        kernel: name of XLA's instruction, or of the operation in a graph.
        origin: full name of the operation in the program, scopes included.
        shape: of its result, where known, such as `f32[16,64]`.
    """

    kernel: str
    origin: str
    shape: str = ""


class Module:
    """The instructions of one compiled function, by name.

    Where an instruction's own name tells no part (copies, sums of gradients, what XLA
    made up itself), that of a fused instruction counts, then of the loop that it runs
    in, then of the nearest operand that tells one.

    Args:
        module: `HloModuleProto`.
        tells: whether a name tells a part.
    """

    def __init__(self, module, tells: Callable[[str], Any]):
        self._tells = tells
        self._computations = {c.id: c for c in module.computations}
        self._instructions, self._owner = {}, {}
        for computation in module.computations:
            for instruction in computation.instructions:
                self._instructions[instruction.id] = instruction
                for called in instruction.called_computation_ids:
                    self._owner[called] = instruction, computation
        self._names = {
            instruction.name: (instruction, computation)
            for computation in module.computations
            for instruction in computation.instructions
        }

    def find(self, name: str) -> Operation:
        """The operation of an instruction."""
        if name not in self._names:
            return Operation(name, "")
        instruction, computation = self._names[name]
        shape, own = shape_text(instruction.shape), instruction.metadata.op_name
        if self._tells(own):
            return Operation(name, own, shape)
        origins = self._origins(instruction, computation)
        found = next((text for text in origins if self._tells(text)), "")
        return Operation(name, " in ".join(x for x in (own, found) if x), shape)

    def _origins(self, instruction, computation) -> Iterator[str]:
        for called in instruction.called_computation_ids:
            for inside in self._computations[called].instructions:
                yield inside.metadata.op_name
        while computation.id in self._owner:
            owner, computation = self._owner[computation.id]
            yield owner.metadata.op_name
        seen, layer = {instruction.id}, list(instruction.operand_ids)
        while layer:
            operands = [self._instructions[i] for i in layer if i in self._instructions]
            yield from (operand.metadata.op_name for operand in operands)
            seen |= set(layer)
            layer = [i for x in operands for i in x.operand_ids if i not in seen]


def shape_text(shape) -> str:
    """`f32[16,64]`; nothing for tuples."""
    from tensorflow.compiler.xla import xla_data_pb2

    kind = xla_data_pb2.PrimitiveType.Name(shape.element_type).lower()
    if kind == "tuple":
        return ""
    return f"{kind}[{','.join(map(str, shape.dimensions))}]"
