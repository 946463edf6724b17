# SPDX-License-Identifier: Apache-2.0
"""The pages in a real browser: by keys alone, without scripts, on a narrow screen, by day and by night."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from typing import Any, Final

import pytest

from tests.beside import Beside
from tests.browser.chromium import Tab
from tests.web.doors.visiting import Visitor, until

LEAST_CONTRAST: Final = 4.5
LEAST_TARGET: Final = 24
_CONTRAST: Final = """
(() => {
  const parse = (text) => { const n = text.match(/[0-9.]+/g).map(Number); return n.length < 4 ? [...n, 1] : n };
  const part = (v) => { v /= 255; return v <= 0.04045 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4 };
  const light = (c) => 0.2126 * part(c[0]) + 0.7152 * part(c[1]) + 0.0722 * part(c[2]);
  const ground = (element) => {
    for (let e = element; e; e = e.parentElement) {
      const colour = parse(getComputedStyle(e).backgroundColor);
      if (colour[3] > 0) return colour;
    }
    return [255, 255, 255, 1];
  };
  const found = [], walk = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  for (let node = walk.nextNode(); node; node = walk.nextNode()) {
    const element = node.parentElement;
    if (!node.data.trim() || !element.getClientRects().length || element.closest('svg')) continue;
    const [a, b] = [light(parse(getComputedStyle(element).color)), light(ground(element))].sort((x, y) => y - x);
    found.push([Math.round((a + 0.05) / (b + 0.05) * 100) / 100, node.data.trim().slice(0, 60)]);
  }
  return found;
})()
"""
_SMALL: Final = """
[...document.querySelectorAll('button, input:not([type=hidden]), select, textarea, summary, .danger a, .leave a')]
  .filter((e) => e.getClientRects().length)
  .map((e) => [e.outerHTML.slice(0, 80), e.getBoundingClientRect().width, e.getBoundingClientRect().height])
"""
_CODES: Final = "[...document.querySelectorAll('ol.words li')].map((e) => e.textContent).join(' ')"


def opened_by(tab: Tab, code: str, origin: str) -> None:
    """Type the words at /case, by keys."""
    tab.open(f"{origin}/case")
    tab.tab_to("#id_code")
    tab.type(code)
    tab.tab_to("main button")
    tab.press("Enter")
    tab.arrive()


def unfold(tab: Tab) -> None:
    """Show everything that is folded away."""
    tab.ask("document.querySelectorAll('details').forEach((one) => { one.open = true })")


# --- by keys


def test_a_report_can_be_made_kept_and_looked_at_with_a_keyboard_alone(beside: Beside, tab: Tab, origin: str) -> None:
    address = beside.site.publish("poster", places=2)
    tab.open(f"{origin}/report")
    tab.tab_to("#id_addresses")
    tab.type(address)
    tab.tab_to("#id_words")
    tab.type("typed with keys")
    tab.tab_to("input[name=category]")
    tab.press("Space")
    tab.press("ArrowDown", 2)
    assert tab.ask("document.querySelector('input[name=category]:checked').value") == "csam"
    tab.tab_to("input[name=who]")
    tab.press("Space")
    tab.tab_to("#id_youngest")
    tab.type("13")
    tab.tab_to("main button[type=submit]")
    tab.press("Enter")
    tab.arrive()
    assert "We have your report" in tab.text
    code = tab.ask(_CODES)
    assert len(code.split()) == 8
    tab.tab_to("form[action='/case/kept'] button")
    tab.press("Enter")
    tab.arrive()
    assert address in tab.text

    def is_hidden() -> bool:
        opened_by(tab, code, origin)
        return "at 2 of 2 places" in tab.text

    until(is_hidden)
    assert not any(beside.site.view(place.location) for place in beside.site.upload(address).places.values())


def test_tab_goes_through_the_page_in_the_order_in_which_it_is_read_and_never_gets_stuck(tab: Tab, origin: str) -> None:
    tab.open(f"{origin}/report")
    places: list[float] = []
    while len(places) < 200:
        tab.press("Tab")
        where = tab.ask(
            "document.activeElement === document.body ? null : document.activeElement.getBoundingClientRect().top"
            " + window.scrollY"
        )
        if where is None:
            break
        places.append(where)
    assert 20 < len(places) < 200
    assert places[1:] == sorted(places[1:]), "the first leads past the others, and stands above the page"


def test_the_first_key_offers_to_skip_to_the_page_itself_and_shows_that_it_does(tab: Tab, origin: str) -> None:
    tab.open(f"{origin}/report")
    tab.press("Tab")
    assert tab.ask("document.activeElement.textContent") == "Skip to the page itself"
    assert tab.ask("document.activeElement.getBoundingClientRect().top") >= 0
    tab.press("Enter")
    tab.tab_to("summary", most=3)


def test_what_has_the_focus_is_seen_to_have_it(tab: Tab, origin: str) -> None:
    tab.open(f"{origin}/report")
    for what in ("#id_addresses", "input[name=category]", "#id_youngest", "main button[type=submit]"):
        tab.tab_to(what)
        assert tab.ask("parseFloat(getComputedStyle(document.activeElement).outlineWidth)") >= 2, what


def test_a_mistake_takes_the_focus_to_what_is_wrong_and_a_link_to_where(tab: Tab, origin: str) -> None:
    tab.open(f"{origin}/report")
    tab.tab_to("#id_contact")
    tab.type("kept@mail.example")
    tab.tab_to("main button[type=submit]")
    tab.press("Enter")
    tab.arrive()
    assert tab.ask("document.activeElement.className") == "summary"
    tab.press("Tab")
    tab.press("Enter")
    until(lambda: tab.address.endswith("#id_addresses"))
    assert tab.ask("document.activeElement.id") == "id_addresses"
    assert tab.ask("document.querySelector('#id_contact').value") == "kept@mail.example"


def test_the_way_out_leads_away(tab: Tab, origin: str) -> None:
    tab.open(f"{origin}/report")
    tab.tab_to(".leave a", most=8)
    tab.press("Enter")
    until(lambda: tab.address == "about:blank")


# --- what a screen reader is told


def test_everything_that_can_be_acted_on_has_a_name(tab: Tab, origin: str, visitor: Visitor) -> None:
    tab.open(f"{origin}/report")
    names = tab.names()
    assert [role for role, name in names if not name.strip() and role != "group"] == []  # what opens and closes is one
    assert ("textbox", "Where is it?") in names
    assert ("button", "Send") in names
    groups = [name for role, name in names if role in ("group", "radiogroup")]
    assert {"What is it about?", "Who are you?", "Who put it there?"} <= set(groups)
    opened_by(tab, visitor.report("https://a.example/1").words, origin)
    assert [role for role, name in tab.names() if not name.strip() and role != "group"] == []


# --- narrow, dark, from right to left

Shown = Callable[[Tab, str, Visitor], None]


def _report(tab: Tab, origin: str, visitor: Visitor) -> None:
    del visitor
    tab.open(f"{origin}/report?address=https://a.example/{'x' * 300}")
    unfold(tab)


def _wrong(tab: Tab, origin: str, visitor: Visitor) -> None:
    _report(tab, origin, visitor)
    tab.ask("document.querySelector('#id_addresses').value = ''")
    tab.ask("document.querySelector('main form').requestSubmit()")
    tab.arrive()
    unfold(tab)


def _receipt(tab: Tab, origin: str, visitor: Visitor) -> None:
    _report(tab, origin, visitor)
    tab.ask("document.querySelector('main form').requestSubmit()")
    tab.arrive()
    unfold(tab)


def _case(tab: Tab, origin: str, visitor: Visitor) -> None:
    del visitor
    tab.open(f"{origin}/case")


def _status(tab: Tab, origin: str, visitor: Visitor) -> None:
    receipt = visitor.report(f"https://a.example/{'x' * 300}", "and another, in words", contact="a@b.example")
    opened_by(tab, receipt.words, origin)
    unfold(tab)


PAGES: Mapping[str, Shown] = {
    "report": _report,
    "report, wrong": _wrong,
    "receipt": _receipt,
    "case": _case,
    "status": _status,
}


@pytest.mark.parametrize("direction", ["ltr", "rtl"])
@pytest.mark.parametrize("name", PAGES)
def test_a_screen_320_pixels_wide_shows_all_of_it_without_going_sideways(
    tab: Tab, origin: str, visitor: Visitor, name: str, direction: str
) -> None:
    tab.size(320)
    PAGES[name](tab, origin, visitor)
    tab.ask(f"document.documentElement.dir = {json.dumps(direction)}")
    wide = "[...document.querySelectorAll('body *')].filter((e) => e.getClientRects().length && !e.closest('.skip') && "
    wide += "(e.getBoundingClientRect().right > 320.5 || e.getBoundingClientRect().left < -0.5))"
    assert tab.ask(f"{wide}.map((e) => e.outerHTML.slice(0, 100))") == []
    assert tab.ask("document.documentElement.scrollWidth") <= 320


@pytest.mark.parametrize("dark", [False, True], ids=["by day", "by night"])
@pytest.mark.parametrize("name", PAGES)
def test_every_word_can_be_read(tab: Tab, origin: str, visitor: Visitor, name: str, dark: bool) -> None:
    tab.size(400, dark=dark)
    PAGES[name](tab, origin, visitor)
    found: list[Any] = tab.ask(_CONTRAST)
    assert len(found) > 10
    assert [(ratio, text) for ratio, text in found if ratio < LEAST_CONTRAST] == []


@pytest.mark.parametrize("name", PAGES)
def test_whatever_a_finger_has_to_hit_is_large_enough(tab: Tab, origin: str, visitor: Visitor, name: str) -> None:
    tab.size(360)
    PAGES[name](tab, origin, visitor)
    small = [one for one in tab.ask(_SMALL) if not one[0].startswith("<input") and min(one[1:]) < LEAST_TARGET]
    assert small == []
    ticks = tab.ask("[...document.querySelectorAll('.tick')].map((e) => e.getBoundingClientRect().height)")
    assert all(height >= LEAST_TARGET for height in ticks)


# --- what leaves the machine, and what stays in the browser


def test_nothing_but_this_server_is_asked_nothing_is_kept_and_the_policy_is_not_broken(
    tab: Tab, origin: str, visitor: Visitor
) -> None:
    for shown in PAGES.values():
        shown(tab, origin, visitor)
    assert tab.asked
    assert [url for url in tab.asked if not url.startswith((f"{origin}/", "data:,", "about:"))] == []
    assert tab.cookies() == []
    assert tab.ask("[localStorage.length, sessionStorage.length]") == [0, 0]
    assert [text for text in tab.complaints if "status of 422" not in text] == []


def test_no_word_of_a_code_stands_in_an_address_that_the_browser_asks_for(
    tab: Tab, origin: str, visitor: Visitor
) -> None:
    code = visitor.report("https://a.example/1").words
    opened_by(tab, code, origin)
    for act in ("kept", "quiet", "withdraw"):
        tab.tab_to(f"form[action='/case/{act}'] button")
        tab.press("Enter")
        tab.arrive()
    assert {url.removeprefix(origin) for url in tab.asked} >= {"/case", "/case/kept", "/case/quiet", "/case/withdraw"}
    assert not [url for url in tab.asked for word in code.split() if f"/{word}" in url or f"={word}" in url]
