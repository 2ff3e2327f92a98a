"""House rules: who imports whom, how long things are, and that nothing is idle."""

import ast
import dataclasses
import pathlib
import subprocess
import sys
import typing

import pytest

from dreamerv3_tf.config import Config

ROOT = pathlib.Path(__file__).resolve().parent.parent
PACKAGE = ROOT / "dreamerv3_tf"
FILES = sorted(PACKAGE.rglob("*.py"))
TOOLS = sorted((ROOT / "tools").glob("*.py"))

FLOORS = {
    "main": 4,
    "api": 4,
    "tools": 4,
    "run": 3,
    "interop": 3,
    "tf_agents": 3,
    "agent": 2,
    "envs": 2,
    "replay": 2,
    "record": 2,
    "nn": 1,
    # Floor 0, in the order in which its files may import each other.
    "presets": 0.5,
    "merging": 0.4,
    "checks": 0.4,
    "config": 0.3,
    "agent_config": 0.25,
    "values": 0.2,
    "structs": 0.1,
    "spaces": 0,
    "cache": 0,
}
SETTINGS = ("config", "agent_config", "presets", "merging", "checks")


def place(path: pathlib.Path) -> str:
    """Name of the part of the house that a file belongs to."""
    if PACKAGE in path.parents:
        return path.relative_to(PACKAGE).with_suffix("").parts[0]
    return "tools"


def imports(path: pathlib.Path) -> set[str]:
    """Parts of the house that a file imports, at the top or inside of functions."""
    found = set()
    for node in ast.walk(ast.parse(path.read_text())):
        names = []
        if isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            base = ".".join(path.relative_to(ROOT).parts[: -node.level or None])
            base = f"{base}." if node.level else ""
            source = f"{base}{node.module}" if node.module else base.rstrip(".")
            names = [f"{source}.{alias.name}" for alias in node.names]
        for name in names:
            parts = name.split(".")
            if parts[0] == "dreamerv3_tf" and len(parts) > 1:
                found.add(parts[1])
    return {name for name in found if not name.startswith("__")}


def test_every_part_of_the_house_has_a_floor():
    parts = {place(path) for path in FILES} - {"__init__"}
    assert parts <= set(FLOORS), "name the floor of a new part in FLOORS"


@pytest.mark.parametrize(
    "path", FILES + TOOLS, ids=lambda path: str(path.relative_to(ROOT))
)
def test_imports_point_down_and_never_to_a_sibling(path):
    own = place(path)
    if own == "__init__":
        assert not imports(path)
        return
    for other in imports(path) - {own}:
        assert FLOORS[other] < FLOORS[own], f"{path} imports {other}"


def test_only_the_upper_floors_see_the_settings():
    for path in FILES:
        if 0.5 < FLOORS.get(place(path), 0) <= 2:
            assert not imports(path) & set(SETTINGS), path


def test_what_an_environment_process_imports_leaves_tensorflow_out():
    modules = [
        f"dreamerv3_tf.{path.relative_to(PACKAGE).with_suffix('').as_posix()}"
        for path in FILES
        if FLOORS.get(place(path), 9) < 1 or place(path) in ("envs", "replay", "main")
    ]
    modules = [name.replace("/", ".").removesuffix(".__init__") for name in modules]
    modules += ["dreamerv3_tf.run.workers", "dreamerv3_tf.run.driver"]
    modules += ["dreamerv3_tf.run.manifest"]
    # Packages of single suites are loaded by their environments only.
    code = (
        "import sys, importlib\n"
        "absent = 'crafter dm_control mujoco gymnasium tf_agents imageio_ffmpeg '\n"
        "absent += 'ale_py bsuite pandas vizdoom deepmind_lab memory_maze procgen'\n"
        "sys.modules.update(dict.fromkeys(absent.split()))\n"
        f"for name in {modules}: importlib.import_module(name)\n"
        "heavy = {'tensorflow', 'keras', 'tf_keras', 'tensorflow_probability'}\n"
        "print(sorted(heavy & set(sys.modules)))\n"
    )
    command = [sys.executable, "-c", code]
    done = subprocess.run(
        command, cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stdout.strip()) == (0, "[]"), done.stderr


def test_no_file_is_longer_than_350_lines():
    for path in FILES + TOOLS:
        assert len(path.read_text().splitlines()) <= 350, path


def test_no_function_is_longer_than_60_lines():
    for path in FILES + TOOLS:
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)):
                length = (node.end_lineno or 0) - node.lineno + 1
                first = node.body[0]
                if ast.get_docstring(node) and first.end_lineno:
                    length -= first.end_lineno - first.lineno + 1
                assert length <= 60, f"{path}: {node.name} has {length} lines"


def test_no_name_hides_a_standard_module_or_says_nothing():
    empty = {"utils", "util", "helper", "helpers", "common", "misc"}
    for path in FILES:
        assert place(path) not in sys.stdlib_module_names, path
        assert not empty & set(path.relative_to(PACKAGE).with_suffix("").parts), path


def test_layers_are_keras_3_and_nothing_is_swallowed():
    for path in FILES + TOOLS:
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.ExceptHandler):
                assert node.type is not None, f"{path}: bare except"
            if isinstance(node, (ast.Attribute, ast.Import, ast.ImportFrom)):
                text = ast.unparse(node)
                assert not text.startswith("tf.keras"), f"{path}: use `import keras`"
                assert "tensorflow.keras" not in text, f"{path}: use `import keras`"


def leaves(owner: typing.Any, prefix: str = "") -> dict[str, str]:
    """Full name of every setting and of the section it is in; dicts count whole."""
    found = {}
    for name, hint in typing.get_type_hints(owner).items():
        if dataclasses.is_dataclass(hint):
            found |= leaves(hint, f"{prefix}{name}.")
        elif name != "sources":
            found[prefix + name] = prefix.rstrip(".").rpartition(".")[2]
    return found


def test_every_setting_is_read():
    if not (PACKAGE / "run" / "launch.py").exists():
        pytest.skip("the wiring is not there yet")
    attributes, unpacked = set(), set()
    for path in FILES:
        if place(path) in SETTINGS:
            continue
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Attribute):
                attributes.add(node.attr)
            if isinstance(node, ast.Call) and node.args:
                name = ast.unparse(node.func).rpartition(".")[2]
                if name in ("vars", "asdict"):
                    unpacked.add(ast.unparse(node.args[0]).rpartition(".")[2])
    # `paper_size` and `cpu_size` are read where presets are merged.
    for name, section in leaves(Config).items():
        known = name.rpartition(".")[2] in attributes or section in unpacked
        assert known or name.endswith("_size"), f"nothing reads {name}"


def test_continuous_integration_runs_the_command_of_the_readme():
    if not (ROOT / "README.md").exists():
        pytest.skip("the README is not there yet")
    lines = (ROOT / ".ci" / "run").read_text().strip().splitlines()
    assert lines[-1] in (ROOT / "README.md").read_text()
