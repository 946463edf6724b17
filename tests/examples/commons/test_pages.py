# SPDX-License-Identifier: Apache-2.0
"""The pages: made on the server, for keyboards and screen readers, the same for everybody where a cache keeps them."""

from __future__ import annotations

import socket
from html.parser import HTMLParser
from urllib.parse import parse_qs, urlsplit
from uuid import uuid4

import httpx
import pytest
from commons.client import Person

from holdfast.demo.pictures import encoded, hills
from tests.examples.commons.running import Running, picture, spots, urls

PASSWORD = "a long password"


class Page(HTMLParser):
    """The tags of a page, in order, with their attributes."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))

    def all(self, tag: str) -> list[dict[str, str | None]]:
        return [attributes for name, attributes in self.tags if name == tag]


@pytest.fixture
def anna(commons: Running) -> Person:
    return commons.person()


def every_page(anna: Person) -> dict[str, str]:
    made = anna.post("hello", picture())
    anna.show_face(picture())
    paths = [
        *("/", "/search", "/search?q=hello", made.path, f"/u/{anna.name}", "/p/999999999", "/login", "/signup"),
        *("/new", "/me", "/me/face", "/me/close", f"{made.path}/edit", f"{made.path}/share", f"{made.path}/delete"),
    ]
    return {path: anna.read(path).text for path in paths}


def test_every_page_can_be_read_aloud_and_needs_no_script(anna: Person) -> None:
    for path, text in every_page(anna).items():
        page = Page(text)
        assert page.all("html")[0]["lang"] == "en", path
        assert len(page.all("h1")) == len(page.all("main")) == len(page.all("title")) == 1, path
        assert page.all("script") == []
        assert not [
            name for _, attributes in page.tags for name in attributes if name.startswith("on") or name == "style"
        ]
        assert all("alt" in each for each in page.all("img"))
        labelled = {each["for"] for each in page.all("label")}
        fields = [each for each in page.all("input") + page.all("textarea") if each.get("type") != "hidden"]
        assert {each["id"] for each in fields} <= labelled, path
        ids = [given["id"] for _, given in page.tags if "id" in given]
        assert len(ids) == len(set(ids)), path


def test_every_page_sends_the_same_careful_headers(commons: Running) -> None:
    for path in ("/", "/p/999999999", "/login", "/me", "/static/style.css", "/assets/logo.png", "/holdfast/hold"):
        headers = commons.get(path).headers
        assert headers["cache-control"] == "no-store"
        assert headers["x-content-type-options"] == "nosniff"
        assert headers["referrer-policy"] == "no-referrer"
        assert "default-src 'none'" in headers["content-security-policy"]


def test_a_page_is_the_same_whoever_reads_it(commons: Running, anna: Person) -> None:
    made = anna.post("hello", picture())
    for path in (made.path, f"/u/{anna.name}", "/p/999999999"):
        answers = [anna.read(path), commons.get(path), commons.person().read(path)]
        texts = {each.text.partition('<p class="quiet">Seen')[0] for each in answers}
        assert len(texts) == 1
        assert not any("set-cookie" in each.headers for each in answers)


def test_each_post_leads_to_holdfasts_report_page(commons: Running, anna: Person) -> None:
    made = anna.post("hello", picture())
    for path in (made.path, "/"):
        links = [urlsplit(each["href"] or "") for each in Page(commons.get(path).text).all("a")]
        reports = [link for link in links if link.path == "/report"]
        assert commons.site + made.path in [parse_qs(link.query)["address"][0] for link in reports]
        assert {f"{link.scheme}://{link.netloc}" for link in reports} == {commons.environment["COMMONS_HOLDFAST_URL"]}


def test_words_are_shown_as_words(commons: Running, anna: Person) -> None:
    made = anna.post('<script>alert("1")</script> & more')
    assert "&lt;script&gt;alert(&quot;1&quot;)&lt;/script&gt; &amp; more" in commons.get(made.path).text
    assert "<script" not in commons.get("/search?q=%3Cscript%3E").text


def test_a_search_finds_words_and_takes_no_sign_for_more_than_itself(commons: Running, anna: Person) -> None:
    word = uuid4().hex
    made = anna.post(f"{word} 100% of_it")
    for query, found in (
        (word, True),
        (f"{word} 100%25", True),
        (f"{word}%25of", False),
        ("100_ of", False),
        ("", False),
    ):
        assert (f'href="{made.path}"' in commons.get(f"/search?q={query}").text) is found, query


def test_a_list_goes_on_with_older_posts(commons: Running, anna: Person) -> None:
    made = [anna.post(f"number {number}").path for number in range(23)]
    first = Page(commons.get(f"/u/{anna.name}").text)
    (older,) = [each["href"] for each in first.all("a") if "before=" in (each["href"] or "")]
    texts = [commons.get(f"/u/{anna.name}").text, commons.get(older or "").text]
    shown = [[path for path in made if f'href="{path}"' in text] for text in texts]
    assert [len(each) for each in shown] == [20, 3]
    assert sorted(shown[0] + shown[1]) == sorted(made)


def test_a_thumbnail_is_small_and_the_file_is_as_it_came(commons: Running, anna: Person) -> None:
    content = encoded(hills(78_001, (1200, 900)))
    made = anna.post("large", content)
    page, media, thumb = (commons.get(url) for url in urls(commons.item(made.path)))
    assert media.content == content
    assert media.headers["content-type"] == thumb.headers["content-type"] == "image/jpeg"
    assert len(thumb.content) < len(content) / 4
    assert page.headers["content-type"] == "text/html; charset=utf-8"


@pytest.mark.parametrize(
    "content", [b"<svg xmlns='http://www.w3.org/2000/svg'/>", b"<!doctype html>", b"%PDF-1.7", b"PK"]
)
def test_what_is_no_picture_and_no_film_is_not_taken(anna: Person, content: bytes) -> None:
    with pytest.raises(httpx.HTTPStatusError) as refused:
        anna.post("look", content)
    assert "cannot be shown here" in refused.value.response.text
    assert "look" in refused.value.response.text
    with pytest.raises(httpx.HTTPStatusError):
        anna.post("  ")


# --- accounts


def test_names_and_passwords_that_will_not_do_are_said_to(commons: Running, anna: Person) -> None:
    for name, password, said in (
        (anna.name, PASSWORD, "Somebody has this name already."),
        (anna.name.upper(), PASSWORD, "Somebody has this name already."),
        ("x", PASSWORD, "A name has 2 to 30"),
        ("two words", PASSWORD, "A name has 2 to 30"),
        ("<b>", PASSWORD, "A name has 2 to 30"),
        (f"n{uuid4().hex[:8]}", "short", "A password has at least 8"),
    ):
        with pytest.raises(httpx.HTTPStatusError) as refused:
            Person(commons.site, name, password)
        assert said in refused.value.response.text


def test_only_the_right_password_opens_an_account_until_it_is_closed(commons: Running, anna: Person) -> None:
    again = Person(commons.site, anna.name, PASSWORD, new=False)
    assert again.name in again.read("/me").text
    for name, password in ((anna.name, "another password"), (f"n{uuid4().hex[:8]}", PASSWORD)):
        with pytest.raises(httpx.HTTPStatusError):
            Person(commons.site, name, password, new=False)
    again.close()
    assert anna.read("/me").status_code == 303
    with pytest.raises(httpx.HTTPStatusError):
        Person(commons.site, anna.name, PASSWORD, new=False)


@pytest.mark.parametrize("path", ["/me", "/new", "/p/1/edit", "/p/999999999/edit", "/p/999999999/share"])
def test_whoever_is_not_logged_in_is_asked_to_whatever_there_is(commons: Running, path: str) -> None:
    for cookie in ("", "nonsense", "MQ:1x:abc"):
        answer = commons.stranger.get(path, headers={"Cookie": f"commons={cookie}"})
        assert answer.status_code == 303
        assert answer.headers["location"].startswith("/login?next=")


@pytest.mark.parametrize("after", ["https://elsewhere.example/", "//elsewhere.example", "/\\elsewhere.example", "me"])
def test_logging_in_leads_nowhere_else(commons: Running, anna: Person, after: str) -> None:
    form = {"name": anna.name, "password": PASSWORD, "next": after}
    assert commons.stranger.post("/login", data=form).headers["location"] == "/me"


@pytest.mark.parametrize(
    "headers",
    [
        {"Origin": "https://elsewhere.example"},
        {"Origin": "null"},
        {"Sec-Fetch-Site": "cross-site"},
        {"Sec-Fetch-Site": "same-site"},
    ],
)
def test_another_sites_page_cannot_act_for_somebody(commons: Running, anna: Person, headers: dict[str, str]) -> None:
    form = {"name": anna.name, "password": PASSWORD}
    assert commons.stranger.post("/login", data=form, headers=headers).status_code == 403
    own = {"Origin": commons.site, "Sec-Fetch-Site": "same-origin"}
    assert commons.stranger.post("/login", data=form, headers=own).status_code == 303


def test_a_post_is_its_owners_alone_to_change(commons: Running, anna: Person) -> None:
    number, other = int(anna.post("mine").path[3:]), commons.person()
    for act in (lambda: other.edit(number, "hers"), lambda: other.delete(number)):
        with pytest.raises(httpx.HTTPStatusError, match="404"):
            act()
    assert "mine" in commons.get(f"/p/{number}").text


def test_a_share_says_whose_picture_it_is_only_while_that_can_be_seen(commons: Running, anna: Person) -> None:
    made = anna.post("first", picture())
    shared = commons.person().share(int(made.path[3:]), "look at this")
    assert f'href="{made.path}"' in commons.get(shared.path).text
    commons.act("hold", *spots(commons.item(made.path)))
    text = commons.get(shared.path).text
    assert made.path not in text
    assert anna.name not in text


def test_a_body_that_is_too_long_or_cut_short_is_refused(commons: Running) -> None:
    host, port = "127.0.0.1", int(commons.environment["COMMONS_PORT"])
    for announced, sent in ((65 * 1024 * 1024, b""), (100, b"too little")):
        with socket.create_connection((host, port), timeout=30) as connection:
            head = f"POST /new HTTP/1.1\r\nHost: x\r\nContent-Length: {announced}\r\nConnection: close\r\n\r\n"
            connection.sendall(head.encode() + sent)
            connection.shutdown(socket.SHUT_WR)
            answered = connection.recv(65536)
        assert answered == b"" or b" 413 " in answered.splitlines()[0]
    assert commons.get("/").status_code == 200
