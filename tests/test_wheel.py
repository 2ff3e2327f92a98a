"""The package as users install it: from a wheel, started from another folder."""

import os
import pathlib
import shutil
import site
import subprocess
import sys
import venv
import zipfile

import pytest

import dreamerv3_tf

SOURCES = ("setup.py", "pyproject.toml", "MANIFEST.in", "LICENSE", "README.md")


def call(*command, cwd) -> subprocess.CompletedProcess:
    """Runs a program that sees nothing of the checkout."""
    env = {key: value for key, value in os.environ.items() if key != "PYTHONPATH"}
    return subprocess.run(
        [str(part) for part in command],
        cwd=cwd,
        env=env,
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )


@pytest.fixture(scope="module")
def wheel(root, tmp_path_factory) -> pathlib.Path:
    """A wheel of the checkout, built from a copy so that no old build gets in."""
    folder = tmp_path_factory.mktemp("source")
    for name in SOURCES:
        if (root / name).exists():
            shutil.copy(root / name, folder)
    for name in ("dreamerv3_tf", "configs"):
        ignore = shutil.ignore_patterns("__pycache__")
        shutil.copytree(root / name, folder / name, ignore=ignore)
    options = ("--no-deps", "--no-build-isolation", "--no-index", "-q", "-w", "dist")
    done = call(sys.executable, "-m", "pip", "wheel", *options, ".", cwd=folder)
    assert done.returncode == 0, done.stderr
    (path,) = (folder / "dist").glob("*.whl")
    return path


@pytest.fixture(scope="module")
def programs(wheel, tmp_path_factory) -> pathlib.Path:
    """`bin/` of a fresh environment with the wheel, and the packages of this one."""
    folder = tmp_path_factory.mktemp("fresh") / "venv"
    venv.create(folder, with_pip=False, symlinks=True)
    python = folder / "bin" / "python"
    options = ("--no-deps", "--no-index", "-q")
    pip = (sys.executable, "-m", "pip", "--python", python, "install", *options)
    done = call(*pip, wheel, cwd=folder)
    assert done.returncode == 0, done.stderr
    (packages,) = folder.glob("lib/python*/site-packages")
    # Ours comes first; whatever else is needed is found in this environment.
    (packages / "others.pth").write_text("\n".join(site.getsitepackages()) + "\n")
    return folder / "bin"


def test_the_wheel_holds_the_program_and_its_settings(wheel, root):
    names = set(zipfile.ZipFile(wheel).namelist())
    for path in (root / "configs").rglob("*.yaml"):
        assert f"dreamerv3_tf/{path.relative_to(root).as_posix()}" in names
    for path in (root / "dreamerv3_tf").rglob("*.py"):
        assert path.relative_to(root).as_posix() in names
    assert not [name for name in names if name.startswith(("tests", "configs"))]


def test_the_console_script_starts_from_another_folder(programs, tmp_path):
    done = call(programs / "dreamerv3", "--version", cwd=tmp_path)
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout == f"dreamerv3_tf {dreamerv3_tf.__version__}\n"


def test_the_installed_program_finds_its_own_settings(programs, tmp_path):
    code = "from dreamerv3_tf import presets; print(presets.configs_folder())"
    done = call(programs / "python", "-c", code, cwd=tmp_path)
    folder = pathlib.Path(done.stdout.strip())
    assert folder.parent.name == "dreamerv3_tf"
    assert programs.parent.resolve() in folder.resolve().parents, done.stderr


def test_the_installed_program_is_the_same_as_the_module(programs, tmp_path):
    arguments = ("--task", "dmc_walker_walk", "--preset", "quik")
    script = call(programs / "dreamerv3", *arguments, cwd=tmp_path)
    module = ("-m", "dreamerv3_tf.main")
    module = call(programs / "python", *module, *arguments, cwd=tmp_path)
    assert script.returncode == module.returncode == 2
    assert script.stderr == module.stderr
    assert "Did you mean 'quick'?" in script.stderr


def test_the_installed_program_gets_as_far_as_training(programs, tmp_path, root):
    if not (root / "dreamerv3_tf" / "run" / "launch.py").exists():
        pytest.skip("the wiring is not there yet")
    arguments = ("--task", "dummy_disc", "--preset", "debug", "--dry_run")
    done = call(programs / "dreamerv3", *arguments, cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert "configs/debug.yaml" in done.stdout or "deter: 8" in done.stdout
