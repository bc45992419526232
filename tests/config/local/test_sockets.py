import socket

import pytest

from config.local import sockets


class TestChosenPort:
    def test_is_8000_or_the_one_that_was_chosen(self):
        port = sockets.free_port()
        assert sockets.chosen_port({"PORT": str(port)}) == port

    @pytest.mark.parametrize("text", ["http", "0", "65536", "-1", "8000.0", "８０００", "999999"])
    def test_refuses_what_is_no_port(self, text):
        with pytest.raises(sockets.PortCannotBeUsed, match="PORT must be a number from 1 to 65535"):
            sockets.chosen_port({"PORT": text})

    @pytest.mark.parametrize("host", ["127.0.0.1", "0.0.0.0"])
    def test_refuses_one_in_use_and_says_what_to_do(self, host):
        with socket.socket() as other:
            other.bind((host, 0))
            other.listen()
            port = other.getsockname()[1]
            with pytest.raises(sockets.PortCannotBeUsed, match=rf"port {port} is in use .*PORT=8123 make up"):
                sockets.chosen_port({"PORT": str(port)})
