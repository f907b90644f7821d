# SPDX-License-Identifier: Apache-2.0
"""YAML as it should be read where a robot depends on it: a key that is given twice is a mistake, not a choice."""

from typing import IO, Any

import yaml

__all__ = ["load_yaml"]


class _Loader(yaml.SafeLoader):
    """PyYAML's safe loader, which by itself would let the last of two equal keys win in silence."""

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Any, Any]:
        """Return the mapping."""
        lines: dict[Any, int] = {}
        for key, _ in node.value:
            name, line = str(key.value), key.start_mark.line + 1
            if name in lines and key.tag != "tag:yaml.org,2002:merge":
                told = f"{name!r} is given twice, first in line {lines[name]}"
                raise yaml.constructor.ConstructorError(None, None, told, key.start_mark)
            lines[name] = line
        return super().construct_mapping(node, deep)


def load_yaml(text: str | IO[str]) -> Any:
    """Return what YAML says, of plain types.

    Raises:
        yaml.YAMLError: It cannot be read, or gives a key twice.
    """
    return yaml.load(text, _Loader)
