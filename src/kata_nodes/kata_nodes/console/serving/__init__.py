# SPDX-License-Identifier: Apache-2.0
"""Who is connected: sockets, files, certificate, the way in."""
