# SPDX-License-Identifier: Apache-2.0
"""A skipped test fails the run, unless `allowed_skips.txt` lists it with its reason."""

from __future__ import annotations

from pathlib import Path

import pytest

_LIST = Path(__file__).parent / "allowed_skips.txt"


def allowed(text: str) -> frozenset[str]:
    """The test ids that may be skipped. A line without a reason allows nothing."""
    lines = [line.partition(" # ") for line in text.splitlines() if line.strip() and not line.startswith("#")]
    return frozenset(test.strip() for test, _, reason in lines if reason.strip())


class SkipGuard:
    """Collects skips and turns the run red for those that are not listed."""

    def __init__(self, permitted: frozenset[str]) -> None:
        self._permitted = permitted
        self.refused: list[str] = []

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """One phase of one test has ended."""
        if report.skipped and not hasattr(report, "wasxfail") and report.nodeid not in self._permitted:
            self.refused.append(report.nodeid)

    def pytest_collectreport(self, report: pytest.CollectReport) -> None:
        """One file was collected; a file skipped whole is many tests skipped."""
        if report.skipped and report.nodeid not in self._permitted:
            self.refused.append(report.nodeid)

    @pytest.hookimpl(trylast=True)
    def pytest_sessionfinish(self, session: pytest.Session) -> None:
        """The run has ended."""
        if self.refused and session.exitstatus == pytest.ExitCode.OK:
            session.exitstatus = pytest.ExitCode.TESTS_FAILED

    def pytest_terminal_summary(self, terminalreporter: pytest.TerminalReporter) -> None:
        """Say which."""
        for test in self.refused:
            terminalreporter.write_line(f"skipped, and not in tests/allowed_skips.txt: {test}", red=True)


def pytest_configure(config: pytest.Config) -> None:
    """Register the guard."""
    config.pluginmanager.register(SkipGuard(allowed(_LIST.read_text())), "skip-guard")
