# SPDX-License-Identifier: Apache-2.0
"""Which enclave of the keystore (`kata security make`) a program takes under SROS2; light, for programs begin here."""

import os
from collections.abc import Sequence

__all__ = ["PREFIX", "enclave_arguments"]

PREFIX = "/kata"
"""Under which all enclaves lie."""


def enclave_arguments(program: str, given: Sequence[str] = ()) -> list[str]:
    """Return what gives a program its enclave: nothing where security is off, or where it was given one already."""
    if os.environ.get("ROS_SECURITY_ENABLE") != "true" or "--enclave" in given:
        return []
    return ["--ros-args", "--enclave", f"{PREFIX}/{program}"]
