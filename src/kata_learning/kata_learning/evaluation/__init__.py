# SPDX-License-Identifier: Apache-2.0
"""How well a policy acts, in simulation."""
