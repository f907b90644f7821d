# SPDX-License-Identifier: Apache-2.0
"""The commands `kata retarget` and `kata robot`."""
