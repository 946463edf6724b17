# SPDX-License-Identifier: Apache-2.0
"""`fsck` finds every row that does not say what the journal says, names it, and mends it only as the owner."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import psycopg
import pytest
from django.db import connections, transaction
from psycopg import sql

from holdfast.access.factor import SECRET_BYTES, secret_of
from holdfast.access.key import Scope
from holdfast.access.person import Who
from holdfast.access.role import Role
from holdfast.access.staff import BlockStaff
from holdfast.access.two_people import Wanted
from holdfast.bootstrap import System, new_id
from holdfast.case.clock import ClockState, Moment, every_clock
from holdfast.effect.effect import Weight
from holdfast.effect.handler import Done, Refused
from holdfast.intake.desk import ShownProof
from holdfast.intake.proof import Claim
from holdfast.log.check import Checked, Difference, FsckMended
from holdfast.match.bank import Action, ChangeAction, DisableBank
from holdfast.match.bankline import Line
from holdfast.match.entry import DisableEntry, GiveOpinion, Opinion, RemoveEntry
from holdfast.media.preview import Preview, Previews
from holdfast.pipeline import Answered
from holdfast.review.finding import Verdict
from holdfast.review.review import Review
from holdfast.review.showing import Viewer
from holdfast.review.showing import Wanted as WantedLook
from holdfast.review.viewing import Step as Look
from holdfast.review.weighing import Weighed
from holdfast.settings import Settings
from holdfast.start import clock
from tests.access.making import digits_of
from tests.conftest import EMPTIED, superuser
from tests.decision.making import concluded, finding
from tests.desk.making import Place, place
from tests.effect.making import NOW as LATER
from tests.effect.making import order, owe
from tests.store.making import ACTOR, NOTHING_TOLD, NOW, TWO, add, answered, create, matched, md5, pdq, record

IMPORTED = 5


def told(system: System, one: Answered) -> None:
    """Record an answer as looked up in the banks as they stand."""
    assert record(system, replace(one, list_version=system.banks.newest_change()))


def weaken(system: System) -> None:
    """Ask for what takes two, three times: agreed to, refused and overdue; and start with less."""
    ann, bob = Who("key:aaaaaaaa", "ann"), Who("key:bbbbbbbb", "bob")
    for who in (ann, bob):
        scopes = frozenset({Scope.PROPOSALS})
        system.keys.create(label="l", scopes=scopes, expires_at=None, actor=ACTOR, person=who.person)
    asked = [
        system.proposals.ask(Wanted(command=DisableBank(), subject=f"bank:{name}", at_version=1), ann, because="x")
        for name in banks_made(system)
    ]
    system.proposals.agree(asked[0].id, bob, because="looked", digest=asked[0].digest)
    system.proposals.refuse(asked[1].id, bob, because="no")
    assert system.proposals.mark_overdue(clock() + timedelta(days=30))
    system.safety.record(Settings(shadow=True), actor=ACTOR)


def banks_made(system: System) -> list[str]:
    """Banks that are only made."""
    names = ["one", "two", "three"]
    for name in names:
        create(system, name)
    return names


def reported(system: System) -> None:
    """A report with a proof, of something that was copied; held, looked at again, and contested. Another, decided."""
    from holdfast.desk import Deciding

    reviews = dict[str, Review]()
    at = place(system, deciding=Deciding(settled=reviews.get))
    address = at.site.publish("mallory")
    at.site.reshare(address, "trent")
    shown = ShownProof(says=frozenset({Claim.BIRTH_DATE}), media_type="image/png", content=b"made by a test")
    receipt = at.report(address, "https://simulated.example/none", words="help", proof=shown)
    at.carry()
    at.wait(timedelta(minutes=2))
    at.carry()
    at.desk.reports.add(receipt.code, "one more thing")
    at.desk.reports.keep_code(receipt.code)
    at.desk.contests.contest(at.told("mallory")[0], "it is mine")
    decided(at, reviews)


def decided(at: Place, reviews: dict[str, Review]) -> None:
    """Something else that was reported, and removed by one person."""
    from holdfast.store.models import CaseItemRow

    address = at.site.publish("oscar")
    at.report(address)
    at.carry()
    upload = at.site.upload(address)
    case = CaseItemRow.objects.get(content_id=upload.content).case_id
    about = {"case": case, "content": upload.content, "version": upload.newest, "effective_at": at.now}
    reviews["rev_1"] = concluded(finding("ann", Verdict.REMOVE), outcome=Weighed.REMOVE, **about)
    assert at.desk.decisions.take("rev_1", []) is None


def hired(system: System) -> None:
    """Somebody who works here, and somebody who does no more."""
    from holdfast.store.models import StaffRow
    from holdfast.store.staff import new_staff

    command, code = new_staff("cleo", roles=frozenset({Role.REVIEWER}), team="night")
    system.staff.change("cleo", command, actor=TWO)
    StaffRow.objects.update(half_for=None)  # whoever agreed would draw the other half of the code
    secret = secret_of(b"x" * SECRET_BYTES)
    system.staff.enrol("cleo", code, "four words of my own", secret=secret, digits=digits_of(secret, clock()))
    command, _ = new_staff("dora", roles=frozenset({Role.SENIOR}), outside=True)
    system.staff.change("dora", command, actor=TWO)
    system.staff.change("dora", BlockStaff("left"), actor=ACTOR)


def looked(system: System) -> None:
    """Somebody who looked at a picture, blurred and then in grey, and did not open another."""
    viewer = Viewer(person="ann", session="s")
    for step in (Look.BLURRED, Look.GREY):
        wanted = WantedLook(case="c", review="r", content="post-1", version="1", step=step, numbers=frozenset({0, 1}))
        found = Previews(
            pictures=tuple(Preview(number=n, content=b"made by a test") for n in range(2)), counted=2, complete=True
        )
        first, _ = system.desk.viewings.give(viewer, wanted, found)
        assert system.desk.viewings.show(viewer, first.token) == b"made by a test"


def clocks(system: System) -> None:
    """Clocks of two subjects: stopped in time and late, missed, alarmed and running."""
    with transaction.atomic(durable=True):
        for case in ("case:1", "case:2"):
            system.clocks.start(case, every_clock(), at=NOW, actor=ACTOR)
        system.clocks.stop("case:1", Moment.ANSWERED, at=NOW + timedelta(minutes=1), actor=ACTOR)
    for hours in (1, 13, 30):
        while system.clocks.mark_due(NOW + timedelta(hours=hours)):
            pass
    with transaction.atomic(durable=True):
        system.clocks.stop("case:1", Moment.LOOKED_AT, at=NOW + timedelta(hours=31), actor=ACTOR)
    assert {item.clock.state for item in system.clocks.of("case:1")} == set(ClockState)


@pytest.fixture(scope="module")
def told_once() -> set[Path]:
    """The databases in which the story is kept beside its tables."""
    return set()


@pytest.fixture
def story(system: System, told_once: set[Path]) -> System:
    """A system in whose every table something has happened: told once, and put back for each test."""
    data = system.settings.data
    if data in told_once:
        put_back(data)
    else:
        tell_it(system)
        keep(data)
        told_once.add(data)
    return system


def keep(data: Path) -> None:
    with psycopg.connect(superuser(data), autocommit=True) as connection:
        connection.execute("drop schema if exists kept cascade")
        connection.execute("create schema kept")
        for table in EMPTIED:
            connection.execute(f"create table kept.{table} as table public.{table}")


def put_back(data: Path) -> None:
    with psycopg.connect(superuser(data), autocommit=True) as connection:
        connection.execute("set session_replication_role = replica")
        connection.execute(f"truncate {', '.join(EMPTIED)}")
        for table in EMPTIED:
            connection.execute(f"insert into public.{table} overriding system value table kept.{table}")
        numbered = connection.execute(
            "select table_name, column_name from information_schema.columns"
            " where table_schema = 'public' and is_identity = 'YES'"
        ).fetchall()
        for table, column in numbered:
            last = f"(select max({column}) from {table})"
            sequence = f"pg_get_serial_sequence('public.{table}', '{column}')"
            connection.execute(f"select setval({sequence}, coalesce({last}, 1), {last} is not null)")


def tell_it(system: System) -> None:
    create(system)
    create(system, "other", action=Action.REVIEW)
    system.banks.change_bank("other", DisableBank(), actor=TWO)
    system.banks.change_bank("bank", ChangeAction(action=Action.REVIEW, because="tests"), actor=TWO)
    first, second = add(system, md5(1), pdq(1)), add(system, md5(2))
    system.banks.change_entry("bank", first.id, GiveOpinion(opinion=Opinion.DISPUTED, because="x"), actor=TWO)
    system.banks.change_entry("bank", second.id, RemoveEntry(because="x"), actor=TWO)
    for number in range(3):
        lines = [Line(n, "", "", (md5(100 * number + n),)) for n in range(10, 10 + IMPORTED)]
        taken = system.imports.run("bank", lines, source="a.csv", provenance="p", actor=ACTOR)
        assert taken.id
        if number == 1:
            system.imports.roll_back("bank", taken.id, because="x", actor=TWO)
        if number == 2:
            one = next(entry for entry in system.banks.entries("bank") if entry.provenance == "p")
            system.banks.change_entry("bank", one.id, DisableEntry(), actor=TWO)
    told(system, answered(uploader="u7"))
    told(system, answered(screening=matched()))
    for _ in range(2):
        told(system, answered("post-2", screening=NOTHING_TOLD))
    told(system, answered("post-3", screening=NOTHING_TOLD))
    told(system, answered("post-3", at=NOW + timedelta(hours=1)))
    system.screenings.mark_overdue(NOW + timedelta(days=30))
    whole = system.keys.create(label="l", scopes=frozenset({Scope.SCREEN}), expires_at=None, actor=ACTOR)
    system.keys.create(label="m", scopes=frozenset(Scope), expires_at=NOW, actor=ACTOR)
    weaken(system)
    system.keys.revoke(whole.split("_")[1], actor=ACTOR)
    owe(system, *[order(f"post-{number}", weight=Weight.PROTECTIVE) for number in range(4)])
    leased = system.effects.lease(["test.act"], most=3, now=LATER)
    system.effects.settle([(leased[0], Done()), (leased[1], Refused("no"))], now=LATER)
    clocks(system)
    system.alarms.acknowledge(system.alarms.standing(limit=1)[0].id, actor=ACTOR)
    reported(system)
    looked(system)
    hired(system)


def examined(system: System, only: str | None = None) -> list[Checked]:
    """What every check says, or that of one table."""
    from holdfast.store.fsck import checks, run

    wanted = [one for one in checks(system.journal.sealer) if only in (None, one.name)]
    assert wanted
    return list(run(wanted))


def first_difference(system: System, only: str | None = None) -> Difference | None:
    return next((one.first for one in examined(system, only) if one.first is not None), None)


def edit(system: System, statement: str, *values: object) -> None:
    """Change a table behind everybody's back: as superuser, with triggers off."""
    with psycopg.connect(superuser(system.settings.data), autocommit=True) as connection:
        connection.execute("set session_replication_role = replica")
        assert connection.execute(statement, values).rowcount != 0, statement


def test_a_story_in_every_table_agrees_with_its_journal(story: System) -> None:
    done = {one.name: one for one in examined(story)}
    assert [one.first for one in done.values() if one.first] == []
    assert all(one.rows for one in done.values()), "every check had something to look at"
    assert done["entry"].rows == 2 + 3 * IMPORTED
    assert done["import contents"].rows == 3
    assert story


KNOWN = {
    "bank": "meaning source threshold action state kind exchange version",
    "bank_import": "from_exchange state begun_by begun_at entries signals refused digest version",
    "entry": "state opinion version",
    "unscreened": "content_id content_version reason state owner since due screening version",
    "screening": "content_id content_version surface verdict reason answer shadow list_version matches asked_by at",
    "proposal": "command command_schema body_record subject at_version person asked_by because_record asked_at owner "
    "due state answered_by answer_record answered_at solo version",
    "settings_in_force": "values accepted version",
    "api_key": "scopes person created_at expires_at revoked_at version",
    "staff": "roles team outside state added_at version",
    "effect": "kind item location weight payload owner most_tries deadline state late asked_by enqueued_at version",
    "alarm": "kind about owner state acknowledged_by raised_at version",
    "report": "reference reporter verified category state elements words_record contact_record ages_record shown cases "
    "contact_stopped code_kept received_at version",
    "reported": "report_id kind address_record uploader_is state content_id content_version case_id version",
    "proof": "report_id state says verified shown_record views received_at version",
    "cases": "category state opened_at version",
    "hold": "case_id content_id content_version location url_record state asked_at confirmed_at looks alarmed version",
    "contest": "case_id content_id account_subject blameless state offered_at version",
    "viewing": "person session case_id review content_id content_version step number pictures at_ms lasts_ms cost "
    "state shown_at version",
    "review": "case_id content_id content_version about state turn asked until findings spoke recused outcome "
    "effective_at sampled opened_at version",
    "decision": "case_id content_id content_version copies kind state review by ground reason reference "
    "found_by_machine shown appealed_in upheld_by made_at version",
    "clock": "subject code state started_at due stops alarm_at owner deputy pages alarms_given next_at stopped_at "
    "version",
    "archive_search": "bank entries bank_import count state owner due late items copies owed_at version",
}
"""Each table with those of its columns that the journal knows."""
CHANGED = {
    "text": "coalesce({0}, '') || 'x'",
    "boolean": "not {0}",
    "jsonb": "'{{\"edited\": [1]}}'::jsonb",
    "timestamp with time zone": "coalesce({0}, now()) + interval '1 microsecond'",
    "integer": "{0} + 1",
    "smallint": "{0} + 1",
    "bigint": "coalesce({0}, 0) + 1",
}
"""How to change a value of each type by as little as can be."""


def test_the_columns_of_these_tests_are_all_that_are_compared(story: System) -> None:
    from holdfast.store.projections import PROJECTIONS

    assert story
    compared = {(one.table, name) for one in PROJECTIONS for name in one.columns if name != "bank_id"}
    assert compared == {(table, name) for table, names in KNOWN.items() for name in names.split()}


@pytest.mark.parametrize("table", KNOWN)
def test_any_edit_of_any_column_is_found_named_and_mended_as_an_event(story: System, table: str) -> None:
    for column in KNOWN[table].split():
        edited_and_mended(story, table, column)
    assert first_difference(story) is None


def edited_and_mended(story: System, table: str, column: str) -> None:
    """Change one value; `fsck` has to name it, and to mend it."""
    from holdfast.store.mend import mend

    key = {"bank": "name", "api_key": "prefix", "staff": "person"}.get(table, "id")
    with psycopg.connect(superuser(story.settings.data)) as connection:
        kinds = connection.execute(
            "select data_type from information_schema.columns where table_name = %s and column_name = %s",
            [table, column],
        ).fetchall()
        # Of an import the journal tells the contents once it was published; of its entries only the signals.
        wanted = {"bank_import": "where state = 'published'", "entry": "where import_id is null"}.get(table, "")
        row = connection.execute(f"select {key} from {table} {wanted} order by {key} limit 1").fetchall()
    change = CHANGED[kinds[0][0]].format(column)
    edit(story, f"update {table} set {column} = {change} where {key} = %s", row[0][0])
    found = first_difference(story, table)
    assert found is not None, column
    assert (found.table, found.key, found.column) == (table, row[0][0], column)
    assert found.journal != found.found
    before = story.banks.newest_change()
    assert mend(found, new_id=new_id, actor=ACTOR, at=clock()) == (column,)
    connections["owner"].close()
    assert first_difference(story, table) is None
    assert (story.banks.newest_change() > before) == (table in ("bank", "bank_import", "entry"))


@pytest.mark.parametrize(
    "table",
    [
        "unscreened",
        "screening",
        "api_key",
        "proposal",
        "settings_in_force",
        "effect",
        "alarm",
        "clock",
        "archive_search",
        "entry",
    ],
)
def test_a_row_that_is_gone_is_found_and_left_to_people(story: System, table: str) -> None:
    from holdfast.store.mend import mend

    key = "prefix" if table == "api_key" else "id"
    only = "where import_id is null" if table == "entry" else ""
    edit(story, f"delete from {table} where {key} = (select max({key}) from {table} {only})")
    found = first_difference(story)
    assert found is not None
    assert (found.table, found.column, found.journal, found.found) == (table, key, "there", None)
    assert not found.mends
    assert mend(found, new_id=new_id, actor=ACTOR, at=clock()) == ()
    connections["owner"].close()


def test_a_row_that_no_event_made_is_found(story: System) -> None:
    edit(
        story,
        "insert into api_key (prefix, secret_digest, label, scopes, version, created_at)"
        " values ('zzzzzzzz', 'd', 'a back door', '[\"screen\"]', 1, now())",
    )
    found = first_difference(story)
    assert found is not None
    assert (found.table, found.key, found.journal, found.found) == ("api_key", "zzzzzzzz", None, "there")


@pytest.mark.parametrize(
    "statement",
    [
        "update entry_signal set value = repeat('0', 32) where id = (select max(id) from entry_signal)",
        "delete from entry_signal where id = (select max(id) from entry_signal)",
        "delete from entry where id = (select id from entry where import_id is not null and version = 0 limit 1)",
    ],
)
def test_what_an_import_brought_in_cannot_be_changed_unseen(story: System, statement: str) -> None:
    edit(story, statement)
    found = first_difference(story)
    assert found is not None
    assert found.check == "import contents"


def test_a_signal_of_an_entry_added_by_itself_cannot_be_changed_unseen(story: System) -> None:
    edit(
        story,
        "update entry_signal set value = repeat('0', 32) where id = (select min(s.id) from entry_signal s"
        " join entry e on e.id = s.entry_id where e.import_id is null and s.type = 'md5')",
    )
    found = first_difference(story)
    assert found is not None
    assert (found.table, found.column, found.mends) == ("entry", "signals", False)


@pytest.mark.parametrize(
    ("statement", "check"),
    [
        ("delete from journal where subject = 'bank:bank' and version = 1", "journal"),
        ("update journal set version = 7 where subject = 'bank:bank' and version = 2", "journal"),
        ("update journal set tag = 'bank.enabled', body = '{}' where subject = 'bank:bank' and version = 2", "bank"),
        ("update journal set tag = 'bank.unheard_of' where subject = 'bank:bank' and version = 2", "bank"),
    ],
)
def test_a_journal_that_cannot_be_folded_is_found(story: System, statement: str, check: str) -> None:
    edit(story, statement)
    first = next(one for one in examined(story) if one.first is not None)
    assert first.name == check
    assert first.first is not None
    assert "bank:bank" in first.first.key


def test_mending_says_what_it_did_in_the_journal(story: System) -> None:
    from holdfast.store.mend import mend

    edit(story, "update bank set threshold = 3, state = 'disabled' where name = 'bank'")
    found = first_difference(story)
    assert found is not None
    assert set(mend(found, new_id=new_id, actor=ACTOR, at=clock())) == {"threshold", "state"}
    connections["owner"].close()
    with psycopg.connect(superuser(story.settings.data)) as connection:
        made = connection.execute(
            sql.SQL("select body, actor from journal where tag = {}").format(sql.Literal(FsckMended.tag))
        ).fetchall()
    ((body, by),) = made
    assert (body["table"], body["key"], set(body["columns"]), by) == ("bank", "bank", {"threshold", "state"}, ACTOR)
    assert story.banks.get("bank").threshold == 31


def test_nothing_is_written_while_comparing(story: System) -> None:
    with psycopg.connect(superuser(story.settings.data)) as connection:
        before = connection.execute("select pg_current_xact_id_if_assigned(), txid_current()").fetchall()[0][1]
        examined(story)
        after = connection.execute("select txid_snapshot_xmax(txid_current_snapshot())").fetchall()[0][0]
    assert after <= before + 1
