# SPDX-License-Identifier: Apache-2.0
"""The second person of tests over HTTP: looks at what was asked for, and agrees."""

from __future__ import annotations

import os
import re
from dataclasses import dataclass
from typing import Any, Final

from holdfast.adapters.accounts import account_name
from tests.conftest import said_by
from tests.web.http import Asker, Reply

_MAKE_KEY: Final = """
import sys
from holdfast.access.key import Scope
from holdfast.access.two_people import Agreed
from holdfast.bootstrap import running
from holdfast.settings import Settings
with running(Settings.from_environment()) as system:
    from holdfast.store.keys import new_key
    command, whole = new_key(label="a test", scopes=frozenset(Scope), expires_at=None, person=sys.argv[1])
    system.keys.write(command, actor=Agreed("tests"))
    whole += "_" + system.keys.draw_half(command.prefix, "tests")
print(whole)
"""

PROPOSAL: Final = re.compile(r"pro_[a-z2-7]{24}")


def proposal_in(reply: Reply) -> str:
    """The id of the proposal that an answer names, which must say that it waits: 202, or 403 over the HMA interface."""
    assert reply.status in (202, 403), reply.content
    (found,) = set(PROPOSAL.findall(reply.content.decode()))
    return str(found)


def key_for(environment: dict[str, str], person: str) -> str:
    """A key of this person that may do everything, whoever is known already."""
    return said_by(environment, _MAKE_KEY, person).strip()


def this_account() -> str:
    """The person that the command line takes these tests for."""
    return account_name(os.getuid())


@dataclass(frozen=True)
class Second:
    """Somebody else, with a key of their own."""

    asker: Asker

    def agrees(self, reply: Reply) -> dict[str, Any]:
        """Look, and agree; the proposal after."""
        return self.agrees_to(proposal_in(reply))

    def agrees_to(self, proposal: str) -> dict[str, Any]:
        """The same, to a proposal by its id."""
        shown = self.asker.ask("GET", f"/proposals/{proposal}").json
        assert shown["does"] is not None, shown
        given = {"digest": shown["digest"], "because": "looked at it"}
        agreed = self.asker.send("POST", f"/proposals/{shown['id']}/agree", given)
        assert (agreed.status, agreed.json["state"]) == (200, "agreed"), agreed.content
        return dict(agreed.json)
