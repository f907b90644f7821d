# SPDX-License-Identifier: Apache-2.0
"""Where every node's program begins: light, so that Ctrl-C during the imports that follow ends it without a traceback."""

import importlib
import os
import signal
import sys
from pathlib import Path

__all__ = ["main"]


def main() -> None:
    """Run the node that the program is named after.

    Importing a node takes seconds. Python would answer a Ctrl-C meanwhile with a traceback from the midst of somebody's
    package; the system's own answer is to end, and nothing is there yet that wants cleaning up. `kata_nodes.spin.run`
    takes over from there.
    """
    signal.signal(signal.SIGINT, signal.SIG_DFL)
    if os.environ.get("ROS_SECURITY_ENABLE") == "true" and "--enclave" not in sys.argv:
        sys.argv += ["--ros-args", "--enclave", f"/kata/{Path(sys.argv[0]).name}"]  # of the keystore that `kata security` makes
    importlib.import_module(f"kata_nodes.{Path(sys.argv[0]).name}_node").main()
