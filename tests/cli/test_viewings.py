# SPDX-License-Identifier: Apache-2.0
"""`holdfast cases viewings`: who was shown what of a case, for whoever audits it."""

from __future__ import annotations

from tests.cli.forking import Shell
from tests.conftest import said_by

LOOK = """
from holdfast import bootstrap
from holdfast.media.preview import Preview, Previews
from holdfast.review.showing import Viewer, Wanted
from holdfast.review.viewing import Step
from holdfast.settings import Settings

with bootstrap.running(Settings.from_environment()) as system:
    viewer, one = Viewer(person="ann", session="s"), Preview(number=2, content=b"made by a test", seconds=1.5)
    for case in ("cas_seen", "cas_other"):
        wanted = Wanted(
            case=case, review="rev_1", content="post-1", version="7", step=Step.BLURRED, numbers=frozenset({2})
        )
        (given,) = system.desk.viewings.give(viewer, wanted, Previews(pictures=(one,), counted=4, complete=True))
        assert system.desk.viewings.show(viewer, given.token) == b"made by a test"
"""


def test_who_saw_what_of_a_case_is_listed(shell: Shell) -> None:
    said_by(shell.environment, LOOK)
    done = shell.run("cases", "viewings", "cas_seen", "--json")
    assert done.code == 0, done.words
    (line,) = done.json
    assert {**line, "shown": ""} == {
        "person": "ann",
        "shown": "",
        "item": "post-1",
        "version": "7",
        "step": "blurred",
        "picture": 3,
        "of": 4,
        "at_second": 1.5,
        "review": "rev_1",
    }
    assert "blurred" in shell.run("cases", "viewings", "case:cas_seen").words


def test_a_case_that_is_not_there_is_said_to_be_unknown(shell: Shell) -> None:
    done = shell.run("cases", "viewings", "cas_none")
    assert done.code != 0
    assert "cas_none" in done.words
