# SPDX-License-Identifier: Apache-2.0
"""The simulated platform keeps the contract, and fails as it is told."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from holdfast.errors import PlatformAway, PlatformRefused
from holdfast.hold.platform import Act, Acted, Found, Item, Notice, Platform, Sight
from holdfast.testing.asking import item_at, spots_of
from holdfast.testing.contracts import Doings, PlatformContract
from holdfast.testing.simulators import CALLS, How, SimulatedPlatform, SimulatedStranger
from holdfast.testing.site import Site


class TestSimulatedPlatform(PlatformContract):
    @pytest.fixture
    def site(self) -> Site:
        return Site()

    @pytest.fixture
    def platform(self, site: Site) -> Platform:
        return SimulatedPlatform(site)

    @pytest.fixture
    def doings(self, site: Site) -> Doings:
        return site


@pytest.fixture
def platform() -> SimulatedPlatform:
    return SimulatedPlatform()


@pytest.fixture
def item(platform: SimulatedPlatform) -> Item:
    return item_at(platform, platform.site.publish("somebody"))


def seen(platform: SimulatedPlatform, item: Item) -> bool:
    return any(platform.site.view(location) for location in item.locations)


def ask(platform: SimulatedPlatform, call: str, item: Item, key: str = "k") -> object:
    """Make one call of any kind."""
    notice = Notice(id="ntc_1", account="somebody", content=item.content, title="T", text="x")
    calls: dict[str, Callable[[], object]] = {
        "resolve": lambda: platform.resolve(key, [f"{platform.site.origin}/p/{item.content}"]),
        "copies": lambda: platform.copies(key, item.content, item.version),
        "open": lambda: list(platform.open(key, item.content, item.version)),
        "hold": lambda: platform.hold(key, spots_of(item)),
        "release": lambda: platform.release(key, spots_of(item)),
        "remove": lambda: platform.remove(key, spots_of(item)),
        "freeze": lambda: platform.freeze(key, "somebody", item.content),
        "views": lambda: platform.views(key, [item.locations[0].id]),
        "notify": lambda: platform.notify(key, [notice]),
    }
    return calls[call]()


@pytest.mark.parametrize("call", CALLS)
@pytest.mark.parametrize(
    ("how", "raises"), [(How.AWAY, PlatformAway), (How.LOST, PlatformAway), (How.REFUSED, PlatformRefused)]
)
def test_a_call_fails_as_often_as_it_was_told_and_then_answers(
    platform: SimulatedPlatform, item: Item, call: str, how: How, raises: type[Exception]
) -> None:
    platform.fail(call, how, times=2)
    for _ in range(2):
        with pytest.raises(raises, match=f"{call}: "):
            ask(platform, call, item)
    ask(platform, call, item)


def test_what_is_away_or_refused_was_not_done(platform: SimulatedPlatform, item: Item) -> None:
    for how in (How.AWAY, How.REFUSED):
        platform.fail("hold", how, times=1)
        with pytest.raises((PlatformAway, PlatformRefused)):
            ask(platform, "hold", item)
        assert seen(platform, item)


def test_what_was_done_before_its_answer_was_lost_is_answered_the_next_time(
    platform: SimulatedPlatform, item: Item
) -> None:
    platform.fail("hold", How.LOST, times=1)
    with pytest.raises(PlatformAway):
        ask(platform, "hold", item, "eff_1")
    assert not seen(platform, item)
    platform.release("other", spots_of(item))
    assert ask(platform, "hold", item, "eff_1") == [Act(Acted.DONE)] * 2
    assert seen(platform, item), "it is not done a second time"


def test_what_is_slow_waits_and_is_done() -> None:
    waited: list[bool] = []
    platform = SimulatedPlatform(pause=lambda: waited.append(True))
    item = item_at(platform, platform.site.publish("somebody"))
    platform.fail("hold", How.SLOW, times=1)
    ask(platform, "hold", item)
    assert waited == [True]
    assert not seen(platform, item)


def test_a_lie_says_done_and_leaves_everything_as_it_was(platform: SimulatedPlatform, item: Item) -> None:
    stranger = SimulatedStranger(platform.site)
    urls = [location.url or "" for location in item.locations]
    platform.fail("hold", How.LIES, times=1)
    assert ask(platform, "hold", item) == [Act(Acted.DONE)] * 2
    assert stranger.look(urls) == [Sight.VISIBLE] * 2
    assert ask(platform, "hold", item, "k2") == [Act(Acted.DONE)] * 2
    assert stranger.look(urls) == [Sight.HIDDEN] * 2
    platform.fail("release", How.LIES, times=1)
    ask(platform, "release", item)
    assert stranger.look(urls) == [Sight.HIDDEN] * 2
    platform.fail("notify", How.LIES, times=1)
    ask(platform, "notify", item)
    assert platform.site.notices("somebody") == []


def test_it_fails_until_it_recovers_and_other_calls_do_not(platform: SimulatedPlatform, item: Item) -> None:
    platform.fail("hold", How.AWAY)
    for _ in range(20):
        with pytest.raises(PlatformAway):
            ask(platform, "hold", item)
    ask(platform, "views", item)
    platform.recover()
    ask(platform, "hold", item)


def test_faults_come_in_the_order_in_which_they_were_set(platform: SimulatedPlatform, item: Item) -> None:
    platform.fail("hold", How.REFUSED, times=1)
    platform.fail("hold", How.AWAY, times=1)
    for raises in (PlatformRefused, PlatformAway):
        with pytest.raises(raises):
            ask(platform, "hold", item)
    ask(platform, "hold", item)


@pytest.mark.parametrize(("call", "how"), [("screen", How.AWAY), ("views", How.LIES), ("open", How.LIES)])
def test_what_cannot_fail_like_that_is_a_mistake_of_the_test(platform: SimulatedPlatform, call: str, how: How) -> None:
    with pytest.raises(ValueError, match=f"{call} cannot fail like this: {how}"):
        platform.fail(call, how)


def test_a_release_does_not_show_what_it_was_edited_into(platform: SimulatedPlatform, item: Item) -> None:
    address = f"{platform.site.origin}/p/{item.content}"
    platform.hold("k1", spots_of(item))
    platform.site.edit(address)
    platform.release("k2", spots_of(item))
    assert not seen(platform, item), "nobody has looked at the new version"
    platform.release("k3", spots_of(item_at(platform, address)))
    assert seen(platform, item)


def test_a_removal_leaves_what_it_was_edited_into(platform: SimulatedPlatform, item: Item) -> None:
    address = f"{platform.site.origin}/p/{item.content}"
    platform.site.edit(address)
    platform.remove("k1", spots_of(item))
    assert seen(platform, item)
    with pytest.raises(PlatformRefused):
        list(platform.open("k2", item.content, item.version))
    assert item_at(platform, address).version == "2"


def test_a_copy_that_looks_a_little_different_is_told_with_its_distance(
    platform: SimulatedPlatform, item: Item
) -> None:
    platform.site.reshare(f"{platform.site.origin}/p/{item.content}", "another", distance=12)
    (copy,) = platform.copies("k", item.content, item.version)
    assert (copy.exact, copy.distance) == (False, 12)


def test_any_place_of_an_item_names_it(platform: SimulatedPlatform, item: Item) -> None:
    urls = [f" {location.url}#part" for location in item.locations]
    assert platform.resolve("k", urls) == [Found(item)] * 2


def test_a_stranger_who_cannot_tell_says_so(platform: SimulatedPlatform, item: Item) -> None:
    stranger = SimulatedStranger(platform.site)
    url = item.locations[0].url or ""
    assert stranger.look([url, f"{platform.site.origin}/never", "https://elsewhere.example/p/1"]) == [
        Sight.VISIBLE,
        Sight.HIDDEN,
        Sight.UNKNOWN,
    ]
    stranger.blind = True
    assert stranger.look([url]) == [Sight.UNKNOWN]
