# SPDX-License-Identifier: Apache-2.0
"""SROS2: who may say and hear what, as a keystore that a full ROS 2 enforces."""

from kata_nodes.security.check import check_keystore
from kata_nodes.security.keystore import make_keystore
from kata_nodes.security.permissions import GOVERNANCE, permissions_xml
from kata_nodes.security.policy import NodePolicy, load_policies

__all__ = ["GOVERNANCE", "NodePolicy", "check_keystore", "load_policies", "make_keystore", "permissions_xml"]
