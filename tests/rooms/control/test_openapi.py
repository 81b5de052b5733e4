"""Holds the OpenAPI document, the routes, the wire types and the client together."""

import asyncio
import inspect
import re
from pathlib import Path

import jsonschema
import msgspec
import pytest
from starlette.routing import Route

from ignrun.control.client import Client
from ignrun.control.endpoints import ENDPOINTS, JSON
from ignrun.control.openapi import openapi
from ignrun.control.routes import Door, application
from ignrun.control.streams import Streams
from ignrun.runtime.journal.schema import open_store
from ignrun.runtime.watch.status import WatchStatus
from tests.rooms.control.scripted import ScriptedRunner
from tests.rooms.control.test_door import ask

SPECIFIED = {
    "/v1/status", "/v1/modules", "/v1/modules/{address}", "/v1/modules/{address}/start", "/v1/modules/{address}/stop",
    "/v1/modules/{address}/restart", "/v1/modules/{address}/maintenance", "/v1/plan", "/v1/apply", "/v1/events", "/v1/logs",
    "/v1/config", "/v1/generations", "/v1/rollback", "/v1/report", "/metrics", "/healthz", "/readyz", "/openapi.json",
}  # fmt: skip


@pytest.fixture(scope="module")
def document() -> dict:
    return openapi(ENDPOINTS, Door)


async def test_the_document_has_exactly_the_routes_that_are_answered(document) -> None:
    app = application(ScriptedRunner(), Streams())
    served = {
        (route.path, method)
        for route in app.routes
        if isinstance(route, Route)
        for method in (route.methods or set()) - {"HEAD"}
    }
    told = {(path, method.upper()) for path, methods in document["paths"].items() for method in methods}
    assert told == served
    assert set(document["paths"]) >= SPECIFIED


def test_every_operation_says_what_it_does_and_every_reference_leads_somewhere(document) -> None:
    for path, methods in document["paths"].items():
        for operation in methods.values():
            assert operation["summary"].endswith("."), path
            assert {"403", "401"} <= set(operation["responses"])
    text = msgspec.json.encode(document).decode()
    names = set(re.findall(r'"#/components/schemas/(\w+)"', text))
    assert names <= set(document["components"]["schemas"])
    assert set(document["components"]["schemas"]) - names == set()  # and nothing is described that nobody speaks of


def test_the_schemas_are_json_schemas(document) -> None:
    for schema in document["components"]["schemas"].values():
        jsonschema.Draft202012Validator.check_schema(schema)


async def test_every_endpoint_answers_what_the_document_says(document, server, runner, path, off_loop) -> None:
    runner.go.set()
    runner.watching = WatchStatus("watching", "inotify")
    runner.state_dir = str(path.parent)
    open_store(path.parent / "journal.sqlite").close()
    bodies = {"ApplyRequest": b'{"manifest": "/m", "root": "/"}', "AskRequest": b"{}", "DownRequest": b"{}"}
    bodies |= {"RollbackRequest": b"{}", "CancelRequest": b"{}", "WatchRequest": b"{}"}
    for one in ENDPOINTS:
        if one.handler == "generation":  # there is none yet; a story asks a real runner
            continue
        target = one.path.replace("{address}", "tags") + ("?follow=false" if one.handler in {"events", "logs"} else "")
        body = bodies[one.body.__name__] if one.body else None
        status, text, headers = await off_loop(ask, path, one.method, target, {"Host": "localhost"}, body)
        told = document["paths"][one.path][one.method.lower()]["responses"][str(status)]["content"]
        media = headers["content-type"].partition(";")[0]
        assert (status in {200, 202}, list(told)) == (True, [media]), (target, text)
        if media == JSON and one.handler != "openapi":
            schema = told[JSON]["schema"] | {"components": document["components"]}
            jsonschema.Draft202012Validator(schema).validate(msgspec.json.decode(text))


def test_the_client_has_a_call_for_every_endpoint() -> None:
    asked = inspect.getsource(Client)
    for one in ENDPOINTS:
        if one.path not in {"/openapi.json", "/healthz"} and not re.search(
            r"/(start|stop|restart|maintenance)$", one.path
        ):
            assert one.path.partition("{")[0] in asked, one.path


async def test_the_page_of_the_api_names_every_endpoint() -> None:
    page = Path(__file__).parents[3].joinpath("docs/reference/api.md").read_text()
    missing = [f"{one.method} {one.path}" for one in ENDPOINTS if f"| `{one.method} {one.path}` |" not in page]
    assert missing == []


# --- what is new of it ------------------------------------------------------------------------------------------------


async def test_modules_and_their_config_come_back(client, off_loop) -> None:
    found = await off_loop(client.modules)
    assert [(one.name, [each.address for each in one.instances]) for one in found.modules] == [
        ("tags", ["tags@gateway"]),
        ("web", ["web@gateway", "web@client"]),
    ]
    assert [one.address for one in (await off_loop(client.config, "web")).instances] == ["web@gateway", "web@client"]
    assert len((await off_loop(client.config)).instances) == 3


QUERIES = [
    ("/v1/events?after=1&after=2&follow=false", 400, "the query names `after` twice"),
    ("/v1/events?follow=perhaps", 400, "Expected `bool`"),
    ("/v1/events?nonsense=1", 400, "unknown field `nonsense`"),
    ("/v1/events?after=99999999999999999999999999", 400, "Expected `int`"),
    ("/v1/logs?lines=-1", 400, "Expected `int` >= 0"),
    ("/v1/logs?level=loud", 400, "Invalid enum value"),
    ("/v1/logs?module=..%2F..%2Fetc&follow=false", 404, "there is no module"),
    ("/v1/config?module=tag", 404, "there is no module `tag`"),
    (f"/v1/modules/{'x' * 5000}", 404, "there is no module"),
]


async def test_a_query_that_is_not_wanted_is_refused_with_its_reason(server, path, off_loop) -> None:
    for target, status, words in QUERIES:
        got, text, _ = await off_loop(ask, path, "GET", target, {"Host": "localhost"})
        assert (got, words in text.decode()) == (status, True), (target, text)


def line(second: int, text: str, level: str = "info", address: str = "tags@gateway") -> str:
    return f'{{"at":"2026-05-04T03:02:{second:02}Z","level":"{level}","text":"{text}","address":"{address}"}}\n'


async def test_log_lines_are_streamed_as_they_come(client, runner, tmp_path, off_loop) -> None:
    logs = tmp_path / "logs"
    logs.mkdir()
    runner.state_dir = str(tmp_path)
    (logs / "tags.log").write_text(line(1, "one") + line(2, "two", "error") + line(3, "three"))
    (logs / "web.log").write_text(line(2, "web", address="web@client"))
    texts = lambda **wanted: [one.text for one in client.logs(**wanted)]
    assert await off_loop(texts) == ["one", "two", "web", "three"]
    assert await off_loop(lambda: texts(lines=1)) == ["three"]
    assert await off_loop(lambda: texts(level="warning")) == ["two"]
    assert await off_loop(lambda: texts(grep="o")) == ["one", "two"]
    assert await off_loop(lambda: [one.text for one in client.logs("web@client")]) == ["web"]
    following = client.logs("tags", lines=0, follow=True)
    call = asyncio.create_task(off_loop(next, following))
    while not call.done():
        with (logs / "tags.log").open("a") as file:
            file.write(line(4, "four"))
        await asyncio.sleep(0.05)
    assert call.result().text == "four"
    await off_loop(following.close)
