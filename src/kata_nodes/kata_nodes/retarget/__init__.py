# SPDX-License-Identifier: Apache-2.0
"""The node `retarget`, and a retargeted motion played back."""
