"""The address to listen on."""

from __future__ import annotations

import errno
import socket
from typing import Any


class AddressError(ValueError):
    """It cannot be listened on, with the system's ``errno`` or None; the text ends in ``; remedy: ...``."""

    def __init__(self, message: str, number: int | None) -> None:
        super().__init__(message)
        self.number = number


def written(host: str, port: int) -> str:
    """An address as URLs have it, an IPv6 one in brackets."""
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"


def try_to_listen(host: str, port: int, given_by: str = "--port or CHAINWRIGHT_PORT") -> None:
    """Listen for a moment.

    Args:
        host: name or address.
        port: 0 for any.
        given_by: what the port was given by, for the remedy.

    Raises:
        AddressError: this machine has no such address, the port is taken, or only the system may take it.
    """
    where = written(host, port)
    try:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)
        problems = [_problem(family, kind, protocol, address) for family, kind, protocol, _, address in found]
    except (OSError, UnicodeError) as error:
        problems = [error]
    numbers = [problem.errno for problem in problems if isinstance(problem, OSError)]
    if errno.EADDRINUSE in numbers:
        raise AddressError(
            f"{where} is taken, another program listens there; remedy: stop it, or choose another port with {given_by}",
            errno.EADDRINUSE,
        )
    if errno.EACCES in numbers:
        raise AddressError(
            f"{where} is for the system's administrator only; remedy: choose a port above 1023 with {given_by}",
            errno.EACCES,
        )
    # A name may have an IPv6 address where IPv6 is off.
    if None not in problems:
        raise AddressError(
            f"{where} is no address of this machine ({problems[0]}); remedy: set CHAINWRIGHT_HOST to 127.0.0.1, "
            "0.0.0.0, ::, or a name of this machine",
            numbers[0] if numbers else None,
        )


def _problem(family: int, kind: int, protocol: int, address: Any) -> Exception | None:
    """The error of listening on one address; None if it works."""
    try:
        with socket.socket(family, kind, protocol) as listener:
            # As asyncio does: else the IPv6 address of a name would take the IPv4 one's place.
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            if family == socket.AF_INET6:
                listener.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
            listener.bind(address)
            listener.listen()
    except OSError as error:
        return error
    return None
