"""Arrays of fixed shapes in one piece of memory; compiled code gets its address.

A tuple of arrays would do, but Numba passes each array as a data pointer, its shape and
its strides: 140 values for those of `State`, in every call. With a record that is one
pointer, and shapes and strides are constants.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Any, ClassVar

import numpy as np
from numba import extending, types
from numba.core import cgutils
from numba.core.typing.templates import AttributeTemplate
from numba.np import arrayobj, numpy_support

LINE = 64  # bytes; each array begins a line of the processor's cache

Fields = dict[str, tuple[type, tuple[int, ...]]]
"""Type of the elements and shape, by the name of the array."""


class RecordType(types.Type):
    """The Numba type of a subclass of `Record`.

    Args:
        name: of the class; cached code tells types apart by it.
        fields: the arrays, in the order in which they lie in memory.
    """

    def __init__(self, name: str, fields: Fields):
        super().__init__(name)
        self.fields = fields
        self.offsets: dict[str, int] = {}
        self.size = 0
        for field, (kind, shape) in fields.items():
            self.offsets[field] = self.size
            size = math.prod(shape) * np.dtype(kind).itemsize
            self.size += -(-size // LINE) * LINE


class Record:
    """Base class of records; each array is an attribute of that name.

    A subclass names its arrays in `FIELDS`. Iteration is over the arrays.
    """

    FIELDS: ClassVar[Fields]
    _numba_type_: ClassVar[RecordType]

    def __init_subclass__(cls) -> None:
        """Makes the Numba type of a subclass."""
        cls._numba_type_ = RecordType(cls.__name__, cls.FIELDS)

    def __init__(self) -> None:
        """All zeros."""
        layout = self._numba_type_
        room = np.zeros(layout.size + LINE, np.uint8)
        start = -room.ctypes.data % LINE
        self.address = room.ctypes.data + start
        for field, (kind, shape) in layout.fields.items():
            offset = start + layout.offsets[field]
            self.__dict__[field] = np.ndarray(shape, kind, room, offset)

    def __iter__(self) -> Iterator[np.ndarray]:
        """The arrays in the order of `FIELDS`."""
        return (getattr(self, field) for field in self.FIELDS)

    def __setattr__(self, name: str, value: Any) -> None:
        """Refuses another array, of which compiled code would know nothing.

        Raises:
            AttributeError: `name` is one of `FIELDS`.
        """
        if name in self.FIELDS:
            raise AttributeError(f"'{name}' stays; write into it: {name}[...] = ...")
        super().__setattr__(name, value)

    def __getstate__(self) -> list[np.ndarray]:
        """The arrays, for copies and pickles; an address is good in one place only."""
        return list(self)

    def __setstate__(self, arrays: list[np.ndarray]) -> None:
        """Takes over the arrays of another record into memory of its own."""
        Record.__init__(self)
        for mine, other in zip(self, arrays, strict=True):
            mine[...] = other


@extending.register_model(RecordType)
class _RecordModel(extending.models.OpaqueModel):
    """A pointer to bytes."""


@extending.unbox(RecordType)
def _unbox(_: RecordType, record: Any, context: Any) -> Any:
    """The address that a Python object keeps, as a pointer."""
    python = context.pyapi
    address = python.object_getattr_string(record, "address")
    pointer = python.long_as_voidptr(address)
    python.decref(address)
    return extending.NativeValue(pointer)


@extending.infer_getattr
class _RecordAttribute(AttributeTemplate):
    """Types of the attributes."""

    key = RecordType

    def generic_resolve(self, typ: RecordType, attr: str) -> types.Array | None:
        """Array type of a field, nothing for another name."""
        if attr not in typ.fields:
            return None
        kind, shape = typ.fields[attr]
        dtype = numpy_support.from_dtype(np.dtype(kind))
        return types.Array(dtype, len(shape), "C")


@extending.lower_getattr_generic(RecordType)
def _get_field(
    context: Any, builder: Any, typ: RecordType, pointer: Any, attr: str
) -> Any:
    """Builds an array around an address; nobody counts references to it."""
    kind, shape = typ.fields[attr]
    size = np.dtype(kind).itemsize
    dtype = numpy_support.from_dtype(np.dtype(kind))
    array = arrayobj.make_array(types.Array(dtype, len(shape), "C"))(context, builder)
    offset = context.get_constant(types.intp, typ.offsets[attr])
    strides = [size * math.prod(shape[axis + 1 :]) for axis in range(len(shape))]
    arrayobj.populate_array(
        array,
        data=cgutils.pointer_add(builder, pointer, offset, array.data.type),
        shape=[context.get_constant(types.intp, n) for n in shape],
        strides=[context.get_constant(types.intp, n) for n in strides],
        itemsize=context.get_constant(types.intp, size),
        meminfo=None,
        parent=None,
    )
    return array._getvalue()
