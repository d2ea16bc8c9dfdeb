"""Whether a port can be listened on."""

from __future__ import annotations

import socket
import time

from warehouse.errors import ConfigurationError


def refuse_taken_port(host: str, port: int, setting: str, *, patience: float = 0.0) -> None:
    """Raise ConfigurationError, naming the port and the setting, when `host`:`port` cannot be listened on.

    `patience` in seconds: wait so long for a program that is just ending.
    """
    deadline = time.monotonic() + patience
    while (reason := _trouble(host, port)) is not None:
        if time.monotonic() >= deadline:
            raise ConfigurationError(
                f"port {port} on {host} cannot be used: {reason}; stop the program that has it, or change {setting}"
            )
        time.sleep(0.2)


def _trouble(host: str, port: int) -> str | None:
    try:
        family, kind, protocol, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
        with socket.socket(family, kind, protocol) as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            probe.bind(address)
            probe.listen(1)
    except OSError as error:
        return error.strerror or str(error)
    return None
