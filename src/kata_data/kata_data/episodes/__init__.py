# SPDX-License-Identifier: Apache-2.0
"""One episode of a bag as arrays, and its segments."""
