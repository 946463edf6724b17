# SPDX-License-Identifier: Apache-2.0
"""Settings come from the environment, typed; whatever is misspelt or out of bounds is refused by name."""

from __future__ import annotations

import math
import os
from datetime import timedelta
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from holdfast.errors import InvalidSetting
from holdfast.settings import SandboxPolicy, Settings, env_name, is_loopback

DEFAULTS = {
    "database_url": None,
    "database_owner_url": None,
    "database_listen_url": None,
    "listen": "127.0.0.1:8711",
    "web_workers": 2,
    "web_threads": 2,
    "shadow": False,
    "max_upload_bytes": 64 * 1024 * 1024,
    "max_video_bytes": 4 * 1024**3,
    "spool_above_bytes": 16 * 1024 * 1024,
    "spool_bytes": 32 * 1024**3,
    "receive_least_rate": 1024 * 1024,
    "long_lease_seconds": 30.0,
    "long_tries": 5,
    "max_pixels": 64_000_000,
    "receive_seconds": 60.0,
    "decode_seconds": 10.0,
    "video_seconds": 600.0,
    "decode_memory_bytes": 576 * 1024 * 1024,
    "decoder_spares": 4,
    "decoder_socket": None,
    "sandbox": SandboxPolicy.REQUIRE,
    "bank_poll_seconds": 0.25,
    "bank_stale_seconds": 5.0,
    "archive_days": 90.0,
    "private_surfaces": "",
    "keyring": None,
    "keyring_identity": None,
    "keyring_kms": None,
    "unscreened_owner": "trust-and-safety",
    "unscreened_hours": 24.0,
    "case_owner": "trust-and-safety",
    "hold_policy_file": None,
    "hold_budget_least": 500,
    "hold_budget_percent": 1.0,
    "exposure_budget": 200,
    "afterthought_seconds": 600,
    "public_url": None,
    "helplines_file": None,
    "quick_exit_url": "about:blank",
    "proxies": "127.0.0.1/32,::1/128",
    "proposal_owner": "trust-and-safety",
    "proposal_hours": 24.0,
    "solo": False,
    "solo_hours": 24.0,
    "webhook_url": None,
    "webhook_secret": None,
    "webhook_secret_file": None,
    "platform_url": None,
    "platform_secret": None,
    "platform_secret_file": None,
    "platform_sites": "",
    "production": False,
    "production_without_alarms": False,
    "production_shadow": False,
    "alarm_url": None,
    "alarm_secret": None,
    "alarm_secret_file": None,
    "alarm_smtp": None,
    "alarm_smtp_password_file": None,
    "alarm_email": None,
    "alarm_from": None,
    "alarm_deputy_email": None,
    "alarm_again_minutes": 60.0,
    "places": "au,eu,uk,us",
    "checkpoint_seconds": 2.0,
    "checkpoint_copy": None,
    "timestamp_url": None,
    "timestamp_roots": None,
    "hma_open_to": "",
    "self_test_url": None,
    "self_test_key_file": None,
}
WHOLE_NUMBERS = {
    "HOLDFAST_WEB_WORKERS": (1, 64),
    "HOLDFAST_WEB_THREADS": (1, 16),
    "HOLDFAST_MAX_UPLOAD_BYTES": (1024, 2**31),
    "HOLDFAST_MAX_PIXELS": (4096, 2**30),
    "HOLDFAST_MAX_VIDEO_BYTES": (1024, 2**40),
    "HOLDFAST_SPOOL_ABOVE_BYTES": (4096, 2**31),
    "HOLDFAST_SPOOL_BYTES": (1024 * 1024, 2**50),
    "HOLDFAST_RECEIVE_LEAST_RATE": (1, 2**40),
    "HOLDFAST_LONG_AT_ONCE": (1, 64),
    "HOLDFAST_LONG_TRIES": (1, 100),
    "HOLDFAST_DECODE_MEMORY_BYTES": (256 * 1024 * 1024, 2**62),
    "HOLDFAST_DECODER_SPARES": (1, 64),
    "HOLDFAST_HOLD_BUDGET_LEAST": (1, 1_000_000),
    "HOLDFAST_EXPOSURE_BUDGET": (1, 100_000),
    "HOLDFAST_AFTERTHOUGHT_SECONDS": (0, 7 * 24 * 3600),
}
NUMBERS = {
    "HOLDFAST_RECEIVE_SECONDS": (1.0, 3600.0),
    "HOLDFAST_DECODE_SECONDS": (0.1, 600.0),
    "HOLDFAST_VIDEO_SECONDS": (15.0, 86_400.0),
    "HOLDFAST_LONG_LEASE_SECONDS": (1.0, 3600.0),
    "HOLDFAST_BANK_POLL_SECONDS": (0.01, 5.0),
    "HOLDFAST_BANK_STALE_SECONDS": (0.1, 300.0),
    "HOLDFAST_UNSCREENED_HOURS": (0.001, 24.0 * 365),
    "HOLDFAST_PROPOSAL_HOURS": (0.001, 24.0 * 365),
    "HOLDFAST_SOLO_HOURS": (1.0, 24.0 * 365),
    "HOLDFAST_CHECKPOINT_SECONDS": (0.1, 10.0),
    "HOLDFAST_HOLD_BUDGET_PERCENT": (0.01, 100.0),
    "HOLDFAST_ALARM_AGAIN_MINUTES": (1.0, 24.0 * 60),
}
OUTSIDE = [
    *((name, str(low - 1)) for name, (low, _) in WHOLE_NUMBERS.items()),
    *((name, str(high + 1)) for name, (_, high) in WHOLE_NUMBERS.items() if name != "HOLDFAST_DECODE_MEMORY_BYTES"),
    *((name, "-1") for name in NUMBERS),
    *((name, "0") for name in NUMBERS),
    *((name, repr(high * 1.01)) for name, (_, high) in NUMBERS.items()),
    *((name, word) for name in NUMBERS for word in ("nan", "inf", "-inf")),
]
NOT_OF_THE_FORM = [
    ("HOLDFAST_KEYRING_KMS", "no address"),
    *(("HOLDFAST_QUICK_EXIT_URL", word) for word in ("about:config", "javascript:alert(1)", "weather", "ftp://a/")),
    *(("HOLDFAST_PROXIES", word) for word in ("proxy", "10.0.0.1/8", "0.0.0.0/0", "::/0", " , ")),
    *((name, word) for name in (*WHOLE_NUMBERS, *NUMBERS) for word in ("many", "1,5", "1 2", "0x10", "None")),
    *((name, "1.5") for name in WHOLE_NUMBERS),
    *(("HOLDFAST_SHADOW", word) for word in ("maybe", "2", "-")),
    *(("HOLDFAST_SOLO", word) for word in ("maybe", "2", "-")),
    *(
        (name, word)
        for name in ("HOLDFAST_PRODUCTION", "HOLDFAST_PRODUCTION_WITHOUT_ALARMS", "HOLDFAST_PRODUCTION_SHADOW")
        for word in ("maybe", "2", "-")
    ),
    *(
        ("HOLDFAST_ALARM_URL", word)
        for word in ("alarms.example", "ftp://alarms.example", "https://user@alarms.example")
    ),
    *(
        ("HOLDFAST_ALARM_SMTP", word)
        for word in (
            "mail.example",
            "http://mail.example",
            "smtp://",
            "smtp://user:password@mail.example",
            "smtp://mail.example:0",
            "smtp://mail.example:65536",
            "smtp://mail.example/path",
            "smtp://mail.example?starttls=no",
            "smtp://mail example",
            "smtp://m\u00e4il.example",
            "smtp://%e4@mail.example",
        )
    ),
    ("HOLDFAST_ALARM_EMAIL", "needs@a-server"),
    *(("HOLDFAST_ALARM_FROM", word) for word in ("nobody", "a@b,c@d", "Ann <a@b>")),
    ("HOLDFAST_ALARM_DEPUTY_EMAIL", "needs@an-owner"),
    *(("HOLDFAST_PLACES", word) for word in ("none", "eu;uk", ",", "de")),
    ("HOLDFAST_PROPOSAL_OWNER", "x" * 101),
    ("HOLDFAST_CASE_OWNER", "x" * 101),
    *(("HOLDFAST_SANDBOX", word) for word in ("off", "REQUIRE", "none")),
    *(
        ("HOLDFAST_LISTEN", word)
        for word in ("8711", "127.0.0.1", ":8711", "host:", "host:0", "host:65536", "host:-1", "host:x", "host:²")
    ),
    ("HOLDFAST_UNSCREENED_OWNER", "x" * 101),
    *(("HOLDFAST_SELF_TEST_URL", word) for word in ("screen.example", "ftp://screen.example/", "https://a:b@c/")),
    *(("HOLDFAST_TIMESTAMP_URL", word) for word in ("freetsa", "ftp://tsa/", "https://needs-roots/")),
    *(
        ("HOLDFAST_PLATFORM_URL", word)
        for word in (
            *("platform.example", "ftp://platform.example/", "https://", "https://a@platform.example/", "https://a b/"),
            *("https://platform.example/?a=b", "https://platform.example/#a", "https://plattform\n.example/"),
        )
    ),
    *(
        ("HOLDFAST_PLATFORM_SITES", word)
        for word in (
            *("example.org", "https://example.org/path", "https://example.org;https://b.example", "*", "https://*.b"),
            *("https://example.org,b.example", "https://a@example.org", "http://127.1", "https://bücher.example"),
        )
    ),
    *(("HOLDFAST_ARCHIVE_DAYS", word) for word in ("-1", "3651", "nan", "for ever")),
    *(
        ("HOLDFAST_HMA_OPEN_TO", word)
        for word in ("all", "localhost", "10.0.0.1/8", "0.0.0.0/0", "::/0", "127.0.0.1;::1")
    ),
]


def addresses() -> st.SearchStrategy[str]:
    hosts = st.sampled_from(["127.0.0.1", "0.0.0.0", "localhost", "[::1]"])  # noqa: S104  # never bound
    return st.builds("{}:{}".format, hosts, st.integers(1, 65535))


def texts(longest: int) -> st.SearchStrategy[str]:
    """What an environment variable can hold."""
    return st.text(st.characters(codec="utf-8", exclude_characters="\0"), min_size=1, max_size=longest)


def environments() -> st.SearchStrategy[dict[str, str]]:
    """Any choice of settings, each with a value that can be used."""
    words = {
        "DATABASE_URL": texts(60),
        "DATABASE_OWNER_URL": texts(60),
        "DATABASE_LISTEN_URL": texts(60),
        "HOLDFAST_ARCHIVE_DAYS": st.floats(0, 3650).map(repr),
        "HOLDFAST_PRIVATE_SURFACES": st.sampled_from(["messages", "messages, drafts ,", " , "]),
        "HOLDFAST_DATA": texts(60),
        "HOLDFAST_DECODER_SOCKET": texts(60),
        "HOLDFAST_KEYRING": texts(60),
        "HOLDFAST_KEYRING_IDENTITY": texts(60),
        "HOLDFAST_LISTEN": addresses(),
        "HOLDFAST_CHECKPOINT_COPY": texts(60),
        "HOLDFAST_TIMESTAMP_ROOTS": texts(60),
        "HOLDFAST_SHADOW": st.sampled_from(["true", "false", "1", "0", "yes", "no", "on", "off", "True"]),
        "HOLDFAST_SOLO": st.sampled_from(["true", "false", "1", "0"]),
        "HOLDFAST_PROPOSAL_OWNER": texts(100),
        "HOLDFAST_PRODUCTION": st.sampled_from(["true", "yes", "no", "0"]),
        "HOLDFAST_PRODUCTION_WITHOUT_ALARMS": st.sampled_from(["yes", "no"]),
        "HOLDFAST_PRODUCTION_SHADOW": st.sampled_from(["yes", "no"]),
        "HOLDFAST_ALARM_URL": st.sampled_from(["https://alarms.example/hook?a=b", "http://127.0.0.1:9000"]),
        "HOLDFAST_ALARM_SECRET": texts(60),
        "HOLDFAST_ALARM_SMTP": st.sampled_from(["smtp://mail.example", "smtps://a%40b@[::1]:465", "smtp://u@h:587/"]),
        "HOLDFAST_ALARM_FROM": st.just("holdfast@platform.example"),
        "HOLDFAST_PLACES": st.sampled_from(["eu", "UK, eu ,", "us,us"]),
        "HOLDFAST_SANDBOX": st.sampled_from(["require", "weaker"]),
        "HOLDFAST_UNSCREENED_OWNER": texts(100),
        "HOLDFAST_HELPLINES_FILE": texts(60),
        "HOLDFAST_QUICK_EXIT_URL": st.sampled_from(["about:blank", "https://weather.example/", "http://news.example"]),
        "HOLDFAST_PROXIES": st.sampled_from(["127.0.0.1", "10.0.0.0/8, ::1"]),
        "HOLDFAST_PLATFORM_SECRET": texts(60),
        "HOLDFAST_PLATFORM_SECRET_FILE": texts(60),
        "HOLDFAST_PLATFORM_SITES": st.sampled_from(["https://example.org", "http://[::1]:80/ , https://b:443,", " , "]),
        "HOLDFAST_PLATFORM_URL": st.sampled_from(["https://platform.example/holdfast", "http://127.0.0.1:9000"]),
        "HOLDFAST_HMA_OPEN_TO": st.sampled_from(["127.0.0.1", "10.0.0.0/8, 192.0.2.7", "::1,", "fd00::/8"]),
    }
    whole = {name: st.integers(low, high).map(str) for name, (low, high) in WHOLE_NUMBERS.items()}
    numbers = {name: st.floats(low, high).map(repr) for name, (low, high) in NUMBERS.items()}
    return st.fixed_dictionaries({}, optional={**words, **whole, **numbers})


def test_without_an_environment_every_setting_has_its_default() -> None:
    found = Settings.from_environment({}).model_dump()
    data = found.pop("data")
    assert found.pop("long_at_once") == max(1, len(os.sched_getaffinity(0)) // 2)
    assert found == DEFAULTS
    assert data.is_absolute()


def test_a_variable_that_is_set_to_nothing_is_as_if_it_were_not_set() -> None:
    assert Settings.from_environment({env_name(field): "" for field in Settings.model_fields}) == Settings()


def test_the_variables_of_this_test_are_all_there_are() -> None:
    tested = {*WHOLE_NUMBERS, *NUMBERS, *(name for name, _ in NOT_OF_THE_FORM)}
    free_text = {
        "DATABASE_URL",
        "DATABASE_LISTEN_URL",
        "HOLDFAST_PRIVATE_SURFACES",
        "HOLDFAST_CASE_OWNER",
        "HOLDFAST_HOLD_POLICY_FILE",
        "HOLDFAST_PUBLIC_URL",
        "DATABASE_OWNER_URL",
        "HOLDFAST_DATA",
        "HOLDFAST_DECODER_SOCKET",
        "HOLDFAST_HELPLINES_FILE",
        "HOLDFAST_KEYRING",
        "HOLDFAST_KEYRING_IDENTITY",
        "HOLDFAST_CHECKPOINT_COPY",
        "HOLDFAST_PLATFORM_SECRET",
        "HOLDFAST_PLATFORM_SECRET_FILE",
        "HOLDFAST_TIMESTAMP_ROOTS",
        "HOLDFAST_SELF_TEST_KEY_FILE",
        "HOLDFAST_WEBHOOK_SECRET",
        "HOLDFAST_WEBHOOK_SECRET_FILE",
        "HOLDFAST_WEBHOOK_URL",
        "HOLDFAST_ALARM_SECRET",
        "HOLDFAST_ALARM_SECRET_FILE",
        "HOLDFAST_ALARM_SMTP_PASSWORD_FILE",
    }
    assert tested | free_text == {env_name(field) for field in Settings.model_fields}


@pytest.mark.parametrize(("name", "value"), [*OUTSIDE, *NOT_OF_THE_FORM])
def test_a_value_that_cannot_be_used_is_refused_by_the_name_of_its_variable(name: str, value: str) -> None:
    with pytest.raises(InvalidSetting) as refused:
        Settings.from_environment({name: value})
    assert str(refused.value).startswith(f"{name}: ")


@pytest.mark.parametrize(("name", "bounds"), [*WHOLE_NUMBERS.items(), *NUMBERS.items()])
def test_the_bounds_themselves_can_be_used(name: str, bounds: tuple[float, float]) -> None:
    for bound in bounds:
        settings = Settings.from_environment({name: repr(bound)})
        assert settings.as_environment()[name] in (repr(bound), str(float(bound)))


def test_every_wrong_variable_is_named_not_only_the_first() -> None:
    with pytest.raises(InvalidSetting) as refused:
        Settings.from_environment({"HOLDFAST_WEB_WORKERS": "0", "HOLDFAST_SHADOW": "perhaps"})
    assert "HOLDFAST_WEB_WORKERS: " in str(refused.value)
    assert "HOLDFAST_SHADOW: " in str(refused.value)


@given(st.from_regex(r"HOLDFAST_[A-Z_]{0,20}", fullmatch=True))
def test_a_holdfast_variable_that_is_no_setting_is_refused_by_name(name: str) -> None:
    if name in {env_name(field) for field in Settings.model_fields}:
        return
    with pytest.raises(InvalidSetting) as refused:
        Settings.from_environment({name: "true"})
    assert name in str(refused.value)


def test_an_unknown_variable_is_refused_even_when_it_is_empty() -> None:
    with pytest.raises(InvalidSetting, match="HOLDFAST_SHADWO"):
        Settings.from_environment({"HOLDFAST_SHADWO": ""})


def test_variables_of_others_are_of_no_consequence() -> None:
    others = {"SHADOW": "true", "HOLDFAST": "true", "holdfast_shadow": "true", "DATABASE_PORT": "1", "PATH": "/bin"}
    assert Settings.from_environment(others) == Settings.from_environment({})


def test_a_refusal_does_not_repeat_what_may_be_a_password() -> None:
    with pytest.raises(InvalidSetting) as refused:
        Settings.from_environment({"HOLDFAST_SECRET": "hunter2", "HOLDFAST_LISTEN": "hunter2"})
    assert "hunter2" not in str(refused.value)
    with pytest.raises(InvalidSetting) as refused:
        Settings.from_environment({"HOLDFAST_LISTEN": "hunter2"})
    assert "hunter2" not in str(refused.value)


@given(environments())
def test_a_child_process_gets_the_very_same_settings_through_its_environment(environment: dict[str, str]) -> None:
    settings = Settings.from_environment(environment)
    assert Settings.from_environment(settings.as_environment()) == settings


@given(environments())
def test_whatever_is_accepted_can_be_used_as_times_and_addresses(environment: dict[str, str]) -> None:
    settings = Settings.from_environment(environment)
    assert timedelta(hours=settings.unscreened_hours) > timedelta(0)
    assert all(math.isfinite(one) for one in (settings.decode_seconds, settings.bank_poll_seconds))
    host, _, port = settings.listen.rpartition(":")
    assert host
    assert 0 < int(port) < 65536


def test_sites_are_kept_as_the_origins_that_they_are() -> None:
    settings = Settings.from_environment({"HOLDFAST_PLATFORM_SITES": " HTTPS://Example.org:443/ ,http://[0:0::1]:80,"})
    assert settings.platform_sites == "https://example.org,http://[::1]"


def test_alarms_by_e_mail_take_a_server_an_owner_and_perhaps_a_deputy() -> None:
    given = {
        "HOLDFAST_ALARM_SMTP": "smtp://mail.example",
        "HOLDFAST_ALARM_EMAIL": "ann@platform.example, bob@platform.example",
        "HOLDFAST_ALARM_DEPUTY_EMAIL": "carol@platform.example",
    }
    settings = Settings.from_environment(given)
    assert settings.alarm_email == "ann@platform.example,bob@platform.example"
    assert Settings.from_environment(settings.as_environment()) == settings


@pytest.mark.parametrize("name", ["HOLDFAST_ALARM_EMAIL", "HOLDFAST_ALARM_DEPUTY_EMAIL"])
@pytest.mark.parametrize("word", ["nobody", "a@b c", ",", "<a@b>,c@d", "a@b\nBcc: c@d", "a@", "@b", "\u00e4@b"])
def test_what_is_no_address_gets_no_e_mail(name: str, word: str) -> None:
    given = {"HOLDFAST_ALARM_SMTP": "smtp://mail.example", "HOLDFAST_ALARM_EMAIL": "ann@platform.example", name: word}
    with pytest.raises(InvalidSetting, match=rf"{name}: .*must be addresses"):
        Settings.from_environment(given)


@pytest.mark.parametrize(
    ("host", "own"),
    [
        *((one, True) for one in ("localhost", "127.0.0.1", "127.9.9.9", "::1", "[::1]")),
        *((one, False) for one in ("0.0.0.0", "::", "10.0.0.1", "localhost.example", "", "mail.example")),  # noqa: S104
    ],
)
def test_only_this_machine_itself_is_this_machine(host: str, own: bool) -> None:
    assert is_loopback(host) is own


def test_settings_cannot_be_changed_after_they_were_read() -> None:
    settings = Settings.from_environment({"HOLDFAST_DATA": "/srv/holdfast"})
    with pytest.raises(ValueError, match="frozen"):
        settings.shadow = True  # type: ignore[misc]  # that is what is tested
    assert settings.data == Path("/srv/holdfast")
