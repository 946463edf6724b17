# SPDX-License-Identifier: Apache-2.0
"""What every platform promises: inherit `PlatformContract`, say how people do things there, and yours is tested.

Nothing here needs an empty platform, its clock, or its inside: names and keys are new in each test. It needs pytest.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from typing import Protocol
from uuid import uuid4

import pytest

from holdfast.errors import PlatformGone, PlatformRefused
from holdfast.hold.platform import Acted, Ambiguous, Location, Notice, Nowhere, Platform, Spot
from holdfast.testing.asking import a_key, a_notice, acts, held, item_at, nowhere, somebody, spots_of, the_bytes


class Doings(Protocol):
    """What people do at the platform, by whatever way people have there. `who` is a name of the test's own.

    The platform's own reference for that account is what it says itself (`Item.account`).
    """

    def publish(self, who: str, *, places: int = 2) -> str:
        """Upload something that nobody uploaded before, served at `places` locations or more; gives its address.

        A stranger can open each of them. The account comes into being with its first upload.
        """

    def reshare(self, address: str, who: str) -> str:
        """Show the same item again under another account; gives the address of that."""

    def edit(self, address: str) -> None:
        """Let the uploader change it, as far as the platform lets them."""

    def delete(self, address: str) -> None:
        """Let the uploader delete it, as far as the platform lets them."""

    def close_account(self, who: str) -> None:
        """End an account, as far as the platform lets them."""

    def view(self, location: Location) -> bool:
        """Open a location as a stranger would; whether anything was to be seen."""

    def notices(self, who: str) -> list[str]:
        """What the account finds among what it is told, one text for each."""

    def ambiguous(self, addresses: Sequence[str]) -> str | None:
        """An address that may name any of these; None if this platform has no such addresses."""


class PlatformContract:
    """Inherit, and give the fixtures `platform` and `doings`; both reach the same platform, a real one if it can be."""

    @pytest.fixture
    def platform(self) -> Platform:
        """The platform, as Holdfast reaches it."""
        raise NotImplementedError

    @pytest.fixture
    def doings(self) -> Doings:
        """The same platform, as people use it."""
        raise NotImplementedError

    # --- what addresses name

    def test_an_address_names_its_item_and_every_place_where_it_is_served(
        self, platform: Platform, doings: Doings
    ) -> None:
        item = item_at(platform, doings.publish(somebody(), places=3))
        assert len({location.id for location in item.locations}) == len(item.locations) >= 3
        assert all(doings.view(location) for location in item.locations)
        assert item.account
        assert not item.is_asset
        assert item.first_seen is None or item.first_seen.tzinfo

    def test_an_address_that_nobody_knows_is_nowhere(self, platform: Platform) -> None:
        assert platform.resolve(a_key(), [nowhere()]) == [Nowhere()]

    def test_an_address_that_may_name_several_items_lists_them_all(self, platform: Platform, doings: Doings) -> None:
        addresses = [doings.publish(somebody()) for _ in range(2)]
        address = doings.ambiguous(addresses)
        if address is None:
            return
        (found,) = platform.resolve(a_key(), [address])
        assert isinstance(found, Ambiguous)
        named = {item.content for item in found.candidates}
        assert {item_at(platform, one).content for one in addresses} <= named

    def test_every_address_is_answered_in_its_order_however_many_there_are(
        self, platform: Platform, doings: Doings
    ) -> None:
        addresses = [nowhere() for _ in range(150)]
        one, other = doings.publish(somebody()), doings.publish(somebody())
        addresses[20], addresses[120] = one, other
        found = platform.resolve(a_key(), addresses)
        assert [number for number, name in enumerate(found) if name != Nowhere()] == [20, 120]
        assert len(found) == 150
        assert [found[20], found[120]] == platform.resolve(a_key(), [one, other])

    def test_where_nothing_is_asked_nothing_is_answered(self, platform: Platform) -> None:
        assert platform.resolve(a_key(), []) == []
        assert platform.hold(a_key(), []) == []
        assert platform.views(a_key(), []) == []

    def test_a_reshare_is_listed_as_a_copy_and_the_item_itself_is_not(self, platform: Platform, doings: Doings) -> None:
        address = doings.publish(somebody())
        item, again = item_at(platform, address), item_at(platform, doings.reshare(address, somebody()))
        assert again.content != item.content
        copies = platform.copies(a_key(), item.content, item.version)
        (copy,) = [one for one in copies if one.item.content == again.content]
        assert (copy.item, copy.exact, copy.distance) == (again, True, 0)
        assert item.content not in {one.item.content for one in copies}

    # --- the bytes

    def test_the_bytes_are_given_and_are_the_same_while_held(self, platform: Platform, doings: Doings) -> None:
        item = item_at(platform, doings.publish(somebody()))
        shown = the_bytes(platform, item)
        assert shown
        held(platform, item)
        assert the_bytes(platform, item) == shown

    def test_bytes_that_are_not_there_are_refused(self, platform: Platform, doings: Doings) -> None:
        item = item_at(platform, doings.publish(somebody()))
        for content, version in ((f"no-{uuid4().hex}", "1"), (item.content, f"no-{uuid4().hex}")):
            with pytest.raises(PlatformGone):
                list(platform.open(a_key(), content, version))

    # --- held

    def test_what_is_held_is_out_of_reach_at_every_place(self, platform: Platform, doings: Doings) -> None:
        item = item_at(platform, doings.publish(somebody(), places=3))
        held(platform, item)
        assert not any(doings.view(location) for location in item.locations)

    def test_a_hold_reaches_what_was_named_and_nothing_else(self, platform: Platform, doings: Doings) -> None:
        address = doings.publish(somebody(), places=3)
        item, again = item_at(platform, address), item_at(platform, doings.reshare(address, somebody()))
        named, *others = item.locations
        assert acts(platform.hold(a_key(), spots_of(item, named))) == [Acted.DONE]
        assert not doings.view(named)
        assert all(doings.view(location) for location in [*others, *again.locations])

    def test_what_is_held_is_still_named_with_all_its_places(self, platform: Platform, doings: Doings) -> None:
        address = doings.publish(somebody())
        item = item_at(platform, address)
        held(platform, item)
        assert item_at(platform, address) == item

    def test_holding_what_is_held_is_done(self, platform: Platform, doings: Doings) -> None:
        item = item_at(platform, doings.publish(somebody()))
        held(platform, item)
        held(platform, item)

    def test_what_is_held_goes_neither_by_its_uploader_nor_with_their_account(
        self, platform: Platform, doings: Doings
    ) -> None:
        who = somebody()
        address = doings.publish(who)
        item = item_at(platform, address)
        shown = the_bytes(platform, item)
        held(platform, item)
        doings.delete(address)
        doings.close_account(who)
        assert the_bytes(platform, item) == shown
        assert item_at(platform, address).account == item.account
        assert not any(doings.view(location) for location in item.locations)

    def test_what_a_held_item_is_edited_into_is_held(self, platform: Platform, doings: Doings) -> None:
        address = doings.publish(somebody())
        item = item_at(platform, address)
        held(platform, item)
        doings.edit(address)
        now = item_at(platform, address)
        assert not any(doings.view(location) for location in (*item.locations, *now.locations))

    def test_a_hold_that_comes_after_an_edit_hides_what_it_was_edited_into(
        self, platform: Platform, doings: Doings
    ) -> None:
        address = doings.publish(somebody())
        item = item_at(platform, address)
        doings.edit(address)
        held(platform, item)
        assert not any(doings.view(location) for location in item.locations)

    def test_every_spot_is_answered_in_its_order_however_many_there_are(
        self, platform: Platform, doings: Doings
    ) -> None:
        item = item_at(platform, doings.publish(somebody()))
        spots = [Spot(content=f"no-{uuid4().hex}", version="1", location=f"no-{uuid4().hex}") for _ in range(150)]
        spots[120] = spots_of(item)[0]
        answered = acts(platform.hold(a_key(), spots))
        assert answered == [Acted.GONE] * 120 + [Acted.DONE] + [Acted.GONE] * 29

    # --- back, and gone

    def test_a_release_restores_exactly_what_was_there(self, platform: Platform, doings: Doings) -> None:
        address = doings.publish(somebody())
        item = item_at(platform, address)
        shown = the_bytes(platform, item)
        held(platform, item)
        assert acts(platform.release(a_key(), spots_of(item))) == [Acted.DONE] * len(item.locations)
        assert all(doings.view(location) for location in item.locations)
        assert item_at(platform, address) == item
        assert the_bytes(platform, item) == shown

    def test_what_is_removed_is_gone_for_good(self, platform: Platform, doings: Doings) -> None:
        address = doings.publish(somebody())
        item = item_at(platform, address)
        held(platform, item)
        assert acts(platform.remove(a_key(), spots_of(item))) == [Acted.DONE] * len(item.locations)
        assert not any(doings.view(location) for location in item.locations)
        assert acts(platform.release(a_key(), spots_of(item))) == [Acted.GONE] * len(item.locations)
        assert not any(doings.view(location) for location in item.locations)
        assert platform.resolve(a_key(), [address]) == [Nowhere()]
        with pytest.raises(PlatformRefused):
            the_bytes(platform, item)

    def test_gone_is_said_of_what_was_deleted_and_of_what_never_was(self, platform: Platform, doings: Doings) -> None:
        address = doings.publish(somebody())
        item = item_at(platform, address)
        doings.delete(address)
        never = Spot(content=item.content, version=item.version, location=f"no-{uuid4().hex}")
        for call in (platform.hold, platform.release, platform.remove):
            assert set(acts(call(a_key(), [*spots_of(item), never]))) == {Acted.GONE}
        assert platform.resolve(a_key(), [address]) == [Nowhere()]

    # --- the same call again

    def test_the_same_hold_again_has_no_further_effect_and_the_same_answer(
        self, platform: Platform, doings: Doings
    ) -> None:
        item, key = item_at(platform, doings.publish(somebody())), a_key()
        first = platform.hold(key, spots_of(item))
        platform.release(a_key(), spots_of(item))
        assert platform.hold(key, spots_of(item)) == first
        assert all(doings.view(location) for location in item.locations)

    def test_the_same_release_again_has_no_further_effect_and_the_same_answer(
        self, platform: Platform, doings: Doings
    ) -> None:
        item, key = item_at(platform, doings.publish(somebody())), a_key()
        held(platform, item)
        first = platform.release(key, spots_of(item))
        held(platform, item)
        assert platform.release(key, spots_of(item)) == first
        assert not any(doings.view(location) for location in item.locations)

    def test_the_same_removal_again_has_the_same_answer(self, platform: Platform, doings: Doings) -> None:
        item, key = item_at(platform, doings.publish(somebody())), a_key()
        assert platform.remove(key, spots_of(item)) == platform.remove(key, spots_of(item))

    def test_a_notice_that_is_sent_again_lies_there_once(self, platform: Platform, doings: Doings) -> None:
        who, key = somebody(), a_key()
        notice = a_notice(item_at(platform, doings.publish(who)))
        for again in (key, key, a_key()):
            assert acts(platform.notify(again, [notice])) == [Acted.DONE]
        assert len([told for told in doings.notices(who) if notice.text in told]) == 1

    # --- how often it was seen

    def test_each_view_of_a_place_is_counted(self, platform: Platform, doings: Doings) -> None:
        one, other = item_at(platform, doings.publish(somebody())).locations[:2]
        before = platform.views(a_key(), [one.id, other.id])
        for location in (one, one, other):
            assert doings.view(location)
        after = platform.views(a_key(), [one.id, other.id])
        assert [views.location for views in after] == [one.id, other.id]
        assert [now.views - then.views for now, then in zip(after, before, strict=True)] == [2, 1]

    def test_views_are_told_as_they_were_at_a_past_moment(self, platform: Platform, doings: Doings) -> None:
        location = item_at(platform, doings.publish(somebody())).locations[0]
        assert doings.view(location)
        (then,) = platform.views(a_key(), [location.id])
        assert doings.view(location)
        (again,) = platform.views(a_key(), [location.id], then.at)
        assert again == then or again.at != then.at, "it may count coarsely, if its `at` says so"
        (long_before,) = platform.views(a_key(), [location.id], then.at - timedelta(days=1))
        assert long_before.views == 0

    def test_what_is_held_is_not_viewed(self, platform: Platform, doings: Doings) -> None:
        item = item_at(platform, doings.publish(somebody()))
        held(platform, item)
        places = [location.id for location in item.locations]
        before = [one.views for one in platform.views(a_key(), places)]
        assert not any(doings.view(location) for location in item.locations)
        assert [one.views for one in platform.views(a_key(), places)] == before

    # --- who is told, and what is kept

    def test_a_notice_lies_where_the_account_sees_it_and_nobody_else(self, platform: Platform, doings: Doings) -> None:
        who, other = somebody(), somebody()
        notice = a_notice(item_at(platform, doings.publish(who)))
        doings.publish(other)
        assert platform.notify(a_key(), []) == []
        assert acts(platform.notify(a_key(), [notice])) == [Acted.DONE]
        assert any(notice.title in told and notice.text in told for told in doings.notices(who))
        assert not any(notice.text in told for told in doings.notices(other))

    def test_an_account_that_is_not_there_was_not_told(self, platform: Platform, doings: Doings) -> None:
        item = item_at(platform, doings.publish(somebody()))
        notice = Notice(id=f"ntc_{uuid4().hex}", account=f"no-{uuid4().hex}", content=item.content, title="T", text="t")
        told = platform.notify(a_key(), [notice, a_notice(item)])
        assert acts(told) == [Acted.GONE, Acted.DONE], "and the others are told"

    def test_facts_that_were_frozen_are_kept_when_all_else_goes_and_the_account_is_not_told(
        self, platform: Platform, doings: Doings
    ) -> None:
        who, key = somebody(), a_key()
        address = doings.publish(who)
        item = item_at(platform, address)
        assert item.account
        told = doings.notices(who)
        try:
            facts = platform.freeze(key, item.account, item.content)
        except PlatformRefused:
            return  # it keeps none, and says so
        assert facts.strip()
        assert platform.freeze(key, item.account, item.content) == facts
        assert doings.notices(who) == told
        assert all(doings.view(location) for location in item.locations), "and can go on"
        doings.delete(address)
        doings.close_account(who)
        assert platform.freeze(a_key(), item.account, item.content) == facts

    def test_facts_of_what_never_was_are_refused(self, platform: Platform) -> None:
        with pytest.raises(PlatformRefused):
            platform.freeze(a_key(), f"no-{uuid4().hex}", f"no-{uuid4().hex}")
