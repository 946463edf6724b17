# SPDX-License-Identifier: Apache-2.0
"""The contact sheet: every uploaded picture with its verdict and its reason, as HTML and as PNG.

The HTML stands alone (no script, nothing fetched) and reads well aloud: each picture has its words
beside it, and no verdict is told by colour only.
"""

from __future__ import annotations

import base64
import html
import io
from pathlib import Path
from typing import Final

from PIL import Image, ImageDraw, ImageFont

from holdfast.demo import storyboard as storyboards
from holdfast.demo.story import Outcome, Result
from holdfast.demo.storyboard import storyboard
from holdfast.demo.why import why

_THUMB: Final = (200, 150)
_COLUMNS: Final = 6
_MARGIN: Final = 16
_TEXT_HEIGHT: Final = 92
_HEAD: Final = 110
_FILM_HEIGHT: Final = storyboards.HEIGHT + 44
_RED, _GREEN, _INK, _PALE = "#b3261e", "#1b6e3c", "#1c1b1f", "#6b6b70"
_SECTIONS: Final = {
    "known": "Known pictures",
    "disguised": "Known pictures in disguise",
    "format": "A known picture in every format",
    "video": "A known video, as it is and in others",
    "unrelated": "Other pictures",
    "unscreenable": "Files about which nothing can be told",
}
_STYLE: Final = """
:root{color-scheme:light dark}
body{font:16px/1.5 system-ui,sans-serif;max-width:76rem;margin:2rem auto;padding:0 1rem}
h1{margin-bottom:0}table{border-collapse:collapse;margin:1rem 0}td,th{padding:.3rem .9rem .3rem 0;text-align:left;
border-bottom:1px solid #8886}
ul{display:grid;grid-template-columns:repeat(auto-fill,minmax(11rem,1fr));gap:1.2rem;list-style:none;padding:0}
img,.none{width:100%;aspect-ratio:4/3;object-fit:cover;border-radius:.4rem;display:block}
.none{background:#8883;display:grid;place-items:center;color:#777}
b{display:inline-block;padding:0 .5rem;border-radius:.3rem;color:#fff;margin:.4rem .4rem 0 0}
.hold{background:#b3261e}.publish{background:#1b6e3c}small{display:block;overflow-wrap:anywhere}
.wide{grid-column:1/-1}.wide img{aspect-ratio:auto;object-fit:contain;background:#fff}
.wrong{outline:.25rem solid #e8a400;outline-offset:.2rem}
"""


def write_html(result: Result, summary: list[tuple[str, str]], path: Path) -> None:
    """Write the sheet as one HTML file."""
    rows = "".join(
        f"<tr><th scope=row>{html.escape(name)}</th><td>{html.escape(value)}</td></tr>" for name, value in summary
    )
    steps = "".join(
        f"<tr><td>{html.escape(step.did)}</td><td>{_badge(step.answer)}</td><td>{step.seconds * 1000:.0f} ms</td></tr>"
        for step in result.steps
    )
    sections = "".join(
        f"<h2>{html.escape(title)}</h2><ul>{_cards(result, kind)}</ul>" for kind, title in _SECTIONS.items()
    )
    path.write_text(
        f"<!doctype html><html lang=en><meta charset=utf-8><meta name=viewport content='width=device-width'>"
        f"<title>Holdfast: contact sheet</title><style>{_STYLE}</style><h1>Contact sheet</h1>"
        f"<p>Benign pictures made by code, uploaded through the public API in this run.</p><table>{rows}</table>"
        f"<h2>Taking an entry out, putting one in</h2>"
        f"<table><tr><th>what was done<th>the next upload<th>answered in</tr>{steps}</table>{sections}</html>",
        encoding="utf-8",
    )


def write_png(result: Result, summary: list[tuple[str, str]], path: Path) -> None:
    """Draw the sheet as one picture."""
    width = _MARGIN + _COLUMNS * (_THUMB[0] + _MARGIN)
    groups = [[one for one in result.outcomes if one.sample.kind == kind] for kind in _SECTIONS]
    cell = _THUMB[1] + _TEXT_HEIGHT
    height = _HEAD + sum(44 + _height(group) for group in groups if group) + _MARGIN
    canvas = Image.new("RGB", (width, height), "white")
    draw = ImageDraw.Draw(canvas)
    draw.text((_MARGIN, 14), "Holdfast: contact sheet", fill=_INK, font=ImageFont.load_default(26))
    for number, (name, value) in enumerate(summary[:6]):
        place = (_MARGIN + (number % 3) * (width // 3), 54 + (number // 3) * 22)
        draw.text(place, f"{name}: {value}", fill=_PALE, font=ImageFont.load_default(14))
    top = _HEAD
    for title, group in zip(_SECTIONS.values(), groups, strict=True):
        if not group:
            continue
        draw.text((_MARGIN, top + 8), title, fill=_INK, font=ImageFont.load_default(20))
        top += 44
        for number, outcome in enumerate(group if group[0].sample.kind == "video" else ()):
            _draw_film(canvas, draw, outcome, (_MARGIN, top + number * _FILM_HEIGHT))
        for number, outcome in enumerate(group if group[0].sample.kind != "video" else ()):
            column, row = number % _COLUMNS, number // _COLUMNS
            _draw_cell(canvas, draw, outcome, (_MARGIN + column * (_THUMB[0] + _MARGIN), top + row * cell))
        top += _height(group)
    canvas.save(path)


def _height(group: list[Outcome]) -> int:
    """Of a section without its title: a video has a row of its own."""
    if group[0].sample.kind == "video":
        return len(group) * _FILM_HEIGHT
    return -(-len(group) // _COLUMNS) * (_THUMB[1] + _TEXT_HEIGHT)


def _draw_film(canvas: Image.Image, draw: ImageDraw.ImageDraw, outcome: Outcome, at: tuple[int, int]) -> None:
    left, top = at
    board = storyboard(outcome.sample.content, outcome.explanation)
    canvas.paste(board or _thumbnail(outcome).resize((100, 75)), at)
    below = top + storyboards.HEIGHT + 2
    colour = _RED if outcome.answer == "hold" else _GREEN
    draw.text((left, below), outcome.answer.upper(), fill=colour, font=ImageFont.load_default(14))
    words = f"{outcome.sample.title}   {why(outcome.explanation)}"
    draw.text((left + 90, below + 2), words, fill=_INK, font=ImageFont.load_default(11))


def _draw_cell(canvas: Image.Image, draw: ImageDraw.ImageDraw, outcome: Outcome, at: tuple[int, int]) -> None:
    left, top = at
    canvas.paste(_thumbnail(outcome), at)
    below = top + _THUMB[1] + 5
    colour = _RED if outcome.answer == "hold" else _GREEN
    draw.text((left, below), outcome.answer.upper(), fill=colour, font=ImageFont.load_default(14))
    text = _wrapped(_short_title(outcome), 34)[:2] + _wrapped(why(outcome.explanation), 40)[:3]
    for number, line in enumerate(text):
        draw.text(
            (left, below + 18 + number * 13), line, fill=_INK if number < 1 else _PALE, font=ImageFont.load_default(11)
        )


def _thumbnail(outcome: Outcome) -> Image.Image:
    """What was uploaded, as a viewer would show it; a grey field where there is nothing to show."""
    try:
        with Image.open(io.BytesIO(outcome.sample.content)) as opened:
            if opened.width * opened.height < 10_000_000:  # noqa: PLR2004
                # 16 bits are shown by their upper eight; the library would cut everything above 255 to white.
                plain = opened.point(lambda grey: grey / 256).convert("L") if opened.mode == "I;16" else opened
                small = plain.convert("RGB")
                small.thumbnail(_THUMB)
                return _centred(small)
    except Exception:  # noqa: BLE001, S110  # it is on the sheet because it cannot be opened; the field says so
        pass
    if filmed := storyboards.poster(outcome.sample.content):
        return _centred(filmed.resize(_THUMB))
    field = Image.new("RGB", _THUMB, "#dcdce0")
    ImageDraw.Draw(field).text((40, 66), "nothing to show", fill=_PALE, font=ImageFont.load_default(14))
    return field


def _centred(small: Image.Image) -> Image.Image:
    field = Image.new("RGB", _THUMB, "#dcdce0")
    field.paste(small, ((_THUMB[0] - small.width) // 2, (_THUMB[1] - small.height) // 2))
    return field


def _cards(result: Result, kind: str) -> str:
    return "".join(_card(one) for one in result.outcomes if one.sample.kind == kind)


def _card(outcome: Outcome) -> str:
    buffer = io.BytesIO()
    board = storyboard(outcome.sample.content, outcome.explanation) if outcome.sample.kind == "video" else None
    (board or _thumbnail(outcome)).save(buffer, "JPEG", quality=80)
    source = base64.b64encode(buffer.getvalue()).decode()
    names = [name for name, holds in (("wide", board is not None), ("wrong", not outcome.as_expected)) if holds]
    marked = f" class='{' '.join(names)}'" if names else ""
    title = html.escape(outcome.sample.title)
    reason = html.escape(why(outcome.explanation))
    return (
        f"<li{marked}><img alt='' src='data:image/jpeg;base64,{source}'>{_badge(outcome.answer)}{title}"
        f"<small>{reason}</small></li>"
    )


def _badge(answer: str) -> str:
    return f"<b class={answer}>{answer}</b>"


def _short_title(outcome: Outcome) -> str:
    return outcome.sample.title.replace("known picture ", "#")


def _wrapped(text: str, width: int) -> list[str]:
    lines = [""]
    pieces = [word[at : at + width] for word in text.split() for at in range(0, len(word), width)]
    for word in pieces:
        if len(lines[-1]) + len(word) + 1 > width and lines[-1]:
            lines.append("")
        lines[-1] = f"{lines[-1]} {word}".strip()
    return lines
