"""One YAML file: its content, and on which line each key stands.

Files are read by `loader.py`; what a mistake in them says is `mistakes.py`.
"""

from __future__ import annotations

from functools import cached_property
from typing import Any

import yaml

from pipelines.config.mistakes import ConfigError, Key, dotted
from pipelines.outside import worded

# The parser in C, where PyYAML has it: every command reads the files, and the one in Python takes eight times as long.
_Loader: Any = type("_Loader", (yaml.CSafeLoader if yaml.__with_libyaml__ else yaml.SafeLoader,), {})


def _timestamp(loader: yaml.SafeLoader, node: yaml.ScalarNode) -> object:
    """A date or an instant; a date that the calendar does not have stays text, so that the schema refuses it with its place."""
    try:
        return loader.construct_yaml_timestamp(node)
    except ValueError:
        return node.value


_Loader.add_constructor("tag:yaml.org,2002:timestamp", _timestamp)


class YamlFile:
    """The parsed text of one file, called `name` in errors. Raises ConfigError where it is no YAML, or a key stands twice."""

    def __init__(self, name: str, text: str) -> None:
        self.name = name
        self._text = text
        try:
            self.content = self._read()
        except yaml.YAMLError as error:
            raise ConfigError(self._not_yaml(error)) from error

    def _read(self) -> object:
        loader = _Loader(self._text)
        try:
            node = loader.get_single_node()
            if node is None:
                return {}
            if twice := list(_repeated(node, ())):
                raise ConfigError(
                    "\n".join(
                        f"{self.name}:{line}: {dotted(key)}: the key appears twice; once is accepted"
                        for key, line in twice
                    )
                )
            return loader.construct_document(node)
        finally:
            loader.dispose()

    def _not_yaml(self, error: yaml.YAMLError) -> str:
        mark = getattr(error, "problem_mark", None)
        if mark is None:
            return f"{self.name}: not valid YAML: {worded(error)}"
        problem = str(getattr(error, "problem", "") or "").replace("\n", " ")
        if "\t" in "".join(self._text.splitlines()[mark.line : mark.line + 1])[: mark.column + 1]:
            problem = "a tab stands before it; spaces are accepted"
        return f"{self.name}:{mark.line + 1}: not valid YAML at column {mark.column + 1}: {problem}"

    @cached_property
    def _root(self) -> yaml.Node | None:
        return yaml.compose(self._text, _Loader)

    def line_of(self, key: Key) -> int:
        """The line where the value at `key` begins, else the line of the innermost block around it that the file has."""
        node, line = self._root, 1
        for part in key:
            if isinstance(node, yaml.MappingNode):
                at = next(((name, value) for name, value in node.value if name.value == str(part)), None)
                if at is not None:
                    line, node = at[0].start_mark.line + 1, at[1]
            elif isinstance(node, yaml.SequenceNode) and isinstance(part, int) and part < len(node.value):
                node = node.value[part]
                line = node.start_mark.line + 1
        return line

    def mistake(self, key: Key, problem: str) -> str:
        """The line for people: `sources.yaml:7: requests.0.format: found ...`."""
        return f"{self.name}:{self.line_of(key)}: {dotted(key) or '(top level)'}: {problem}"


def _repeated(node: yaml.Node, way: Key) -> list[tuple[Key, int]]:
    """Keys that stand twice in one map. YAML would silently take the last one."""
    found: list[tuple[Key, int]] = []
    if isinstance(node, yaml.MappingNode):
        seen: set[str] = set()
        for name, value in node.value:
            if isinstance(name, yaml.ScalarNode) and name.value in seen and name.value != "<<":
                found.append(((*way, name.value), name.start_mark.line + 1))
            if isinstance(name, yaml.ScalarNode):
                seen.add(name.value)
            found += _repeated(value, (*way, str(name.value)))
    elif isinstance(node, yaml.SequenceNode):
        for number, item in enumerate(node.value):
            found += _repeated(item, (*way, number))
    return found
