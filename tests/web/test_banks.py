# SPDX-License-Identifier: Apache-2.0
"""/v1/banks: what is put in holds the very next upload, what is taken out no longer does, and nothing goes halfway."""

from __future__ import annotations

import csv
import hashlib
import io
import json
from functools import cache
from typing import Any
from uuid import uuid4

import pytest

from holdfast.demo.pictures import encoded, hills
from holdfast.match.bankline import LONGEST_LINE
from tests.store.making import md5, pdq
from tests.two_people import Second
from tests.web.http import OCTETS, Asker, Reply, form, in_pieces, refused

CSV, JSONL = "text/csv", "application/x-ndjson"
PLAIN = "text/plain"
BANK = {"name", "meaning", "source", "threshold", "action", "kind", "exchange", "state", "entries", "video"}
ENTRY = {"id", "bank", "state", "signal_types", "opinion"}
IMPORTED = {"id", "added", "signals", "digest", "refused", "refused_lines"}
IMPORT = {"id", "bank", "source", "state", "entries", "signals", "refused", "digest", "begun_by", "begun_at"}
SIZE = (400, 300)


@cache
def picture() -> bytes:
    return encoded(hills(41_001, SIZE))


def unique_md5() -> str:
    """A digest that no other test uses."""
    return md5(uuid4().int).value


def shown(asker: Asker, bank: str) -> dict[str, Any]:
    return next(one for one in asker.ask("GET", "/banks").json if one["name"] == bank)


def added(asker: Asker, bank: str, *signals: tuple[str, str], provenance: str = "tests") -> Reply:
    entry = {
        "signals": [{"signal_type": kind, "value": value} for kind, value in signals],
        "provenance": provenance,
    }
    return asker.send("POST", f"/banks/{bank}/entries", {"entries": [entry]})


def answer(asker: Asker, content: bytes) -> str:
    reply = asker.ask("POST", "/screen", content)
    assert reply.status == 200, reply.content
    return str(reply.json["answer"])


def explanation(reply: Reply) -> dict[str, Any]:
    assert reply.status == 200, reply.content
    return dict(reply.json["explanation"])


def exported(asker: Asker, bank: str) -> list[dict[str, Any]]:
    reply = asker.ask("GET", f"/banks/{bank}/export")
    assert reply.status == 200
    return [json.loads(line) for line in reply.content.splitlines()]


# --- banks


def test_a_bank_is_made_listed_disabled_by_two_and_enabled_by_one(everyone: Asker, second: Second, name: str) -> None:
    about = {"name": name, "meaning": " a test ", "source": "tests", "threshold": 12, "action": "review"}
    made = everyone.send("POST", "/banks", about)
    assert made.status == 201
    rest = {"meaning": "a test", "kind": "known", "exchange": None, "state": "active", "entries": 0}
    usual = {"least_frames": 3, "least_seconds": 2.0, "query_percent": 80.0, "compared_percent": 0.0}
    assert made.json == {**about, **rest, "video": usual}
    assert set(made.json) == BANK
    assert shown(everyone, name) == made.json
    refused(everyone.ask("POST", f"/banks/{name}/disable"), 422, "request.invalid")
    second.agrees(everyone.ask("POST", f"/banks/{name}/disable", because="a test"))
    assert shown(everyone, name)["state"] == "disabled"
    refused(everyone.ask("POST", f"/banks/{name}/disable", because="again"), 409, "bank.not_in_this_state")
    enabled = everyone.ask("POST", f"/banks/{name}/enable")
    assert (enabled.status, enabled.json) == (200, shown(everyone, name))
    assert enabled.json["state"] == "active"
    refused(everyone.ask("POST", f"/banks/{name}/enable"), 409, "bank.not_in_this_state")


def test_without_more_a_bank_holds_at_the_recommended_distance(everyone: Asker, bank: str) -> None:
    assert (shown(everyone, bank)["threshold"], shown(everyone, bank)["action"]) == (31, "hold")


def test_there_is_one_bank_of_a_name(everyone: Asker, bank: str) -> None:
    again = {"name": bank, "meaning": "another", "source": "tests"}
    refused(everyone.send("POST", "/banks", again), 409, "bank.exists")
    assert shown(everyone, bank)["meaning"] == "a test"


BAD_BANKS = {
    "no name": {"name": None},
    "an empty name": {"name": ""},
    "a name with a space": {"name": "a b"},
    "a name with a slash": {"name": "a/b"},
    "a name with an umlaut": {"name": "bänk"},
    "a name with a line end": {"name": "bank\n"},
    "a name that is too long": {"name": "x" * 65},
    "an empty meaning": {"meaning": ""},
    "a blank meaning": {"meaning": "  \t"},
    "a meaning that is too long": {"meaning": "x" * 501},
    "a source that is a number": {"source": 1},
    "a threshold as text": {"threshold": "31"},
    "a threshold as a fraction": {"threshold": 31.5},
    "a threshold that is true": {"threshold": True},
    "a threshold below nothing": {"threshold": -1},
    "a threshold above the highest": {"threshold": 65},
    "an action there is not": {"action": "delete"},
    "a kind there is not": {"kind": "evil"},
    "an exchange with a space": {"exchange": "a b"},
    "something more": {"state": "active"},
}


@pytest.mark.parametrize("wrong", BAD_BANKS.values(), ids=BAD_BANKS)
def test_a_bank_that_cannot_be_is_a_422_and_is_not_made(everyone: Asker, name: str, wrong: dict[str, Any]) -> None:
    about = {"name": name, "meaning": "a test", "source": "tests"} | wrong
    before = everyone.ask("GET", "/banks").json
    reply = everyone.send("POST", "/banks", about)
    assert next(iter(wrong)) in refused(reply, 422, "request.invalid")
    assert [one["name"] for one in everyone.ask("GET", "/banks").json] == [one["name"] for one in before]


@pytest.mark.parametrize("missing", ["name", "meaning", "source"])
def test_a_bank_without_one_of_its_facts_is_a_422(everyone: Asker, name: str, missing: str) -> None:
    about = {"name": name, "meaning": "a test", "source": "tests"}
    del about[missing]
    assert missing in refused(everyone.send("POST", "/banks", about), 422, "request.invalid")


UNKNOWN_BANK = {
    "disabling": lambda asker: asker.ask("POST", "/banks/nothing-here/disable"),
    "enabling": lambda asker: asker.ask("POST", "/banks/nothing-here/enable"),
    "adding": lambda asker: added(asker, "nothing-here", ("md5", unique_md5())),
    "adding a picture": lambda asker: asker.ask(
        "POST", "/banks/nothing-here/entries/picture", picture(), provenance="x"
    ),
    "importing": lambda asker: asker.ask("POST", "/banks/nothing-here/import", b"", kind=JSONL, provenance="x"),
    "exporting": lambda asker: asker.ask("GET", "/banks/nothing-here/export"),
    "listing imports": lambda asker: asker.ask("GET", "/banks/nothing-here/imports"),
    "rolling back": lambda asker: asker.send("POST", "/banks/nothing-here/imports/imp_x/roll-back", {"because": "x"}),
    "changing the threshold": lambda asker: asker.send(
        "POST", "/banks/nothing-here/threshold", {"threshold": 20, "because": "x"}
    ),
    "changing the action": lambda asker: asker.send(
        "POST", "/banks/nothing-here/action", {"action": "review", "because": "x"}
    ),
}


@pytest.mark.parametrize("ask", UNKNOWN_BANK.values(), ids=UNKNOWN_BANK)
def test_a_bank_that_is_not_there_is_a_404(everyone: Asker, ask: Any) -> None:
    refused(ask(everyone), 404, "bank.unknown")


# --- entries


def test_an_entry_lives_disabled_enabled_and_removed(everyone: Asker, second: Second, bank: str) -> None:
    content = f"not a picture, but known by its digest {bank}".encode()
    (entry,) = added(everyone, bank, ("sha256", hashlib.sha256(content).hexdigest())).json["added"]
    path = f"/banks/{bank}/entries/{entry}"

    def verdict() -> str:
        return str(explanation(everyone.ask("POST", "/screen", content))["verdict"])

    assert verdict() == "matched"
    asked = everyone.ask("POST", f"{path}/disable", because="a test")
    assert verdict() == "matched"
    second.agrees(asked)
    assert verdict() == "not_screened"
    refused(everyone.ask("POST", f"{path}/disable", because="again"), 409, "entry.not_in_this_state")
    enabled = everyone.ask("POST", f"{path}/enable").json
    assert set(enabled) == ENTRY
    assert (enabled["id"], enabled["bank"], enabled["state"]) == (entry, bank, "active")
    assert verdict() == "matched"
    refused(everyone.ask("POST", f"{path}/enable"), 409, "entry.not_in_this_state")
    refused(everyone.ask("DELETE", path), 422, "request.invalid")
    second.agrees(everyone.ask("DELETE", path, because="a mistake"))
    assert verdict() == "not_screened"
    refused(everyone.ask("DELETE", path, because="again"), 409, "entry.not_in_this_state")
    assert exported(everyone, bank) == []


def test_an_entry_is_changed_only_through_its_own_bank(everyone: Asker, bank: str) -> None:
    (entry,) = added(everyone, bank, ("md5", unique_md5())).json["added"]
    other = {"name": f"{bank}-other", "meaning": "a test", "source": "tests"}
    assert everyone.send("POST", "/banks", other).status == 201
    for method, end in (("POST", "/disable"), ("POST", "/enable"), ("DELETE", "")):
        reply = everyone.ask(method, f"/banks/{bank}-other/entries/{entry}{end}", because="x")
        refused(reply, 404, "entry.unknown")
    assert shown(everyone, bank)["entries"] == 1


BAD_ENTRIES = {
    "no signals": ([], "request.invalid"),
    "an unknown type": ([("crc32", "00000000")], "input.signal"),
    "a value that is too short": ([("md5", "0" * 31)], "input.signal"),
    "a value that is not hexadecimal": ([("md5", "g" * 32)], "input.signal"),
    "a value that matches everything": ([("pdq", "0" * 64)], "input.signal"),
    "the digest of nothing": ([("md5", "d41d8cd98f00b204e9800998ecf8427e")], "input.signal"),
    "the same signal twice": ([("md5", "0123456789abcdef" * 2)] * 2, "request.invalid"),
    "the same signal twice, in capitals": (
        [("md5", "0123456789abcdef" * 2), ("MD5", "0123456789ABCDEF" * 2)],
        "request.invalid",
    ),
    "too many signals": ([("md5", md5(number).value) for number in range(101)], "request.invalid"),
}


@pytest.mark.parametrize(("signals", "code"), BAD_ENTRIES.values(), ids=BAD_ENTRIES)
def test_one_entry_that_cannot_be_keeps_the_good_ones_beside_it_out(
    everyone: Asker, bank: str, signals: list[tuple[str, str]], code: str
) -> None:
    bad = {"signals": [{"signal_type": kind, "value": value} for kind, value in signals], "provenance": "x"}
    good = {"signals": [{"signal_type": "md5", "value": unique_md5()}], "provenance": "x"}
    refused(everyone.send("POST", f"/banks/{bank}/entries", {"entries": [good, bad]}), 422, code)
    assert shown(everyone, bank)["entries"] == 0


def test_a_thousand_entries_are_added_at_once_and_one_more_is_refused(everyone: Asker, bank: str) -> None:
    entries = [
        {"signals": [{"signal_type": "md5", "value": md5(uuid4().int).value}], "provenance": "x"} for _ in range(1001)
    ]
    refused(everyone.send("POST", f"/banks/{bank}/entries", {"entries": entries}), 422, "request.invalid")
    assert shown(everyone, bank)["entries"] == 0
    reply = everyone.send("POST", f"/banks/{bank}/entries", {"entries": entries[:1000]})
    assert reply.status == 201
    assert len(set(reply.json["added"])) == shown(everyone, bank)["entries"] == 1000


@pytest.mark.parametrize("as_form", [False, True])
def test_a_picture_is_banked_by_its_digests_and_its_look_and_not_kept(
    everyone: Asker, bank: str, as_form: bool
) -> None:
    body, kind = form(("file", "x", picture())) if as_form else (picture(), OCTETS)
    reply = everyone.ask("POST", f"/banks/{bank}/entries/picture", body, kind=kind, provenance="a test")
    assert reply.status == 201
    assert set(reply.json) == ENTRY
    assert (reply.json["bank"], reply.json["state"]) == (bank, "active")
    assert set(reply.json["signal_types"]) == {"md5", "sha1", "sha256", "pdq"}
    (entry,) = exported(everyone, bank)
    assert entry["entry"] == reply.json["id"]


def test_what_cannot_be_decoded_is_banked_by_its_digests_if_that_is_said(everyone: Asker, bank: str) -> None:
    content = f"no picture {bank}".encode()
    path = f"/banks/{bank}/entries/picture"
    refused(everyone.ask("POST", path, content, provenance="x"), 422, "request.invalid")
    assert shown(everyone, bank)["entries"] == 0
    reply = everyone.ask("POST", path, content, provenance="x", exact_only="true")
    assert (reply.status, set(reply.json["signal_types"])) == (201, {"md5", "sha1", "sha256"})
    assert explanation(everyone.ask("POST", "/screen", content))["verdict"] == "matched"


def test_an_empty_picture_or_one_without_provenance_is_refused(everyone: Asker, bank: str) -> None:
    path = f"/banks/{bank}/entries/picture"
    refused(everyone.ask("POST", path, b"", provenance="x"), 422, "request.invalid")
    refused(everyone.ask("POST", path, picture()), 422, "request.invalid")
    assert shown(everyone, bank)["entries"] == 0


# --- what a match leads to


def changed(asker: Asker, path: str, body: dict[str, Any]) -> dict[str, Any]:
    reply = asker.send("POST", path, body)
    assert reply.status == 200, reply.content
    return dict(reply.json)


def told(asker: Asker, bank: str, path: str) -> dict[str, Any]:
    """What a bank says of what was changed at this path."""
    stands = shown(asker, bank)
    return dict(stands["video"]) if path == "video" else stands


def by_two(asker: Asker, second: Second, path: str, body: dict[str, Any]) -> None:
    second.agrees(asker.send("POST", path, body))


def test_a_threshold_and_a_softer_action_take_two_and_a_firmer_one_takes_one(
    everyone: Asker, second: Second, bank: str
) -> None:
    for path, wanted, needs in (
        ("threshold", {"threshold": 20}, True),
        ("threshold", {"threshold": 40}, True),
        ("action", {"action": "review"}, True),
        ("action", {"action": "ignore"}, True),
        ("action", {"action": "hold"}, False),
        ("video", {"least_frames": 5, "least_seconds": 4}, True),
    ):
        reply = everyone.send("POST", f"/banks/{bank}/{path}", {**wanted, "because": "a test"})
        assert reply.status == (202 if needs else 200)
        if needs:
            assert not wanted.items() <= told(everyone, bank, path).items()
            second.agrees(reply)
        else:
            assert set(reply.json) == BANK
        assert wanted.items() <= told(everyone, bank, path).items()
        refused(everyone.send("POST", f"/banks/{bank}/{path}", {**wanted, "because": "again"}), 409, "bank.unchanged")
    for path, wrong in (
        ("threshold", {"threshold": 65, "because": "x"}),
        ("threshold", {"threshold": "20", "because": "x"}),
        ("threshold", {"threshold": 20}),
        ("video", {"least_frames": 0, "because": "x"}),
        ("video", {"least_seconds": "2", "because": "x"}),
        ("video", {"query_percent": 0, "because": "x"}),
        ("video", {"compared_percent": 101, "because": "x"}),
        ("action", {"action": "publish", "because": "x"}),
        ("action", {"action": "review", "because": " "}),
    ):
        refused(everyone.send("POST", f"/banks/{bank}/{path}", wrong), 422, "request.invalid")


def test_a_lower_threshold_and_a_softer_action_change_the_very_next_answer(
    everyone: Asker, second: Second, bank: str
) -> None:
    image = hills(44_000, SIZE)
    everyone.ask("POST", f"/banks/{bank}/entries/picture", encoded(image), provenance="tests")
    disguised = encoded(image, quality=30)
    explained = explanation(everyone.ask("POST", "/screen", disguised))
    assert explained["effect"] == "hold"
    by_two(everyone, second, f"/banks/{bank}/action", {"action": "review", "because": "x"})
    reply = everyone.ask("POST", "/screen", disguised).json
    assert (reply["answer"], reply["explanation"]["effect"]) == ("hold", "review")
    by_two(everyone, second, f"/banks/{bank}/action", {"action": "ignore", "because": "x"})
    reply = everyone.ask("POST", "/screen", disguised).json
    assert (reply["answer"], reply["explanation"]["effect"]) == ("publish", "ignore")
    changed(everyone, f"/banks/{bank}/action", {"action": "hold", "because": "x"})
    distance = explained["matches"][0]["distance"]
    if distance:
        by_two(everyone, second, f"/banks/{bank}/threshold", {"threshold": distance - 1, "because": "x"})
        assert answer(everyone, disguised) == "publish"
        by_two(everyone, second, f"/banks/{bank}/threshold", {"threshold": distance, "because": "x"})
    assert answer(everyone, disguised) == "hold"


def test_a_benign_bank_turns_a_likeness_into_review_and_never_an_equal_digest(
    everyone: Asker, second: Second, bank: str
) -> None:
    ok = {"name": f"{bank}-ok", "meaning": "harmless", "source": "tests", "kind": "benign"}
    made = everyone.send("POST", "/banks", ok)
    assert (made.status, made.json["kind"], made.json["action"]) == (201, "benign", None)
    refused(everyone.send("POST", "/banks", {**ok, "name": f"{bank}-x", "action": "hold"}), 422, "request.invalid")
    image = hills(44_001, SIZE)
    known = encoded(image, quality=10)
    everyone.ask("POST", f"/banks/{bank}/entries/picture", known, provenance="tests")
    excused = everyone.ask("POST", f"/banks/{bank}-ok/entries/picture", encoded(image, quality=95), provenance="tests")
    assert explanation(everyone.ask("POST", "/screen", encoded(image, quality=96)))["effect"] == "hold"
    second.agrees(excused)
    near = everyone.ask("POST", "/screen", encoded(image, quality=96)).json
    assert (near["answer"], near["explanation"]["effect"]) == ("hold", "review")
    assert {(one["kind"], one["effect"]) for one in near["explanation"]["matches"]} == {
        ("known", "review"),
        ("benign", "ignore"),
    }
    equal = everyone.ask("POST", "/screen", known).json
    assert (equal["answer"], equal["explanation"]["effect"]) == ("hold", "hold")
    told = everyone.ask("GET", f"/screenings/{near['screening']}").json
    assert [one["effect"] for one in told["matches"]] == [one["effect"] for one in near["explanation"]["matches"]]
    action = everyone.send("POST", f"/banks/{bank}-ok/action", {"action": "hold", "because": "x"})
    refused(action, 409, "bank.benign")
    second.agrees(everyone.ask("POST", f"/banks/{bank}/disable", because="a test"))
    assert answer(everyone, encoded(image, quality=96)) == "publish"


def test_the_answer_to_a_platform_is_the_same_whether_a_match_is_held_or_reviewed(
    everyone: Asker, second: Second, uploader: Asker, bank: str
) -> None:
    image = hills(44_002, SIZE)
    everyone.ask("POST", f"/banks/{bank}/entries/picture", encoded(image), provenance="tests")
    held = uploader.ask("POST", "/screen", encoded(image)).json
    by_two(everyone, second, f"/banks/{bank}/action", {"action": "review", "because": "x"})
    reviewed = uploader.ask("POST", "/screen", encoded(image)).json
    assert set(held) == set(reviewed) == {"answer", "screening"}
    assert held["answer"] == reviewed["answer"] == "hold"


def test_a_disputed_entry_leads_to_review_until_it_is_confirmed(everyone: Asker, second: Second, bank: str) -> None:
    image = hills(44_003, SIZE)
    entry = everyone.ask("POST", f"/banks/{bank}/entries/picture", encoded(image), provenance="tests").json["id"]
    path = f"/banks/{bank}/entries/{entry}/opinion"
    for opinion, effect, needs in (("disputed", "review", True), ("confirmed", "hold", False)):
        if needs:
            by_two(everyone, second, path, {"opinion": opinion, "because": "looked"})
        else:
            assert changed(everyone, path, {"opinion": opinion, "because": "looked"})["opinion"] == opinion
        explained = explanation(everyone.ask("POST", "/screen", encoded(image)))
        assert explained["effect"] == effect
        assert {one["opinion"] for one in explained["matches"]} == {opinion}
    refused(everyone.send("POST", path, {"opinion": "perhaps", "because": "x"}), 422, "request.invalid")
    refused(everyone.send("POST", path, {"opinion": "disputed"}), 422, "request.invalid")
    nowhere = everyone.send("POST", f"{path[:-8]}x/opinion", {"opinion": "disputed", "because": "x"})
    refused(nowhere, 404, "entry.unknown")


def test_what_an_exchange_keeps_cannot_be_changed_by_people_except_in_its_name(
    everyone: Asker, second: Second, name: str
) -> None:
    about = {"name": name, "meaning": "a test", "source": "tests", "exchange": "ncmec"}
    assert everyone.send("POST", "/banks", about).json["exchange"] == "ncmec"
    refused(added(everyone, name, ("md5", unique_md5())), 409, "bank.read_only")
    body = csv_file(("md5", unique_md5()))
    refused(imported(everyone, name, body), 409, "bank.read_only")
    path = f"/banks/{name}/import"
    reply = everyone.ask("POST", path, body, kind=CSV, provenance="ncmec", from_exchange="true")
    assert (reply.status, reply.json["added"]) == (200, 1)
    (entry,) = [one["entry"] for one in exported(everyone, name)]
    refused(everyone.ask("POST", f"/banks/{name}/entries/{entry}/disable"), 409, "bank.read_only")
    refused(everyone.ask("DELETE", f"/banks/{name}/entries/{entry}", because="x"), 409, "bank.read_only")
    opinion = {"opinion": "disputed", "because": "x"}
    by_two(everyone, second, f"/banks/{name}/entries/{entry}/opinion", opinion)
    assert [one["opinion"] for one in exported(everyone, name)] == ["disputed"]
    second.agrees(everyone.ask("POST", f"/banks/{name}/disable", because="a test"))


# --- at once


def test_an_entry_holds_the_very_next_upload_whichever_process_answers_and_no_longer_once_removed(
    everyone: Asker, second: Second, bank: str
) -> None:
    for seed in range(42_000, 42_020):
        image = hills(seed, SIZE)
        disguised = encoded(image, quality=50)
        entry = everyone.ask("POST", f"/banks/{bank}/entries/picture", encoded(image), provenance="tests").json["id"]
        assert answer(everyone, disguised) == "hold"
        if seed % 2:
            second.agrees(everyone.ask("DELETE", f"/banks/{bank}/entries/{entry}", because="test"))
            assert answer(everyone, disguised) == "publish"
    assert shown(everyone, bank)["entries"] == 10


def test_a_bank_that_is_disabled_or_enabled_changes_the_very_next_answer(
    everyone: Asker, second: Second, bank: str
) -> None:
    image = hills(43_000, SIZE)
    everyone.ask("POST", f"/banks/{bank}/entries/picture", encoded(image), provenance="tests")
    for _ in range(5):
        assert answer(everyone, encoded(image, quality=50)) == "hold"
        second.agrees(everyone.ask("POST", f"/banks/{bank}/disable", because="a test"))
        assert answer(everyone, encoded(image, quality=50)) == "publish"
        everyone.ask("POST", f"/banks/{bank}/enable")


# --- files


def csv_file(*rows: tuple[str, ...], header: str = "signal_type,value") -> bytes:
    text = io.StringIO()
    writer = csv.writer(text)
    writer.writerows(rows)
    return f"{header}\n{text.getvalue()}".encode()


def imported(asker: Asker, bank: str, body: Any, kind: str = CSV) -> Reply:
    return asker.ask("POST", f"/banks/{bank}/import", body, kind=kind, provenance="an import")


def test_an_import_keeps_the_good_lines_of_a_csv_file_and_lists_the_bad(everyone: Asker, bank: str) -> None:
    first, second = unique_md5(), unique_md5()
    rows = [
        ("md5", first),  # line 2
        ("md5", "short"),
        ("crc", first),
        ("md5", first),
        ("MD5", f" {second.upper()} "),
        ("pdq", "0" * 64),
        ("md5",),  # line 8
    ]
    reply = imported(everyone, bank, csv_file(*rows))
    assert reply.status == 200
    assert reply.json["added"] == 2
    assert [(bad["line"], bad["code"]) for bad in reply.json["refused"]] == [
        (3, "input.signal"),
        (4, "input.signal"),
        (5, "input.duplicate"),
        (7, "input.signal"),
        (8, "input.line"),
    ]
    assert all(set(bad) == {"line", "code", "because"} for bad in reply.json["refused"])
    assert first not in reply.content.decode()
    assert {entry["signals"][0]["value"] for entry in exported(everyone, bank)} == {first, second}


def test_an_import_keeps_the_good_lines_of_a_jsonl_file_and_lists_the_bad(everyone: Asker, bank: str) -> None:
    values = [unique_md5() for _ in range(4)]
    lines = [
        {"signal_type": "md5", "value": values[0], "provenance": "a partner"},
        "not an object",
        {"signal_type": "md5", "value": 5},
        {"signals": [{"signal_type": "md5", "value": values[1]}, {"signal_type": "pdq", "value": pdq(7).value}]},
        {"signals": "x"},
        {"signals": []},
        {"signal_type": "md5", "value": values[2], "entry": "group"},
        {"signal_type": "md5", "value": values[3], "entry": "group"},
    ]
    body = "\n".join(json.dumps(line) for line in lines) + "\n{broken"
    reply = imported(everyone, bank, body.encode(), JSONL)
    assert reply.json["added"] == 3
    assert [(bad["line"], bad["code"]) for bad in reply.json["refused"]] == [
        (line, "input.line") for line in (2, 3, 5, 6, 9)
    ]
    entries = exported(everyone, bank)
    assert sorted(len(entry["signals"]) for entry in entries) == [1, 2, 2]
    assert {entry["provenance"] for entry in entries} == {"a partner", "an import"}


def test_what_is_imported_twice_is_there_once(everyone: Asker, bank: str) -> None:
    body = csv_file(*[("md5", unique_md5()) for _ in range(3)])
    first = imported(everyone, bank, body).json
    assert set(first) == IMPORTED
    assert (first["added"], first["refused"], first["refused_lines"]) == (3, [], 0)
    again = imported(everyone, bank, body).json
    assert (again["added"], again["id"], again["refused_lines"]) == (0, None, 3)
    assert [bad["code"] for bad in again["refused"]] == ["input.duplicate"] * 3
    assert shown(everyone, bank)["entries"] == 3


@pytest.mark.parametrize("kind", [CSV, JSONL])
def test_a_file_in_chunks_is_refused_in_words_or_imported_whole_but_never_taken_for_an_empty_one(
    everyone: Asker, bank: str, kind: str
) -> None:
    values = [unique_md5() for _ in range(300)]
    lines = "".join(json.dumps({"signal_type": "md5", "value": value}) + "\n" for value in values).encode()
    body = csv_file(*[("md5", value) for value in values]) if kind == CSV else lines
    reply = imported(everyone, bank, in_pieces(body, 777), kind)
    assert reply.status in (200, 411, 422)
    if reply.status == 200:
        assert (reply.json["added"], reply.json["refused"]) == (300, [])
    else:
        assert "Content-Length" in reply.json["detail"] + reply.json["advice"]
        assert shown(everyone, bank)["entries"] == 0


@pytest.mark.parametrize("kind", [CSV, JSONL])
def test_half_a_file_is_not_imported(everyone: Asker, bank: str, kind: str) -> None:
    values = [unique_md5() for _ in range(10)]
    lines = "".join(json.dumps({"signal_type": "md5", "value": value}) + "\n" for value in values).encode()
    body = csv_file(*[("md5", value) for value in values]) if kind == CSV else lines
    path = f"/banks/{bank}/import?provenance=x"
    assert everyone.announce(path, len(body), body[: len(body) // 2], kind=kind).status == 422
    assert shown(everyone, bank)["entries"] == 0


BAD_FILES = {
    "no header": (b"md5,0123\n", CSV),
    "nothing, as CSV": (b"", CSV),
    "another header": (b"type,hash\nmd5,x\n", CSV),
    "not text": (b"signal_type,value\nmd5,\xff\xfe\n", CSV),
    "not text, as JSON": (b'{"signal_type": "\xff"}\n', JSONL),
    "a line without an end": (b"x" * (LONGEST_LINE + 100_000), JSONL),
    "another type": (b"signal_type,value\n", "application/json"),
    "no type": (b"signal_type,value\n", ""),
}


@pytest.mark.parametrize(("body", "kind"), BAD_FILES.values(), ids=BAD_FILES)
def test_what_is_no_list_of_entries_is_a_422(everyone: Asker, bank: str, body: bytes, kind: str) -> None:
    refused(imported(everyone, bank, body, kind), 422, "input.bank_file")
    assert shown(everyone, bank)["entries"] == 0


BAD_PROVENANCE = {
    "a zero byte": "a\0b",
    "half a character": "\ud800",
    "too long": "x" * 501,
}


@pytest.mark.parametrize("provenance", BAD_PROVENANCE.values(), ids=BAD_PROVENANCE)
def test_a_line_whose_provenance_cannot_be_kept_is_listed_and_the_others_taken(
    everyone: Asker, bank: str, provenance: str
) -> None:
    good, bad = unique_md5(), unique_md5()
    lines = [
        {"signal_type": "md5", "value": bad, "provenance": provenance},
        {"signal_type": "md5", "value": good, "provenance": "fine"},
    ]
    reply = imported(everyone, bank, "\n".join(map(json.dumps, lines)).encode(), JSONL)
    assert reply.status == 200, reply.content
    assert reply.json["added"] == 1
    assert [(one["line"], one["code"]) for one in reply.json["refused"]] == [(1, "input.line")]


def test_a_byte_order_mark_at_the_beginning_of_a_file_is_of_no_consequence(everyone: Asker, bank: str) -> None:
    body = b"\xef\xbb\xbf" + csv_file(("md5", unique_md5()))
    assert imported(everyone, bank, body).json["added"] == 1


@pytest.mark.parametrize(("query", "kind"), [("csv", CSV), ("jsonl", JSONL)])
def test_what_is_exported_and_imported_into_another_bank_is_the_same(
    everyone: Asker, second: Second, bank: str, query: str, kind: str
) -> None:
    added(everyone, bank, ("md5", unique_md5()), ("pdq", pdq(uuid4().int).value), provenance='a "list", of; ünï')
    (off,) = added(everyone, bank, ("md5", unique_md5())).json["added"]
    (gone,) = added(everyone, bank, ("md5", unique_md5())).json["added"]
    second.agrees(everyone.ask("POST", f"/banks/{bank}/entries/{off}/disable", because="test"))
    second.agrees(everyone.ask("DELETE", f"/banks/{bank}/entries/{gone}", because="test"))
    file = everyone.ask("GET", f"/banks/{bank}/export", form=query)
    assert file.status == 200
    assert file.headers["Content-Type"].split(";")[0] == kind
    copy = f"{bank}-copy"
    everyone.send("POST", "/banks", {"name": copy, "meaning": "a copy", "source": "tests"})
    reply = imported(everyone, copy, file.content, kind)
    assert (reply.json["added"], reply.json["refused"]) == (2, [])

    def told(name: str) -> set[tuple[frozenset[tuple[str, str]], str]]:
        return {
            (frozenset((one["signal_type"], one["value"]) for one in entry["signals"]), entry["provenance"])
            for entry in exported(everyone, name)
        }

    assert told(copy) == told(bank)


def test_an_export_of_another_form_is_a_422(everyone: Asker, bank: str) -> None:
    refused(everyone.ask("GET", f"/banks/{bank}/export", form="xml"), 422, "request.invalid")


def test_no_cell_of_an_export_can_be_run_by_a_spreadsheet(everyone: Asker, bank: str) -> None:
    for start in ("=", "+", "-", "@"):
        added(everyone, bank, ("md5", unique_md5()), provenance=f"{start}HYPERLINK(1)")
    text = everyone.ask("GET", f"/banks/{bank}/export", form="csv").content.decode()
    cells = [cell for row in csv.reader(io.StringIO(text)) for cell in row]
    assert len(cells) == 30
    assert not [cell for cell in cells if cell[:1] in ("=", "+", "-", "@")]


@pytest.mark.parametrize(("query", "kind"), [("txt", PLAIN), ("dataset", CSV)])
def test_the_files_of_python_threatexchange_go_in_and_out(everyone: Asker, bank: str, query: str, kind: str) -> None:
    signals = [("md5", unique_md5()), ("pdq", pdq(uuid4().int).value)]
    added(everyone, bank, *signals)
    file = everyone.ask("GET", f"/banks/{bank}/export", form=query)
    assert file.headers["Content-Type"].split(";")[0] == kind
    assert b"video_md5" in file.content
    everyone.send("POST", "/banks", {"name": f"{bank}-copy", "meaning": "a copy", "source": "tests"})
    reply = imported(everyone, f"{bank}-copy", file.content, kind)
    assert (reply.json["signals"], reply.json["refused"]) == (2, [])
    told = {
        (one["signal_type"], one["value"]) for entry in exported(everyone, f"{bank}-copy") for one in entry["signals"]
    }
    assert told == set(signals)


def test_bare_hashes_are_imported_as_what_is_said(everyone: Asker, bank: str) -> None:
    body = f"{pdq(uuid4().int).value}\n{pdq(uuid4().int).value}\n".encode()
    path = f"/banks/{bank}/import"
    reply = everyone.ask("POST", path, body, kind=PLAIN, provenance="x", signal_type="pdq")
    assert (reply.json["added"], reply.json["refused"]) == (2, [])
    without = everyone.ask("POST", path, body, kind=PLAIN, provenance="x")
    assert [one["code"] for one in without.json["refused"]] == ["input.line"] * 2


def test_an_import_is_listed_and_rolled_back_as_a_whole(
    everyone: Asker, second: Second, bank: str, keys: dict[str, str]
) -> None:
    content = f"not a picture, but known by its digest {bank}".encode()
    digest = hashlib.sha256(content).hexdigest()
    (mine,) = added(everyone, bank, ("md5", unique_md5())).json["added"]
    taken = imported(everyone, bank, csv_file(("sha256", digest), ("md5", unique_md5()), ("md5", "x"))).json
    assert answer(everyone, content) == "hold"
    (one,) = everyone.ask("GET", f"/banks/{bank}/imports").json
    assert set(one) == IMPORT
    assert (one["id"], one["state"], one["entries"], one["refused"]) == (taken["id"], "published", 2, 1)
    assert one["digest"] == taken["digest"]
    assert one["begun_by"] == f"key:{keys['all'].split('_')[1]}"
    path = f"/banks/{bank}/imports/{taken['id']}/roll-back"
    refused(everyone.send("POST", path, {}), 422, "request.invalid")
    by_two(everyone, second, path, {"because": "a wrong file"})
    assert [one["state"] for one in everyone.ask("GET", f"/banks/{bank}/imports").json] == ["rolled_back"]
    assert [entry["entry"] for entry in exported(everyone, bank)] == [mine]
    assert explanation(everyone.ask("POST", "/screen", content))["verdict"] == "not_screened"
    refused(everyone.send("POST", path, {"because": "again"}), 409, "import.not_in_this_state")
    refused(everyone.send("POST", f"{path[:-10]}x/roll-back", {"because": "x"}), 404, "import.unknown")
