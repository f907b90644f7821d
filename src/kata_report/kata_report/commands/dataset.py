# SPDX-License-Identifier: Apache-2.0
"""Turn recorded bags into datasets to learn from, and look at, join, divide and exchange them.

Examples:
  kata dataset build runs/demo/demonstrations --out runs/demo/dataset
  kata dataset show runs/demo/dataset
  kata dataset select runs/demo/dataset --label operator=anna --out runs/anna
  kata dataset export runs/demo/dataset --format lerobot --out runs/lerobot
"""

import argparse
from types import ModuleType

from kata_report.commands.datasets import build, exchange, show, synthesize, views

_COMMANDS: dict[str, ModuleType] = {
    "build": build,
    "show": show,
    "select": views,
    "split": views,
    "merge": views,
    "synthesize": synthesize,
    "export": exchange,
    "import": exchange,
}


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the subcommands and their arguments."""
    commands = parser.add_subparsers(dest="action", required=True, metavar="COMMAND")
    for name, module in _COMMANDS.items():
        text = module.HELP[name]
        one = commands.add_parser(name, help=text.splitlines()[0], description=text)
        module.add_arguments(one, name)


def run(args: argparse.Namespace) -> int:
    """Run the subcommand."""
    return int(_COMMANDS[args.action].run(args))
