# SPDX-License-Identifier: Apache-2.0
"""Commands of `kata` that need only kata_core."""
