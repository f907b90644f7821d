# SPDX-License-Identifier: Apache-2.0
"""What the policies are put together from."""
