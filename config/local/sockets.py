"""Ports of 127.0.0.1, and asking whether somebody answers there."""

from __future__ import annotations

import errno
import http.client
import socket
from collections.abc import Mapping

from config.local import failures

HOST = "127.0.0.1"


class PortCannotBeUsed(failures.CannotRun):
    """The port that the user chose is no port, is taken, or needs rights that this user lacks."""


def free_port() -> int:
    """A port on which nobody listens now."""
    with socket.socket() as probe:
        probe.bind((HOST, 0))
        port: int = probe.getsockname()[1]
        return port


def chosen_port(environ: Mapping[str, str]) -> int:
    """PORT, else 8000, after a look that it is free; raises `PortCannotBeUsed`."""
    text = environ.get("PORT", "").strip() or "8000"
    if not (text.isascii() and text.isdigit() and len(text) < 6 and 1 <= int(text) <= 65535):
        raise PortCannotBeUsed(f"PORT must be a number from 1 to 65535, not {text!r}")
    port = int(text)
    with socket.socket() as probe:
        # Connections of a server that has just ended do not make the port a taken one.
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((HOST, port))
        except OSError as error:
            if error.errno == errno.EADDRINUSE:
                raise PortCannotBeUsed(
                    f"port {port} is in use by another program: choose another with `PORT=8123 make up`"
                ) from error
            raise PortCannotBeUsed(
                f"port {port} cannot be used ({error.strerror}): choose another with `PORT=8123 make up`"
            ) from error
    return port


def status_of(port: int, path: str) -> int:
    """The HTTP status of GET ``path``, 0 where nobody answers. Goes through no proxy."""
    connection = http.client.HTTPConnection(HOST, port, timeout=5)
    try:
        connection.request("GET", path)
        return connection.getresponse().status
    except (OSError, http.client.HTTPException):
        return 0
    finally:
        connection.close()
