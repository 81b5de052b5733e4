"""Turns the table of endpoints into an OpenAPI 3.1 document."""

import inspect
import re
from collections.abc import Iterable
from typing import Any, Final

import msgspec

from ignrun import __version__
from ignrun.control.endpoints import JSON, Answer, Endpoint
from ignrun.control.sse import MEDIA_TYPE
from ignrun.control.wire import Problem

_REF: Final = "#/components/schemas/{name}"
_REFUSALS: Final = {
    "400": "The body or the query is not what is wanted here.",
    "401": "Over TCP: the token of the plant is missing or wrong.",
    "403": "The Host is none of ours, or a web page asked for a change.",
    "404": "There is no such module.",
    "409": "It cannot be done now; the summary says why.",
    "503": "The plant is not up as wanted, or too much is asked for at once.",
}
_WORDS: Final = {200: "As asked.", 202: "Begun.", 422: "What is wrong with the manifest."}


def openapi(endpoints: Iterable[Endpoint], door: type) -> dict[str, Any]:
    """Describe these endpoints; summaries are the docstrings of the handlers, which are methods of `door`."""
    table = tuple(endpoints)
    schemas = _Schemas(table)
    paths: dict[str, dict[str, Any]] = {}
    for one in table:
        paths.setdefault(one.path, {})[one.method.lower()] = _operation(one, door, schemas)
    return {
        "openapi": "3.1.0",
        "info": {"title": "ignrun control API", "version": __version__, "license": {"name": "Apache-2.0", "identifier": "Apache-2.0"}},
        "servers": [{"url": "http://localhost", "description": "over the control socket, or where --listen says"}],
        "security": [{}, {"token": []}],
        "paths": paths,
        "components": {
            "schemas": schemas.components,
            "securitySchemes": {"token": {"type": "http", "scheme": "bearer"}},
        },
    }  # fmt: skip


class _Schemas:
    """The JSON Schemas of all types that the endpoints speak of."""

    def __init__(self, table: tuple[Endpoint, ...]) -> None:
        answers = [answer for one in table for answer in one.answers.values()]
        spoken = [kind for one in answers for kind in (one.type, one.last) if kind]
        asked = [kind for one in table for kind in (one.body, one.query) if kind]
        types = list(dict.fromkeys([*spoken, *asked, Problem]))
        found, self.components = msgspec.json.schema_components(types, ref_template=_REF)
        self._by_type: dict[Any, dict[str, Any]] = dict(zip(types, found, strict=True))
        queries = [one.query for one in table if one.query]
        for query in queries:
            self.components.pop(query.__name__)

    def of(self, kind: Any) -> dict[str, Any]:
        return self._by_type[kind]

    def parameters(self, query: Any) -> list[dict[str, Any]]:
        (_,), found = msgspec.json.schema_components([query], ref_template=_REF)
        fields = found[query.__name__]["properties"]
        return [{"name": name, "in": "query", "required": False, "schema": schema} for name, schema in fields.items()]


def _operation(one: Endpoint, door: type, schemas: _Schemas) -> dict[str, Any]:
    text = inspect.getdoc(getattr(door, one.handler)) or ""
    summary, _, more = text.partition("\n\n")
    found: dict[str, Any] = {"operationId": one.handler, "summary": summary}
    if more:
        found["description"] = more
    parameters = [
        {"name": name, "in": "path", "required": True, "schema": {"type": "string", "minLength": 1}}
        for name in re.findall(r"{(\w+)}", one.path)
    ]
    if one.query:
        parameters += schemas.parameters(one.query)
    if parameters:
        found["parameters"] = parameters
    if one.body:
        found["requestBody"] = {"content": {JSON: {"schema": schemas.of(one.body)}}, "required": True}
    found["responses"] = _responses(one, schemas)
    return found


def _responses(one: Endpoint, schemas: _Schemas) -> dict[str, Any]:
    given = {str(status): _response(status, answer, schemas) for status, answer in one.answers.items()}
    problem = {JSON: {"schema": schemas.of(Problem)}}
    refusals = {
        status: {"description": words, "content": problem} for status, words in _REFUSALS.items() if status not in given
    }
    return given | refusals


def _response(status: int, answer: Answer, schemas: _Schemas) -> dict[str, Any]:
    """Describe an answer; of a stream the schema is that of the data of its messages."""
    words, schema = _WORDS[status], schemas.of(answer.type)
    if answer.media == MEDIA_TYPE:
        words = "A stream of messages; the data of each is JSON of this schema."
    if answer.last:
        words += " The last has the event `outcome`, or `problem`."
        schema = {"anyOf": [schema, schemas.of(answer.last), schemas.of(Problem)]}
    return {"description": words, "content": {answer.media: {"schema": schema}}}
