# SPDX-License-Identifier: Apache-2.0
"""Start a part of Kata: sim, teleop, record, deploy, replay.

Runs launch/NAME.launch.xml, as `ros2 launch kata_bringup NAME.launch.xml` does on a full ROS 2. This is a stand-in for
machines without it: of launch XML it knows arg, let, group, if, unless, include, node, executable, set_env and append_env, and
refuses everything else with file and line. Ctrl-C stops all nodes; a node's failure is the exit code.
"""

import argparse
import os
from pathlib import Path
from typing import TYPE_CHECKING

from kata_model.errors import ConfigError

if TYPE_CHECKING:
    from kata_nodes.launching import Launch

__all__ = ["add_arguments", "find_launch_file", "run"]


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the command's arguments."""
    parser.add_argument("name", help="name of a file in launch/, e.g. teleop, or a path")
    parser.add_argument("arguments", nargs="*", metavar="ARG:=VALUE", help="arguments of the launch file")
    parser.add_argument("-s", "--show-args", action="store_true", help="list the launch file's arguments and end")


def run(args: argparse.Namespace) -> int:
    """Interpret the launch file and run what it asks for."""
    from kata_nodes.launching import Runner, interpret

    file, given = find_launch_file(args.name), _parse(args.arguments)
    if args.show_args:
        print(_table(interpret(file, given, os.environ, only_arguments=True)))
        return 0
    launch = interpret(file, given, os.environ)
    if not launch.processes:
        raise ConfigError("nothing to start", where=str(file))
    return Runner(launch.processes).run()


def find_launch_file(name: str) -> Path:
    """Return the launch file of a name or path.

    Raises:
        ConfigError: There is none.
    """
    from kata_nodes.launching.substitution import find_package_share

    if name.endswith(".xml") and Path(name).is_file():
        return Path(name)
    folder = find_package_share("kata_bringup", os.environ) / "launch"
    file = folder / f"{name}.launch.xml"
    if not file.is_file():
        names = sorted(f.name.removesuffix(".launch.xml") for f in folder.glob("*.launch.xml"))
        raise ConfigError(
            f"no launch file {name!r}", where=str(folder), fix=f"one of: {', '.join(names) or 'none yet; run make setup'}"
        )
    return file


def _parse(arguments: list[str]) -> dict[str, str]:
    given = {}
    for text in arguments:
        name, separator, value = text.partition(":=")
        if not separator or not name:
            raise ConfigError(f"argument {text!r}", fix="expected NAME:=VALUE")
        given[name] = value
    return given


def _table(launch: "Launch") -> str:
    if not launch.arguments:
        return "no arguments"
    width = max(map(len, launch.arguments))
    lines = ["arguments:"]
    for argument in launch.arguments.values():
        default = "must be given" if argument.default is None else f"default {argument.default}"
        lines.append(f"  {argument.name + ':=':<{width + 2}}  {argument.description} [{default}]")
    return "\n".join(lines)
