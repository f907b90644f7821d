# SPDX-License-Identifier: Apache-2.0
"""A whole clip at once: smoothed, with feet that stay."""
