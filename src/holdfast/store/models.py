# SPDX-License-Identifier: Apache-2.0
"""The tables. `journal` is the truth and append-only; the others are projections of it, or service.

Column meanings stand in the database too (`db_comment`), for whoever reads it without us.
"""

from __future__ import annotations

from typing import ClassVar

from django.contrib.postgres.functions import RandomUUID
from django.contrib.postgres.indexes import GinIndex
from django.db import models
from django.db.models.functions import Now


class RandomSalt(models.Func):
    """32 bytes from the database's own source of randomness, of which 244 bits are random."""

    template = "uuid_send(gen_random_uuid()) || uuid_send(gen_random_uuid())"
    output_field = models.BinaryField()


class TransactionId(models.BigIntegerField):  # type: ignore[type-arg]  # at run time it takes none
    """PostgreSQL's 64-bit number of a transaction, which never comes again within one database cluster."""

    def db_type(self, connection: object) -> str:  # noqa: ARG002  # Django's form
        """The column's type."""
        return "xid8"


class CurrentTransaction(models.Func):
    """The number of the transaction that inserts the row."""

    template = "pg_current_xact_id()"
    output_field = TransactionId()


class JournalRow(models.Model):
    """One event of one subject. The app role may only INSERT and SELECT; a trigger refuses the rest to everyone."""

    id = models.BigAutoField(primary_key=True)
    subject = models.TextField(db_comment="what it happened to: noun:id")
    version = models.IntegerField(db_comment="the n-th event of this subject, from 1")
    tag = models.TextField(db_comment="what happened, past tense: docs/events.md")
    schema = models.SmallIntegerField(db_comment="the form of body")
    body = models.JSONField(db_comment="what the event carries")
    actor = models.TextField(db_comment="who did it: key:PREFIX, cli:USER, system:PART, or proposal:ID for two people")
    at = models.DateTimeField(db_comment="when, by this system's clock, UTC")
    salt = models.BinaryField(db_comment="hides the body in the log's commitment to it", db_default=RandomSalt())
    xact = TransactionId(db_comment="the transaction that wrote it", db_default=CurrentTransaction())

    class Meta:
        """Table."""

        db_table = "journal"
        indexes: ClassVar = [models.Index(fields=["xact", "id"], name="journal_xact")]
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["subject", "version"], name="journal_subject_version"),
            models.CheckConstraint(condition=models.Q(version__gte=1), name="journal_version_from_1"),
        ]


class LogLeafRow(models.Model):
    """One leaf of the Merkle log. Only the sequencer writes it; a trigger refuses all changes to everyone."""

    index = models.BigIntegerField(primary_key=True, db_comment="its place in the log, from 0, without gaps")
    journal_id = models.BigIntegerField(unique=True, db_comment="the journal row it stands for")
    subject = models.TextField(db_comment="that row's subject")
    version = models.IntegerField(db_comment="that row's version")
    leaf_hash = models.BinaryField(db_comment="RFC 6962 hash of the leaf's canonical bytes")

    class Meta:
        """Table."""

        db_table = "log_leaf"
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["subject", "version"], name="log_leaf_subject_version"),
            models.CheckConstraint(condition=models.Q(index__gte=0), name="log_leaf_index_from_0"),
        ]


class LogCursorRow(models.Model):
    """From which transaction on the sequencer must still look for journal rows without a leaf. One row."""

    id = models.SmallIntegerField(primary_key=True)
    xact = models.BigIntegerField(db_comment="everything written by an older transaction has its leaf")
    cluster = models.TextField(db_comment="the database cluster whose transaction numbers these are")

    class Meta:
        """Table."""

        db_table = "log_cursor"


class LogHeadRow(models.Model):
    """One signed checkpoint, as it was published. The truth about the last one is the file beside the key."""

    size = models.BigIntegerField(primary_key=True)
    note = models.TextField(db_comment="the signed note")
    at = models.DateTimeField(db_default=Now())

    class Meta:
        """Table."""

        db_table = "log_head"


class LogTimestampRow(models.Model):
    """A token of a timestamp authority over one signed checkpoint."""

    id = models.BigAutoField(primary_key=True)
    size = models.BigIntegerField(db_index=True, db_comment="of which checkpoint")
    token = models.BinaryField(db_comment="RFC 3161 response, DER")
    at = models.DateTimeField(db_comment="the authority's time")

    class Meta:
        """Table."""

        db_table = "log_timestamp"


class BankChange(models.Model):
    """One committed bank change. Numbers are drawn under an advisory lock; the app role may only add and read."""

    number = models.BigIntegerField(primary_key=True)
    token = models.UUIDField(
        db_default=RandomUUID(), db_comment="tells it from a change of the same number after a restore"
    )
    at = models.DateTimeField(db_default=Now())

    class Meta:
        """Table."""

        db_table = "bank_change"


class ProcessRow(models.Model):
    """A process that screens, as it last said of itself; it is alive while `heard_at` is fresh."""

    id = models.TextField(primary_key=True)
    kind = models.TextField(db_comment="web or worker")
    host = models.TextField()
    pid = models.IntegerField()
    started_at = models.DateTimeField(db_default=Now())
    heard_at = models.DateTimeField(db_default=Now(), db_comment="by the database's clock")
    ready_to = models.BigIntegerField(null=True, db_comment="the bank change it has followed to")
    perceptual_signals = models.BigIntegerField(default=0)

    class Meta:
        """Table."""

        db_table = "process"


class ArchiveRow(models.Model):
    """The signals that a screened item left behind, for searches that run backwards; kept for a time only."""

    # In the order of its bytes: whoever follows the archive compares places too, and must agree with the database.
    screening = models.TextField(primary_key=True, db_collation="C")
    content_id = models.TextField()
    content_version = models.TextField()
    surface = models.TextField()
    verdict = models.TextField()
    md5 = models.BinaryField(db_comment="of the received bytes; empty if the platform hashed them")
    sha1 = models.BinaryField()
    sha256 = models.BinaryField()
    hashes = models.BinaryField(db_comment="its PDQ hashes, 32 bytes each, as the index holds them")
    frames = models.BinaryField(
        db_comment="of a film, its frames as a bank keeps them: hash, milliseconds, quality; 40 bytes each",
        db_default=b"",
    )
    at = models.DateTimeField(db_index=True)
    xact = TransactionId(
        db_comment="the transaction that wrote it: its place, with its screening", db_default=CurrentTransaction()
    )

    class Meta:
        """Table."""

        db_table = "archive"
        indexes: ClassVar = [
            models.Index(fields=["xact", "screening"], name="archive_place"),
            models.Index(fields=["md5"], name="archive_md5"),
            models.Index(fields=["sha1"], name="archive_sha1"),
            models.Index(fields=["sha256"], name="archive_sha256"),
            models.Index(fields=["content_id"], name="archive_content"),
        ]


class ArchiveMarkRow(models.Model):
    """What a folder of sheets rests on: written with its horizon, so that a database that was set back lacks it."""

    token = models.UUIDField(primary_key=True, db_default=RandomUUID())
    cluster = models.TextField(db_comment="the database cluster whose transaction numbers these are")
    horizon = models.BigIntegerField(db_comment="no transaction before it was open any more")
    at = models.DateTimeField(db_default=Now(), db_index=True)

    class Meta:
        """Table."""

        db_table = "archive_mark"


class ArchiveSearchRow(models.Model):
    """A backwards search as it stands, and how far it has come."""

    id = models.TextField(primary_key=True)
    bank = models.TextField()
    entries = models.JSONField(db_comment="ids of what it looks for; none: what an import brought, or the whole bank")
    bank_import = models.TextField(null=True, db_comment="the import, if it looks for what one brought")
    count = models.IntegerField(db_comment="how many entries, when it was owed")
    state = models.TextField(db_comment="owed, running, searched, unproven, blocked or withdrawn")
    owner = models.TextField()
    due = models.DateTimeField(db_comment="after it, its owner is alarmed")
    late = models.BooleanField(default=False)
    items = models.BigIntegerField(null=True, db_comment="archived items to look at")
    copies = models.BigIntegerField(default=0, db_comment="of these, how many match")
    version = models.IntegerField(db_comment="its last journal version")
    owed_at = models.DateTimeField()
    ended_at = models.DateTimeField(null=True, db_comment="when every item was looked at")
    blocked_at = models.DateTimeField(null=True, db_comment="when it was proven")
    taken = models.IntegerField(default=0, db_comment="how often it was taken up; fences all but the last")
    free_from = models.DateTimeField(null=True, db_comment="end of the lease or of a pause; null: at once")
    cluster = models.TextField(default="", db_comment="the database cluster whose transaction numbers these are")
    upto = models.BigIntegerField(default=0, db_comment="items of later transactions were screened against it")
    after_signal = models.BigIntegerField(default=0, db_comment="signals up to this one have been through")
    place_xact = models.BigIntegerField(default=0, db_comment="with the next: the first item not looked at yet")
    place_screening = models.TextField(default="")
    looked_at = models.BigIntegerField(
        default=0, db_comment="items looked at for the signals that are being looked for"
    )
    fault = models.TextField(null=True, db_comment="of the last step that failed, a short word")

    class Meta:
        """Table."""

        db_table = "archive_search"
        indexes: ClassVar = [
            models.Index(
                fields=["count", "owed_at"],
                name="archive_search_open",
                condition=models.Q(state__in=["owed", "running", "searched", "unproven"]),
            ),
            models.Index(fields=["owed_at"], name="archive_search_owed"),
            GinIndex(fields=["entries"], name="archive_search_entries", opclasses=["jsonb_path_ops"]),
        ]


class ArchiveHitRow(models.Model):
    """An archived item that a backwards search found: once for each search, with the entry nearest to it."""

    id = models.BigAutoField(primary_key=True)
    search = models.TextField()
    screening = models.TextField()
    content_id = models.TextField()
    content_version = models.TextField()
    surface = models.TextField()
    verdict = models.TextField(db_comment="what was answered then")
    screened_at = models.DateTimeField()
    entry = models.TextField()
    signal = models.TextField()
    distance = models.SmallIntegerField()
    signals = models.IntegerField(db_comment="how many signals of the entry lie near it")
    at = models.DateTimeField(db_comment="when it was found")
    asked_at = models.DateTimeField(null=True, db_comment="when the platform said where the item is")

    class Meta:
        """Table."""

        db_table = "archive_hit"
        constraints: ClassVar = [models.UniqueConstraint(fields=["search", "screening"], name="archive_hit_once")]
        indexes: ClassVar = [models.Index(fields=["content_id"], name="archive_hit_content")]


class BankRow(models.Model):
    """A bank as it stands."""

    name = models.TextField(primary_key=True)
    meaning = models.TextField()
    source = models.TextField()
    threshold = models.SmallIntegerField(db_comment="largest PDQ distance that counts as a match")
    action = models.TextField(null=True, db_comment="what a match leads to; a benign bank has none")
    state = models.TextField()
    kind = models.TextField(default="known", db_comment="known or benign")
    exchange = models.TextField(null=True, db_comment="the exchange that alone changes its entries, if one does")
    least_frames = models.SmallIntegerField(default=3, db_comment="of a known video, in its order, that make a match")
    least_seconds = models.FloatField(default=2.0, db_comment="of a known video that must be covered with them")
    query_percent = models.FloatField(default=80.0, db_comment="vPDQ: of the upload's frames, which make a match too")
    compared_percent = models.FloatField(default=0.0, db_comment="vPDQ: of the known video's frames, beside those")
    version = models.IntegerField(db_comment="its last journal version")
    changed_in = models.BigIntegerField(db_index=True, db_comment="the bank change that last touched it")

    class Meta:
        """Table."""

        db_table = "bank"


class BankImportRow(models.Model):
    """A file's way into a bank. Its entries count only while it is published."""

    id = models.TextField(primary_key=True)
    bank = models.ForeignKey(BankRow, on_delete=models.PROTECT, related_name="imports")
    source = models.TextField(null=True, db_comment="in clear, from before there were sealed records; sealed at start")
    source_record = models.TextField(
        null=True, db_comment="the sealed record: the file, and where what it says is from"
    )
    provenance_subject = models.TextField(
        null=True, db_comment="the sealed subject of what the file says about where its entries come from"
    )
    from_exchange = models.BooleanField(db_comment="whether whoever imported it says that the exchange made it")
    state = models.TextField(db_comment="staging, published, rolled_back or abandoned")
    begun_by = models.TextField(db_comment="the actor who began it")
    entries = models.BigIntegerField(db_comment="staged so far; final once published")
    signals = models.BigIntegerField(db_comment="the same")
    refused = models.BigIntegerField(db_comment="lines and signals that were not taken")
    digest = models.TextField(null=True, db_comment="SHA-256 over its sorted signals, once published")
    version = models.IntegerField(db_comment="its last journal version")
    changed_in = models.BigIntegerField(
        db_index=True, db_comment="the bank change that published it or rolled it back; 0 before"
    )
    begun_at = models.DateTimeField()
    touched_at = models.DateTimeField(db_comment="its last sign of life while it is staged")

    class Meta:
        """Table."""

        db_table = "bank_import"


class EntryRow(models.Model):
    """An entry of a bank as it stands; removed ones stay, so that followers see the removal."""

    id = models.TextField(primary_key=True)
    bank = models.ForeignKey(BankRow, on_delete=models.PROTECT, related_name="entries", db_index=False)
    provenance = models.TextField(
        null=True, db_comment="in clear, from before there were sealed records; sealed at start"
    )
    provenance_record = models.TextField(
        null=True, db_comment="the sealed record that says where the knowledge is from"
    )
    state = models.TextField()
    opinion = models.TextField(null=True, db_comment="the latest: confirmed or disputed")
    imported_in = models.ForeignKey(
        BankImportRow, null=True, on_delete=models.PROTECT, db_column="import_id", related_name="+", db_index=False
    )
    version = models.IntegerField(db_comment="its last journal version; 0 if only its import is journaled")
    changed_in = models.BigIntegerField(
        db_index=True, db_comment="the bank change that last touched it; 0 if only its import did"
    )
    added_at = models.DateTimeField()

    class Meta:
        """Table."""

        db_table = "entry"
        # Named here: what Django makes for a text key comes with a second index for LIKE, which nobody asks.
        indexes: ClassVar = [
            models.Index(fields=["bank", "changed_in"], name="entry_bank"),
            models.Index(fields=["imported_in"], name="entry_import", condition=models.Q(imported_in__isnull=False)),
        ]


class EntrySignalRow(models.Model):
    """One signal of an entry, or one frame of a known video; its id is its label in the index."""

    id = models.BigAutoField(primary_key=True)
    # The constraint below has an index that begins with the entry; another would only slow imports down.
    entry = models.ForeignKey(EntryRow, on_delete=models.PROTECT, related_name="signals", db_index=False)
    type = models.TextField()
    value = models.TextField()
    frame = models.IntegerField(null=True, db_comment="of a video: the how manieth frame that is kept, from 0")
    at_ms = models.IntegerField(null=True, db_comment="of a video: when the frame is shown")
    quality = models.SmallIntegerField(null=True, db_comment="of a video: the frame's, 0 to 100")

    class Meta:
        """Table."""

        db_table = "entry_signal"
        indexes: ClassVar = [models.Index(fields=["value", "type"], name="entry_signal_value")]
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["entry", "type", "value", "frame"], name="entry_signal_once", nulls_distinct=False
            ),
        ]


class ScreeningRow(models.Model):
    """One answer that was given."""

    id = models.TextField(primary_key=True)
    content_id = models.TextField()
    content_version = models.TextField()
    surface = models.TextField()
    uploader = models.TextField(
        null=True, db_comment="in clear, from before there were sealed records; sealed at start"
    )
    uploader_subject = models.TextField(null=True, db_comment="the sealed subject that holds the platform's reference")
    verdict = models.TextField(db_comment="matched, no_match or not_screened")
    reason = models.TextField(null=True, db_comment="why it was not screened")
    answer = models.TextField(db_comment="publish or hold, as it was sent")
    shadow = models.BooleanField(db_comment="whether the answer was publish because shadow mode was on")
    list_version = models.BigIntegerField(db_comment="the bank change it was looked up in")
    matches = models.JSONField()
    asked_by = models.TextField()
    at = models.DateTimeField()

    class Meta:
        """Table."""

        db_table = "screening"
        indexes: ClassVar = [models.Index(fields=["content_id", "content_version"], name="screening_content")]


class LongScreeningRow(models.Model):
    """An upload that is answered later. Its answer, once there is one, is the screening of the same id."""

    id = models.TextField(primary_key=True)
    content_id = models.TextField()
    content_version = models.TextField()
    surface = models.TextField()
    uploader = models.TextField(
        null=True, db_comment="in clear, from before there were sealed records; sealed at start"
    )
    uploader_subject = models.TextField(null=True, db_comment="the sealed subject that holds the platform's reference")
    named = models.BooleanField(db_comment="whether the platform named the item")
    asked_by = models.TextField()
    api_key = models.TextField(null=True, db_comment="with idempotency_key: what the request may be repeated with")
    idempotency_key = models.TextField(null=True)
    spool = models.TextField(db_comment="which spool holds the upload: only processes that see it can read it")
    file = models.TextField(db_comment="its name there")
    fingerprint = models.TextField(db_comment="what any change to the file would change")
    size = models.BigIntegerField()
    md5 = models.TextField(db_comment="of the received bytes; forgotten at the end")
    sha1 = models.TextField()
    sha256 = models.TextField()
    state = models.TextField(db_comment="waiting, running, answered or held_for_person")
    taken = models.IntegerField(default=0, db_comment="how often it was taken up; fences all but the last")
    free_from = models.DateTimeField(null=True, db_comment="end of the lease or of a pause; null: at once")
    seconds_seen = models.FloatField(default=0.0, db_comment="of the video, by the present taking")
    seconds_total = models.FloatField(null=True, db_comment="of the video, as the file says")
    received_at = models.DateTimeField()
    due = models.DateTimeField(db_comment="when somebody is to be alarmed")
    ended_at = models.DateTimeField(null=True)
    answer = models.JSONField(null=True, db_comment="the whole answer, as one that is given at once")
    version = models.IntegerField(db_comment="its last journal version")

    class Meta:
        """Table."""

        db_table = "long_screening"
        indexes: ClassVar = [
            models.Index(
                fields=["spool", "received_at"],
                name="long_screening_open",
                condition=models.Q(state__in=["waiting", "running"]),
            ),
        ]
        constraints: ClassVar = [models.UniqueConstraint(fields=["spool", "file"], name="long_screening_file")]


class UnscreenedRow(models.Model):
    """An item held only because it could not be screened."""

    id = models.TextField(primary_key=True)
    content_id = models.TextField()
    content_version = models.TextField()
    reason = models.TextField()
    state = models.TextField()
    owner = models.TextField()
    since = models.DateTimeField()
    due = models.DateTimeField()
    screening = models.TextField(db_comment="the screening that last said so")
    version = models.IntegerField(db_comment="its last journal version")

    class Meta:
        """Table."""

        db_table = "unscreened"
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["content_id", "content_version"],
                condition=~models.Q(state="settled"),
                name="unscreened_once_open",
            ),
        ]
        indexes: ClassVar = [models.Index(fields=["state", "due"], name="unscreened_due")]


class ApiKeyRow(models.Model):
    """An API key; of the secret only the digest is kept."""

    prefix = models.TextField(primary_key=True)
    secret_digest = models.TextField(db_comment="SHA-256 of the secret: 128 random bits need no slow hash")
    label = models.TextField(null=True, db_comment="in clear, from before there were sealed records; sealed at start")
    label_record = models.TextField(null=True, db_comment="the sealed record that says what the key is for")
    scopes = models.JSONField()
    person = models.TextField(
        null=True, db_index=True, db_comment="who answers for what it does; null can only protect"
    )
    half_for = models.TextField(
        null=True, db_comment="the proposal that was agreed to: whoever agreed draws the other half of the secret"
    )
    half_digest = models.TextField(null=True, db_comment="SHA-256 of that half, once it was drawn")
    version = models.IntegerField()
    created_at = models.DateTimeField()
    expires_at = models.DateTimeField(null=True)
    revoked_at = models.DateTimeField(null=True)

    class Meta:
        """Table."""

        db_table = "api_key"


class ProposalRow(models.Model):
    """What somebody asked for that weakens protection, and what became of it."""

    id = models.TextField(primary_key=True)
    command = models.TextField(db_comment="the name of what was asked for")
    command_schema = models.SmallIntegerField(db_comment="the form of body")
    body_record = models.TextField(db_comment="the sealed record of the command itself")
    subject = models.TextField(db_comment="what it is about: noun:id")
    at_version = models.IntegerField(db_comment="the subject's journal version when it was asked for")
    person = models.TextField(db_comment="who asked")
    asked_by = models.TextField(db_comment="the actor who asked")
    because_record = models.TextField(db_comment="the sealed record that says why")
    asked_at = models.DateTimeField()
    owner = models.TextField()
    due = models.DateTimeField()
    state = models.TextField(db_comment="asked, overdue, agreed, refused, withdrawn or overtaken")
    answered_by = models.TextField(null=True, db_comment="the actor who ended it")
    answer_record = models.TextField(null=True, db_comment="the sealed record with the words of whoever ended it")
    answered_at = models.DateTimeField(null=True)
    solo = models.BooleanField(default=False, db_comment="agreed to by the asker, alone, in solo mode")
    version = models.IntegerField(db_comment="its last journal version")

    class Meta:
        """Table."""

        db_table = "proposal"
        indexes: ClassVar = [
            models.Index(fields=["state", "due"], name="proposal_due"),
            models.Index(fields=["subject"], name="proposal_subject"),
        ]


class SettingsRow(models.Model):
    """The settings that protect, as the last `serve` of this database had them; one row."""

    id = models.TextField(primary_key=True)
    values = models.JSONField()
    accepted = models.JSONField(db_comment="the same, except what was made weaker and two people have not accepted yet")
    version = models.IntegerField(db_comment="its last journal version")

    class Meta:
        """Table."""

        db_table = "settings_in_force"


class IdempotencyRow(models.Model):
    """The first answer to a request that carried an Idempotency-Key."""

    id = models.BigAutoField(primary_key=True)
    api_key = models.TextField()
    idempotency_key = models.TextField()
    request_digest = models.TextField()
    status = models.SmallIntegerField()
    body = models.JSONField()
    at = models.DateTimeField(db_index=True)

    class Meta:
        """Table."""

        db_table = "idempotency"
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["api_key", "idempotency_key"], name="idempotency_once"),
        ]


class EffectRow(models.Model):
    """One act on the world outside, in the line of its item at its location."""

    id = models.TextField(primary_key=True, db_comment="also the idempotency key of the call it makes")
    kind = models.TextField()
    item = models.TextField()
    location = models.TextField()
    place = models.BigIntegerField(db_comment="in the line of its item at its location, from 1")
    weight = models.TextField(db_comment="protective, neutral or releasing")
    payload = models.JSONField(db_comment="ids by name; nothing personal")
    owner = models.TextField(db_comment="who is alarmed")
    state = models.TextField()
    tries = models.IntegerField(default=0, db_comment="begun so far; since the last retry by a person")
    most_tries = models.IntegerField()
    fence = models.BigIntegerField(default=0, db_comment="tells one lease from the next")
    ready_at = models.DateTimeField(db_comment="when it may be leased, or the lease ends; by the database's clock")
    deadline = models.DateTimeField(db_comment="after it, its owner is alarmed")
    late = models.BooleanField(default=False)
    asked_by = models.TextField(null=True, db_comment="who wants to give it up")
    fault = models.TextField(null=True, db_comment="of the last try that failed, a short word")
    version = models.IntegerField(db_comment="its last journal version")
    enqueued_at = models.DateTimeField()

    class Meta:
        """Table."""

        db_table = "effect"
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["item", "location", "place"], name="effect_place"),
        ]
        indexes: ClassVar = [
            models.Index(
                fields=["item", "location", "place"],
                name="effect_line",
                condition=models.Q(state__in=["waiting", "leased", "quarantined", "giving_up"]),
            ),
            models.Index(fields=["ready_at"], name="effect_ready", condition=models.Q(state__in=["waiting", "leased"])),
            models.Index(
                fields=["deadline"],
                name="effect_deadline",
                condition=models.Q(state__in=["waiting", "leased"], late=False),
            ),
            models.Index(
                fields=["enqueued_at"],
                name="effect_quarantined",
                condition=models.Q(state__in=["quarantined", "giving_up"]),
            ),
        ]


class AlarmRow(models.Model):
    """Something that its owner has to look at."""

    id = models.TextField(primary_key=True)
    kind = models.TextField()
    about = models.TextField(db_comment="the journal's subject that it is about")
    owner = models.TextField()
    state = models.TextField(db_comment="raised, acknowledged or cleared")
    acknowledged_by = models.TextField(null=True)
    raised_at = models.DateTimeField()
    tell_again_at = models.DateTimeField(
        null=True, db_comment="when it is told again unless somebody acknowledges it; null: never"
    )
    version = models.IntegerField(db_comment="its last journal version")

    class Meta:
        """Table."""

        db_table = "alarm"
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["kind", "about"], condition=~models.Q(state="cleared"), name="alarm_once_open"
            ),
        ]
        indexes: ClassVar = [
            models.Index(fields=["about"], name="alarm_about", condition=~models.Q(state="cleared")),
            models.Index(fields=["tell_again_at"], name="alarm_again", condition=models.Q(tell_again_at__isnull=False)),
        ]


class ClockRow(models.Model):
    """One clock of one subject: what must have happened by when, on the terms on which it started."""

    id = models.TextField(primary_key=True)
    subject = models.TextField(db_comment="what it runs for: noun:id")
    code = models.TextField(db_comment="which duty: docs/clocks.md")
    state = models.TextField(db_comment="running, alarmed, missed, stopped or stopped_late")
    started_at = models.DateTimeField()
    due = models.DateTimeField(db_comment="its limit, or its target if the source gives no limit")
    stops = models.TextField(db_comment="the moment that stops it")
    alarm_at = models.JSONField(db_comment="when its owner is alarmed, one after the other")
    owner = models.TextField()
    deputy = models.TextField()
    pages = models.BooleanField(db_comment="whether its alarms are urgent")
    alarms_given = models.IntegerField(default=0, db_comment="how many of those times are over and told")
    next_at = models.DateTimeField(null=True, db_comment="when somebody is alarmed next; null: never again")
    stopped_at = models.DateTimeField(null=True)
    version = models.IntegerField(db_comment="its last journal version")

    class Meta:
        """Table."""

        db_table = "clock"
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["subject", "code"],
                name="clock_once_running",
                condition=models.Q(stopped_at__isnull=True),
            ),
        ]
        indexes: ClassVar = [
            models.Index(fields=["next_at"], name="clock_next", condition=models.Q(next_at__isnull=False)),
            models.Index(fields=["subject"], name="clock_subject"),
            models.Index(fields=["due"], name="clock_running", condition=models.Q(stopped_at__isnull=True)),
        ]


class SealedKekRow(models.Model):
    """A key-encryption key that some data key is, or may be, wrapped with. The key itself is never here."""

    id = models.TextField(primary_key=True, db_comment="a digest of the key")
    state = models.TextField(db_comment="next, used or retiring")
    version = models.IntegerField(db_comment="its last journal version")
    made_at = models.DateTimeField()

    class Meta:
        """Table."""

        db_table = "sealed_kek"


class SealedSubjectRow(models.Model):
    """Whose personal data some sealed records hold. Its row stays when it is erased; what opens it does not."""

    id = models.TextField(primary_key=True, db_comment="random; tells nothing")
    kind = models.TextField(db_comment="text (about anybody) or uploader")
    finds = models.BinaryField(null=True, db_comment="HMAC of the platform's reference, under a key in the keyring")
    wrapped_key = models.BinaryField(null=True, db_comment="the data key, wrapped; null once erased")
    # Its constraint is made by hand, not deferred: what is wrapped with a key that is gone must fail at once.
    kek = models.ForeignKey(
        SealedKekRow, null=True, on_delete=models.PROTECT, related_name="+", db_constraint=False, db_index=False
    )
    state = models.TextField(db_comment="sealed or erased")
    version = models.IntegerField(db_comment="its last journal version; 0 while nothing happened to it")
    made_at = models.DateTimeField()

    class Meta:
        """Table."""

        db_table = "sealed_subject"
        constraints: ClassVar = [models.UniqueConstraint(fields=["finds"], name="sealed_subject_finds")]
        indexes: ClassVar = [models.Index(fields=["kek", "id"], name="sealed_subject_kek")]


class SealedRecordRow(models.Model):
    """One sealed value: AES-256-GCM under its subject's data key; null once erased."""

    id = models.TextField(primary_key=True)
    subject = models.ForeignKey(SealedSubjectRow, on_delete=models.PROTECT, related_name="records", db_index=False)
    field = models.TextField(db_comment="what it is, such as bank.entry.added.provenance")
    schema = models.SmallIntegerField(db_comment="the form of the value")
    sealed = models.BinaryField(null=True, db_comment="nonce, ciphertext of salt and value, tag")
    commitment = models.TextField(db_comment="SHA-256 over salt and value, as the journal has it")

    class Meta:
        """Table."""

        db_table = "sealed_record"
        indexes: ClassVar = [models.Index(fields=["subject"], name="sealed_record_subject")]


from holdfast.store.decision_models import DecisionRow  # noqa: E402
from holdfast.store.report_models import (  # noqa: E402  # Django finds an app's models in this module
    CaseItemRow,
    CaseRow,
    ContestRow,
    HoldRow,
    ProofRow,
    ReportedRow,
    ReportRow,
    ViewsRow,
)
from holdfast.store.review_models import ReviewRow  # noqa: E402  # the same
from holdfast.store.staff_models import StaffRow, StaffSessionRow  # noqa: E402
from holdfast.store.viewing_models import ViewingAddressRow, ViewingRow  # noqa: E402

__all__ = [
    "CaseItemRow",
    "CaseRow",
    "ContestRow",
    "DecisionRow",
    "HoldRow",
    "ProofRow",
    "ReportRow",
    "ReportedRow",
    "ReviewRow",
    "StaffRow",
    "StaffSessionRow",
    "ViewingAddressRow",
    "ViewingRow",
    "ViewsRow",
]
