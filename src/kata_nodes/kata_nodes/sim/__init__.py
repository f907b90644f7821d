# SPDX-License-Identifier: Apache-2.0
"""The node `sim`: the simulated robot."""
