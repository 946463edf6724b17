# SPDX-License-Identifier: Apache-2.0
"""The one error tree: a stable code, a sentence for people, what to do, and whether asking again helps.

    HoldfastError
    ├── InputError                 what was sent cannot be used          (HTTP 422 unless said otherwise)
    │   ├── InvalidRequest           request.invalid
    │   ├── InvalidSignal            input.signal
    │   ├── InvalidBankFile          input.bank_file
    │   ├── UploadNotCompared        hma.not_compared
    │   ├── AddressNotFetched        hma.address_not_fetched
    │   ├── BackupUnusable           input.backup
    │   ├── ProofInvalid             log.proof_invalid
    │   ├── UnreadableFile           input.file
    │   └── InvalidName              input.name
    ├── AccessError                who is asking may not                  (401, 403)
    │   ├── KeyMissing               access.key_missing
    │   ├── KeyRefused               access.key_refused
    │   ├── CodeRefused              access.code_refused
    │   ├── SignInRefused            access.sign_in_refused
    │   ├── ScopeMissing             access.scope_missing
    │   ├── PersonMissing            access.person_missing
    │   └── SecondPersonNeeded       access.second_person
    ├── NotFound                   the thing named does not exist         (404)
    │   ├── BankUnknown              bank.unknown
    │   ├── EntryUnknown             entry.unknown
    │   ├── ImportUnknown            import.unknown
    │   ├── ScreeningUnknown         screening.unknown
    │   ├── StaffUnknown             staff.unknown
    │   ├── KeyUnknown               key.unknown
    │   ├── SealedUnknown            sealed.unknown
    │   ├── ProposalUnknown          proposal.unknown
    │   ├── EffectUnknown            effect.unknown
    │   ├── AlarmUnknown             alarm.unknown
    │   ├── CaseUnknown              case.unknown
    │   ├── ReceiptUnknown           report.unknown
    │   ├── ProofUnknown             proof.unknown
    │   ├── ReviewUnknown            review.unknown
    │   ├── SearchUnknown            search.unknown
    │   ├── SubjectUnknown           log.subject_unknown
    │   └── AddressUnknown           request.address_unknown
    ├── ConflictError              true, but not now or not twice         (409)
    │   ├── Refused                  the code of the Refusal it carries
    │   ├── TargetNotEmpty           backup.target_not_empty
    │   ├── MethodNotAllowed         request.method                       (405)
    │   ├── IdempotencyConflict      request.idempotency_conflict
    │   ├── ShownOnce                report.shown_once
    │   └── AnswerLost               request.answer_lost
    ├── DependencyError            another part failed; asking again is safe (503)
    │   ├── NotReady                 screening.not_ready
    │   ├── AnswerPending            request.answer_pending
    │   ├── DecoderUnavailable       dependency.decoder
    │   ├── DatabaseUnavailable      dependency.database
    │   ├── NoRoom                   upload.no_room
    │   ├── JournalConflict          journal.conflict
    │   ├── NotLoggedYet             log.not_yet
    │   ├── LogElsewhere             log.elsewhere
    │   ├── TimestampUnavailable     dependency.timestamp
    │   ├── PlatformAway             dependency.platform
    │   └── PlatformRefused          dependency.platform_refused
    │       └── PlatformGone         dependency.platform_gone
    ├── ConfigurationError         this machine or its settings must change first
    │   ├── InvalidSetting           config.setting
    │   ├── DataUnreachable          config.data_unreachable
    │   ├── PostgresMissing          config.postgres_missing
    │   ├── PostgresVersion          config.postgres_version
    │   ├── DataInUse                config.data_in_use
    │   ├── OwnerNeeded              config.owner_needed
    │   ├── SandboxMissing           config.sandbox_missing
    │   ├── SealingKeyMissing        config.sealing_key
    │   ├── SealedDamaged            config.sealed_damaged
    │   ├── PortTaken                config.port_taken
    │   ├── NoAlarmChannel           config.no_alarm_channel
    │   └── ScreeningOff             config.screening_off
    ├── LogDiverged                log.diverged                         (500)
    └── InternalError                internal                             (500)

A class docstring is the sentence; the web edge alone turns a class into an HTTP status. Nothing
here is raised for "the picture could not be screened": that is an outcome with a type of its own
(`holdfast.match.screen.NotScreened`), never an exception a caller could mistake for "no match". Only HMA's
answers have no room for it: there it is UploadNotCompared.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar


@dataclass(frozen=True, slots=True)
class Refusal:
    """A decider's "no": which rule said so, in words. A value, because a refusal is not a failure."""

    code: str
    because: str


class HoldfastError(Exception):
    """Something went wrong that Holdfast has a name for."""

    code: ClassVar[str] = "holdfast"
    advice: ClassVar[str] = "See the detail above."
    retry: ClassVar[bool] = False

    def __init__(self, detail: str = "") -> None:
        """Keep `detail`: what exactly is wrong this time, safe to show, without secrets or content."""
        super().__init__(detail)
        self.detail = detail

    @property
    def stable_code(self) -> str:
        """The code that programs may rely on."""
        return self.code

    @property
    def sentence(self) -> str:
        """The class docstring's first line: what this kind of error means."""
        return (type(self).__doc__ or "").strip().splitlines()[0]

    def __str__(self) -> str:
        """The detail if there is one, else the sentence."""
        return self.detail or self.sentence


class InputError(HoldfastError):
    """What was sent cannot be used."""

    code = "input"


class InvalidRequest(InputError):
    """The request does not have the form this address takes."""

    code = "request.invalid"
    advice = "Correct the fields named in the detail; the OpenAPI document lists every field."


class InvalidSignal(InputError):
    """A signal is not a usable hash of its type."""

    code = "input.signal"
    advice = "Check its length, its alphabet and its source; hashes that match everything are refused."


class InvalidBankFile(InputError):
    """The file cannot be read as a list of bank entries."""

    code = "input.bank_file"
    advice = (
        "Send CSV with the header signal_type,value or JSON lines with those fields; docs/integrating.md shows both."
    )


class UploadNotCompared(InputError):
    """The file could not be compared in full, so "no match" would not be true."""

    code = "hma.not_compared"
    advice = "Do not publish it. POST /v1/screen gives such a file a reason, an owner and a clock."


class AddressNotFetched(InputError):
    """Holdfast fetches nothing from other addresses."""

    code = "hma.address_not_fetched"
    advice = "Send the file itself, as the form field photo or video."


class BackupUnusable(InputError):
    """The backup cannot be restored, or not all of it came back."""

    code = "input.backup"
    advice = "Use another backup; docs/backup.md says what belongs to one."


class ProofInvalid(InputError):
    """What was given does not prove what it says."""

    code = "log.proof_invalid"
    advice = "Do not rely on it; keep it, and ask who gave it to you for the original."


class UnreadableFile(InputError):
    """A file cannot be read as what it should be."""

    code = "input.file"
    advice = "Check its path and that it is the whole file, as it was handed out."


class InvalidName(InputError):
    """A name has characters or a length that cannot be used."""

    code = "input.name"
    advice = "Use 1 to 64 letters, digits, '-' and '_', beginning with a letter or digit."


class AccessError(HoldfastError):
    """Whoever is asking may not do this."""

    code = "access"


class KeyMissing(AccessError):
    """The request carries no API key."""

    code = "access.key_missing"
    advice = "Send 'Authorization: Bearer KEY'; make one with 'holdfast key create'."


class KeyRefused(AccessError):
    """The API key is unknown, expired or revoked."""

    code = "access.key_refused"
    advice = "Make a new one with 'holdfast key create'."


class CodeRefused(AccessError):
    """Name and code do not begin an account: they are wrong, were used, or are older than a day."""

    code = "access.code_refused"
    advice = "Ask whoever gave you the code for another one."


class SignInRefused(AccessError):
    """Name, password and digits do not open an account together."""

    code = "access.sign_in_refused"
    advice = "Use the digits that are shown now. After ten tries wait a quarter of an hour."


class ScopeMissing(AccessError):
    """The API key is good, but not for this."""

    code = "access.scope_missing"
    advice = "Make a key with the scope named in the detail."


class PersonMissing(AccessError):
    """What weakens protection takes two known people, and no known person stands behind this."""

    code = "access.person_missing"
    advice = (
        "Use a key that was made with 'holdfast key create --for PERSON'; on the command line, PERSON is the account."
    )


class SecondPersonNeeded(AccessError):
    """This weakens protection, so a second person must agree; nothing was changed."""

    code = "access.second_person"
    advice = "Another person looks at it and agrees: 'holdfast proposals list', or GET /v1/proposals."

    def __init__(self, detail: str = "", *, wanted: object = None) -> None:
        """Carry what was wanted (`holdfast.access.two_people.Wanted`) to the door that can ask for it."""
        super().__init__(detail)
        self.wanted = wanted


class NotFound(HoldfastError):
    """The thing named does not exist."""

    code = "not_found"


class BankUnknown(NotFound):
    """There is no bank of that name."""

    code = "bank.unknown"
    advice = "'holdfast bank list' names them; 'holdfast bank create' makes one."


class EntryUnknown(NotFound):
    """There is no such entry in that bank."""

    code = "entry.unknown"
    advice = "'holdfast bank export' lists the entries of a bank with their ids."


class ImportUnknown(NotFound):
    """There is no such import in that bank."""

    code = "import.unknown"
    advice = "'holdfast bank imports' lists the imports of a bank with their ids."


class ScreeningUnknown(NotFound):
    """There is no screening with that id."""

    code = "screening.unknown"
    advice = "Use the id that the answer to POST /v1/screen carried."


class StaffUnknown(NotFound):
    """Nobody of that name has an account here."""

    code = "staff.unknown"
    advice = "'holdfast staff list' names those who do."


class KeyUnknown(NotFound):
    """There is no API key with that prefix."""

    code = "key.unknown"
    advice = "'holdfast key list' names the prefixes."


class SealedUnknown(NotFound):
    """There is no such sealed subject or record."""

    code = "sealed.unknown"
    advice = "'holdfast sealed find' gives the id of a person's subject."


class ProposalUnknown(NotFound):
    """There is no proposal with that id."""

    code = "proposal.unknown"
    advice = "'holdfast proposals list' names them."


class EffectUnknown(NotFound):
    """There is no effect with that id."""

    code = "effect.unknown"
    advice = "'holdfast effects list' names those that are not done."


class AlarmUnknown(NotFound):
    """There is no alarm with that id."""

    code = "alarm.unknown"
    advice = "'holdfast alarms list' names those that stand."


class CaseUnknown(NotFound):
    """There is no case with that id."""

    code = "case.unknown"
    advice = "'holdfast cases list' names them."


class ReceiptUnknown(NotFound):
    """There is no report with these words."""

    code = "report.unknown"
    advice = "Check each word against what you wrote down. If the words are lost, report again: it will be joined."


class ProofUnknown(NotFound):
    """There is no proof with that id, or what it showed was erased."""

    code = "proof.unknown"
    advice = "'holdfast proofs list --all' names them."


class ReviewUnknown(NotFound):
    """There is no review with that id."""

    code = "review.unknown"
    advice = "'holdfast reviews list --all' names them."


class SearchUnknown(NotFound):
    """There is no backwards search with that id."""

    code = "search.unknown"
    advice = "'holdfast searches list' names them."


class SubjectUnknown(NotFound):
    """The journal holds nothing about a subject of that name."""

    code = "log.subject_unknown"
    advice = "Write it as the journal does, such as screening:scr_... or bank:NAME."


class AddressUnknown(NotFound):
    """There is nothing at this address."""

    code = "request.address_unknown"
    advice = "GET /v1/openapi.json lists every address."


class ConflictError(HoldfastError):
    """True, but not now or not twice."""

    code = "conflict"


class Refused(ConflictError):
    """The rules of the thing itself do not allow this in its present state."""

    code = "refused"
    advice = "The detail names the rule; docs/states.md shows what is allowed in which state."

    def __init__(self, refusal: Refusal) -> None:
        """Carry the decider's refusal to whoever asked."""
        super().__init__(refusal.because)
        self.refusal = refusal

    @property
    def stable_code(self) -> str:
        """The refusal's own code."""
        return self.refusal.code


class TargetNotEmpty(ConflictError):
    """There is something already where this would be written."""

    code = "backup.target_not_empty"
    advice = "Name a folder or a database that is empty: nothing is ever overwritten."


class MethodNotAllowed(ConflictError):
    """This address exists, but does not take this method."""

    code = "request.method"
    advice = "GET /v1/openapi.json lists the methods of every address."


class IdempotencyConflict(ConflictError):
    """This Idempotency-Key was already used for another request."""

    code = "request.idempotency_conflict"
    advice = "Use a new key for a new request; repeat the very same request to get its first answer again."


class ShownOnce(ConflictError):
    """This report was received before under this Idempotency-Key, and its secret words are shown once."""

    code = "report.shown_once"
    advice = "If they did not arrive, report again under a new key: it is joined with what is there."


class AnswerLost(ConflictError):
    """This request was carried out before, but its answer was lost with the process that gave it."""

    code = "request.answer_lost"
    advice = "Nothing was done again. Read how the thing stands now; use a new key for a new request."


class DependencyError(HoldfastError):
    """Another part failed; asking again later is safe."""

    code = "dependency"
    advice = "Hold the item and ask again."
    retry = True


class NotReady(DependencyError):
    """The banks are not loaded, or this process is behind them, so nothing can be called unknown."""

    code = "screening.not_ready"
    advice = "Hold the item and ask again after the time in Retry-After."


class AnswerPending(DependencyError):
    """A request with this Idempotency-Key is being carried out just now."""

    code = "request.answer_pending"
    advice = "Ask again with the same key to get its answer."


class DecoderUnavailable(DependencyError):
    """The decoder did not answer."""

    code = "dependency.decoder"
    advice = "Hold the item and ask again; 'holdfast doctor' says what is wrong."


class DatabaseUnavailable(DependencyError):
    """The database did not answer."""

    code = "dependency.database"
    advice = "Hold the item and ask again; 'holdfast doctor' says what is wrong."


class NoRoom(DependencyError):
    """There is no room on disk for another long upload now."""

    code = "upload.no_room"
    advice = "Hold the item and send it again later; HOLDFAST_SPOOL_BYTES says how much may wait."


class JournalConflict(DependencyError):
    """Someone else wrote about the same thing at the same moment, so this change was not made."""

    code = "journal.conflict"
    advice = "Ask again; the second try sees the other's change."


class NotLoggedYet(DependencyError):
    """The log has no signed checkpoint yet that covers this."""

    code = "log.not_yet"
    advice = "Ask again in some seconds; a worker must be running."


class LogElsewhere(DependencyError):
    """This machine does not hold the log's files and keys."""

    code = "log.elsewhere"
    advice = "Ask the machine whose worker signs the log, or give this one the same data directory."


class TimestampUnavailable(DependencyError):
    """The timestamp authority gave no token that can be believed."""

    code = "dependency.timestamp"
    advice = "Check HOLDFAST_TIMESTAMP_URL; checkpoints are signed meanwhile, and stamped when it answers again."


class PlatformAway(DependencyError):
    """The platform did not answer, or not so that it can be believed: nobody can tell what it did."""

    code = "dependency.platform"
    advice = "Check HOLDFAST_PLATFORM_URL and the platform's own log; it is asked again until it confirms."


class PlatformRefused(DependencyError):
    """The platform answered that it will not do this, and would say so again."""

    code = "dependency.platform_refused"
    advice = "See what it said, and docs/platform.md for what it should do; asking again does not help."


class PlatformGone(PlatformRefused):
    """The platform has no bytes of this item any more, or never had."""

    code = "dependency.platform_gone"
    advice = "There is nothing left to be looked at; say so where it is asked what was found."


class ConfigurationError(HoldfastError):
    """This machine or its settings must change before this can run."""

    code = "config"


class InvalidSetting(ConfigurationError):
    """A setting has a value that cannot be used."""

    code = "config.setting"
    advice = "docs/settings.md lists every setting with its form."


class DataUnreachable(ConfigurationError):
    """The data directory cannot be used by those who need it."""

    code = "config.data_unreachable"
    advice = "Set HOLDFAST_DATA to a directory whose parents others may pass through, such as one below /var/lib."


class PostgresMissing(ConfigurationError):
    """No PostgreSQL binaries were found for the embedded database."""

    code = "config.postgres_missing"
    advice = "Run 'make install', or 'apt install postgresql', or set DATABASE_URL to a server of yours."


class PostgresVersion(ConfigurationError):
    """The data directory was made by another major version of PostgreSQL."""

    code = "config.postgres_version"
    advice = "Install that version's binaries, or dump with them and restore into a new data directory."


class DataInUse(ConfigurationError):
    """Another Holdfast process is using this data directory."""

    code = "config.data_in_use"
    advice = "Stop the other one, or set HOLDFAST_DATA to a directory of its own."


class OwnerNeeded(ConfigurationError):
    """Only the role that owns the tables may do this, and how to reach the database as it is not known here."""

    code = "config.owner_needed"
    advice = "Set DATABASE_OWNER_URL; with the embedded database, stop 'holdfast serve' first."


class SandboxMissing(ConfigurationError):
    """A layer that confines the decoder cannot be switched on here."""

    code = "config.sandbox_missing"
    advice = "Install libseccomp2, or set HOLDFAST_SANDBOX=weaker and read docs/threat-model.md first."


class SealingKeyMissing(ConfigurationError):
    """The key that opens sealed records is not here, or cannot be opened."""

    code = "config.sealing_key"
    advice = "Put the keyring of this database back (docs/backup.md); a new one would open nothing."


class SealedDamaged(ConfigurationError):
    """A sealed record does not open with its own key: it was changed, moved or damaged."""

    code = "config.sealed_damaged"
    advice = "Compare with a backup; whoever could change the database is to be looked for."


class PortTaken(ConfigurationError):
    """Something else already listens at this address."""

    code = "config.port_taken"
    advice = "Stop it, or set HOLDFAST_LISTEN to another address and port."


class NoAlarmChannel(ConfigurationError):
    """No alarm would reach anybody."""

    code = "config.no_alarm_channel"
    advice = (
        "Set HOLDFAST_ALARM_EMAIL with HOLDFAST_ALARM_SMTP, or HOLDFAST_ALARM_URL, and try 'holdfast alarms test'; "
        "or say HOLDFAST_PRODUCTION_WITHOUT_ALARMS=yes and have somebody look at 'holdfast alarms list' all the time."
    )


class ScreeningOff(ConfigurationError):
    """Shadow mode is on in production: everything would be published, whatever is found."""

    code = "config.screening_off"
    advice = "Unset HOLDFAST_SHADOW; or say HOLDFAST_PRODUCTION_SHADOW=yes if nobody is to be protected yet."


class LogDiverged(HoldfastError):
    """The database and what the log has signed contradict each other, so nothing more is signed."""

    code = "log.diverged"
    advice = (
        "Run holdfast fsck; restore the database that belongs to the last checkpoint; never delete the log's files."
    )


class InternalError(HoldfastError):
    """Something failed that Holdfast has no name for yet; nothing was published because of it."""

    code = "internal"
    advice = "Hold the item; the server's log has the cause under the reference in the detail."


def tree(root: type[HoldfastError] = HoldfastError) -> list[type[HoldfastError]]:
    """Every class of the tree, parents first: what docs/errors.md must explain."""
    return [root, *(found for child in root.__subclasses__() for found in tree(child))]
