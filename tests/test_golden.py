"""Parity with recorded numbers of the reference, and that the tool can fail."""

import importlib.util
import json
import pathlib
import shutil

import numpy as np
import pytest

ROOT = pathlib.Path(__file__).resolve().parent.parent
SMALL = ROOT / "tests" / "goldens"
WHOLE = ROOT.parent / "shared" / "golden"
PARTS = ("v2025/A", "v2025/B", "v2025/C", "v2023/A", "v2023/B")
AGENT = ("config.json", "params.npz", "batch0.npz", "carry0.npz")


@pytest.fixture(scope="session")
def tool():
    """`tools/check_golden.py` as a module."""
    path = ROOT / "tools" / "check_golden.py"
    spec = importlib.util.spec_from_file_location("check_golden", path)
    assert spec and spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def run(tool, capsys, folder, *options) -> tuple[int, str]:
    """Exit status and what was printed."""
    status = tool.main([str(folder), *options])
    return status, capsys.readouterr().out


def test_the_small_golden_passes(tool, capsys):
    status, text = run(tool, capsys, SMALL)
    assert status == 0, text
    assert text.splitlines()[-1].startswith("passed: ")
    places = ("components", "policy/step3", "loss_eps", "grads_eps", "train_fast/step3")
    for place in (*(f"A/{place}" for place in places), "common/functions"):
        assert place in text, place
    places = ("config", "components", "policy/step3", "train_fast/step3/params")
    for place in (f"preprint/{place}" for place in places):
        assert place in text, place


@pytest.mark.parametrize(
    "part",
    ["v2025/common", *(pytest.param(name, marks=pytest.mark.slow) for name in PARTS)],
)
def test_the_whole_golden_passes(tool, capsys, part):
    if not (WHOLE / part).is_dir():
        pytest.skip(f"no {WHOLE / part}; tests/goldens holds a part of it")
    status, text = run(tool, capsys, WHOLE / part)
    assert status == 0, text


@pytest.mark.slow
@pytest.mark.parametrize("xla", ["split", "full"])
@pytest.mark.parametrize("part", PARTS)
def test_the_whole_golden_passes_compiled(tool, capsys, part, xla):
    if not (WHOLE / part).is_dir():
        pytest.skip(f"no {WHOLE / part}; tests/goldens holds a part of it")
    status, text = run(tool, capsys, WHOLE / part, "--xla", xla)
    assert status == 0, text


@pytest.fixture
def copy(tmp_path):
    """A folder with some golden files; `copy(part, names)` makes it."""

    def make(part, names):
        for name in names:
            shutil.copyfile(SMALL / part / name, tmp_path / name)
        return tmp_path

    return make


def tamper(path, change):
    """Changes arrays of a file; `change` gets the dict of all."""
    arrays = dict(np.load(path))
    change(arrays)
    np.savez(path, **arrays)


def at_largest(name, amount):
    """Adds a share to the largest element of an array."""

    def change(arrays):
        array = arrays[name] = np.array(arrays[name])
        place = np.unravel_index(np.abs(array).argmax(), array.shape)
        array[place] += amount * (1 + np.abs(array[place]))

    return change


@pytest.mark.parametrize("amount, status", [(5e-6, 0), (3e-5, 1), (np.nan, 1)])
def test_a_number_beyond_its_tolerance_fails(tool, capsys, copy, amount, status):
    folder = copy("common", ["functions.npz"])
    tamper(folder / "functions.npz", at_largest("symlog", amount))
    got, text = run(tool, capsys, folder)
    assert got == status
    assert ("FAILED" in text) == bool(status)


@pytest.mark.parametrize("name", ["carry/deter", "prevact/action", "obs/reward"])
def test_a_wrong_number_of_an_agent_fails(tool, capsys, copy, name):
    folder = copy("A", [*AGENT, "batch0_after_context.npz"])
    assert run(tool, capsys, folder)[0] == 0
    tamper(folder / "batch0_after_context.npz", at_largest(name, 3e-5))
    assert run(tool, capsys, folder)[0] == 1


def test_wrong_losses_gradients_and_missing_metrics_are_each_found(tool, capsys, copy):
    folder = copy("A", [*AGENT, "loss_eps.npz", "grads_eps.npz"])
    wrong = {
        "loss_eps.npz": ["loss/dyn", "metric/weight", "imag/out/ret", "repl/out/ret"],
        "grads_eps.npz": ["dyn/dyngru/kernel", "pol/head/action/mean/bias"],
    }

    def change(arrays):
        for name in wrong["loss_eps.npz"]:
            at_largest(name, 1e-3)(arrays)
        arrays["metric/unheard_of"] = np.float32(0)

    tamper(folder / "loss_eps.npz", change)

    def change_gradients(arrays):
        for name in wrong["grads_eps.npz"]:
            arrays[name] = arrays[name] + 2e-4 * np.abs(arrays[name]).max()

    tamper(folder / "grads_eps.npz", change_gradients)
    status, text = run(tool, capsys, folder)
    assert status == 1
    failed = [line for line in text.splitlines() if line.endswith("FAILED")]
    expected = [*wrong["loss_eps.npz"], *wrong["grads_eps.npz"], "unheard_of"]
    for name in expected:
        assert any(name in line for line in failed), name
    assert len(failed) == len(expected)


def test_a_missing_array_is_one_line_and_a_failure(tool, capsys, copy):
    folder = copy("A", [*AGENT, "batch0_after_context.npz"])
    tamper(folder / "batch0_after_context.npz", lambda x: x.pop("carry/deter"))
    status, text = run(tool, capsys, folder)
    assert status == 1
    assert "batch0_after_context.npz has no array 'carry/deter'" in text
    assert "Traceback" not in text


def test_an_option_that_is_not_supported_is_one_line_and_a_failure(tool, capsys, copy):
    folder = copy("A", [*AGENT, "batch0_after_context.npz"])
    config = json.loads((folder / "config.json").read_text())
    config["agent_config"]["dyn"]["rssm"]["absolute"] = True
    (folder / "config.json").write_text(json.dumps(config))
    status, text = run(tool, capsys, folder)
    assert status == 1
    assert "dyn/rssm/absolute=True is not supported here; expected False" in text
    assert "Traceback" not in text


def test_what_is_not_compared_is_named(tool, capsys, copy):
    folder = copy("common", ["functions.npz"])
    tamper(folder / "functions.npz", lambda x: x.update(novelty=np.zeros(2)))
    np.savez(folder / "other.npz", x=np.zeros(2))
    status, text = run(tool, capsys, folder)
    assert status == 0
    assert "functions.npz: novelty: nothing here to compare it with" in text
    assert "not checked: other.npz: no check is written for it" in text


def test_a_folder_without_goldens_is_told_from_one_that_passes(tool, capsys, tmp_path):
    status, text = run(tool, capsys, tmp_path)
    assert status == 2
    assert "Nothing to check" in text


PREPRINT = ("config.json", "params.npz", "batch0.npz", "carry0.npz")


def test_wrong_numbers_of_the_preprint_fail(tool, capsys, copy):
    folder = copy("preprint", [*PREPRINT, "components.npz"])
    assert run(tool, capsys, folder)[0] == 0
    wrong = ["rssm/post/deter", "rssm/initial/deter", "rew/mean", "dec/big/loss"]

    def change(arrays):
        for name in wrong:
            at_largest(name, 3e-5)(arrays)

    tamper(folder / "components.npz", change)
    status, text = run(tool, capsys, folder)
    failed = [line for line in text.splitlines() if line.endswith("FAILED")]
    assert status == 1 and len(failed) == len(wrong)


def test_a_setting_that_the_preset_has_otherwise_fails(tool, capsys, copy):
    folder = copy("preprint", PREPRINT)
    config = json.loads((folder / "config.json").read_text())
    config["config"]["loss_scales"]["dyn"] = 1.0
    (folder / "config.json").write_text(json.dumps(config))
    status, text = run(tool, capsys, folder)
    assert status == 1 and "scales.dyn  FAILED" in text
