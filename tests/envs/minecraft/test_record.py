"""Records: arrays that compiled code finds by one address."""

import copy
import os
import pickle
import subprocess
import sys

import numpy as np
import pytest
from numba.core.errors import TypingError

from dreamerv3_tf.envs.minecraft.voxel.compiler import linking
from dreamerv3_tf.envs.minecraft.voxel.compiler.jit import inner, kernel
from dreamerv3_tf.envs.minecraft.voxel.compiler.record import LINE, Record


class Pair(Record):
    """A grid of bytes and three numbers."""

    FIELDS = {"grid": (np.uint8, (2, 3)), "numbers": (np.float64, (3,))}

    grid: np.ndarray
    numbers: np.ndarray


@inner(_nrt=False)
def put(pair, i, j, value):
    """Called by `put_twice` alone."""
    pair.grid[i, j] = value
    pair.numbers[-1] += value


@inner(_nrt=False)
def put_twice(pair, value):
    """Calls another inner function."""
    put(pair, 0, 1, value)
    put(pair, 1, 2, value)


@kernel()
def fill(pair, value):
    """Writes both arrays; returns their shapes and strides."""
    put_twice(pair, value)
    return pair.grid.shape, pair.grid.strides, pair.numbers.size


@kernel()
def sum_missing(pair):
    """Asks for an array that there is none of."""
    return pair.missing.sum()


def test_compiled_code_writes_the_arrays_that_python_sees():
    pair = Pair()
    assert fill(pair, 7) == ((2, 3), (3, 1), 3)
    assert pair.grid.tolist() == [[0, 7, 0], [0, 0, 7]]
    assert pair.numbers.tolist() == [0, 0, 14]


def test_what_python_writes_reaches_compiled_code():
    pair = Pair()
    pair.numbers[2] = 0.5
    fill(pair, 1)
    assert pair.numbers[2] == 2.5


def test_two_records_do_not_share_memory():
    one, two = Pair(), Pair()
    fill(one, 9)
    assert not two.grid.any() and not two.numbers.any()


def test_each_array_begins_a_line_of_the_cache_after_the_last_one():
    pair = Pair()
    starts = [array.ctypes.data for array in pair]
    assert [start - pair.address for start in starts] == [0, LINE]
    assert pair.address % LINE == 0


def test_iteration_is_in_the_order_of_the_fields():
    pair = Pair()
    grid, numbers = pair
    assert grid is pair.grid and numbers is pair.numbers


def test_an_array_cannot_be_replaced():
    with pytest.raises(AttributeError, match="write into it"):
        Pair().grid = np.ones((2, 3), np.uint8)


@pytest.mark.parametrize("make", [copy.copy, copy.deepcopy, "pickle"])
def test_a_copy_has_memory_of_its_own(make):
    pair = Pair()
    pair.numbers[:] = 1, 2, 3
    again = pickle.loads(pickle.dumps(pair)) if make == "pickle" else make(pair)
    fill(pair, 5)
    assert again.numbers.tolist() == [1, 2, 3] and not again.grid.any()
    fill(again, 6)
    assert again.grid[0, 1] == 6 and pair.grid[0, 1] == 5


def test_compiled_code_knows_only_the_fields():
    with pytest.raises(TypingError, match="missing"):
        sum_missing(Pair())


def test_machine_code_is_made_of_kernels_alone():
    fresh = kernel(cache=False)(fill.py_func)
    assert fresh(Pair(), 1)[2] == 3
    (whole,), (part,) = fresh.overloads.values(), put_twice.overloads.values()
    assert isinstance(whole.library, linking.Whole)
    assert isinstance(part.library, linking.Part)
    assert part.library.get_pointer_to_function(part.fndesc.llvm_func_name) == 0


SCRIPT = """
import numpy as np
from dreamerv3_tf.envs.minecraft.voxel.compiler.jit import inner, kernel
from dreamerv3_tf.envs.minecraft.voxel.compiler.record import Record

class Pair(Record):
    FIELDS = {"grid": (np.uint8, (2, 3))}

@inner
def put(pair, value):
    pair.grid[1, 1] = value

@kernel()
def fill(pair, value):
    put(pair, value)

pair = Pair()
fill(pair, 4)
print(pair.grid[1, 1], len(fill.stats.cache_hits), len(put.overloads))
"""


def test_another_process_takes_a_kernel_from_the_cache(tmp_path):
    script = tmp_path / "script.py"
    script.write_text(SCRIPT)
    env = os.environ | {"DREAMERV3_TF_CACHE": str(tmp_path)}
    env["PYTHONPATH"] = os.pathsep.join(sys.path)
    seen = [
        subprocess.run(
            [sys.executable, str(script)],
            env=env,
            capture_output=True,
            text=True,
            check=True,
        ).stdout.split()
        for _ in range(2)
    ]
    assert seen == [["4", "0", "1"], ["4", "1", "0"]]
