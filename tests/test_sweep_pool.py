"""Commands that run side by side: how they begin, fail, stop, and are not run again."""

import contextlib
import os
import pathlib
import signal
import subprocess
import sys
import time

import pytest


@pytest.fixture
def pool(root, monkeypatch):
    """The part of the tool that runs commands."""
    monkeypatch.syspath_prepend(str(root / "tools"))
    from sweep import pool

    return pool


def python_job(pool, folder, name, code, done=None):
    command = (sys.executable, "-c", code)
    return pool.Job(name, command, folder / name / "log.txt", done)


def writes(path) -> str:
    """A program that writes a file."""
    return f"import pathlib; pathlib.Path({str(path)!r}).write_text('x')"


def states(outcomes) -> dict[str, str]:
    return {outcome.name: outcome.state for outcome in outcomes}


def test_a_job_that_fails_is_named_and_does_not_stop_the_others(pool, tmp_path):
    jobs = [
        python_job(pool, tmp_path, "bad", "raise SystemExit('it broke')"),
        python_job(pool, tmp_path, "good", "print('fine')"),
    ]
    said = []
    outcomes = pool.run_jobs(jobs, notice=said.append)
    assert states(outcomes) == {"bad": "failed", "good": "done"}
    assert (outcomes[0].status, outcomes[0].reason) == (1, "status 1: it broke")
    assert "fine" in outcomes[1].log.read_text()
    assert [line for line in said if "bad: failed" in line and "it broke" in line]


def test_what_is_done_is_not_run_again(pool, tmp_path):
    first, second = tmp_path / "1", tmp_path / "2"
    first.write_text("x")
    jobs = [
        python_job(pool, tmp_path, "first", "raise SystemExit(1)", first.exists),
        python_job(pool, tmp_path, "second", writes(second), second.exists),
    ]
    done = pool.run_jobs(jobs, notice=str)
    assert states(done) == {"first": "done before", "second": "done"}
    again = pool.run_jobs(jobs, notice=str)
    assert states(again) == {"first": "done before", "second": "done before"}


def test_status_0_without_a_result_is_a_failure(pool, tmp_path):
    job = python_job(pool, tmp_path, "a", "pass", (tmp_path / "never").exists)
    (outcome,) = pool.run_jobs([job], notice=str)
    assert outcome.state == "failed" and "before it was done" in outcome.reason


def test_a_result_of_a_job_that_crashed_is_not_taken(pool, tmp_path):
    path = tmp_path / "x"
    job = python_job(pool, tmp_path, "a", f"{writes(path)}; exit(3)", path.exists)
    (outcome,) = pool.run_jobs([job], notice=str)
    assert (outcome.state, outcome.status) == ("failed", 3)


def test_so_many_jobs_run_at_a_time_and_no_more(pool, tmp_path):
    # Each waits until two have begun, which one at a time would never see, and then
    # looks whether a third one has begun, which may only come when one has ended.
    code = (
        "import pathlib, sys, time\n"
        f"folder = pathlib.Path({str(tmp_path)!r})\n"
        "(folder / f'begun-{{}}').touch()\n"
        "deadline = time.monotonic() + 30\n"
        "while len(list(folder.glob('begun-*'))) < 2 and time.monotonic() < deadline:\n"
        "    time.sleep(0.01)\n"
        "begun = len(list(folder.glob('begun-*')))\n"
        "ended = len(list(folder.glob('ended-*')))\n"
        "(folder / f'ended-{{}}').touch()\n"
        "sys.exit(0 if begun >= 2 and begun - ended <= 2 else 1)\n"
    )
    jobs = [
        python_job(pool, tmp_path, str(index), code.replace("{{}}", str(index)))
        for index in range(4)
    ]
    outcomes = pool.run_jobs(jobs, parallel=2, notice=str)
    assert set(states(outcomes).values()) == {"done"}, outcomes


WATCHED = """
import pathlib, sys, time
sys.path.insert(0, {tools!r})
from sweep import pool

folder = pathlib.Path({folder!r})
child = '''
import os, pathlib, signal, sys, time
folder, polite = pathlib.Path(sys.argv[1]), sys.argv[2] == "polite"
asked = []
signal.signal(signal.SIGINT, lambda *_: asked.append(1))
(folder / "pid").write_text(str(os.getpid()))
while not (asked and polite):
    time.sleep(0.02)
(folder / "saved").write_text(str(len(asked)))
sys.exit(130)
'''
command = (sys.executable, "-c", child, str(folder), {manner!r})
jobs = [pool.Job(name, command, folder / name) for name in ("a", "b")]
outcomes = pool.run_jobs(jobs, notice=lambda text: print(text, flush=True))
print("states:", *[outcome.state for outcome in outcomes], flush=True)
"""


def wait_for(condition, seconds=30):
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "it took too long"
        time.sleep(0.02)


def is_alive(pid) -> bool:
    status = pathlib.Path(f"/proc/{pid}/stat")
    if not status.parent.parent.joinpath("self").exists():
        pytest.skip("needs /proc to see processes")
    return status.exists() and status.read_text().rsplit(")", 1)[1].split()[0] != "Z"


@pytest.fixture
def watched(root, tmp_path):
    """Begins a pool with two jobs in a process of its own; gives it and the first job.

    The job is `polite`, and stops when it is asked to, or `stubborn`.
    """
    begun = []

    def start(manner):
        code = WATCHED.format(
            tools=str(root / "tools"), folder=str(tmp_path), manner=manner
        )
        process = subprocess.Popen(
            [sys.executable, "-c", code],
            cwd=root,
            stdout=subprocess.PIPE,
            text=True,
            start_new_session=True,
        )
        begun.append(process.pid)
        wait_for(lambda: (tmp_path / "pid").exists() and (tmp_path / "pid").read_text())
        begun.append(int((tmp_path / "pid").read_text()))
        return process, begun[-1]

    yield start
    for pid in begun:  # also where a test has failed
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_stops_the_job_once_and_begins_no_other(watched, tmp_path, number):
    process, child = watched("polite")
    os.killpg(process.pid, number)  # as a terminal does: to all of the group
    shown, _ = process.communicate(timeout=30)
    assert "states: stopped not begun" in shown
    assert (tmp_path / "saved").read_text() == "1"
    assert not is_alive(child)


def test_a_job_that_does_not_stop_is_killed_at_the_third_signal(watched):
    process, child = watched("stubborn")
    for _ in range(3):
        assert is_alive(child)
        process.send_signal(signal.SIGINT)
        for line in process.stdout:
            if line.startswith("Stopping"):
                break
    shown, _ = process.communicate(timeout=30)
    assert "states: stopped not begun" in shown
    assert not is_alive(child)


@pytest.mark.skipif(sys.platform != "linux", reason="asks Linux to tell the child")
def test_no_job_outlives_a_sweep_that_was_killed(watched):
    process, child = watched("stubborn")
    process.kill()
    process.communicate(timeout=30)
    wait_for(lambda: not is_alive(child))
