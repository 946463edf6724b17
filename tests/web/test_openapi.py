# SPDX-License-Identifier: Apache-2.0
"""The OpenAPI document can be relied on: every process gives the same, nothing in it points nowhere."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator
from typing import Any

import pytest

import holdfast
from tests.web.http import PROBLEM, Asker

TYPES = {"type": "string", "title": "string", "status": "integer", "code": "string", "detail": "string"}


@pytest.fixture(scope="module")
def document(nobody: Asker) -> dict[str, Any]:
    return dict(nobody.ask("GET", "/openapi.json").json)


def operations(document: dict[str, Any]) -> Iterator[tuple[str, str, dict[str, Any]]]:
    for path, methods in document["paths"].items():
        for method, operation in methods.items():
            yield path, method, operation


def inside(part: Any) -> Iterator[Any]:
    """Every value in the document."""
    yield part
    for inner in part.values() if isinstance(part, dict) else part if isinstance(part, list) else ():
        yield from inside(inner)


def test_every_process_gives_the_same_document_again_and_again(nobody: Asker) -> None:
    assert len({nobody.ask("GET", "/openapi.json").content for _ in range(12)}) == 1


def test_the_document_says_which_openapi_and_which_holdfast_it_is(document: dict[str, Any]) -> None:
    assert document["openapi"].startswith("3.1.")
    assert document["info"]["title"] == "Holdfast"
    assert document["info"]["version"] == holdfast.__version__


def test_every_reference_in_the_document_leads_somewhere(document: dict[str, Any]) -> None:
    references = [part["$ref"] for part in inside(document) if isinstance(part, dict) and "$ref" in part]
    assert references
    for reference in references:
        found: Any = document
        for step in reference.removeprefix("#/").split("/"):
            found = found[step]
        assert isinstance(found, dict)


def test_every_operation_has_a_name_of_its_own_and_a_summary(document: dict[str, Any]) -> None:
    names = Counter(operation["operationId"] for _, _, operation in operations(document))
    assert max(names.values()) == 1
    for _, _, operation in operations(document):
        assert operation["summary"]
        assert operation["description"].strip().endswith((".", ")"))
        assert operation["tags"]


def test_every_name_in_an_address_is_a_parameter_of_it(document: dict[str, Any]) -> None:
    for path, _, operation in operations(document):
        named = {one["name"] for one in operation.get("parameters", ()) if one["in"] == "path"}
        assert named == set(re.findall(r"{(\w+)}", path))
        assert all(one["required"] for one in operation.get("parameters", ()) if one["in"] == "path")


def test_every_operation_that_takes_a_key_tells_how_it_refuses(document: dict[str, Any]) -> None:
    for path, _, operation in operations(document):
        answers = set(operation["responses"])
        assert answers & {"200", "201"}, path
        if operation.get("security"):
            assert {"401", "403", "503"} <= answers, path
        if "{" in path:
            assert "404" in answers, path


def test_every_error_in_the_document_is_a_problem(document: dict[str, Any]) -> None:
    for _, _, operation in operations(document):
        for status, response in operation["responses"].items():
            if int(status) >= 400:
                (schema,) = [kind["schema"] for kind in response["content"].values()]
                assert schema == {"$ref": "#/components/schemas/Problem"}


def test_every_error_in_the_document_has_the_media_type_it_is_sent_with(document: dict[str, Any]) -> None:
    for _, _, operation in operations(document):
        for status, response in operation["responses"].items():
            if int(status) >= 400:
                assert set(response["content"]) == {"application/problem+json"}


def test_the_shape_of_a_problem_is_the_one_that_is_sent(document: dict[str, Any]) -> None:
    shape = document["components"]["schemas"]["Problem"]
    assert set(shape["properties"]) == set(PROBLEM) == set(shape["required"])
    assert {name: shape["properties"][name]["type"] for name in TYPES} == TYPES
    assert shape["properties"]["retry"]["type"] == "boolean"


def test_every_body_that_is_taken_is_in_the_document(document: dict[str, Any]) -> None:
    bodies = {
        path: set(operation["requestBody"]["content"])
        for path, _, operation in operations(document)
        if "requestBody" in operation
    }
    assert bodies == {
        "/v1/screen": {"application/octet-stream", "multipart/form-data"},
        "/v1/screen/hashes": {"application/json"},
        "/v1/banks": {"application/json"},
        "/v1/banks/{name}/entries": {"application/json"},
        "/v1/banks/{name}/entries/picture": {"application/octet-stream"},
        "/v1/banks/{name}/import": {"text/csv", "application/x-ndjson", "text/plain"},
        "/v1/banks/{name}/threshold": {"application/json"},
        "/v1/banks/{name}/action": {"application/json"},
        "/v1/banks/{name}/video": {"application/json"},
        "/v1/banks/{name}/entries/{entry_id}/opinion": {"application/json"},
        "/v1/banks/{name}/imports/{import_id}/roll-back": {"application/json"},
        "/v1/reports": {"application/json"},
        "/v1/reports/open": {"application/json"},
        "/v1/reports/add": {"application/json"},
        "/v1/reports/withdraw": {"application/json"},
        "/v1/reports/stop-contact": {"application/json"},
        "/v1/proposals/{proposal_id}/agree": {"application/json"},
        "/v1/proposals/{proposal_id}/refuse": {"application/json"},
        "/v1/proposals/{proposal_id}/withdraw": {"application/json"},
    }


def test_the_options_of_an_upload_are_in_the_document_in_the_address_and_in_the_form(document: dict[str, Any]) -> None:
    screen = document["paths"]["/v1/screen"]["post"]
    options = {"content_id", "content_version", "surface", "uploader"}
    assert {one["name"] for one in screen["parameters"] if one["in"] == "query"} == options
    assert [one["name"] for one in screen["parameters"] if one["in"] == "header"] == ["Idempotency-Key", "Prefer"]
    form = screen["requestBody"]["content"]["multipart/form-data"]["schema"]
    assert set(form["properties"]) == {"file", *options}
