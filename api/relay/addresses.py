"""Which address a name stands for, and whether it may be called; what was looked at is what is connected to.

A name is resolved once for each attempt. Somebody who answers for it with another address a moment later
(DNS rebinding) is not asked again.
"""

from __future__ import annotations

import ipaddress
import socket
from collections.abc import Callable, Iterator, Sequence
from typing import TypeAlias

Resolve: TypeAlias = Callable[[str, int], Sequence[str]]
"""From a host and a port to its addresses, the preferred first; raises OSError."""
IP: TypeAlias = ipaddress.IPv4Address | ipaddress.IPv6Address
_GLOBAL = ipaddress.IPv6Network("2000::/3")
"""All of IPv6 that is given out for the public internet (IANA); other ranges have meanings of their own."""
_NAT64 = ipaddress.IPv6Network("64:ff9b::/96")


class AddressRefused(Exception):
    """A host may not be called, or has no address; the sentence says why."""


def resolve(host: str, port: int) -> Sequence[str]:
    """Ask the system's resolver."""
    found = socket.getaddrinfo(host, port, proto=socket.IPPROTO_TCP)
    return list(dict.fromkeys(str(address[0]) for *_, address in found))


def outside(host: str, port: int, leave: str, ask: Resolve = resolve) -> Sequence[str]:
    """Return the addresses of a host; raise AddressRefused if one of them is not on the public internet.

    `leave`: the setting that would allow it.
    """
    try:
        found = ask(host, port)
    except (OSError, UnicodeError) as error:
        raise AddressRefused(f"`{host}` cannot be resolved: {error}.") from error
    for text in found:
        ip = ipaddress.ip_address(text.partition("%")[0])
        if not is_outside(ip):
            raise AddressRefused(f"`{host}` is {ip}, not on the public internet. Allow it with {leave}=true.")
    if not found:
        raise AddressRefused(f"`{host}` cannot be resolved: it has no address.")
    return found


def is_outside(ip: IP) -> bool:
    """Tell whether an address, and each that it carries within itself, is one of the public internet."""
    if isinstance(ip, ipaddress.IPv6Address) and (carried := list(_carried(ip))):
        return all(map(is_outside, carried))
    if isinstance(ip, ipaddress.IPv6Address) and ip not in _GLOBAL:
        return False
    return ip.is_global and not ip.is_multicast and not ip.is_reserved


def _carried(ip: ipaddress.IPv6Address) -> Iterator[ipaddress.IPv4Address]:
    """Yield the IPv4 addresses that a tunnel or a translator would send to (RFC 4291, 3056, 4380, 6052)."""
    if ip.ipv4_mapped:
        yield ip.ipv4_mapped
    if ip.sixtofour:
        yield ip.sixtofour
    if ip.teredo:
        yield from ip.teredo
    if ip in _NAT64:
        yield ipaddress.IPv4Address(int(ip) & 0xFFFF_FFFF)
