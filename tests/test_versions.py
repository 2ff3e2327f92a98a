"""The page about the versions says what the settings say."""

import re
import shlex
import sys

import pytest

from dreamerv3_tf import main, presets


@pytest.fixture
def page(root):
    """Text of the page."""
    return (root / "docs" / "versions.md").read_text(encoding="utf-8")


@pytest.fixture
def tool(root, monkeypatch):
    """The program that writes its tables."""
    monkeypatch.syspath_prepend(root / "tools")
    sys.modules.pop("versions", None)
    import versions

    return versions


def test_the_tables_are_those_of_the_settings(tool, page):
    assert tool.renew(page) == page, "python tools/versions.py --write"


def test_a_changed_table_is_written_anew(tool, page, tmp_path, monkeypatch, capsys):
    changed = page.replace("| **1024** | 128 | **256** |", "| 3 | 4 | 5 |")
    assert changed != page
    (tmp_path / "page.md").write_text(changed, encoding="utf-8")
    monkeypatch.setattr(tool, "PAGE", tmp_path / "page.md")
    assert tool.main(["--write"]) == 0 and capsys.readouterr().out == ""
    assert (tmp_path / "page.md").read_text(encoding="utf-8") == page
    assert tool.main([]) == 0
    for table in capsys.readouterr().out.strip().split("\n\n"):
        assert f"begin -->\n{table}\n<!--" in page


def test_a_page_without_marks_is_refused(tool, page):
    with pytest.raises(SystemExit, match="<!-- tasks: begin -->"):
        tool.renew(page.replace("<!-- tasks: begin -->", ""))


def test_commands_of_the_page_are_understood(page):
    (block,) = re.findall(r"^```bash\n(.*?)^```$", page, re.MULTILINE | re.DOTALL)
    for line in block.strip().splitlines():
        program, *arguments = shlex.split(line, comments=True)
        assert program == "dreamerv3"
        assert main.parse([program, *arguments]).config().task in line


def test_settings_named_in_the_text_exist(page):
    known = presets.load("dummy_disc").flatten()
    found = re.findall(r"`((?:agent|replay|run|compute)\.[\w.]+)[`=]", page)
    assert len(found) > 50 and set(found) <= set(known)
    for choices in re.findall(r"`(agent\.[^`]+=[^`]+)`", page):
        presets.load("dummy_disc", [], choices.split())
