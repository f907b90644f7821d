# SPDX-License-Identifier: Apache-2.0
"""Stop the robot now, from any terminal; with --keyboard any key stops it; --reset ends the stop.

Presses the e-stop that the safety node itself hears (topic safety/estop, service safety/stop), so that no other node
need be alive, and reports what the safety node says then. Exit code 0: it stops or has stopped (--reset: the stop is over);
1: nobody confirmed it, or the reset was refused. Then use the hardware stop, which nothing here replaces.
"""

import argparse

__all__ = ["add_arguments", "run"]


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the command's arguments."""
    kind = parser.add_mutually_exclusive_group()
    kind.add_argument("--reset", action="store_true", help="release the e-stop and end the stop, if no cause lasts")
    kind.add_argument(
        "--keyboard",
        action="store_true",
        help="watch this terminal: any key stops; so does the loss of the terminal, within the safety node's console_deadline",
    )
    parser.add_argument("--patience", type=float, default=3.0, metavar="S", help="longest wait for an answer (default 3)")


def run(args: argparse.Namespace) -> int:
    """Press, watch or release."""
    from kata_nodes.tools.estop import Console
    from kata_nodes.tools.keyboard import watch

    with Console(args.patience) as console:
        if args.keyboard:
            return watch(console)
        outcome = console.reset() if args.reset else console.stop()
    print(outcome.text)
    return 0 if outcome.done else 1
