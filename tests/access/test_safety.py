# SPDX-License-Identifier: Apache-2.0
"""Settings that protect: every one is classified, weaker ones are noticed, and only two people accept them."""

from __future__ import annotations

from itertools import product
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from holdfast.access.safety import (
    NEUTRAL,
    SETTINGS_TRANSITIONS,
    WEAKER,
    AcceptSettings,
    InForce,
    InForceState,
    RecordSettings,
    SettingsAccepted,
    SettingsChanged,
    decide_settings,
    default_values,
    evolve_settings,
    protecting,
    weaker_than,
)
from holdfast.settings import Settings
from tests.match.deciding import decided, refused, state_of

DEFAULTS = default_values()
CHANGES: dict[str, tuple[Any, Any]] = {
    "shadow": (False, True),
    "sandbox": ("require", "weaker"),
    "private_surfaces": ("drafts", "drafts,messages"),
    "archive_days": (90.0, 30.0),
    "hma_open_to": ("127.0.0.1/32", "127.0.0.1/32,10.0.0.0/8"),
    "bank_stale_seconds": (5.0, 60.0),
    "unscreened_hours": (24.0, 48.0),
    "proposal_hours": (24.0, 48.0),
    "solo": (False, True),
    "solo_hours": (24.0, 1.0),
    "hold_policy_file": ("/etc/policy.json", None),
    "hold_budget_least": (500, 10),
    "hold_budget_percent": (1.0, 0.1),
    "exposure_budget": (200, 1000),
    "afterthought_seconds": (600, 20),
    "checkpoint_seconds": (2.0, 10.0),
    "checkpoint_copy": ("/mnt/elsewhere", None),
    "timestamp_url": ("https://stamps.example/tsr", None),
    "timestamp_roots": ("/etc/roots.pem", None),
    "platform_url": ("https://platform.example/holdfast", None),
    "platform_sites": ("https://example.org,https://media.example.org", "https://example.org"),
    "production": (True, False),
    "production_without_alarms": (False, True),
    "production_shadow": (False, True),
    "alarm_url": ("https://alarms.example", None),
    "alarm_email": ("@platform.example", None),
    "alarm_deputy_email": ("@platform.example", None),
    "alarm_again_minutes": (60.0, 120.0),
    "places": ("au,eu,uk,us", "eu"),
    "self_test_url": ("https://screen.example", None),
    "keyring_identity": ("/etc/age.txt", None),
    "keyring_kms": ("aws-kms://arn", None),
}
"""(stronger, weaker) of each."""


def started(found: InForce | None, **values: Any) -> InForce | None:
    """The settings after a start with these instead of the defaults."""
    for happened in decided(decide_settings(found, RecordSettings(values={**DEFAULTS, **values}))):
        found = evolve_settings(found, happened)
    return found


def accepted(found: InForce) -> InForce:
    (happened,) = decided(decide_settings(found, AcceptSettings(because="x")))
    return evolve_settings(found, happened)


def test_every_setting_is_classified_as_protecting_or_neutral() -> None:
    assert set(Settings.model_fields) == {*WEAKER, *NEUTRAL}
    assert not {*WEAKER} & NEUTRAL
    assert set(CHANGES) == set(WEAKER)


@pytest.mark.parametrize("name", WEAKER)
def test_one_way_is_weaker_and_the_other_is_not(name: str) -> None:
    strong, weak = CHANGES[name]
    assert weaker_than({**DEFAULTS, name: strong}, {**DEFAULTS, name: weak}) == (name,)
    assert weaker_than({**DEFAULTS, name: weak}, {**DEFAULTS, name: strong}) == ()
    assert weaker_than({**DEFAULTS, name: weak}, {**DEFAULTS, name: weak}) == ()


def test_the_values_are_those_of_the_settings_in_force() -> None:
    assert protecting(Settings(shadow=True))["shadow"] is True
    kept = protecting(Settings(checkpoint_copy="https://user:secret@elsewhere.example/log"))
    assert kept["checkpoint_copy"] == "https://elsewhere.example/log"
    told = protecting(
        Settings(
            alarm_url="https://alarms.example:8443/hook/s3cret?token=s3cret",
            alarm_smtp="smtp://mail.example",
            alarm_email="ann.person@platform.example,bob@elsewhere.example",
        )
    )
    assert (told["alarm_url"], told["alarm_email"]) == (
        "https://alarms.example:8443",
        "@platform.example,@elsewhere.example",
    )
    bare = protecting(Settings(alarm_url="https://alarms.example?token=s3cret"))
    assert bare["alarm_url"] == "https://alarms.example"
    assert "database_url" not in protecting(Settings(database_url="postgresql://user:secret@host/db"))


def test_a_first_start_is_judged_by_the_defaults() -> None:
    found = started(None, shadow=True, archive_days=365.0)
    assert found is not None
    assert found.weakened == ("shadow",)
    assert found.accepted["archive_days"] == 365.0


def test_the_same_settings_again_are_no_event() -> None:
    found = started(None, shadow=True)
    assert decided(decide_settings(found, RecordSettings(values={**DEFAULTS, "shadow": True}))) == []


def test_what_is_weaker_stays_an_alarm_until_it_is_set_right_or_accepted() -> None:
    found = started(started(None), archive_days=10.0)
    half = started(found, archive_days=20.0)
    assert half is not None
    assert half.weakened == ("archive_days",), "better, but not what two people stand behind"
    right = started(half)
    assert right is not None
    assert right.weakened == ()
    assert accepted(half).weakened == ()
    again = started(accepted(half), archive_days=19.0)
    assert again is not None
    assert again.weakened == ("archive_days",)


def test_what_became_stronger_is_the_measure_from_then_on() -> None:
    found = started(started(None), archive_days=365.0)
    assert found is not None
    assert started(found) is not None
    assert started(found).weakened == ("archive_days",)  # type: ignore[union-attr]  # asserted above


@pytest.mark.parametrize(
    ("found", "command"),
    [
        *product(
            [None, started(None), started(None, shadow=True)],
            [RecordSettings(values={**DEFAULTS, "solo": True}), AcceptSettings(because="x")],
        )
    ],
    ids=str,
)
def test_the_table_says_what_may_happen_in_which_state(
    found: InForce | None, command: RecordSettings | AcceptSettings
) -> None:
    outcome = decide_settings(found, command)
    if (state_of(found), type(command)) not in SETTINGS_TRANSITIONS:
        assert refused(outcome).code == "settings.not_in_this_state"
        return
    (happened,) = decided(outcome)
    assert isinstance(happened, SettingsAccepted if isinstance(command, AcceptSettings) else SettingsChanged)
    expected = InForceState.ACCEPTED if isinstance(command, AcceptSettings) else InForceState.WEAKENED
    assert evolve_settings(found, happened).state is expected


VALUES = st.fixed_dictionaries({name: st.sampled_from(pair) for name, pair in CHANGES.items()})


@given(st.lists(VALUES, min_size=1, max_size=8))
def test_however_often_it_is_started_nothing_becomes_accepted_that_is_weaker(starts: list[dict[str, Any]]) -> None:
    found = None
    for values in starts:
        before = found.accepted if found else DEFAULTS
        found = started(found, **values)
        assert found is not None
        assert weaker_than(before, found.accepted) == ()
        assert found.weakened == weaker_than(found.accepted, found.values)
