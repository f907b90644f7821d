# SPDX-License-Identifier: Apache-2.0
"""Run the `kata` command as ``python -m kata_core``."""

import sys

from kata_core.cli import main

sys.exit(main())
