# SPDX-License-Identifier: Apache-2.0
"""Where a request comes from, as far as anybody here needs to know: the network, never the address.

A /24 or a /64. It orders what waits in a flood and counts tries at secret words; of a report it is kept as a
keyed digest for a day. Behind a proxy, the proxy's word counts (HOLDFAST_PROXIES), and nobody else's.
"""

from __future__ import annotations

from ipaddress import IPv4Address, IPv6Address, ip_address, ip_network
from typing import Final

from django.http import HttpRequest

from holdfast.web.system import system

UNKNOWN: Final = "unknown"
_PREFIX: Final = {4: 24, 6: 64}


def source_of(request: HttpRequest) -> str:
    """The network that a request comes from."""
    peer, forwarded = request.META.get("REMOTE_ADDR", ""), request.headers.get("X-Forwarded-For", "")
    return network_of(peer, forwarded, system().settings.proxies)


def network_of(peer: str, untrusted_forwarded: str, proxies: str) -> str:
    """The network of whoever asks: of `peer`, or of the last one in the list that a proxy of ours vouches for.

    `proxies`: networks, separated by commas. What stands left of the first stranger in the list, anybody can write.
    """
    found = _address(peer)
    for part in reversed(untrusted_forwarded.split(",")):
        said = _address(part.strip())
        # What stands before something that is no address, nobody vouches for.
        if found is None or said is None or not _is_in(found, proxies):
            break
        found = said
    return UNKNOWN if found is None else str(ip_network(f"{found}/{_PREFIX[found.version]}", strict=False))


def _address(text: str) -> IPv4Address | IPv6Address | None:
    try:
        found = ip_address(text.strip("[]"))
    except ValueError:
        return None
    if isinstance(found, IPv6Address):
        return found.ipv4_mapped or IPv6Address(found.packed)  # without a zone, which is of that machine alone
    return found


def _is_in(address: IPv4Address | IPv6Address, networks: str) -> bool:
    return any(address in ip_network(network) for network in networks.split(","))
