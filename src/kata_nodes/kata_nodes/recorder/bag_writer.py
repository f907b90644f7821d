# SPDX-License-Identifier: Apache-2.0
"""The bag writer, which is core's; under the name by which the nodes know it."""

from kata_data.bags.bag_writer import BagWriter, next_episode, unfinished

__all__ = ["BagWriter", "next_episode", "unfinished"]
