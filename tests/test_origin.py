# SPDX-License-Identifier: Apache-2.0
"""Origins are read strictly: no spelling of an address makes one origin pass for another."""

from __future__ import annotations

import json
import string
from urllib.parse import urlsplit

import pytest
from hypothesis import given
from hypothesis import strategies as st

from holdfast.origin import Origin, read_address, read_origin
from tests.log.vectors import VECTORS

PUBLISHED = VECTORS / "ssrf_hosts.json"
ALLOWED = read_origin("http://allowed.example")


@pytest.mark.parametrize(
    ("written", "read"),
    [
        ("https://example.org", Origin("https", "example.org", 443)),
        ("HTTPS://Example.ORG/", Origin("https", "example.org", 443)),
        ("https://example.org:443", Origin("https", "example.org", 443)),
        ("http://example.org:0443", Origin("http", "example.org", 443)),
        ("http://127.0.0.1:8080", Origin("http", "127.0.0.1", 8080)),
        ("http://[::1]:8080/", Origin("http", "[::1]", 8080)),
        ("http://[0:0:0:0:0:0:0:1]", Origin("http", "[::1]", 80)),
        ("http://media_1:9000", Origin("http", "media_1", 9000)),
        ("https://xn--bcher-kva.example", Origin("https", "xn--bcher-kva.example", 443)),
    ],
)
def test_an_origin_is_read(written: str, read: Origin) -> None:
    assert read_origin(written) == read
    assert read_origin(str(read)) == read


@pytest.mark.parametrize(
    "written",
    [
        *("", "example.org", "//example.org", "ftp://example.org", "https:/example.org", "https:///", "https://"),
        *("https://example.org/page", "https://example.org?a", "https://example.org#", "https://example.org//"),
        *("https://a@example.org", "https://a:b@example.org", "https://@example.org", "https://example.org\\@b"),
        *("https://example.org:", "https://example.org:0", "https://example.org:65536", "https://example.org:x"),
        *("https://example.org.", "https://.example.org", "https://a..b", "https://-a", "https://*.example.org"),
        *("https://bücher.example", "https://example。org", "https://ⅇxample.org", "https://\u212aids.example"),
        *("http\u017f://example.org", "https://example.org ", " https://example.org", "https://exa mple.org"),
        *("https://127.1", "https://2130706433", "https://0x7f.1", "https://0177.0.0.1", "https://1.2.3.4.5"),
        *("https://1.2.3.256", "https://[::1", "https://::1", "https://[::1%25eth0]", "https://[::ffff:127.0.0.1]"),
        *("https://exa\tmple.org", "https://example.org\n", "https://example.org\x00", "https://" + "a" * 64 + ".b"),
        *("https://%65xample.org", "https://٣.example", "https://example.org:٤٤٣"),
    ],
)
def test_what_is_no_plain_origin_is_refused(written: str) -> None:
    with pytest.raises(ValueError, match="must be origins such as"):
        read_origin(written)


@pytest.mark.parametrize(
    ("written", "target"),
    [
        ("http://allowed.example", "/"),
        ("http://allowed.example?a=b", "/?a=b"),
        ("http://allowed.example/p/17?a=b&c=//x@y#part", "/p/17?a=b&c=//x@y"),
        ("http://allowed.example#@evil.test", "/"),
        ("http://allowed.example//evil.test/", "//evil.test/"),
        ("http://allowed.example/%2e%2e/größe", "/%2e%2e/gr%C3%B6%C3%9Fe"),
        ("HTTP://ALLOWED.example:80/A", "/A"),
    ],
)
def test_an_address_of_an_allowed_origin_is_read_into_what_is_asked_for_there(written: str, target: str) -> None:
    address = read_address(written)
    assert address
    assert (address.origin, address.target) == (ALLOWED, target)


@given(st.text(st.sampled_from(string.printable + "@:/\\#?。äſK"), max_size=60))
def test_an_address_that_is_read_as_allowed_is_so_for_every_other_reader(rest: str) -> None:
    for written in (f"http://allowed.example{rest}", f"http://{rest}allowed.example/", f"{rest}://allowed.example"):
        address = read_address(written)
        if address and address.origin == ALLOWED:
            other = urlsplit(written)
            assert (other.scheme, other.hostname, other.port or 80) == ("http", "allowed.example", 80)
            assert "@" not in other.netloc
            assert address.target.isascii()
            assert address.target.startswith("/")


@given(st.text())
def test_whatever_is_typed_is_read_or_not_and_never_fails(written: str) -> None:
    for one in (written, f"https://{written}", f"https://example.org/{written}"):
        address = read_address(one)
        assert address is None or read_address(str(address)) == address


def test_an_address_too_long_is_not_read() -> None:
    assert read_address("http://allowed.example/" + "x" * 8192) is None


@pytest.mark.skipif(not PUBLISHED.exists(), reason="the published spellings are not on this machine")
def test_no_published_spelling_of_an_inner_address_passes_for_an_allowed_one() -> None:
    published = json.loads(PUBLISHED.read_text())
    hosts = [*published["must_refuse_hosts"], *published["must_allow_hosts"]]
    spellings = [f"http://{host}/" for host in hosts] + [f"http://[{host}]/" for host in hosts if ":" in host]
    for written in [*spellings, *published["must_refuse_urls"]]:
        address = read_address(written)
        assert address is None or address.origin != ALLOWED, written
