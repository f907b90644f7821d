# SPDX-License-Identifier: Apache-2.0
"""Run the `kata` command as ``python -m kata``."""

import sys

from kata.cli import main

sys.exit(main())
