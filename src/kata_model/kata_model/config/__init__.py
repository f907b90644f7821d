# SPDX-License-Identifier: Apache-2.0
"""Declared parameters and the files that depart from them."""
