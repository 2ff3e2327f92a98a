"""The examples of docs/environments.md are run, in their order."""

import re
import shlex
import sys

import pytest

from dreamerv3_tf import main


def blocks(root):
    text = (root / "docs" / "environments.md").read_text(encoding="utf-8")
    return re.findall(r"^```(python|bash)\n(.*?)^```$", text, re.MULTILINE | re.DOTALL)


def run_commands(code, capsys):
    """Checks are run; trainings print what they would be."""
    for line in code.strip().splitlines():
        program, *arguments = shlex.split(line)
        assert program == "dreamerv3"
        if "check_env" in arguments:
            assert main.main([program, *arguments]) == 0, capsys.readouterr().out
            assert "All is well." in capsys.readouterr().out
        else:
            config = main.parse([program, *arguments]).config()
            assert config.env == {"length": 5}


def test_the_examples_run(root, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    monkeypatch.syspath_prepend(tmp_path)
    names, files = {}, []
    for kind, code in blocks(root):
        if match := re.match(r"# (\w+)\.py\n", code):
            (tmp_path / f"{match[1]}.py").write_text(code)
            files.append(match[1])
        elif kind == "bash":
            run_commands(code, capsys)
        elif sys.version_info < (3, 12) or "Python 3.11" not in code:
            exec(compile(code, "docs/environments.md", "exec"), names)
    for name in files:
        sys.modules.pop(name)  # raises for one that no example uses
    assert len(files) == 3 and len(blocks(root)) == 9


@pytest.mark.parametrize("word", ["env.limit", "env.mask", "env.size", "env.length"])
def test_settings_of_the_page_exist(root, word):
    from dreamerv3_tf.envs import env_settings

    assert word in (root / "docs" / "environments.md").read_text(encoding="utf-8")
    assert word.removeprefix("env.") in env_settings("own")
