# SPDX-License-Identifier: Apache-2.0
"""The notice to whoever posted something: what happened, what it does not mean, and nothing of anybody else."""

from __future__ import annotations

import pytest

from holdfast.hold.notice import held_notice


@pytest.mark.parametrize("blameless", [True, False])
def test_it_says_that_no_finding_was_made_and_how_to_answer(blameless: bool) -> None:
    text = held_notice(blameless=blameless).text
    assert "No finding has been made" in text
    assert "Nobody has been reported to any authority" in text
    assert "article 17" in text
    assert "A person reads what you write within a day" in text


def test_an_account_that_may_be_the_depicted_persons_is_not_told_of_a_report_nor_blamed() -> None:
    text = held_notice(blameless=True).text
    assert "report about" not in text
    assert "you did nothing wrong" in text


@pytest.mark.parametrize("word", ["abuse", "child", "illegal", "parent", "victim", "violation"])
def test_it_names_no_reason_and_nobody(word: str) -> None:
    both = held_notice(blameless=True).text + held_notice(blameless=False).text
    assert word not in both.lower()


def test_which_words_were_in_force_can_be_told_later() -> None:
    assert held_notice(blameless=True).digest != held_notice(blameless=False).digest
