"""Who is logged in."""

import pytest

from tests.billing.console import month


@pytest.fixture
def owner(client, transactional_db):
    """A client of somebody who may do everything."""
    client.force_login(month.owner())
    return client
