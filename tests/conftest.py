"""What every test may use: the servers named here, and nothing else that is not named in the test."""

pytest_plugins = ["tests.servers", "tests.postgres"]
