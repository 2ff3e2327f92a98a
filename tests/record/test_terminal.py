"""The run on the terminal, live and plain."""

import io
import math
import re

import pytest
from rich.console import Console

from dreamerv3_tf.record.logger import Kind, Point
from dreamerv3_tf.record.panel import RunPanel, View, duration, line, number, sparkline
from dreamerv3_tf.record.terminal import Terminal

METRICS = {
    "loss/dyn": 3.21,
    "loss/image": 2310.4,
    "replay/fill": 0.125,
    "usage/ram_gb": 2.5,
    "time/train/share": 0.7,
    "time/env/share": 0.2,
}


class Run:
    """A run that the test moves on, shown on a console that keeps what is drawn."""

    def __init__(self, terminal, total=1000, encoding="utf-8"):
        self.file = io.TextIOWrapper(io.BytesIO(), encoding, newline="")
        self.step = self.train_steps = 0
        self.now = 0.0
        console = Console(
            file=self.file, force_terminal=terminal, width=100, _environ={}
        )
        self.terminal = Terminal(
            lambda: self.step,
            lambda: self.train_steps,
            total,
            "dummy_disc",
            console,
            lambda: self.now,
        )

    def write(self, metrics=(), scores=()):
        points = [Point(self.step, k, Kind.SCALAR, v) for k, v in dict(metrics).items()]
        points += [Point(self.step, "episode/score", Kind.SCALAR, v) for v in scores]
        self.terminal.write(points)

    def text(self):
        self.file.flush()
        return self.file.buffer.getvalue().decode(self.file.encoding)


def view(**changes):
    values = {
        "title": "dummy_disc",
        "phase": "",
        "step": 250,
        "total": 1000,
        "train_steps": 40,
        "env_speed": 2.5,
        "train_speed": 0.4,
        "elapsed": 100.0,
        "scores": [1.0, 2.0, 6.0],
        "episodes": 3,
        "metrics": METRICS,
    }
    return View(**(values | changes))


def shown(view, width=100):
    console = Console(file=io.StringIO(), record=True, width=width)
    console.print(RunPanel(view))
    return console.export_text()


def test_a_plain_line_says_how_the_run_stands():
    run = Run(terminal=False)
    run.write()
    run.now, run.step, run.train_steps = 100.0, 250, 40
    run.write(METRICS, scores=[1.0, 2.0, 6.0])
    first, second, rest = run.text().split("\n")
    assert rest == ""
    assert first.startswith("env steps 0/1,000 (0%) | train steps 0")
    # 750 steps are left at 2.5 steps per second: 300 s.
    assert second == (
        "env steps 250/1,000 (25%) | train steps 40 | 2.500 env/s 0.400 train/s | "
        "score 6.000 (mean of 10: 3.000) | loss dyn 3.210 image 2,310 | replay 12.5% | "
        "elapsed 0:01:40 | ETA 0:05:00"
    )


def test_plain_output_has_a_line_per_write_and_no_escape_codes():
    run = Run(terminal=False)
    for _ in range(3):
        run.write(METRICS)
    run.terminal.notice("saved")
    run.terminal.close()
    assert run.text().count("\n") == 4 and run.text().endswith("saved\n")
    assert "\x1b" not in run.text() and "\r" not in run.text()


@pytest.mark.parametrize("terminal", [True, False])
def test_a_moment_is_marked_at_once(terminal):
    run = Run(terminal=terminal)
    run.step = 16
    run.terminal.mark("first environment steps after 21 s")
    run.terminal.close()
    (said,) = [x for x in run.text().splitlines() if "first environment steps" in x]
    assert terminal or said.startswith("env steps 16/1,000 (2%)")
    assert said.rstrip().endswith("first environment steps after 21 s")


def test_plain_output_survives_a_terminal_that_knows_ascii_only():
    run = Run(terminal=False, encoding="ascii")
    run.terminal.notice("learned λ from Gijón")
    run.write(METRICS, scores=[1.0])
    assert run.text().startswith("learned ? from Gij?n\nenv steps")


def test_the_live_panel_is_drawn_and_given_back():
    run = Run(terminal=True)
    run.now, run.step, run.train_steps = 10.0, 250, 40
    run.write(METRICS, scores=[1.0, 2.0, 6.0])
    run.terminal.notice("checkpoint saved [1/3]")
    run.terminal.close()
    text = run.text()
    assert "\x1b[?25l" in text and text.count("\x1b[?25h") == 1  # cursor off, on
    text = re.sub(r"\x1b\[[0-9;?]*[a-zA-Z]", "", text)
    assert "checkpoint saved [1/3]" in text
    assert "250 / 1,000 env steps" in text.rsplit("checkpoint saved", 1)[1]


def test_a_dumb_terminal_gets_plain_lines():
    file = io.StringIO()
    console = Console(file=file, force_terminal=True, _environ={"TERM": "dumb"})
    terminal = Terminal(lambda: 3, lambda: 1, None, console=console)
    terminal.write([])
    assert file.getvalue().startswith("env steps 3 | train steps 1")


def test_the_panel_shows_what_a_person_wants_to_know():
    text = shown(view(metrics=METRICS | {"eval/score_mean": 812.3}))
    for part in (
        "dummy_disc",
        "25.0%",
        "250 / 1,000 env steps",
        "ETA 0:05:00",
        "6.000   mean of 10 3.000   episodes 3",
        "▁▂█",
        "2.500 env steps/s   0.400 train steps/s   40 train steps",
        "dyn 3.210   image 2,310",
        "train 70%  env 20%",
        "12.5% of replay   2.500 GB RAM",
        "812.3",
    ):
        assert part in text, part


@pytest.mark.parametrize("width", [40, 60, 80, 200])
def test_the_panel_fits_the_terminal(width):
    lines = shown(view(), width).splitlines()
    assert {len(line) for line in lines} == {min(100, width)}


def test_the_panel_says_so_where_nothing_is_known_yet():
    nothing = view(
        total=None, scores=[], metrics={}, env_speed=math.nan, phase="compiling"
    )
    text = shown(nothing)
    assert "no episode has ended yet" in text and "training has not begun" in text
    assert "compiling" in text and "ETA" not in text and "nan" not in text
    assert "ETA" not in line(nothing) and line(nothing).startswith("compiling | ")


def test_a_loss_that_is_no_number_is_seen():
    metrics = {"loss/dyn": math.nan}
    console = Console(file=io.StringIO(), force_terminal=True, record=True)
    console.print(RunPanel(view(metrics=metrics)))
    assert re.search(r"\x1b\[1;37;41mNaN", console.export_text(styles=True))
    assert "loss dyn NaN" in line(view(metrics=metrics))


def test_the_first_line_knows_the_speed_since_the_start():
    run = Run(terminal=False)
    run.now, run.step = 10.0, 30
    run.write()
    assert "3.000 env/s" in run.text()


def test_speed_is_that_of_the_last_minute():
    run = Run(terminal=False)
    seen = run.terminal.view()
    for second in range(1, 201):
        run.now = float(second)
        run.step += 1 if second <= 100 else 10
        seen = run.terminal.view()
    assert seen.env_speed == 10
    assert seen.remaining == 0  # beyond the end


def test_speed_between_rare_writes_is_that_since_the_last():
    run = Run(terminal=False)
    seen = run.terminal.view()
    for minute in range(1, 5):
        run.now, run.step = 120.0 * minute, 240 * minute**2
        seen = run.terminal.view()
    assert seen.env_speed == 240 * (16 - 9) / 120


def test_the_mean_score_takes_the_last_ten():
    assert view(scores=[1000.0, *[2.0] * 10]).mean_score == 2
    assert math.isnan(view(scores=[]).mean_score)


def test_numbers_and_durations_are_short():
    values = (0.12345, -1.5, 12.345, 123.45, 12345.6, math.nan, math.inf)
    assert [number(x) for x in values] == [
        *("0.123", "-1.500", "12.35", "123.5", "12,346", "-", "inf")
    ]
    seconds = (0.4, 59.6, 3600, 47 * 3600, 49 * 3600, math.nan)
    assert [duration(x) for x in seconds] == [
        *("0:00:00", "0:01:00", "1:00:00", "47:00:00", "2 d 1 h", "-")
    ]


def test_a_sparkline_runs_from_the_lowest_to_the_highest():
    assert sparkline([0, 7, 3.5, math.nan]) == "▁█▅ "
    assert sparkline([5, 5]) == "▁▁" and sparkline([math.nan]) == ""
