"""Browsers without a screen: who is logged in."""

import pytest

from tests.billing.console import month


@pytest.fixture
def owner(client, db):
    """A client of somebody who may do everything."""
    client.force_login(month.owner())
    return client
