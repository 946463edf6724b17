# SPDX-License-Identifier: Apache-2.0
"""`holdfast proposals`, `key create --for` and `settings`: two people on the command line."""

from __future__ import annotations

from uuid import uuid4

from holdfast.access.key import split
from tests.cli.forking import Done, Shell
from tests.cli.test_banks import in_words, summary
from tests.store.making import md5
from tests.two_people import PROPOSAL, Second, this_account
from tests.web.http import Asker, refused


def asked_to_disable(shell: Shell, bank: str) -> str:
    """Ask on the command line; the proposal."""
    done = shell.run("bank", "disable", bank, "--because", "a test", "--json")
    assert done.code == 6, done.err
    return str(done.json["proposal"])


def test_what_waits_is_listed_and_shown_and_the_same_account_cannot_agree(
    shell: Shell, second: Second, bank: str
) -> None:
    proposal = asked_to_disable(shell, bank)
    (one,) = [found for found in shell.run("proposals", "list", "--json").json if found["id"] == proposal]
    assert (one["about"], one["person"], one["state"]) == (f"bank:{bank}", this_account(), "asked")
    assert proposal in shell.run("proposals", "list").words
    shown = shell.run("proposals", "show", proposal, "--json").json
    assert (shown["does"]["before"]["state"], shown["does"]["after"]["state"]) == ("active", "disabled")
    assert "disabled" in shell.run("proposals", "show", proposal).words
    agree = ("proposals", "agree", proposal, "--because", "x")
    in_words(shell.run(*agree, "--yes"), 3, "proposal.same_person")
    # Whatever the environment calls this account.
    in_words(shell.run(*agree, "--yes", USER="somebody-else", LOGNAME="somebody-else"), 3, "proposal.same_person")
    assert summary(shell, bank)["state"] == "active"
    second.agrees_to(proposal)
    assert summary(shell, bank)["state"] == "disabled"


def test_what_another_asked_for_is_shown_before_it_is_agreed_to(shell: Shell, second: Second, bank: str) -> None:
    asked = second.asker.ask("POST", f"/banks/{bank}/disable", because="a test")
    proposal = asked.json["proposal"]
    unanswered = shell.run("proposals", "agree", proposal, "--because", "x")
    assert unanswered.code == 1
    assert "disabled" in unanswered.words
    assert summary(shell, bank)["state"] == "active"
    done = shell.run("proposals", "agree", proposal, "--because", "looked", "--yes", "--json")
    assert (done.code, done.json["state"], done.json["answered_by"]) == (0, "agreed", f"cli:{this_account()}")
    assert summary(shell, bank)["state"] == "disabled"


def test_it_can_be_refused_and_withdrawn(shell: Shell, second: Second, bank: str) -> None:
    proposal = asked_to_disable(shell, bank)
    taken_back = shell.run("proposals", "withdraw", proposal, "--because", "a slip", "--json")
    assert (taken_back.code, taken_back.json["state"]) == (0, "withdrawn")
    theirs = second.asker.ask("POST", f"/banks/{bank}/disable", because="a test").json["proposal"]
    in_words(shell.run("proposals", "withdraw", theirs, "--because", "x"), 3, "proposal.not_yours")
    assert shell.run("proposals", "refuse", theirs, "--because", "no", "--json").json["state"] == "refused"
    in_words(shell.run("proposals", "show", "pro_x"), 3, "proposal.unknown")


def opens(shell: Shell, whole: str) -> bool:
    return Asker(shell.environment["HOLDFAST_LISTEN"], whole).ask("GET", "/proposals").status == 200


def test_a_key_for_another_person_waits_and_opens_nothing_until_somebody_agreed(
    shell: Shell, second: Second, name: str
) -> None:
    made: Done = shell.run("key", "create", name, "--scope", "proposals", "--for", "Mallory", "--json")
    assert (made.code, made.json["person"]) == (6, "mallory")
    assert not opens(shell, made.json["key"])
    refused(Asker(second.asker.address, made.json["key"]).ask("GET", "/proposals"), 401, "access.key_refused")
    second.agrees_to(made.json["proposal"])
    assert not opens(shell, made.json["key"]), "whoever asked has half of it"
    in_words(shell.run("proposals", "half", made.json["proposal"]), 3, "proposal.not_who_agreed")
    half = second.asker.ask("POST", f"/proposals/{made.json['proposal']}/half").json["half"]
    refused(second.asker.ask("POST", f"/proposals/{made.json['proposal']}/half"), 409, "proposal.no_half")
    for wrong in (f"{made.json['key']}_{'a' * 26}", made.json["key"][:-26] + half):
        assert not opens(shell, wrong)
    assert opens(shell, f"{made.json['key']}_{half}")
    (one,) = [key for key in shell.run("key", "list", "--json").json if key["label"] == name]
    assert one["person"] == "mallory"
    prefix, _ = split(made.json["key"]) or ("", "")
    assert shell.run("key", "revoke", prefix).code == 0
    assert "waits for a second person" in shell.run("key", "create", name, "--for", "mallory").words


def test_a_key_for_oneself_does_not_wait(shell: Shell, second: Second, name: str) -> None:
    assert second
    made = shell.run("key", "create", name, "--scope", "proposals", "--for", this_account(), "--json")
    assert made.code == 0
    assert opens(shell, made.json["key"])
    in_words(shell.run("key", "create", name, "--for", "not a name"), 2, "input.name")


def test_doctor_says_how_many_can_agree(shell: Shell, second: Second) -> None:
    assert second
    (people,) = [one for one in shell.run("doctor", "--json").json if one["what"] == "people"]
    assert people["grade"] == "good"
    assert this_account() in people["says"]


def test_the_settings_that_protect_are_shown_and_there_is_nothing_to_accept(shell: Shell) -> None:
    shown = shell.run("settings", "show", "--json").json
    assert shown["weakened"] == []
    assert shown["values"] == shown["accepted"]
    assert "HOLDFAST_SHADOW" in shell.run("settings", "show").words
    in_words(shell.run("settings", "accept", "--because", "x"), 3, "settings.not_in_this_state")


def test_a_signal_goes_into_a_benign_bank_when_another_agrees(shell: Shell, second: Second, name: str) -> None:
    about = ("--meaning", "harmless", "--source", "tests", "--kind", "benign")
    assert shell.run("bank", "create", name, *about).code == 0
    done = shell.run("bank", "add", name, "--signal", f"md5:{md5(uuid4().int).value}")
    assert done.code == 6
    (proposal,) = set(PROPOSAL.findall(done.words))
    second.agrees_to(proposal)
    assert summary(shell, name)["entries"] == 1
