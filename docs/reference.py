# SPDX-License-Identifier: Apache-2.0
"""Writes the generated pages of this folder from the code: settings, errors, events, commands, states, clocks.

`make docs` runs it; a test fails if a page is not what the code says.
"""

from __future__ import annotations

import dataclasses
import re
import typing
from collections.abc import Callable, Iterator, Mapping
from datetime import timedelta
from pathlib import Path
from typing import Any

import typer

from holdfast import errors
from holdfast.access import key, proposal, safety, two_people
from holdfast.access import sealed_rules as _sealed_rules
from holdfast.alarm import alarm
from holdfast.case import clock, running_clock
from holdfast.cli import output
from holdfast.cli.main import app
from holdfast.deciders import DECIDERS
from holdfast.decision import actions
from holdfast.effect import effect
from holdfast.log import check
from holdfast.log.event import registered
from holdfast.match import archive, backwards, bank, entry, importing, long_screening, screen, unscreened
from holdfast.match import two_people as _bank_rules
from holdfast.media.reason import Reason
from holdfast.sealed import kek, subject
from holdfast.sealed.text import private_fields
from holdfast.settings import Settings, env_name

FOLDER = Path(__file__).parent
_NOTE = "<!-- Written by docs/reference.py (make docs). Change the code, not this page. -->\n"
_STAGES = (
    archive,
    backwards,
    bank,
    entry,
    importing,
    long_screening,
    screen,
    unscreened,
    kek,
    subject,
    key,
    effect,
    alarm,
    running_clock,
    check,
    proposal,
    safety,
    _bank_rules,
    _sealed_rules,
)  # importing a stage registers its events


def settings_page() -> str:
    """Every setting."""
    rows = []
    for name, field in Settings.model_fields.items():
        default = "" if field.default_factory or field.default is None else _plain(field.default)
        rows.append([f"`{env_name(name)}`", default, field.description or ""])
    intro = "Settings are environment variables. A name that begins with `HOLDFAST_` and is not listed here is refused."
    return _page("Settings", intro, _table(["variable", "default", "meaning"], rows))


_REFUSALS = [
    ["`bank.exists`", "There is already a bank of that name.", "Use another name.", "no"],
    ["`bank.not_in_this_state`", "The bank's state does not allow this.", "See states.md.", "no"],
    ["`bank.unchanged`", "The bank is like that already.", "Nothing.", "no"],
    ["`bank.benign`", "A benign bank has no action.", "Disable it, or change its threshold.", "no"],
    ["`bank.read_only`", "An exchange alone changes this.", "Give an opinion, or disable the bank.", "no"],
    ["`import.not_in_this_state`", "The import's state does not allow this.", "See states.md.", "no"],
    ["`entry.not_in_this_state`", "The entry's state does not allow this.", "See states.md.", "no"],
    ["`key.not_in_this_state`", "The key's state does not allow this.", "See states.md.", "no"],
    ["`unscreened.not_in_this_state`", "The unscreened hold's state does not allow this.", "See states.md.", "no"],
    ["`sealed.not_in_this_state`", "The sealed subject's state does not allow this.", "See states.md.", "no"],
    ["`sealed.preserved`", "A hold stands on the subject.", "Wait, or have it lifted by two people.", "no"],
    ["`sealed.not_preserved`", "No such hold stands on the subject.", "Nothing.", "no"],
    ["`sealed.unchanged`", "This hold stands on the subject already.", "Nothing.", "no"],
    ["`sealed.key.not_in_this_state`", "The sealing key's state does not allow this.", "See states.md.", "no"],
    ["`import.nothing_new`", "A published import of the bank holds just this.", "Nothing.", "no"],
    ["`proposal.not_in_this_state`", "The proposal was answered already.", "See states.md.", "no"],
    ["`proposal.same_person`", "Who asked cannot agree, with whatever key.", "Let another person agree.", "no"],
    ["`proposal.solo_waits`", "In solo mode one may agree alone only later.", "Wait.", "no"],
    ["`proposal.asker_gone`", "Who asked has no good key any more.", "Refuse it, or ask anew.", "no"],
    ["`proposal.not_what_was_shown`", "The digest is of something else.", "Look at it, then agree.", "no"],
    ["`proposal.not_yours`", "Only who asked can withdraw it.", "Refuse it.", "no"],
    ["`proposal.erased`", "What was asked for was erased.", "Ask anew.", "no"],
    ["`proposal.not_due`", "The proposal's clock still runs.", "Wait.", "no"],
    ["`proposal.overtaken`", "What it is about has changed; nothing was done.", "Ask for it anew.", "no"],
    ["`settings.not_in_this_state`", "None of the settings in force is weaker.", "Nothing.", "no"],
    ["`report.not_in_this_state`", "The report's state does not allow this.", "See states.md.", "no"],
    [
        "`reported.not_in_this_state`",
        "The state of what was named does not allow this.",
        "See states.md.",
        "no",
    ],
    ["`proof.not_in_this_state`", "The proof's state does not allow this.", "See states.md.", "no"],
    ["`case.not_in_this_state`", "The case's state does not allow this.", "See states.md.", "no"],
    ["`contest.not_in_this_state`", "The contest's state does not allow this.", "See states.md.", "no"],
    ["`proposal.not_who_agreed`", "Only whoever agreed draws the other half of a key or code.", "Ask them.", "no"],
    ["`proposal.no_half`", "There is no half to draw any more.", "If it is lost, ask anew.", "no"],
    ["`staff.not_in_this_state`", "The account's state does not allow this.", "See states.md.", "no"],
    ["`review.not_in_this_state`", "The review's state does not allow this.", "See states.md.", "no"],
    ["`review.not_asked`", "Somebody else is asked about this, or nobody.", "Nothing.", "no"],
    ["`review.turn_over`", "Your time for it was over; another is asked.", "Nothing.", "no"],
    ["`review.party`", "Your own account posted or reported it.", "Leave it to others.", "no"],
    ["`review.spoke_before`", "Whoever found or decided something is not asked again.", "Nothing.", "no"],
    ["`review.recused`", "Whoever stepped back is not asked again.", "Nothing.", "no"],
    ["`review.nothing_found`", "No finding of yours counts there.", "Nothing.", "no"],
    ["`review.no_colleague`", "Nobody of that name works here now.", "Ask who keeps the accounts.", "no"],
    ["`review.too_late`", "A removal can be taken back for ten minutes.", "Appeal it.", "no"],
    ["`viewing.not_in_this_state`", "What was shown is not shown again.", "Ask for a new address.", "no"],
    ["`viewing.nothing_here`", "The address does not open, or not any more.", "Ask for a new address.", "no"],
    ["`viewing.step_order`", "Each step shows more than the one before.", "Look less clearly first.", "no"],
    ["`viewing.no_such_step`", "Nothing is shown at this step.", "Ask for blurred or grey.", "no"],
    ["`viewing.no_review`", "There is no such review.", "Nothing.", "no"],
    ["`viewing.too_many`", "A page has 48 pictures at most.", "Ask for fewer.", "no"],
    ["`viewing.budget_spent`", "Today's exposure is spent; another is asked.", "Nothing: no blame.", "no"],
    ["`finding.ground`", "A removal has a ground, and nothing else has.", "Say what it rests on.", "no"],
    ["`finding.reason`", "A refusal has a reason from the list, and nothing else.", "Choose one.", "no"],
    ["`finding.unseen`", "Too little of the item was looked at for this.", "Look, or say unsure.", "no"],
    ["`review.settled`", "Another's word removed it; yours would undo that.", "Appeal it.", "no"],
    ["`finding.not_shown`", "Nothing verified shows that all in it were adults.", "Find what you saw.", "no"],
    ["`finding.not_of_minors`", "Who reports is no reason where a minor is concerned.", "Find what you saw.", "no"],
    ["`finding.contradicts_proof`", "A verified proof shows that it is not so.", "Find another reason.", "no"],
    ["`finding.proof_waits`", "Nobody has looked at a proof yet.", "Ask whoever sees proofs, or wait a day.", "no"],
    ["`decision.not_in_this_state`", "The decision's state does not allow this.", "See states.md.", "no"],
    ["`decision.reason`", "A removal has a ground, a release a reason.", "Say which.", "no"],
    ["`decision.asked_by_child`", "A child's wish removes without a finding.", "Decide it as that alone.", "no"],
    ["`decision.two_people`", "Nobody lets anything be seen again alone.", "Let another look.", "no"],
    ["`decision.appeal_over`", "The time for an appeal is over.", "Say what is new.", "no"],
    ["`action.not_now`", "Nobody can do this at this point.", "See actions.md.", "no"],
    ["`action.not_yours`", "This is for other roles.", "See actions.md; ask one of them.", "no"],
    ["`hold.not_in_this_state`", "The hold's state does not allow this.", "See states.md.", "no"],
    ["`hold.not_due`", "The platform still has time to confirm.", "Wait.", "no"],
    ["`unscreened.not_due`", "The hold's clock still runs.", "Wait.", "no"],
    ["`archive.search.not_in_this_state`", "The search's state does not allow this.", "See states.md.", "no"],
    ["`archive.search.not_late`", "The search's clock still runs, or it was told.", "Nothing.", "no"],
    ["`long.not_in_this_state`", "The long screening's state does not allow this.", "See states.md.", "no"],
    ["`long.leased`", "A process works on it.", "Wait.", "no"],
    ["`long.taken_over`", "Another process took it up after this one's lease ran out.", "Nothing.", "no"],
    ["`effect.not_in_this_state`", "The effect's state does not allow this.", "See states.md.", "no"],
    ["`effect.not_late`", "The effect's deadline is not over, or was told.", "Nothing.", "no"],
    ["`effect.busy`", "Another effect of the same line is being carried out.", "Ask again in a moment.", "no"],
    ["`effect.overtaken`", "It would undo something protective decided later.", "Give it up.", "no"],
    ["`effect.same_person`", "Giving up takes two people.", "Let somebody else agree.", "no"],
    ["`alarm.not_in_this_state`", "The alarm's state does not allow this.", "See states.md.", "no"],
    ["`clock.not_in_this_state`", "The clock's state does not allow this.", "See states.md.", "no"],
    ["`clock.not_due`", "The clock still runs, or its owner was alarmed.", "Wait.", "no"],
    ["`input.line`", "A line of a bank file cannot be read (listed, the others are kept).", "Correct it.", "no"],
    ["`input.category`", "A line's opinion is not for this kind of bank.", "Use another bank.", "no"],
    [
        "`input.duplicate`",
        "A signal stands twice in a bank file, or an import of the bank holds just what the file says.",
        "Nothing.",
        "no",
    ],
]


def errors_page() -> str:
    """Every error code."""
    rows = [
        [f"`{kind.code}`", kind.__doc__.strip().splitlines()[0] if kind.__doc__ else "", kind.advice, _retry(kind)]
        for kind in errors.tree()
        if not kind.__subclasses__()
    ]
    intro = (
        "Over HTTP, errors are `application/problem+json` with these codes; on the command line they are sentences "
        "with the same codes. Codes are stable. `retry` says whether asking again later is safe and useful."
    )
    codes = [["0", "done"]] + [[str(code), kind.__doc__ or ""] for kind, code in output.EXIT_CODES]
    codes += [["1", "the answer is no: something is held, wrong or was refused"]]
    codes += [
        ["6", "asked: it weakens protection, and a second person must agree"],
        ["70", "a fault in Holdfast itself"],
    ]
    tables = _table(["code", "what it means", "what to do", "retry"], rows + _REFUSALS)
    return _page("Errors", intro, f"{tables}\n## Exit codes\n\n{_table(['exit code', 'meaning'], sorted(codes))}")


def events_page() -> str:
    """Every event."""
    parts = []
    for (tag, schema), kind in sorted(registered().items()):
        private = private_fields(kind)
        rows = [
            [f"`{field.name}`", "private text, sealed" if field.name in private else _type(kind, field.name)]
            for field in dataclasses.fields(kind)
        ]
        body = _table(["carries", "type"], rows) if rows else "Carries nothing more.\n"
        parts.append(f"## `{tag}` (schema {schema})\n\n{(kind.__doc__ or '').strip()}\n\n{_two_people(kind)}{body}")
    intro = (
        "What the journal records. Beside each event stand its subject, version, actor and time (UTC). Where it says "
        "*needs two people*, one person's request becomes a proposal, and the actor of the event is that proposal."
    )
    return _page("Events", intro, "\n".join(parts))


def states_page() -> str:
    """Every transition table."""
    parts = []
    for decider in DECIDERS:
        rows = [
            [str(before or "(none)"), _words(command.__name__), str(after)]
            for (before, command), after in decider.transitions.items()
        ]
        parts.append(f"## {decider.name}\n\n{_table(['state', 'command', 'state after'], rows)}")
    return _page("States", "What may happen to what. A pair that is not listed is refused.", "\n".join(parts))


def commands_page() -> str:
    """Every command with its arguments and options."""
    group = typer.main.get_command(app)
    parts = [_command(path, command) for path, command in _walk("holdfast", group)]
    return _page("Commands", "`holdfast COMMAND --help` says the same.", "\n".join(parts))


def reasons_page() -> str:
    """Every reason for not being screened."""
    rows = [[f"`{reason.value}`", reason.says, "yes" if reason.passes else "no"] for reason in Reason]
    intro = (
        "Why an upload could not be screened. Each leads to `hold`; none is an accusation. "
        "*Send again* says whether the same bytes may well be screened later: the fault was ours, not the file's."
    )
    return _page("Reasons", intro, _table(["reason", "meaning", "send again"], rows))


def clocks_page() -> str:
    """Every clock."""
    rows = [
        [
            f"`{one.code}`",
            one.what,
            _words_of(one.starts),
            _words_of(one.stops),
            _span(one.target),
            _span(one.limit) if one.limit else "none given",
            ", ".join(map(_span, one.alarms)),
            one.owner,
            one.deputy,
            one.source,
            str(one.checked_on),
        ]
        for one in clock.every_clock()
    ]
    intro = (
        "What must have happened by when, and who answers for it. A clock never pauses; nothing stops it but the "
        "moment named here, and nothing is ever done by time: its owner is alarmed by its target, again before its "
        "limit, and urgently once it was missed. Where the source gives no number, the target is the house's own. "
        "`HOLDFAST_PLACES` decides which laws' clocks run. *Checked on* is the day on which somebody last compared the "
        "row with its source; have a lawyer confirm what applies to you before you rely on it."
    )
    columns = ["code", "what", "starts", "stops", "target", "limit", "owner is alarmed after"]
    return _page("Clocks", intro, _table([*columns, "owner", "deputy", "source", "checked on"], rows))


def actions_page() -> str:
    """Who may do what about an item, and when."""
    parts = []
    for who in actions.WHO:
        rows = [
            [
                where.value.replace("_", " "),
                ", ".join(sorted(actions.actions(where, (who,)))).replace("_", " ") or "nothing",
            ]
            for where in actions.WHERE
        ]
        parts.append(f"## {who.value.capitalize()}\n\n{_table(['while it is', 'may'], rows)}")
    intro = (
        "What each role, whoever is asked, whoever found something, and each party may do about one item of a case. "
        "One function says so; on the pages of a review it draws the buttons and gates the requests. "
        f"There is nothing yet that does these: {', '.join(actions.NOT_THERE_YET).replace('_', ' ')}."
    )
    return _page("Actions", intro, "\n".join(parts))


PAGES: Mapping[str, Callable[[], str]] = {
    "settings.md": settings_page,
    "errors.md": errors_page,
    "events.md": events_page,
    "states.md": states_page,
    "commands.md": commands_page,
    "reasons.md": reasons_page,
    "clocks.md": clocks_page,
    "actions.md": actions_page,
}


def _page(title: str, intro: str, body: str) -> str:
    return f"{_NOTE}\n# {title}\n\n{intro}\n\n{body.rstrip()}\n"


def _table(columns: list[str], rows: list[list[str]]) -> str:
    lines = [columns, ["---"] * len(columns), *rows]
    return "".join(f"| {' | '.join(' '.join(cell.split()).replace('|', '/') for cell in line)} |\n" for line in lines)


def _two_people(kind: Any) -> str:
    when = two_people.when_of(kind)
    return "" if when in (None, two_people.NEVER) else f"**Needs two people**: {when}.\n\n"


def _plain(value: object) -> str:
    return f"`{getattr(value, 'value', value)}`"


def _retry(kind: type[errors.HoldfastError]) -> str:
    return "yes" if kind.retry else "no"


def _type(kind: type, name: str) -> str:
    hint = typing.get_type_hints(kind)[name]
    plain = hint.__name__ if isinstance(hint, type) and not typing.get_args(hint) else str(hint)
    return "`" + re.sub(r"(\w+\.)+", "", plain).replace("|", "or") + "`"


def _words(name: str) -> str:
    return re.sub(r"(?<!^)(?=[A-Z])", " ", name).lower()


def _words_of(moment: clock.Moment) -> str:
    return moment.value.replace("_", " ")


def _span(time: timedelta) -> str:
    """A time as people say it."""
    seconds = time.total_seconds()
    if not seconds:
        return "at once"
    units = ((86400, "d"), (3600, "h"), (60, "min"), (1, "s"))
    fitting = [unit for unit in units if not seconds % unit[0] and (unit[1] != "d" or time > timedelta(days=2))]
    size, name = fitting[0]
    return f"{seconds / size:g} {name}"


def _walk(path: str, command: Any) -> Iterator[tuple[str, Any]]:
    for name in command.list_commands(None):
        child = command.get_command(None, name)
        if hasattr(child, "commands"):
            yield from _walk(f"{path} {name}", child)
        else:
            yield f"{path} {name}", child


def _command(path: str, command: Any) -> str:
    rows = []
    for parameter in command.params:
        if parameter.name == "help":
            continue
        option = parameter.param_type_name == "option"
        shown = ", ".join(f"`{name}`" for name in parameter.opts) if option else f"`{parameter.name.upper()}`"
        rows.append([shown, "yes" if parameter.required else "no", parameter.help or ""])
    body = _table(["argument or option", "required", "meaning"], rows) if rows else ""
    return f"## `{path}`\n\n{(command.help or '').strip()}\n\n{body}"


def main() -> None:
    """Write every page."""
    for name, page in PAGES.items():
        (FOLDER / name).write_text(page(), encoding="utf-8")


if __name__ == "__main__":
    main()
