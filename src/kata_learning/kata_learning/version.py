# SPDX-License-Identifier: Apache-2.0
"""Which version of the code is running."""

from kata_core.version import code_version

__all__ = ["code_version"]
