# SPDX-License-Identifier: Apache-2.0
"""Every error that has a name also has a code of its own, a sentence, and advice."""

from __future__ import annotations

import re
from collections import Counter

import pytest

from holdfast import errors
from holdfast.errors import HoldfastError, Refusal, Refused, tree

CLASSES = tree()
LEAVES = [kind for kind in CLASSES if not kind.__subclasses__()]
CODE = re.compile(r"[a-z]+(_[a-z]+)*(\.[a-z]+(_[a-z]+)*)?")


def test_no_two_errors_have_the_same_code() -> None:
    counted = Counter(kind.code for kind in CLASSES)
    assert [code for code, times in counted.items() if times > 1] == []


def test_the_tree_holds_every_error_of_the_module_once() -> None:
    in_module = {kind for kind in vars(errors).values() if isinstance(kind, type) and issubclass(kind, HoldfastError)}
    assert in_module == set(CLASSES)
    assert len(CLASSES) == len(in_module)


def test_parents_come_before_their_children_in_the_tree() -> None:
    for kind in CLASSES[1:]:
        assert CLASSES.index(kind) > CLASSES.index(kind.__bases__[0])


@pytest.mark.parametrize("kind", CLASSES, ids=lambda kind: kind.__name__)
def test_an_error_has_a_code_of_its_own_in_plain_letters(kind: type[HoldfastError]) -> None:
    assert "code" in vars(kind), "the code is inherited, so two errors share it"
    assert CODE.fullmatch(kind.code)


@pytest.mark.parametrize("kind", CLASSES, ids=lambda kind: kind.__name__)
def test_an_error_says_what_it_means_in_one_line_that_is_a_sentence(kind: type[HoldfastError]) -> None:
    assert "__doc__" in vars(kind)
    lines = (kind.__doc__ or "").splitlines()
    assert len(lines) == 1
    assert lines[0][0].isupper()
    assert lines[0].endswith(".")


@pytest.mark.parametrize("kind", LEAVES, ids=lambda kind: kind.__name__)
def test_an_error_that_is_raised_gives_advice_of_its_own(kind: type[HoldfastError]) -> None:
    assert kind.advice != HoldfastError.advice
    assert kind.advice.endswith(".")
    assert "\n" not in kind.advice


@pytest.mark.parametrize("kind", [kind for kind in CLASSES if kind is not Refused], ids=lambda kind: kind.__name__)
def test_an_error_speaks_its_detail_and_without_one_its_sentence(kind: type[HoldfastError]) -> None:
    assert str(kind("what exactly is wrong")) == "what exactly is wrong"
    assert str(kind()) == kind().sentence
    assert kind().stable_code == kind.code


def test_a_refusal_gives_its_own_code_and_reason_to_the_error_that_carries_it() -> None:
    refused = Refused(Refusal("bank.exists", "there is already one"))
    assert refused.stable_code == "bank.exists"
    assert str(refused) == "there is already one"


def test_only_failures_of_another_part_invite_to_ask_again() -> None:
    assert {kind for kind in CLASSES if kind.retry} == set(tree(errors.DependencyError))


def drawn() -> dict[str, tuple[int, str]]:
    """The names in the module docstring's picture, with how deep they stand and what stands beside them."""
    found = {}
    for line in (errors.__doc__ or "").splitlines():
        if match := re.match(r"    ([│├└─\s]*)([A-Z]\w+)\s*(.*)", line):
            found[match.group(2)] = (len(match.group(1)), match.group(3))
    return found


def test_the_picture_in_the_module_names_every_error_and_no_other() -> None:
    assert list(drawn()) == [kind.__name__ for kind in CLASSES]


def test_the_picture_in_the_module_puts_each_error_below_its_parent() -> None:
    depth = {name: indent for name, (indent, _) in drawn().items()}
    for kind in CLASSES[1:]:
        assert depth[kind.__name__] > depth[kind.__bases__[0].__name__]


@pytest.mark.parametrize("kind", [kind for kind in LEAVES if kind is not Refused], ids=lambda kind: kind.__name__)
def test_the_picture_in_the_module_gives_each_error_its_code(kind: type[HoldfastError]) -> None:
    assert drawn()[kind.__name__][1].split()[0] == kind.code
