# SPDX-License-Identifier: Apache-2.0
"""A page for people who would rather look than read."""
