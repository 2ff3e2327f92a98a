"""Many small variables as one vector."""

from __future__ import annotations

import tensorflow as tf

SMALL = 2**17
"""Elements of the largest variable that goes into a pack: half a MiB."""


class Pack:
    """Variables that are read and written as one vector, or one variable as it is.

    Most variables of an agent are small: an operation for each of them costs more to
    trace, optimise and start than to compute. For graphs, not for XLA, which would fuse
    the making of the vector into each use of it.

    Args:
        variables: of Keras.
    """

    def __init__(self, variables: list):
        self.variables = variables

    @property
    def value(self):
        """All elements, `[elements]`; a single variable in its own shape."""
        return join([variable.value for variable in self.variables])

    def assign(self, value):
        """Writes what has the form of `value`."""
        for variable, part in self._parts(value):
            variable.assign(part)

    def subtract(self, value):
        """Subtracts what has the form of `value`."""
        for variable, part in self._parts(value):
            variable.assign_sub(part)

    def _parts(self, value):
        if len(self.variables) == 1:
            return [(self.variables[0], value)]
        shapes = [variable.value.shape for variable in self.variables]
        parts = tf.split(value, [shape.num_elements() for shape in shapes])
        parts = [tf.reshape(x, y) for x, y in zip(parts, shapes, strict=True)]
        return list(zip(self.variables, parts, strict=True))


def packs(tensors: list, limit: int) -> list[list[int]]:
    """Numbers of the tensors that go together: those of at most `limit` elements; each
    other one alone."""
    sizes = [tensor.shape.num_elements() for tensor in tensors]
    small = [i for i, size in enumerate(sizes) if size <= limit]
    large = [[i] for i, size in enumerate(sizes) if size > limit]
    return [small, *large] if small else large


def join(tensors: list):
    """One vector of all elements; a single tensor in its own shape."""
    if len(tensors) == 1:
        return tensors[0]
    return tf.concat([tf.reshape(tensor, (-1,)) for tensor in tensors], 0)


def square_sum(tensors: list, limit: int = 0):
    """Sum of the squares of all elements, float32 `[]`; for `limit` see `packs`."""
    wide = [tf.cast(tensor, tf.float32) for tensor in tensors]
    packed = [join([wide[i] for i in members]) for members in packs(wide, limit)]
    return tf.add_n([tf.reduce_sum(tf.square(x)) for x in packed])
