"""When acting and learning begin, said once."""

import os
import subprocess
import sys

from dreamerv3_tf.run.beginning import Beginning


def test_each_thing_is_said_once_with_the_time_since_the_command():
    said, times = [], iter([4.2, 30.6])
    begun = Beginning(said.append, now=lambda: next(times))
    for what in ("steps", "steps", "training", "steps", "training"):
        begun(what)
    assert said == ["steps after 4 s", "training after 31 s"]


def test_the_time_counts_from_the_start_of_the_process():
    code = (
        "import time; begin = time.time()\n"
        "from dreamerv3_tf.run.beginning import since_start\n"
        "time.sleep(0.3); print(since_start() - (time.time() - begin))"
    )
    run = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, env=os.environ
    )
    # What lies before the first line: the interpreter's own start.
    assert -0.1 < float(run.stdout) < 10, run.stderr
