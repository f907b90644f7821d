# SPDX-License-Identifier: Apache-2.0
"""The `kata` command: finds the commands of all installed Kata packages and runs one.

A command is a module, registered under the entry point group ``kata.commands``, whose docstring is its
help and which offers ``add_arguments(parser)`` and ``run(args) -> int``. Heavy imports belong in ``run``.
"""

import argparse
import logging
import sys
from collections.abc import Sequence
from importlib.metadata import EntryPoint, entry_points
from types import ModuleType

from kata_model.errors import KataError

__all__ = ["main"]


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command; a user's mistake gives one line on stderr and exit code 2."""
    logging.basicConfig(format="%(levelname)s %(name)s: %(message)s", level=logging.WARNING)
    try:
        return _run(list(sys.argv[1:] if argv is None else argv))
    except KataError as error:
        print(f"kata: error: {error}", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        print("kata: interrupted", file=sys.stderr)
        return 130
    except BrokenPipeError:
        sys.stderr.close()
        return 141


def _run(argv: list[str]) -> int:
    commands = {point.name: point for point in entry_points(group="kata.commands")}
    name = argv[0] if argv else "--help"
    if name in ("-h", "--help"):
        print(_overview(commands))
        return 0
    if name not in commands:
        raise KataError(f"unknown command {name!r}", fix=f"one of: {', '.join(sorted(commands))}")
    module: ModuleType = commands[name].load()
    if hasattr(module, "main"):  # a command that reads its own command line
        return int(module.main(argv[1:]))
    parser = argparse.ArgumentParser(
        prog=f"kata {name}", description=module.__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    module.add_arguments(parser)
    return int(module.run(parser.parse_args(argv[1:])))


def _overview(commands: dict[str, EntryPoint]) -> str:
    lines = ["usage: kata COMMAND …", "", "Teach a humanoid by showing.", "", "commands:"]
    for name in sorted(commands):
        doc = commands[name].load().__doc__ or ""
        lines.append(f"  {name:<12} {doc.strip().splitlines()[0]}")
    return "\n".join([*lines, "", "`kata COMMAND --help` explains a command."])
