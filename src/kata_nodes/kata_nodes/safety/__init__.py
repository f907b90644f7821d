# SPDX-License-Identifier: Apache-2.0
"""The node `safety`, and what it hears and tells."""
