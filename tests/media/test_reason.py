# SPDX-License-Identifier: Apache-2.0
"""Every reason can be said, and none says anything about who uploaded."""

from __future__ import annotations

import re

import pytest

from holdfast.media.reason import Reason


@pytest.mark.parametrize("reason", Reason)
def test_every_reason_has_a_sentence_of_its_own(reason: Reason) -> None:
    assert re.fullmatch(r"[A-Z][^.]*\.", reason.says)
    assert [other for other in Reason if other.says == reason.says] == [reason]


@pytest.mark.parametrize("reason", Reason)
def test_a_reason_speaks_of_the_file_and_never_of_a_person(reason: Reason) -> None:
    assert not re.search(r"\b(you|your|user|uploader|illegal|abuse|suspect\w*)\b", reason.says, re.IGNORECASE)


def test_only_faults_of_ours_pass() -> None:
    assert {reason for reason in Reason if reason.passes} == {
        Reason.TIMED_OUT,
        Reason.DECODER_UNAVAILABLE,
        Reason.UPLOAD_LOST,
    }
