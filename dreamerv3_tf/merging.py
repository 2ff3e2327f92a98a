"""Layers of settings on top of each other, until all of `Config` has a value."""

from __future__ import annotations

import dataclasses
import pathlib
import typing
from collections.abc import Iterable, Iterator
from typing import Any

from dreamerv3_tf import values
from dreamerv3_tf.config import Config
from dreamerv3_tf.values import ConfigError

AUTOMATIC = ("paper_size", "cpu_size")
"""What stands behind `size: auto`."""


class Merger:
    """Collects values by full name (`agent.lam`), later ones win.

    The first layer names the keys of the closed dicts, such as `agent.scales`; later
    ones may not add to them.

    Args:
        folder: with `defaults.yaml`, the sizes and `tasks/`.
        task: `suite_name`; decides which `section@suite` count.
    """

    def __init__(self, folder: pathlib.Path, task: str):
        self.folder = folder
        self.task = task
        self.values: dict[str, Any] = {"task": task}
        self.sources: dict[str, str] = {"task": "--task"}

    def add_file(self, path: pathlib.Path) -> None:
        """Puts the values of a file on top.

        Raises:
            ConfigError: the file cannot be read, or as for `add`.
        """
        source = self.name(path)
        self.add(read_file(path, source), source)

    def name(self, path: pathlib.Path) -> str:
        """What messages call a file: `configs/quick.yaml` for those of the folder."""
        inside = path.is_relative_to(self.folder)
        return str(path.relative_to(self.folder.parent) if inside else path)

    def add(self, tree: Any, source: str, name_size: bool = True) -> None:
        """Puts the values of a nested dict on top, and before them the size it names.

        Where the size was chosen by `size: auto`, it also names one by what `auto`
        chose, `paper_size` or `cpu_size`.

        Args:
            tree: sections, as `values.parse` gives them.
            source: file or flag, for messages.
            name_size: whether `size: 12m` brings the values of the size; not so in the
                size's own file and in a saved configuration.

        Raises:
            ConfigError: an unknown key, a wrong type, an unknown size.
        """
        layer: dict[str, Any] = {}
        for section, content, counts in self._sections(tree, source):
            found = dict(self._read(section, content, Config, "", source))
            layer |= found if counts else {}
        if layer.get("size") == "auto" and "size" in self.values:
            del layer["size"]  # the choice was made already
        size = layer.get("size", "auto")
        if name_size and size not in ("auto", "custom"):
            self.add_size(size, f"{source}: size")
        elif (key := self.sources.get("size")) in AUTOMATIC and key in layer:
            self.add_size(layer[key], f"{source}: {key}")  # chosen anew
            self.sources["size"] = key
        self.values |= layer
        self.sources |= dict.fromkeys(layer, source)

    def add_size(self, size: str, where: str) -> None:
        """Puts the values of a size on top.

        Raises:
            ConfigError: there is no such size; names the nearest and all of them.
        """
        path = self.folder / f"size{size}.yaml"
        if not path.exists():
            known = [path.stem[4:] for path in self.folder.glob("size*.yaml")]
            known = sorted(known, key=lambda name: (len(name), name))
            raise ConfigError(
                f"{where} is '{size}', expected auto, custom or one of "
                f"{', '.join(known)}.{values.nearest(size, known)}"
            )
        self.add(read_file(path, self.name(path)), self.name(path), name_size=False)

    def choose_size(self, accelerator: bool) -> None:
        """Replaces `size: auto` by the paper's size or the one for CPUs."""
        if self.values.get("size", "auto") == "auto":
            key = "paper_size" if accelerator else "cpu_size"
            self.add_size(self.values[key], f"{self.sources[key]}: {key}")
            self.sources["size"] = key

    def build(self) -> Config:
        """The configuration.

        Raises:
            ConfigError: a key has no value.
        """
        return self._build(Config, "")

    def _sections(self, tree: Any, source: str) -> Iterator[tuple[str, Any, bool]]:
        """Name and content of each section, and whether it counts for the task."""
        if tree == "":
            return  # an empty file
        if not isinstance(tree, dict):
            raise ConfigError(
                f"{source}: expected sections such as `run:`, found text."
            )
        task = values.with_suite(self.task)
        for key, content in tree.items():
            section, at, suite = key.partition("@")
            known = [path.stem for path in (self.folder / "tasks").glob("*.yaml")]
            if at and suite not in known:
                hint = values.nearest(suite, known)
                raise ConfigError(
                    f"{source}: no suite '{suite}' for '{key}'.{hint} "
                    f"Those with a file in tasks/: {', '.join(sorted(known))}."
                )
            yield section, content, not at or f"{task}_".startswith(f"{suite}_")

    def _read(
        self, name: str, content: Any, owner: Any, prefix: str, source: str
    ) -> Iterator[tuple[str, Any]]:
        """Full names and values of what `content` gives to the field of `owner`."""
        fields = typing.get_type_hints(owner, include_extras=True)
        fields = {key: fields[key] for key in fields if key not in ("task", "sources")}
        if name not in fields:
            raise unknown_key(source, prefix, name, fields)
        hint, full = fields[name], prefix + name
        if not is_section(hint):
            yield full, values.coerce(content, hint, f"{source}: {full}")
            return
        if not isinstance(content, dict) and content != "":
            raise ConfigError(
                f"{source}: {full} is '{content}', expected a section with its keys."
            )
        for key, value in (content or {}).items():
            if dataclasses.is_dataclass(hint):
                yield from self._read(key, value, hint, f"{full}.", source)
            else:
                yield self._read_entry(key, value, hint, f"{full}.", source)

    def _read_entry(
        self, name: str, content: Any, hint: Any, prefix: str, source: str
    ) -> tuple[str, Any]:
        """Full name and value of an entry of a dict."""
        item = typing.get_args(hint)[1]
        known = self._entries(prefix)
        if name not in known and item is not Any and len(self.values) > 1:
            raise unknown_key(source, prefix, name, known)
        full = prefix + name
        return full, values.coerce(content, item, f"{source}: {full}")

    def _entries(self, prefix: str) -> dict[str, Any]:
        start = len(prefix)
        names = [key for key in self.values if key.startswith(prefix)]
        return {key[start:]: self.values[key] for key in names}

    def _build(self, owner: Any, prefix: str) -> Any:
        arguments: dict[str, Any] = {}
        for name, hint in typing.get_type_hints(owner, include_extras=True).items():
            full = prefix + name
            if full == "sources":
                arguments[name] = dict(self.sources)
            elif dataclasses.is_dataclass(hint):
                arguments[name] = self._build(hint, f"{full}.")
            elif is_section(hint):
                arguments[name] = self._entries(f"{full}.")
            elif full in self.values:
                arguments[name] = self.values[full]
            else:
                raise ConfigError(
                    f"{self.folder.name}/defaults.yaml: no value for {full}, and no "
                    "other file has one. A size sets all widths: --preset size1m."
                )
        return owner(**arguments)


def is_section(hint: Any) -> bool:
    """Whether a field has keys of its own."""
    return dataclasses.is_dataclass(hint) or typing.get_origin(hint) is dict


def read_file(path: pathlib.Path, source: str) -> Any:
    """Nested dict of a YAML file.

    Raises:
        ConfigError: the file cannot be read or is not YAML.
    """
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(f"{source}: cannot be read ({error}).") from error
    return values.parse(text, source)


def unknown_key(
    source: str, prefix: str, name: str, known: Iterable[str]
) -> ConfigError:
    """The error for a key that does not exist."""
    section = f"'{prefix[:-1]}'" if prefix else "the top level"
    hint = values.nearest(name, known)
    return ConfigError(
        f"{source}: no key '{name}' in {section}.{hint} "
        f"Keys there: {', '.join(sorted(known))}."
    )
