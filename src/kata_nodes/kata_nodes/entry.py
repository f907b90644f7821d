# SPDX-License-Identifier: Apache-2.0
"""Where every node's program begins: light, so that Ctrl-C during the imports that follow ends it without a traceback."""

import importlib
import signal
import sys
from pathlib import Path

from kata_nodes.enclave import enclave_arguments
from kata_nodes.lockstep.link import expected, in_lockstep

__all__ = ["main", "module_of"]


_RENAMED = {"conductor": "episode_runner"}
"""Programs that still start under their former names, for one release."""


def module_of(program: str) -> str:
    """Return the module of a node's program: ``<program>_node.py`` in one of the folders beside this file.

    Raises:
        ModuleNotFoundError: No node has that program.
    """
    program = _RENAMED.get(program, program)
    for file in Path(__file__).parent.glob(f"*/{program}_node.py"):
        return f"{__package__}.{file.parent.name}.{file.stem}"
    raise ModuleNotFoundError(f"no node has a program {program!r}")


def main() -> None:
    """Run the node that the program is named after.

    Importing a node takes seconds. Python would answer a Ctrl-C meanwhile with a traceback from the midst of somebody's
    package; the system's own answer is to end, and nothing is there yet that wants cleaning up. `kata_nodes.spin.run`
    takes over from there.
    """
    signal.signal(signal.SIGINT, signal.SIG_DFL)
    signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGINT})  # `kata launch` lets it wait while Python begins
    program = Path(sys.argv[0]).name
    sys.argv += enclave_arguments(_RENAMED.get(program, program), sys.argv)
    if in_lockstep():
        if program == "sim":
            raise SystemExit(importlib.import_module("kata_nodes.lockstep.host").host(sys.argv[1:]))
        if program in expected():
            raise SystemExit(importlib.import_module("kata_nodes.lockstep.guest").stand_in(program, sys.argv[1:]))
    importlib.import_module(module_of(program)).main()
