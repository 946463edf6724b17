# SPDX-License-Identifier: Apache-2.0
"""What Holdfast asks, in shapes: docs/platform.md. What is of another shape is refused, and what is unknown ignored."""

from __future__ import annotations

from typing import Annotated, Final

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field

MOST: Final = 100
"""So many things one call may be about."""
Text = Annotated[str, Field(max_length=4000)]
Name = Annotated[str, Field(min_length=1, max_length=200)]


class Asked(BaseModel):
    """A request. What is not known is ignored; what is known must be of its type."""

    model_config = ConfigDict(strict=True, extra="ignore", frozen=True)


class Resolve(Asked):
    """Addresses, as whoever reports typed them."""

    addresses: Annotated[list[Text], Field(max_length=MOST)]


class Version(Asked):
    """One version of one item."""

    content: Name
    version: Name


class AskedSpot(Version):
    """A version at a location."""

    location: Name


class Spots(Asked):
    """Which are to be held, released or removed."""

    spots: Annotated[list[AskedSpot], Field(max_length=MOST)]


class ViewsOf(Asked):
    """Locations, and until when their views are asked for."""

    locations: Annotated[list[Name], Field(max_length=MOST)]
    at: AwareDatetime | None = None


class ToTell(Asked):
    """What an account is to be told."""

    notice: Name
    account: Name
    content: Name
    title: Text
    text: Annotated[str, Field(max_length=20_000)]
    answer_url: Text | None = None
    answer_code: Text | None = None


class Notify(Asked):
    """What accounts are to be told."""

    notices: Annotated[list[ToTell], Field(max_length=MOST)]


class Freeze(Asked):
    """Whose facts are to be kept, and of which upload."""

    account: Name
    content: Name
