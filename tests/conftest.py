"""What every test may use: the servers of tests.servers, and nothing else that is not named in the test."""

pytest_plugins = ["tests.servers"]
