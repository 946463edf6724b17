# SPDX-License-Identifier: Apache-2.0
"""The documentation can fail."""

from __future__ import annotations

import importlib.util
import re
from pathlib import Path
from types import ModuleType

import pytest

from holdfast import errors
from holdfast.access import proposal, safety
from holdfast.alarm import alarm
from holdfast.case import running_clock
from holdfast.case.clock import every_clock
from holdfast.effect import effect
from holdfast.log import check
from holdfast.log.event import registered
from holdfast.match import archive, backwards, bank, entry, importing, screen, unscreened
from holdfast.match.bank import Action, BankKind
from holdfast.match.entry import Opinion
from holdfast.media.reason import Reason
from holdfast.sealed import kek, subject
from holdfast.settings import Settings, env_name

ROOT = Path(__file__).parents[2]
DOCS = ROOT / "docs"
STAGES = (
    *(archive, backwards, bank, entry, importing, screen, unscreened, effect, alarm, running_clock, check),
    *(kek, subject, proposal, safety),
)


def _reference() -> ModuleType:
    found = importlib.util.spec_from_file_location("reference", DOCS / "reference.py")
    assert found is not None
    assert found.loader is not None
    module = importlib.util.module_from_spec(found)
    found.loader.exec_module(module)
    return module


REFERENCE = _reference()


@pytest.mark.parametrize("name", REFERENCE.PAGES)
def test_a_generated_page_says_what_the_code_says(name: str) -> None:
    assert (DOCS / name).read_text() == REFERENCE.PAGES[name](), "run make docs"


@pytest.mark.parametrize("name", Settings.model_fields)
def test_every_setting_is_documented(name: str) -> None:
    assert f"`{env_name(name)}`" in (DOCS / "settings.md").read_text()


@pytest.mark.parametrize("tag", sorted(tag for tag, _ in registered()))
def test_every_event_is_documented(tag: str) -> None:
    assert f"## `{tag}`" in (DOCS / "events.md").read_text()


@pytest.mark.parametrize(
    "kind", [kind for kind in errors.tree() if not kind.__subclasses__() and kind is not errors.Refused]
)
def test_every_error_code_is_documented(kind: type[errors.HoldfastError]) -> None:
    assert f"| `{kind.code}` |" in (DOCS / "errors.md").read_text()


def test_every_refusal_that_the_code_can_give_is_documented() -> None:
    sources = "\n".join(path.read_text() for path in (ROOT / "src").rglob("*.py"))
    codes = set(re.findall(r'(?:Refusal|BadLine)\([^")]*"([a-z_.]+)"', sources))
    page = (DOCS / "errors.md").read_text()

    assert codes
    assert [code for code in sorted(codes) if f"`{code}`" not in page] == []


@pytest.mark.parametrize("code", [clock.code for clock in every_clock()])
def test_every_clock_is_documented(code: str) -> None:
    assert f"| `{code}` |" in (DOCS / "clocks.md").read_text()


@pytest.mark.parametrize("reason", Reason)
def test_every_reason_is_documented(reason: Reason) -> None:
    assert f"| `{reason}` |" in (DOCS / "reasons.md").read_text()


@pytest.mark.parametrize(
    "word",
    [
        *Action,
        *BankKind,
        *Opinion,
        "signal",
        "import",
        "two people",
        "person",
        "proposal",
        "solo mode",
        "bank",
        "journal",
        "unscreened hold",
        "bank change",
        "sealed record",
        "sealed subject",
        "keyring",
        "variant",
        "alarm channel",
        "clock",
    ],
)
def test_the_glossary_has_the_words(word: str) -> None:
    assert word in (DOCS / "glossary.md").read_text()


@pytest.mark.parametrize("page", [*DOCS.rglob("*.md"), *ROOT.glob("*.md")], ids=lambda page: page.name)
def test_links_between_pages_lead_somewhere(page: Path) -> None:
    targets = re.findall(r"\]\(([^)#]+)[^)]*\)", page.read_text())
    local = [target for target in targets if not target.startswith(("http", "mailto"))]

    assert [target for target in local if not (page.parent / target).exists()] == []


def test_the_readme_names_only_commands_that_exist() -> None:
    commands = set(re.findall(r"holdfast ([a-z]+(?: [a-z]+)?)", (ROOT / "README.md").read_text()))
    page = (DOCS / "commands.md").read_text()
    known = set(re.findall(r"## `holdfast ([a-z ]+)`", page))

    for command in commands:
        assert command in known or command.split()[0] in {name.split()[0] for name in known}, command


def test_the_port_page_lists_every_protocol() -> None:
    page = (ROOT / "src/holdfast/ports.py").read_text()
    sources = [path for path in (ROOT / "src/holdfast").rglob("*.py") if path.name != "ports.py"]
    protocols = {name for path in sources for name in re.findall(r"class (\w+)\(Protocol\)", path.read_text())}

    assert protocols
    assert [name for name in sorted(protocols) if name not in page] == []
