# SPDX-License-Identifier: Apache-2.0
"""A policy file can hold more, and never less; whatever is misspelt in it is refused."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from holdfast.errors import InvalidSetting
from holdfast.hold.policy import HoldPolicy, read_policy
from holdfast.intake.reporter import Category, ReporterKind

PAIRS = st.frozensets(st.tuples(st.sampled_from(Category), st.sampled_from(ReporterKind)))


@given(PAIRS, st.sampled_from(Category), st.sampled_from(ReporterKind), st.booleans())
def test_no_policy_holds_less_than_none(
    more: frozenset[tuple[Category, ReporterKind]], category: Category, kind: ReporterKind, verified: bool
) -> None:
    floor = HoldPolicy().holds(category, kind, verified=verified)
    assert HoldPolicy(more).holds(category, kind, verified=verified) >= floor


def test_a_file_adds_what_it_names_for_verified_sources_alone(tmp_path: Path) -> None:
    file = tmp_path / "policy.json"
    file.write_text('{"hold": [{"category": "other_illegal", "reporters": ["police"]}]}')
    policy = read_policy(file)
    assert policy.holds(Category.OTHER_ILLEGAL, ReporterKind.POLICE, verified=True)
    assert not policy.holds(Category.OTHER_ILLEGAL, ReporterKind.POLICE, verified=False)
    assert not policy.holds(Category.OTHER, ReporterKind.POLICE, verified=True)


def test_no_file_is_the_floor() -> None:
    assert read_policy(None) == HoldPolicy()


@pytest.mark.parametrize(
    "text",
    [
        "",
        "[]",
        "{}",
        '{"holds": []}',
        '{"hold": [], "release": []}',
        '{"hold": [{"category": "csam"}]}',
        '{"hold": [{"category": "csan", "reporters": []}]}',
        '{"hold": [{"category": "other", "reporters": ["polise"]}]}',
        '{"hold": [{"category": "other", "reporters": "police"}]}',
        json.dumps({"hold": [{"category": "other", "reporters": ["police"], "unless": "x"}]}),
    ],
)
def test_what_is_not_of_the_form_is_refused(tmp_path: Path, text: str) -> None:
    file = tmp_path / "policy.json"
    file.write_text(text)
    with pytest.raises(InvalidSetting, match="HOLDFAST_HOLD_POLICY_FILE"):
        read_policy(file)


def test_a_file_that_is_not_there_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InvalidSetting, match="HOLDFAST_HOLD_POLICY_FILE"):
        read_policy(tmp_path / "none.json")
