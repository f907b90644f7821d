# SPDX-License-Identifier: Apache-2.0
"""Commands whose work ends in a page, or in a table of what was found."""
