# SPDX-License-Identifier: Apache-2.0
"""Where somebody comes from is a network, told by a proxy of ours or by the connection, and by nobody else."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from holdfast.web.doors.source import UNKNOWN, network_of

OURS = "127.0.0.1/32,::1/128,10.0.0.0/8"


@pytest.mark.parametrize(
    ("peer", "forwarded", "network"),
    [
        ("198.51.100.77", "", "198.51.100.0/24"),
        ("198.51.100.77", "203.0.113.5", "198.51.100.0/24"),
        ("127.0.0.1", "203.0.113.5", "203.0.113.0/24"),
        ("::1", "2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64"),
        ("::ffff:127.0.0.1", "203.0.113.5", "203.0.113.0/24"),
        ("127.0.0.1", "::ffff:203.0.113.5", "203.0.113.0/24"),
        ("127.0.0.1", "6.6.6.6, 203.0.113.5", "203.0.113.0/24"),
        ("127.0.0.1", "6.6.6.6, 203.0.113.5, 10.1.2.3", "203.0.113.0/24"),
        ("127.0.0.1", "6.6.6.6, nobody, 10.1.2.3", "10.1.2.0/24"),
        ("127.0.0.1", "[2001:db8::1]", "2001:db8::/64"),
        ("127.0.0.1", "fe80::1%eth0", "fe80::/64"),
        ("127.0.0.1", "10.1.2.3", "10.1.2.0/24"),
        ("127.0.0.1", "", "127.0.0.0/24"),
        ("127.0.0.1", "unknown", "127.0.0.0/24"),
        ("", "203.0.113.5", UNKNOWN),
        ("no address", "203.0.113.5", UNKNOWN),
    ],
)
def test_the_last_stranger_that_our_proxies_vouch_for(peer: str, forwarded: str, network: str) -> None:
    assert network_of(peer, forwarded, OURS) == network


@given(st.text(max_size=60), st.ip_addresses(v=4).filter(lambda one: not str(one).startswith(("10.", "127."))))
def test_whatever_a_stranger_writes_in_front_changes_nothing(forged: str, real: object) -> None:
    assert network_of("127.0.0.1", f"{forged},{real}", OURS) == network_of("127.0.0.1", str(real), OURS)


@given(st.text(max_size=60))
def test_nothing_that_a_header_can_hold_is_our_fault(forwarded: str) -> None:
    assert network_of("127.0.0.1", forwarded, OURS)


@given(st.ip_addresses())
def test_never_an_address(address: object) -> None:
    network = network_of(str(address), "", OURS)
    assert network.endswith(("/24", "/64"))
