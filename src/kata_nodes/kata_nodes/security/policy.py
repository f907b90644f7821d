# SPDX-License-Identifier: Apache-2.0
"""The table ``config/security.yaml``: which program may publish, subscribe, serve and call what."""

import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from kata_model.config.config_path import find_config
from kata_model.config.yaml_data import load_yaml
from kata_model.errors import ConfigError

__all__ = ["NodePolicy", "load_policies"]

_NAME = re.compile(r"\*|(\*/)?/?[A-Za-z_]\w*(/[A-Za-z_]\w*)*")
_NODE = re.compile(r"[A-Za-z_]\w*\*?")
_KEYS = ("publish", "subscribe", "serve", "call")


@dataclass(frozen=True, slots=True)
class NodePolicy:
    """What one program may do; names relative to the root, ``*`` for all, ``*/NAME`` for those of this name.

    Attributes:
        program: The program, which is also its enclave's name.
        node: Its node's name; may end with ``*``.
        publish: Topics.
        subscribe: Topics.
        serve: Services that it offers.
        call: Services that it asks.
    """

    program: str
    node: str
    publish: tuple[str, ...] = ()
    subscribe: tuple[str, ...] = ()
    serve: tuple[str, ...] = ()
    call: tuple[str, ...] = ()


def load_policies(file: Path | None = None) -> tuple[NodePolicy, ...]:
    """Return the policies of all programs, of the configuration if no file is given.

    Raises:
        ConfigError: The file cannot be read, has an unknown key, or a name that is none.
    """
    file = file or find_config(Path("security.yaml"))
    try:
        nodes: dict[str, Any] = load_yaml(file.read_text())["nodes"]
        return tuple(_policy(str(program), entry, str(file)) for program, entry in nodes.items())
    except (OSError, yaml.YAMLError, KeyError, TypeError, AttributeError) as error:
        what = f"unusable: {str(error).splitlines()[0]}"
        raise ConfigError(what, where=str(file), fix="nodes: {PROGRAM: {publish: […]}}") from error


def _policy(program: str, entry: dict[str, Any], where: str) -> NodePolicy:
    lists = {key: entry[key] for key in entry if key != "node"}
    node = str(entry.get("node", program))
    if unknown := set(lists) - set(_KEYS):
        raise ConfigError(f"{program}: unknown key {sorted(unknown)[0]!r}", where=where, fix=f"known: node, {', '.join(_KEYS)}")
    if not _NODE.fullmatch(node):
        raise ConfigError(f"{program}: {node!r} is no node's name", where=where, fix="e.g. safety, or stop_*")
    for names in lists.values():
        if bad := [name for name in names if not _NAME.fullmatch(str(name))]:
            raise ConfigError(f"{program}: {bad[0]!r} is no name", where=where, fix="e.g. joint_states, episode/start, or *")
    return NodePolicy(program, node, **{key: tuple(map(str, names)) for key, names in lists.items()})
