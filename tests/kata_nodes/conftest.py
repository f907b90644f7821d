# SPDX-License-Identifier: Apache-2.0
"""What tests of nodes share."""

import pytest


@pytest.fixture
def console(ros_domain):
    """Return the console's server with no robot."""
    from console_server import Console

    made = Console()
    yield made
    made.close()
