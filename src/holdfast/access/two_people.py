# SPDX-License-Identifier: Apache-2.0
"""Protecting may be done by one person, weakening takes two: one table for every command of every decider.

Each stage registers its commands here, with a rule that says when one weakens. `acting` is the gate:
it stands where the command is carried out, in the transaction that saw the state it is carried out
on, so that no door can be built around it and nothing changes between question and deed. A command
that is not in the table is refused by a fault: nothing happens that nobody has classified.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final

import rfc8785
from pydantic import TypeAdapter, ValidationError

from holdfast.errors import SecondPersonNeeded
from holdfast.log.event import Event

NEVER: Final = "never"


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule:
    """What a command leads to, when that weakens (in words, and as a test of command and state), and its form."""

    leads_to: type[Event]
    when: str
    weakens: Callable[[Any, Any], bool]
    settled: Callable[[Any, Any, TwoFound, str], bool]
    name: str
    schema: int


@dataclass(frozen=True, slots=True)
class Agreed:
    """Two people stand behind what is done: the proposal that says who they are. Made by `store.proposals` alone."""

    proposal: str

    @property
    def actor(self) -> str:
        """How the journal names them."""
        return f"proposal:{self.proposal}"


@dataclass(frozen=True, slots=True, kw_only=True)
class TwoFound:
    """Two people stand behind what is done, because each found the same by themselves: in this review, of these items.

    It stands for them where a command's own rule says that it is about just this, and nowhere else. Made by
    `holdfast.decision.two_found` alone, from a review that was read in the transaction that acts on it.
    """

    review: str
    decision: str
    """What is decided with it."""
    case: str
    items: frozenset[tuple[str, str]]
    """Content and version: what they found it of, and what is the same byte for byte."""
    by: frozenset[str]
    undoes: frozenset[str] = frozenset()
    """Decisions that end with it."""

    def __post_init__(self) -> None:
        """Raise ValueError if fewer than two stand behind it."""
        if len({name.strip().lower() for name in self.by} - {""}) < _TWO:
            message = "fewer than two people found this"
            raise ValueError(message)

    @property
    def actor(self) -> str:
        """How the journal names them."""
        return f"review:{self.review}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """A command that one person may not carry out, what it is about, and at which version it was looked at."""

    command: Any
    subject: str
    at_version: int
    because: str | None = None


Actor = str | Agreed | TwoFound
_TWO: Final = 2
_RULES: Final[dict[type, Rule]] = {}
_NAMED: Final[dict[tuple[str, int], type]] = {}
_ADAPTERS: Final[dict[type, TypeAdapter[Any]]] = {}


def register(
    command: type,
    leads_to: type[Event],
    *,
    when: str = NEVER,
    weakens: Callable[[Any, Any], bool] = lambda _command, _state: False,
    settled: Callable[[Any, Any, TwoFound, str], bool] = lambda _command, _state, _found, _subject: False,
    schema: int = 1,
) -> None:
    """Classify a command: `weakens(command, state)` says whether it needs two, `when` says so in words.

    `settled(command, state, found, subject)` says whether what two people found is about just this; without it only
    a proposal will do.

    A command whose fields change keeps its name and takes the next `schema`: proposals that wait hold the
    old form. Raises ValueError at import time if the command is classified already.
    """
    name = re.sub(r"(?<=[a-z])(?=[A-Z])", "_", command.__name__).lower()
    if command in _RULES or (name, schema) in _NAMED:
        message = f"{name} is classified twice"
        raise ValueError(message)
    _RULES[command] = Rule(
        leads_to=leads_to, when=str(when), weakens=weakens, settled=settled, name=name, schema=schema
    )
    _NAMED[name, schema] = command


def rules() -> Mapping[type, Rule]:
    """The whole table, as far as its stages are imported."""
    return dict(_RULES)


def weakens(command: Any, state: Any) -> bool:  # noqa: ANN401  # any command, and what it is about
    """Whether `command`, to this state, weakens protection. Raises KeyError for one that nobody has classified."""
    return _RULES[type(command)].weakens(command, state)


def when_of(kind: type[Event]) -> str | None:
    """When an event needs two people, in words; None if no command of the table leads to it."""
    return next((rule.when for rule in _RULES.values() if rule.leads_to.tag == kind.tag and kind.tag), None)


def acting(actor: Actor, command: Any, state: Any, *, subject: str, version: int, because: str | None = None) -> str:  # noqa: ANN401  # each is one fact
    """The journal's name for whoever does this. Raises SecondPersonNeeded if it weakens and only one person asks.

    To be called inside the transaction that carries the command out, after its decider allowed it.
    """
    if isinstance(actor, Agreed):
        return actor.actor
    if weakens(command, state) and not _is_settled(actor, command, state, subject):
        because = getattr(command, "because", None) or because
        wanted = Wanted(command=command, subject=subject, at_version=version, because=because)
        raise SecondPersonNeeded(wanted=wanted)
    return name_of(actor)


def name_of(actor: Actor) -> str:
    """The journal's name for an actor, where nothing is to be judged."""
    return actor if isinstance(actor, str) else actor.actor


def _is_settled(actor: Actor, command: Any, state: Any, subject: str) -> bool:  # noqa: ANN401  # as `acting`
    """Whether two people found, in a review, what this command says of this thing."""
    return isinstance(actor, TwoFound) and _RULES[type(command)].settled(command, state, actor, subject)


def encode(command: Any) -> tuple[str, int, str]:  # noqa: ANN401  # any command of the table
    """(name, schema, body as canonical JSON) of a command."""
    rule = _RULES[type(command)]
    body = _adapter(type(command)).dump_python(command, mode="json")
    return rule.name, rule.schema, rfc8785.dumps(body).decode()


def decode(name: str, schema: int, body: str) -> Any:  # noqa: ANN401  # any command of the table
    """The command that was encoded.

    Raises KeyError for one that this build does not know, and ValueError if the body is not of its form:
    whoever agrees must agree to exactly what was asked.
    """
    try:
        return _adapter(_NAMED[name, schema]).validate_json(body)
    except ValidationError as fault:
        message = f"a proposal of {name!r} cannot be read"
        raise ValueError(message) from fault


def _adapter(kind: type) -> TypeAdapter[Any]:
    """Made once for each kind."""
    if kind not in _ADAPTERS:
        _ADAPTERS[kind] = TypeAdapter(kind)
    return _ADAPTERS[kind]
