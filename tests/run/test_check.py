"""The mode check_env tells what is there, what is missing, and what to do."""

import sys

import pytest

from dreamerv3_tf import main
from dreamerv3_tf.envs import EnvError
from dreamerv3_tf.envs.hooks import Finding
from dreamerv3_tf.run import check


def run(monkeypatch, capsys, *arguments):
    """Status, stdout and stderr of the program in this process."""
    monkeypatch.setattr(sys, "argv", ["dreamerv3", "--mode", "check_env", *arguments])
    with pytest.raises(SystemExit) as caught:
        main.cli()
    out, err = capsys.readouterr()
    return caught.value.code, out, err


def test_an_environment_that_works_is_played_and_praised(monkeypatch, capsys):
    status, out, err = run(monkeypatch, capsys, "--task", "dummy_disc")
    assert (status, err) == (0, "")
    assert "Checking dummy_disc." in out and "200 random steps" in out
    assert out.endswith("All is well.\n")


def test_what_is_missing_is_listed_and_nothing_is_started(monkeypatch, capsys):
    findings = [
        Finding("Java 8", False, "java is Java 17", "Install it."),
        Finding("display", True, "DISPLAY is :0", "Install xvfb."),
        Finding("brightness", False, "gamma 2.0", "Read on.", needed=False),
    ]
    monkeypatch.setattr(check, "env_requirements", lambda *_: findings)
    monkeypatch.setattr(check, "play", lambda _: pytest.fail("it was started"))
    status, out, _ = run(monkeypatch, capsys, "--task", "dummy_disc")
    assert status == 1
    assert "  MISSING  Java 8: java is Java 17\n           Install it.\n" in out
    assert "  ok       display: DISPLAY is :0\n" in out and "xvfb" not in out
    assert "  note     brightness: gamma 2.0\n" in out
    assert out.endswith("Missing: Java 8. Nothing was started.\n")


def test_a_note_alone_does_not_stop_the_check(monkeypatch, capsys):
    note = Finding("brightness", False, "gamma 2.0", "Read on.", needed=False)
    monkeypatch.setattr(check, "env_requirements", lambda *_: [note])
    assert run(monkeypatch, capsys, "--task", "dummy_disc")[0] == 0


def test_an_environment_that_fails_or_breaks_its_contract_is_told(monkeypatch, capsys):
    def fail(_):
        raise EnvError("no game")

    monkeypatch.setattr(check, "play", fail)
    status, out, _ = run(monkeypatch, capsys, "--task", "dummy_disc")
    assert status == 1 and out.endswith("can't be used: no game\n")
    lacks = Finding("contract", False, "reward is missing.", "Add it.")
    monkeypatch.setattr(check, "play", lambda _: [lacks])
    status, out, _ = run(monkeypatch, capsys, "--task", "dummy_disc")
    assert status == 1 and "  PROBLEM  contract: reward is missing.\n" in out
    assert "           Add it.\n1 problem(s)" in out


@pytest.mark.parametrize(
    "backend, parts",
    [
        ("minerl", ["MISSING  minerl: ModuleNotFoundError", "env.minerl_python", "8"]),
        ("craftground", ["MISSING  craftground:", "pip install craftground", "21"]),
    ],
)
def test_the_real_games_tell_what_they_lack(monkeypatch, capsys, backend, parts):
    monkeypatch.delenv("DISPLAY", raising=False)
    monkeypatch.setenv("PATH", "/nowhere")
    monkeypatch.delenv("JAVA_HOME", raising=False)
    arguments = ["--task", "minecraft", "--backend", backend]
    status, out, _ = run(monkeypatch, capsys, *arguments)
    assert status == 1
    assert f"backend: {backend}" in out
    assert "display: no DISPLAY and no xvfb-run" in out
    assert f"MISSING  Java {parts.pop()}: no java on PATH" in out
    for part in parts:
        assert part in out


def test_backend_is_short_for_a_setting_of_the_environment():
    arguments = main.parse(["main", "--task", "minecraft", "--backend", "minerl"])
    assert arguments.config().env["backend"] == "minerl"


@pytest.mark.parametrize(
    "task, backend, parts",
    [
        ("dmc_walker_walk", "minerl", ["no key 'backend' for the suite 'dmc'"]),
        ("minecraft", "minrl", ["'minrl'", "voxel, minerl, craftground"]),
    ],
)
def test_a_backend_that_does_not_exist_is_refused(
    monkeypatch, capsys, task, backend, parts
):
    arguments = ["--task", task, "--backend", backend]
    status, out, err = run(monkeypatch, capsys, *arguments)
    assert (status, out) == (2, "") and err.count("\n") == 1
    for part in parts:
        assert part in err


def test_checking_does_not_load_tensorflow(monkeypatch, capsys):
    monkeypatch.setitem(sys.modules, "tensorflow", None)  # makes its import fail
    status, _, _ = run(monkeypatch, capsys, "--task", "dummy_disc")
    assert status == 0
