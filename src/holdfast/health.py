# SPDX-License-Identifier: Apache-2.0
"""The examinations behind `doctor`. Each does the thing it judges; none takes a setting's word for it."""

from __future__ import annotations

import ctypes
import os
import shutil
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum
from pathlib import Path
from typing import Final

import psycopg
from django.db import Error as DjangoDatabaseError
from django.db import connection, transaction

from holdfast import pipeline
from holdfast.access.key import ENOUGH_PEOPLE, Scope
from holdfast.adapters.checkpoint_copy import CheckpointCopy
from holdfast.adapters.listener import listening
from holdfast.adapters.log_folder import checked_head
from holdfast.alarm.alarm import AlarmState
from holdfast.alarm.kinds import AlarmKind
from holdfast.alarm.telling import channel_subject
from holdfast.bootstrap import System, new_id
from holdfast.demo.client import Client
from holdfast.demo.pictures import encoded, hills
from holdfast.effect.handler import Done
from holdfast.errors import DependencyError, HoldfastError
from holdfast.intake.content import Content
from holdfast.intake.upload import Upload, from_bytes
from holdfast.keep_archive import sound_shelf
from holdfast.log.checkpoint import parse_checkpoint
from holdfast.match import bank as banks
from holdfast.match.index import LayeredIndex
from holdfast.match.known import CHANNEL
from holdfast.match.look import look, signals_to_bank
from holdfast.match.signal import SignalType
from holdfast.media import probe, sandbox, video
from holdfast.media.filetype import PICTURES, VIDEOS
from holdfast.media.plane import Watched
from holdfast.media.reason import NotDecoded
from holdfast.media.samples import sample
from holdfast.media.video_samples import video_sample
from holdfast.origin import read_address
from holdfast.review.eligible import lacking
from holdfast.settings import SandboxPolicy, env_name
from holdfast.start import clock

CANARY_BANK: Final = "holdfast-canary"
_CANARY_SEED, _STRANGER_SEED = 424242, 242424
_CANARY_SIZE: Final = (800, 600)
_LEAST_FREE_BYTES: Final = 5 * 1024**3
_MOST_CLOCK_SECONDS: Final = 1.0
_CLOCK_NOT_SYNCHRONISED: Final = 5
_SPOOL_FULL: Final = 0.8
_NOTIFICATION_SECONDS: Final = 2.0
_PROCESS_SHOWN: Final = timedelta(minutes=1)
_OLD_KEY_DAYS: Final = 365
_SLOW_EFFECT_SECONDS: Final = 60.0
_ALARMS_SHOWN: Final = 1000
_MOST_UNSIGNED_SECONDS: Final = 10.0
_THIS_MACHINE: Final = frozenset({"127.0.0.1", "[::1]", "localhost"})


class Grade(StrEnum):
    """How an examination ended."""

    GOOD = "good"
    WEAKER = "weaker"
    """It works, but could protect better."""
    WRONG = "wrong"
    """It does not do what it must."""


@dataclass(frozen=True, slots=True)
class Finding:
    """What was examined, how it stands, and what was found or is to be done."""

    what: str
    grade: Grade
    says: str


def examine(system: System, *, actor: str) -> list[Finding]:
    """Every examination, in order. One that fails by itself is a finding, not the end."""
    findings: list[Finding] = []
    examinations: tuple[tuple[str, Callable[[], Iterator[Finding]]], ...] = (
        ("sandbox", lambda: _sandbox(system)),
        ("codecs", lambda: _codecs(system)),
        ("database", _database),
        ("index", lambda: _index(system)),
        ("notifications", lambda: _notifications(system)),
        ("processes", lambda: _processes(system)),
        ("clock", _clock),
        ("disk", lambda: _disk(system)),
        ("sealing", lambda: sealing(system)),
        ("answered later", lambda: _later(system)),
        ("platform", lambda: _platform(system)),
        ("settings", lambda: _settings(system)),
        ("settings: two people", lambda: _accepted(system)),
        ("people", lambda: _people(system)),
        ("staff", lambda: _staff(system)),
        ("unscreened holds", lambda: _unscreened(system)),
        ("effects", lambda: _effects(system)),
        ("backwards searches", lambda: _searches(system)),
        ("alarms", lambda: _alarms(system)),
        ("alarm channel", lambda: _channels(system)),
        ("clocks", lambda: _clocks(system)),
        ("production", lambda: _production(system)),
        ("log", lambda: _log(system)),
        ("canary", lambda: _canary(system, actor)),
    )
    for what, examination in examinations:
        try:
            findings.extend(examination())
        except (HoldfastError, DjangoDatabaseError, psycopg.Error, OSError) as fault:
            findings.append(Finding(what, Grade.WRONG, f"could not be examined: {type(fault).__name__}: {fault}"))
    return findings


def _sandbox(system: System) -> Iterator[Finding]:
    for layer in sandbox.layers():
        tried = layer.name in probe.LAYERS
        if layer.present and (not tried or probe.holds(layer.name)):
            yield Finding(
                f"sandbox: {layer.name}", Grade.GOOD, "refused what it must, just now" if tried else "in force"
            )
            continue
        needed = layer.name == "seccomp" and system.settings.sandbox is SandboxPolicy.REQUIRE
        yield Finding(f"sandbox: {layer.name}", Grade.WRONG if needed else Grade.WEAKER, f"missing: {layer.without_it}")


def _codecs(system: System) -> Iterator[Finding]:
    for kind in PICTURES:
        outcome = _decode(system, sample(kind))
        if isinstance(outcome, NotDecoded):
            yield Finding(f"codec: {kind}", Grade.WRONG, f"its own sample is not read: {outcome.reason}")
        else:
            yield Finding(f"codec: {kind}", Grade.GOOD, "reads its sample in the sandbox")
    yield from _video_codecs(system)


def _video_codecs(system: System) -> Iterator[Finding]:
    if not video.is_available():
        says = "every video is held unseen: install Holdfast with its extra `video` (PyAV)"
        yield Finding("codec: video", Grade.WEAKER, says)
        return
    for kind in VIDEOS:
        content = video_sample(kind)
        received = from_bytes(content, len(content))
        assert isinstance(received, Upload)
        with received:
            outcome = system.decoder.watch(received, lambda _frame: None)
        seen = isinstance(outcome, Watched) and not outcome.missed
        says = "watches its sample in the sandbox" if seen else f"its own sample is not watched: {outcome}"
        yield Finding(f"codec: {kind}", Grade.GOOD if seen else Grade.WRONG, says)


def _decode(system: System, content: bytes) -> object:
    received = from_bytes(content, len(content))
    assert isinstance(received, Upload)
    with received:
        return system.decoder.decode(received)


def _database() -> Iterator[Finding]:
    with connection.cursor() as cursor:
        cursor.execute("select version(), current_user")
        version, user = cursor.fetchone()
    where = "given by DATABASE_URL" if os.environ.get("DATABASE_URL") else "embedded"
    yield Finding("database", Grade.GOOD, f"{' '.join(version.split()[:2])}, {where}, as {user}")
    for statement in (
        "update journal set actor = actor where false",
        "delete from journal where false",
        "truncate journal",
    ):
        yield _refused(statement)


def _refused(statement: str) -> Finding:
    verb = statement.split(maxsplit=1)[0].upper()
    try:
        with transaction.atomic(), connection.cursor() as cursor:
            cursor.execute(statement)
            transaction.set_rollback(True)
    except DjangoDatabaseError as refusal:
        by_rights = "permission denied" in str(refusal)
        if by_rights:
            return Finding(f"journal: {verb}", Grade.GOOD, "refused to the app role")
        says = "refused by a trigger only: let DATABASE_URL name a role that does not own the tables"
        return Finding(f"journal: {verb}", Grade.WEAKER, says)
    return Finding(
        f"journal: {verb}", Grade.WRONG, "the app role may do this; run 'holdfast serve' once with DATABASE_OWNER_URL"
    )


def sealing(system: System) -> Iterator[Finding]:
    """Where the keys of what is sealed are, who else may read them, how old the one in use is, and whether it opens."""
    path, keyring = system.keyrings.path, system.keyrings.read()
    yield Finding(
        "sealing: keyring", Grade.GOOD, f"{path}, kept by {system.keyrings.keeper.kind}; keep a copy elsewhere"
    )
    mode = path.stat().st_mode | path.parent.stat().st_mode & 0o022
    private = mode & 0o077 == 0
    says = "readable by its owner alone" if private else f"others may read or replace it: chmod 600 {path}"
    yield Finding("sealing: rights", Grade.GOOD if private else Grade.WRONG, says)
    yield _apart(system, path)
    days = (clock() - keyring.used.made_at).days
    says = f"{keyring.used.id} is {days} days old"
    old = days > _OLD_KEY_DAYS
    yield Finding(
        "sealing: age", Grade.WEAKER if old else Grade.GOOD, f"{says}: holdfast sealed rotate" if old else says
    )
    counts = system.sealed.count()
    missing = [key["id"] for key in counts.keys if key["id"] not in keyring.keys]
    says = f"missing: {', '.join(missing)}" if missing else f"opens the data keys of {counts.subjects:,} subjects"
    yield Finding("sealing: complete", Grade.WRONG if missing else Grade.GOOD, says)


def _apart(system: System, path: Path) -> Finding:
    """Whether whoever takes the database's disk has the keys too."""
    cluster = system.settings.data / "postgres"
    together = system.keyrings.keeper.kind == "file" and cluster.exists() and _volume(cluster) == _volume(path)
    says = (
        "on the database's own volume: set HOLDFAST_KEYRING to another one, or HOLDFAST_KEYRING_IDENTITY"
        if together
        else "not in clear on a volume of the database here"
    )
    return Finding("sealing: apart", Grade.WEAKER if together else Grade.GOOD, says)


def _volume(path: Path) -> int:
    return path.stat().st_dev


def _index(system: System) -> Iterator[Finding]:
    began = time.perf_counter()
    stored = system.index_folder.read()
    level = (
        system.known.adopt(LayeredIndex(stored.segments), stored.level, stored.radius)
        if stored
        else system.known.follow()
    )
    seconds = time.perf_counter() - began
    says = f"{len(system.known):,} perceptual hashes loaded in {seconds:.2f} s, level with bank change {level.number}"
    yield Finding("index", Grade.GOOD, says)
    counted = system.banks.count_perceptual()
    same = counted == len(system.known) or system.banks.newest_level() != level
    says = "holds what the database holds" if same else f"holds {len(system.known):,}, the database {counted:,}"
    yield Finding("index: complete", Grade.GOOD if same else Grade.WRONG, says)


def _notifications(system: System) -> Iterator[Finding]:
    """Listen as every process does, notify as a bank change does, and wait."""
    url = system.settings.database_listen_url or system.settings.database_url
    assert url is not None
    with listening(url, CHANNEL) as direct:
        with connection.cursor() as cursor:
            cursor.execute("select pg_notify(%s, '')", [CHANNEL])
        heard = any(True for _ in direct.notifies(timeout=_NOTIFICATION_SECONDS, stop_after=1))
    says = "a round trip came back" if heard else "none came back: let DATABASE_LISTEN_URL reach PostgreSQL directly"
    yield Finding("notifications", Grade.GOOD if heard else Grade.WEAKER, says)


def _processes(system: System) -> Iterator[Finding]:
    """Whether every process that screens is level."""
    newest = system.banks.newest_change()
    for seen in system.processes.heard_of(within=_PROCESS_SHOWN):
        stale = seen.silent_seconds > system.settings.bank_stale_seconds
        level = f"level with bank change {seen.ready_to} of {newest}"
        says = f"pid {seen.pid} on {seen.host}, heard of {seen.silent_seconds:.1f} s ago, {level}"
        yield Finding(f"process: {seen.kind}", Grade.WEAKER if stale else Grade.GOOD, says)


def _clock() -> Iterator[Finding]:
    with connection.cursor() as cursor:
        cursor.execute("select clock_timestamp()")
        apart = abs((cursor.fetchone()[0] - clock()).total_seconds())
    good = apart <= _MOST_CLOCK_SECONDS
    yield Finding(
        "clock: database", Grade.GOOD if good else Grade.WRONG, f"{apart * 1000:.0f} ms apart from this machine"
    )
    # adjtimex(2) with modes 0 only reads; the state 5 means that nothing keeps the clock right.
    state = ctypes.CDLL(None).adjtimex(ctypes.byref((ctypes.c_char * 256)()))
    if state == _CLOCK_NOT_SYNCHRONISED:
        yield Finding(
            "clock: synchronised", Grade.WEAKER, "nothing keeps this clock right: install chrony or systemd-timesyncd"
        )
    else:
        yield Finding("clock: synchronised", Grade.GOOD, "kept right by a time service")


def _disk(system: System) -> Iterator[Finding]:
    folder = system.settings.data
    while not folder.exists():
        folder = folder.parent
    free = shutil.disk_usage(folder).free
    enough = free >= _LEAST_FREE_BYTES
    yield Finding("disk", Grade.GOOD if enough else Grade.WEAKER, f"{free / 1024**3:.1f} GiB free at {folder}")


def _later(system: System) -> Iterator[Finding]:
    """What waits to be answered later, how much room is left for more, and who is told."""
    spool, counts = system.spool, system.long.count_open()
    used = spool.used() if spool.folder.exists() else 0
    says = f"{used / 1024**2:,.0f} of {spool.budget / 1024**2:,.0f} MiB used; "
    says += f"{counts['waiting']} wait, {counts['running']} run"
    yield Finding("spool", Grade.GOOD if used < _SPOOL_FULL * spool.budget else Grade.WEAKER, says)
    url = system.settings.webhook_url
    if url is None:
        yield Finding("webhook", Grade.GOOD, "none is set: who was answered 202 asks GET /v1/screenings/ID")
    elif url.startswith("https://"):
        yield Finding("webhook", Grade.GOOD, "set, signed, over TLS")
    else:
        yield Finding("webhook", Grade.WEAKER, "set and signed, but not over TLS: let it begin with https://")


def _platform(system: System) -> Iterator[Finding]:
    """Whether the platform answers a signed call that asks for nothing, and how safe that is."""
    settings = system.settings
    if system.platform is None or settings.platform_url is None:
        says = "none is set: nothing that was reported is put out of reach; HOLDFAST_PLATFORM_URL, docs/platform.md"
        yield Finding("platform", Grade.WEAKER, says)
        return
    began = time.perf_counter()
    try:
        system.platform.resolve(new_id("doctor"), [])
    except DependencyError as fault:
        yield Finding("platform", Grade.WRONG, f"does not answer: {fault}. {fault.advice}")
    else:
        yield Finding("platform", Grade.GOOD, f"answers, signed, in {(time.perf_counter() - began) * 1000:.0f} ms")
    address = read_address(settings.platform_url)
    if address and address.origin.scheme == "http" and address.origin.host not in _THIS_MACHINE:
        says = "bytes and codes travel without TLS: let HOLDFAST_PLATFORM_URL begin with https://"
        yield Finding("platform: TLS", Grade.WEAKER, says)
    sites = settings.platform_sites.replace(",", ", ")
    says = f"looked at as a stranger: {sites}" if sites else "it is taken at its word: set HOLDFAST_PLATFORM_SITES"
    yield Finding("platform: sites", Grade.GOOD if sites else Grade.WEAKER, says)


def _settings(system: System) -> Iterator[Finding]:
    settings = system.settings
    if settings.shadow:
        yield Finding(
            "shadow mode", Grade.WRONG, "ON: everything is answered publish; unset HOLDFAST_SHADOW to protect"
        )
    if os.geteuid() == 0:
        says = "the web part runs as root (decoders and database do not): run Holdfast as a user of its own"
        yield Finding("user", Grade.WEAKER, says)
    if settings.hma_open_to:
        says = f"open without a key to {settings.hma_open_to}: prefer a proxy that adds one (docs/hma.md)"
        yield Finding("HMA interface", Grade.WEAKER, says)
    if settings.listens_beyond_this_machine:
        host = settings.listen.rpartition(":")[0].strip("[]")
        says = f"listens on {host} without TLS: put a proxy with TLS in front, and let Holdfast listen on 127.0.0.1"
        yield Finding("network", Grade.WEAKER, says)


def _accepted(system: System) -> Iterator[Finding]:
    """Whether two people stand behind what the last start made weaker."""
    found = system.safety.found()
    weak = found.weakened if found else ()
    if weak:
        names = ", ".join(map(env_name, weak))
        says = f"weaker than two people accepted: {names}; set it right, or 'holdfast settings accept'"
        yield Finding("settings: two people", Grade.WRONG, says)


def _people(system: System) -> Iterator[Finding]:
    """How many could agree to what weakens."""
    people, settings = sorted(system.keys.people().now), system.settings
    if len(people) >= ENOUGH_PEOPLE:
        yield Finding("people", Grade.GOOD, f"{len(people)} can ask and agree: {', '.join(people)}")
    else:
        says = f"{len(people)} known ({', '.join(people) or 'nobody'}): nothing can be weakened; name a second one "
        yield Finding("people", Grade.WEAKER, says + "with 'holdfast key create LABEL --scope proposals --for PERSON'")
    if settings.solo:
        says = f"ON: a person who is alone may weaken after {settings.solo_hours:g} hours; unset HOLDFAST_SOLO"
        yield Finding("solo mode", Grade.WEAKER, says)
    overdue = system.proposals.count_overdue()
    if overdue:
        yield Finding("proposals", Grade.WEAKER, f"{overdue} overdue; see 'holdfast proposals list'")


def _staff(system: System) -> Iterator[Finding]:
    """What the people who work here cannot settle: nothing is let go by time, so it would stay held."""
    here = system.staff.colleagues()
    if not here:
        says = "nobody works here: nobody looks at what is held; 'holdfast staff add NAME --role reviewer'"
        yield Finding("staff", Grade.WEAKER, says)
        return
    lacks = lacking(here)
    grade = Grade.WEAKER if lacks else Grade.GOOD
    yield Finding(
        "staff", grade, "; ".join(lacks) or f"{len(here)} people: a first, a second and a third look can be had"
    )


def _unscreened(system: System) -> Iterator[Finding]:
    counts = system.screenings.count_unscreened()
    grade = Grade.WRONG if counts["overdue"] else Grade.GOOD
    yield Finding(
        "unscreened holds", grade, f"{counts['open']} open, {counts['overdue']} overdue; see GET /v1/unscreened"
    )


def _effects(system: System) -> Iterator[Finding]:
    lag = system.effect_desk.lag()
    slow = lag.oldest_seconds > _SLOW_EFFECT_SECONDS
    grade = Grade.WRONG if lag.quarantined or lag.late else Grade.WEAKER if slow else Grade.GOOD
    oldest = f", the oldest for {lag.oldest_seconds:.0f} s" if lag.waiting else ""
    says = f"{lag.waiting} owed{oldest}; {lag.quarantined} quarantined, {lag.late} late; see 'holdfast effects list'"
    yield Finding("effects", grade, says)


def _searches(system: System) -> Iterator[Finding]:
    """Whether what banks began to match was searched for, how, and where new entries are looked up."""
    counts = system.search_desk.count_open()
    grade = Grade.WRONG if counts["late"] or counts["unproven"] else Grade.GOOD
    says = f"{counts['open']} open, {counts['late']} late, {counts['unproven']} not found when looked up"
    yield Finding("backwards searches", grade, f"{says}; see 'holdfast searches list'")
    shelf = sound_shelf(system.archive_folder)
    says = f"{shelf.items:,} items in {len(shelf.leaves)} sheets" if shelf else "no sheets yet: the table is walked"
    yield Finding("backwards searches: sheets", Grade.GOOD, says)
    path = system.settings.self_test_url
    says = f"new entries are looked up at {path} too" if path else "new entries are looked up in the worker alone"
    yield Finding("backwards searches: proof", Grade.GOOD, says)


def _alarms(system: System) -> Iterator[Finding]:
    standing = system.alarms.standing(limit=_ALARMS_SHOWN)
    unseen = sum(item.alarm.state is AlarmState.RAISED for item in standing)
    grade = Grade.WRONG if unseen else Grade.WEAKER if standing else Grade.GOOD
    more = " or more" if len(standing) == _ALARMS_SHOWN else ""
    says = f"{len(standing)}{more} standing, {unseen} of them seen by nobody; see 'holdfast alarms list'"
    yield Finding("alarms", grade, says)


def _channels(system: System) -> Iterator[Finding]:
    """Whether alarms reach somebody: each channel is tried as far as it goes without telling anything."""
    if not system.channels:
        says = "none: alarms stand in the log and in 'holdfast alarms list' alone; set HOLDFAST_ALARM_EMAIL with "
        yield Finding("alarm channel", Grade.WEAKER, says + "HOLDFAST_ALARM_SMTP, or HOLDFAST_ALARM_URL")
    standing = system.alarms.standing(limit=_ALARMS_SHOWN)
    silent = {item.alarm.about for item in standing if item.alarm.kind == AlarmKind.CHANNEL_SILENT}
    for name, channel in system.channels.items():
        reached, what = channel.reach(), f"alarm channel: {name}"
        if channel_subject(name) in silent:
            says = f"{channel.where} did not take messages lately; 'holdfast alarms test' says what it answers"
            yield Finding(what, Grade.WRONG, says)
        elif not isinstance(reached.outcome, Done):
            says = f"{channel.where} does not answer: {reached.untrusted_said or reached.outcome.fault}; "
            yield Finding(what, Grade.WRONG, says + "then try 'holdfast alarms test'")
        elif not channel.is_private:
            yield Finding(what, Grade.WEAKER, f"{channel.where}, but not over TLS: let it begin with https://")
        else:
            yield Finding(what, Grade.GOOD, f"{channel.where} answers; 'holdfast alarms test' sends a message")


def _clocks(system: System) -> Iterator[Finding]:
    """How many clocks run, and how many of those were missed."""
    counts = system.clocks.count_running()
    says = f"{counts.running} running, {counts.missed} missed; see 'holdfast clocks list'"
    yield Finding("clocks", Grade.WRONG if counts.missed else Grade.GOOD, says)


def _production(system: System) -> Iterator[Finding]:
    """Whether this is meant for users, and what it then goes without because somebody said so."""
    settings = system.settings
    if not settings.production:
        beyond = settings.listens_beyond_this_machine
        says = "off: for trying out" if not beyond else "off, yet others than this machine reach it: "
        says += "set HOLDFAST_PRODUCTION=yes, which insists on what protects" if beyond else ""
        yield Finding("production", Grade.WEAKER if beyond else Grade.GOOD, says)
        return
    yield Finding("production", Grade.GOOD, "on: it does not start without an alarm channel or with screening off")
    for name in ("production_without_alarms", "production_shadow"):
        if getattr(settings, name):
            yield Finding(f"production: {env_name(name)}", Grade.WEAKER, "set: what production insists on is waived")


def _log(system: System) -> Iterator[Finding]:
    """The signed log: whether it is signed here and keeps up, and whether anything of it stands outside."""
    note, unsigned = system.log_folder.published(), _unsigned_seconds(system)
    if note is None:
        yield Finding("log", Grade.WEAKER, "nothing is signed on this machine yet; a worker does it, see log_stopped")
    else:
        head = checked_head(note, system.log_folder.identity().keys)
        late = unsigned > _MOST_UNSIGNED_SECONDS
        says = f"{head.size} entries signed; the oldest row that is not signed has waited {unsigned:.0f} s"
        yield Finding("log", Grade.WRONG if late else Grade.GOOD, says)
    if system.settings.checkpoint_copy:
        held = CheckpointCopy(system.settings.checkpoint_copy).held()
        says = f"the copy outside holds {held.size} entries" if held else "nothing lies at HOLDFAST_CHECKPOINT_COPY yet"
        yield Finding("log: copy outside", Grade.GOOD if held else Grade.WEAKER, says)
    else:
        says = "checkpoints stand on this machine alone, so its owner could show another past; HOLDFAST_CHECKPOINT_COPY"
        yield Finding("log: copy outside", Grade.WEAKER, says)
    stamps = bool(system.settings.timestamp_url)
    says = "checkpoints are stamped" if stamps else "no authority: all times are this clock's; HOLDFAST_TIMESTAMP_URL"
    yield Finding("log: timestamps", Grade.GOOD if stamps else Grade.WEAKER, says)


def _unsigned_seconds(system: System) -> float:
    """How long the oldest journal row without a place in the signed log has waited, by the database's clock."""
    note = system.log_folder.published()
    size = parse_checkpoint(note).size if note else 0
    with connection.cursor() as cursor:
        cursor.execute(
            "select coalesce(extract(epoch from now() - min(j.at)), 0)::float8 from journal j"
            " left join log_leaf l on l.journal_id = j.id where l.index is null or l.index >= %s",
            [size],
        )
        return float(cursor.fetchone()[0])


def _canary(system: System, actor: str) -> Iterator[Finding]:
    """Screen a disguised built-in picture and a stranger, through the server if it runs."""
    known = hills(_CANARY_SEED, _CANARY_SIZE)
    _ensure_canary(system, encoded(known), actor)
    disguised = encoded(known.resize((640, 480)), quality=60)
    stranger = encoded(hills(_STRANGER_SEED, _CANARY_SIZE))
    try:
        answers, how = _through_server(system, (disguised, stranger), actor), "through the running server"
    except DependencyError:
        answers, how = _through_pipeline(system, (disguised, stranger), actor), "in this process: no server is running"
    for name, answer, expected in zip(("known picture", "other picture"), answers, ("hold", "publish"), strict=True):
        grade = Grade.GOOD if answer == expected else Grade.WRONG
        yield Finding(f"canary: {name}", grade, f"answered {answer}, must be {expected}; {how}")


def _ensure_canary(system: System, content: bytes, actor: str) -> None:
    if not any(summary.bank.name == CANARY_BANK for summary in system.banks.all_banks()):
        about = banks.CreateBank(name=CANARY_BANK, meaning="a benign picture for self-tests", source="built in")
        system.banks.change_bank(CANARY_BANK, about, actor=actor)
    if any(signal.type is SignalType.PDQ for entry in system.banks.entries(CANARY_BANK) for signal in entry.signals):
        return
    received = from_bytes(content, len(content))
    assert isinstance(received, Upload)
    with received:
        signals = signals_to_bank(look(received, system.decoder), exact_only=False)
    system.banks.add_entries(CANARY_BANK, [(signals, "built in")], actor=actor)


def _through_server(system: System, uploads: tuple[bytes, ...], actor: str) -> list[str]:
    """The answers of the running server, with a key that lives for a minute. Raises DependencyError if none runs."""
    Client(system.settings.listen, "", timeout=5).call("GET", "/health/live")
    ends = clock() + timedelta(minutes=1)
    key = system.keys.create(label="doctor", scopes=frozenset({Scope.SCREEN}), expires_at=ends, actor=actor)
    client = Client(system.settings.listen, key)
    replies = [client.call("POST", "/screen", body=upload, content_id="canary", surface="doctor") for upload in uploads]
    system.keys.revoke(key.split("_")[1], actor=actor)
    return [str(reply.body.get("answer", reply.body.get("code"))) for reply in replies]


def _through_pipeline(system: System, uploads: tuple[bytes, ...], actor: str) -> list[str]:
    answers = []
    for upload in uploads:
        received = from_bytes(upload, len(upload))
        assert isinstance(received, Upload)
        with received:
            content = Content(id="canary", surface="doctor")
            body = pipeline.screen(received, content, asked_by=actor, once=None, parts=system.parts())
        answers.append(str(body["answer"]))
    return answers
