# SPDX-License-Identifier: Apache-2.0
"""A small platform in memory: what people do there, and what is seen of it.

It keeps, for each version of an item at each of its places, whether it is served, held or removed. Held is not seen and
not deleted, neither by its uploader nor with their account; what a held version is edited into is held too.
`SimulatedPlatform` is what Holdfast sees of it. May be used by several threads.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, datetime
from itertools import count
from typing import Final

from holdfast.hold.follow_up import BY_REFERENCE
from holdfast.hold.platform import Acted, CopyAt, Location, Notice, Spot
from holdfast.intake.reporter import ItemKind
from holdfast.testing.upload import Place, Served, Upload

_NAMES: Final = ("page", "file", "thumb")
_NOT_KEPT: Final = frozenset({Served.REMOVED, None})


class Site:
    """The platform's inside. Accounts are whatever name is given."""

    def __init__(
        self, origin: str = "https://simulated.example", clock: Callable[[], datetime] = lambda: datetime.now(UTC)
    ) -> None:
        """An empty platform; what is published from now on has addresses below `origin`."""
        self.origin = origin
        self.clock = clock
        self._lock = threading.RLock()
        self._numbers = count(1)
        self._uploads: dict[str, Upload] = {}
        self._places: dict[str, tuple[Upload, Place]] = {}
        self._by_address: dict[str, str] = {}
        self._by_url: dict[str, Location] = {}
        self._alike: dict[str, list[str]] = {}
        self._aliases: dict[str, list[str]] = {}
        self._accounts: set[str] = set()
        self._notices: dict[str, list[Notice]] = {}
        self._frozen: dict[tuple[str, str], str] = {}

    # --- what people do

    def publish(
        self,
        who: str,
        *,
        places: int = 2,
        content: bytes | None = None,
        kind: ItemKind = ItemKind.POST,
        is_asset: bool = False,
    ) -> str:
        """Upload something that is served at so many places; gives the address that people would name."""
        with self._lock:
            name = f"{kind}-{next(self._numbers)}"
            body = content if content is not None else f"what {name} shows".encode()
            return self._add(self._upload(name, who, body, kind, places), is_asset=is_asset)

    def reshare(self, address: str, who: str, *, distance: int = 0) -> str:
        """Show the same once more under another account; `distance`: PDQ bits by which it looks different."""
        with self._lock:
            of = self.upload(address)
            name = f"{of.kind}-{next(self._numbers)}"
            body = of.versions[of.newest] + b"." * distance
            again = self._upload(name, who, body, of.kind, len(of.places))
            return self._add(again, shows=of.shows, distance=of.distance + distance)

    def edit(self, address: str) -> None:
        """Let the uploader change it: a new version, held wherever the one before is."""
        with self._lock:
            upload = self.upload(address)
            before, after = upload.newest, str(len(upload.versions) + 1)
            upload.versions[after] = upload.versions[before] + b", edited"
            for place in upload.places.values():
                place.versions[after] = place.versions[before]

    def delete(self, address: str) -> None:
        """Let the uploader delete it; what is held stays where it is."""
        with self._lock:
            upload = self.upload(address)
            if not upload.is_held:
                self._forget(upload)

    def close_account(self, who: str) -> None:
        """End an account, with all that is not held."""
        with self._lock:
            self._accounts.discard(who)
            for upload in [one for one in self._uploads.values() if one.account == who and not one.is_held]:
                self._forget(upload)

    def view(self, location: Location) -> bool:
        """Open a place as anybody could; whether there was anything to be seen."""
        with self._lock:
            upload, place = self._places.get(location.id, (None, None))
            if upload is None or place is None or not upload.is_shown(place):
                return False
            place.opened.append(self.clock())
            return True

    def notices(self, who: str) -> list[str]:
        """What an account is told, as it reads it."""
        with self._lock:
            return [f"{notice.title}\n{notice.text}" for notice in self._notices.get(who, [])]

    def told(self, who: str) -> list[Notice]:
        """The same as it was sent, with the words that open an answer."""
        with self._lock:
            return list(self._notices.get(who, []))

    def ambiguous(self, addresses: Sequence[str]) -> str:
        """An address that may name any of these."""
        with self._lock:
            alias = f"{self.origin}/any/{next(self._numbers)}"
            self._aliases[alias] = list(addresses)
            return alias

    # --- what it knows

    def upload(self, address: str) -> Upload:
        """What one address names. Raises LookupError."""
        found = self.named(address)
        if len(found) != 1:
            raise LookupError(address)
        return found[0]

    def named(self, untrusted_address: str) -> list[Upload]:
        """All that an address may name: a page, a place, or several; or an item, by the platform's own reference."""
        wanted = untrusted_address.strip().partition("#")[0]
        with self._lock:
            if (known := self._uploads.get(wanted.removeprefix(BY_REFERENCE))) and wanted.startswith(BY_REFERENCE):
                return [known]
            names = [self._by_address.get(address, "") for address in self._aliases.get(wanted, [wanted])]
            return [self._uploads[name] for name in names if name in self._uploads]

    def place_at(self, url: str) -> Location | None:
        """The place that an address opens, whatever stands there now or stood there once."""
        with self._lock:
            return self._by_url.get(url)

    def copies(self, content: str) -> list[CopyAt]:
        """What else shows the same."""
        with self._lock:
            of = self._uploads.get(content)
            alike = self._alike.get(of.shows, []) if of else []
            others = [self._uploads[name] for name in alike if name in self._uploads and name != content]
            apart = [abs(one.distance - of.distance) for one in others if of]
            return [
                CopyAt(item=one.item, exact=bits == 0, distance=bits) for one, bits in zip(others, apart, strict=True)
            ]

    def bytes_of(self, content: str, version: str) -> bytes | None:
        """The bytes of a version, if there are any."""
        with self._lock:
            upload = self._uploads.get(content)
            if upload is None or all(place.versions.get(version) in _NOT_KEPT for place in upload.places.values()):
                return None
            return upload.versions[version]

    def put(self, spot: Spot, served: Served) -> Acted:
        """Let a version at a place be shown, held or removed; GONE if it is not there."""
        with self._lock:
            upload, place = self._places.get(spot.location, (None, None))
            if upload is None or place is None or upload.content != spot.content:
                return Acted.GONE
            if place.versions.get(spot.version, Served.REMOVED) is Served.REMOVED:
                return Acted.GONE
            place.versions[spot.version] = served
            if served is Served.HELD:  # also what it was edited into since; a release shows nothing newer
                later = list(upload.versions)[list(upload.versions).index(spot.version) :]
                place.versions |= {one: served for one in later if place.versions[one] is Served.SHOWN}
            if all(set(one.versions.values()) == {Served.REMOVED} for one in upload.places.values()):
                self._forget(upload)
            return Acted.DONE

    def opened(self, location: str, until: datetime) -> int:
        """How often a place was opened until then; never, if there is no such place."""
        with self._lock:
            _, place = self._places.get(location, (None, None))
            return sum(at <= until for at in place.opened) if place else 0

    def tell(self, notice: Notice) -> bool:
        """Lay a notice before an account, once; False if there is none of that name."""
        with self._lock:
            if notice.account not in self._accounts:
                return False
            there = self._notices.setdefault(notice.account, [])
            if notice.id not in {one.id for one in there}:
                there.append(notice)
            return True

    def freeze(self, account: str, content: str) -> str | None:
        """Keep what is known of an upload for good, and give it; None if nothing is known."""
        with self._lock:
            upload = self._uploads.get(content)
            if upload and upload.account == account:
                facts = f"{content} was uploaded by {account} at {upload.first_seen} from 192.0.2.7, port 50123"
                self._frozen.setdefault((account, content), facts)
            return self._frozen.get((account, content))

    # --- small parts

    def _upload(self, name: str, who: str, body: bytes, kind: ItemKind, places: int) -> Upload:
        kept = [Place(location, {"1": Served.SHOWN}) for location in self._locations(name, places)]
        return Upload(
            content=name,
            address=f"{self.origin}/p/{name}",
            account=who,
            kind=kind,
            first_seen=self.clock(),
            versions={"1": body},
            places={place.location.id: place for place in kept},
            shows=name,
        )

    def _add(self, upload: Upload, *, shows: str = "", distance: int = 0, is_asset: bool = False) -> str:
        upload.shows, upload.distance, upload.is_asset = shows or upload.content, distance, is_asset
        self._uploads[upload.content] = upload
        self._alike.setdefault(upload.shows, []).append(upload.content)
        where = [place.location for place in upload.places.values() if place.location.url]
        self._by_url.update({str(location.url): location for location in where})
        self._by_address.update(dict.fromkeys([upload.address, *(str(one.url) for one in where)], upload.content))
        self._accounts.add(upload.account)
        self._places.update({name: (upload, place) for name, place in upload.places.items()})
        return upload.address

    def _locations(self, name: str, places: int) -> Iterator[Location]:
        for number in range(places):
            kind = _NAMES[number] if number < len(_NAMES) else f"share{number}"
            yield Location(id=f"{kind}:{name}", url=f"{self.origin}/{kind}/{name}")

    def _forget(self, upload: Upload) -> None:
        """Its bytes and its places are no more; how often it was opened is still known."""
        del self._uploads[upload.content]
        upload.versions = dict.fromkeys(upload.versions, b"")
        for place in upload.places.values():
            place.versions = dict.fromkeys(upload.versions, Served.REMOVED)
