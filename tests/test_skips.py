# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

from pathlib import Path

import pytest

from tests.skips import allowed

pytest_plugins = ["pytester"]

_CONFTEST = """
from tests import skips
def pytest_configure(config):
    config.pluginmanager.register(skips.SkipGuard(skips.allowed({permitted!r})), "guard")
"""
_SKIPPED = "import pytest\n@pytest.mark.skip(reason='why not')\ndef test_it(): pass\ndef test_other(): pass\n"


@pytest.fixture(autouse=True)
def _findable(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PYTHONPATH", str(Path(__file__).parents[1]))


def test_a_line_without_a_reason_allows_nothing() -> None:
    assert allowed("tests/a.py::test_b\ntests/a.py::test_c # no GPU here\n# a comment\n") == {"tests/a.py::test_c"}


def test_a_skipped_test_that_is_not_listed_fails_the_run(pytester: pytest.Pytester) -> None:
    pytester.makeconftest(_CONFTEST.format(permitted=""))
    pytester.makepyfile(test_skipped=_SKIPPED)

    result = pytester.runpytest_subprocess("-p", "no:cacheprovider")

    assert result.ret == pytest.ExitCode.TESTS_FAILED
    result.stdout.fnmatch_lines(["*not in tests/allowed_skips.txt: test_skipped.py::test_it"])


def test_a_skipped_test_that_is_listed_with_its_reason_does_not(pytester: pytest.Pytester) -> None:
    pytester.makeconftest(_CONFTEST.format(permitted="test_skipped.py::test_it # known"))
    pytester.makepyfile(test_skipped=_SKIPPED)

    assert pytester.runpytest_subprocess("-p", "no:cacheprovider").ret == pytest.ExitCode.OK
