"""Every operation of the interface, in one table."""

from __future__ import annotations

from typing import Final

from evidentsource_runtime.cloudevents import BATCH, STRUCTURED
from evidentsource_runtime.server.http import aliases, databases, reads, views, writes
from evidentsource_runtime.server.http.answers import JSON
from evidentsource_runtime.server.http.operations import Answer, Body, Operation, Query, named
from evidentsource_runtime.server.http.schemas import BOOLEAN, INTEGER, STRING, TIME
from evidentsource_runtime.server.http.streaming import EVENT_STREAM, NDJSON

__all__ = ["OPERATIONS"]

API: Final = "/api/v1"
DB: Final = f"{API}/db/{{database}}"
AT: Final = f"{DB}/{{revision}}"

_ETAG: Final = {"etag": "stands for the answer; send it back as If-None-Match"}
_CODE: Final = {
    "x-evidentsource-served-by": "how the code is run: component, attached or python",
    "x-evidentsource-input-hash": "what the component was built from",
}
_LOCATION: Final = {"location": "where it is"}


def _answer(text: str, schema: str, headers: dict[str, str] | None = None) -> Answer:
    return Answer(text, {JSON: named(schema)}, headers or {})


_LIVE: Final = {EVENT_STREAM: named("ServerSentEvent")}
"""The schema of each event of the stream."""


def _many(text: str, schema: str, media: str, *, live: bool = False) -> Answer:
    content = {media: named(schema), NDJSON: STRING}
    return Answer(text, content | _LIVE if live else content, {})


_UNCHANGED: Final = Answer("It has not changed.", {}, _ETAG)
_ACCEPTED: Final = _answer("Accepted, to be done in turn.", "Accepted", _LOCATION)

_LIMIT: Final = Query("limit", "at most so many", {"type": "integer", "minimum": 0})
_EFFECTIVE: Final = Query("effective_at", "only what had taken effect by then", TIME)
_LAST: Final = Query("last-event-id", "go on behind this id", STRING, header=True)
_MATCH: Final = Query(
    "if-none-match", "tags of answers that are there already", STRING, header=True
)
_PREFER: Final = Query("prefer", "respond-async: accept it, do it in turn", STRING, header=True)
_SEEN: Final = Query(
    "last_seen_revision", "the revision to decide on; the latest if left out", INTEGER
)
_READ: Final = Query("last_read_revision", "the revision that was read before; only noted", INTEGER)
_WORDS: Final = (
    Query("transaction_id", "sent again under the same id, nothing is written", STRING),
    Query("correlation_id", "what it belongs to", STRING),
    Query("causation_id", "what led to it", STRING),
    Query("commit_message", "what it is for, in words", STRING),
)
_FILTERS: Final = (
    Query("stream", "events of that stream", STRING),
    Query("subject", "events with that subject", STRING),
    Query("no_subject", "events without a subject", BOOLEAN),
    Query("type", "events of that type", STRING),
    Query("stream_starts_with", "events of streams that begin so", STRING),
    Query("subject_starts_with", "events whose subject begins so", STRING),
    Query("type_starts_with", "events whose type begins so", STRING),
)
_BINDINGS: Final = tuple(
    Query(f"{kind}.", f"binds the parameter named behind the dot to a {kind}", STRING, prefix=True)
    for kind in ("stream", "subject", "event_type")
)
_AS_OF: Final = (
    Query("database", "the database", STRING),
    Query("asOfTransactionTime", "as it was recorded then", TIME),
    Query("asOfEffectiveTime", "with only what had taken effect by then", TIME),
)

_DATABASES: Final = (
    Operation(
        "catalog",
        "GET",
        f"{API}/catalog",
        databases.catalog,
        "The names of the databases.",
        answers={200: _answer("Their names, in order.", "Catalog")},
    ),
    Operation(
        "listDatabases",
        "GET",
        f"{API}/databases",
        databases.list_databases,
        "The databases as they are.",
        answers={200: _answer("Each one.", "Databases")},
    ),
    Operation(
        "createDatabase",
        "POST",
        f"{API}/databases",
        databases.create,
        "Make a database.",
        body=Body("its name", {JSON: named("NewDatabase")}),
        answers={201: _answer("It is there, at revision 0.", "Database", _LOCATION)},
    ),
    Operation(
        "showDatabase",
        "GET",
        DB,
        databases.show,
        "A database as it is, or was.",
        (
            Query("recorded_at", "as it was recorded then", TIME),
            Query("cached", "as the server last heard of it", BOOLEAN),
            _MATCH,
        ),
        answers={200: _answer("Its state.", "Database", _ETAG), 304: _UNCHANGED},
    ),
    Operation(
        "deleteDatabase",
        "DELETE",
        DB,
        databases.delete,
        "Delete a database for good.",
        answers={200: _answer("Its last state.", "Database")},
    ),
    Operation(
        "databaseUpdates",
        "GET",
        f"{DB}/updates",
        databases.updates,
        "A database as it is, and then after each transaction.",
        (_LAST,),
        answers={200: Answer("Events named database.", _LIVE, {})},
    ),
)
_WRITES: Final = (
    Operation(
        "transact",
        "POST",
        f"{DB}/transactions",
        writes.transact,
        "Commit events, all or none, if every condition holds.",
        (*_WORDS, _READ, _PREFER),
        Body(
            "events; with conditions as application/json",
            {
                JSON: named("Transaction"),
                BATCH: named("CloudEvents"),
                STRUCTURED: named("CloudEvent"),
                "*/*": {},
            },
        ),
        {201: _answer("It is committed.", "Summary", _LOCATION), 202: _ACCEPTED},
    ),
    Operation(
        "listStateChanges",
        "GET",
        f"{DB}/state-changes",
        views.list_changes,
        "Every version of every state change.",
        answers={200: _answer("All of them, by name.", "StateChanges")},
    ),
    Operation(
        "publishStateChange",
        "POST",
        f"{DB}/state-changes",
        views.publish_change,
        "Publish the next version of a state change.",
        body=Body("metadata and component", {"multipart/form-data": named("Upload")}),
        answers={201: _answer("It is published.", "PublishedChange", _LOCATION)},
        component=True,
    ),
    Operation(
        "executeStateChange",
        "POST",
        f"{DB}/state-changes/{{name}}/{{version}}",
        writes.execute,
        "Execute a state change; the version may be latest.",
        (*_WORDS, _SEEN, Query("content_schema", "the schema of the command", STRING), _PREFER),
        Body("the command", {JSON: {}, "*/*": {}}, required=False),
        {
            200: _answer("Nothing was to be written.", "Summary", _CODE),
            201: _answer("What it decided is committed.", "Summary", {**_LOCATION, **_CODE}),
            202: _ACCEPTED,
        },
    ),
)
_EVENTS: Final = (
    Operation(
        "log",
        "GET",
        f"{DB}/transactions",
        reads.log,
        "The transactions, oldest first.",
        (
            Query("start_at_revision", "from this revision on", INTEGER),
            Query("detail", "with their events", BOOLEAN),
            Query("limit", "at most so many", {"type": "integer", "minimum": 1}),
        ),
        answers={200: _many("The transactions.", "Log", JSON)},
    ),
    Operation(
        "transaction",
        "GET",
        f"{DB}/transactions/{{transaction_id}}",
        reads.transaction,
        "A transaction with its events.",
        answers={200: _answer("The transaction.", "Committed")},
    ),
    Operation(
        "trace",
        "GET",
        f"{DB}/transactions/{{transaction_id}}/trace",
        reads.trace,
        "Why a transaction was committed: command, caller, code, and what was read.",
        answers={200: _answer("The trace.", "Trace")},
    ),
    Operation(
        "eventsByRevisions",
        "GET",
        f"{DB}/events",
        reads.by_revisions,
        "The events of some revisions, in the order asked.",
        (Query("revisions", "whole numbers, with commas between them", STRING),),
        answers={200: Answer("The events.", {BATCH: named("CloudEvents")}, {})},
    ),
    Operation(
        "queryEvents",
        "GET",
        f"{AT}/events",
        reads.events,
        "Events at a revision (or latest); live where text/event-stream is asked for.",
        (
            *_FILTERS,
            _LIMIT,
            _EFFECTIVE,
            Query("direction", "oldest or newest first", {"enum": ["forward", "reverse"]}),
            Query("start_at", "from this revision on; live also: now", STRING),
            _LAST,
            _MATCH,
        ),
        answers={200: _many("The events.", "CloudEvents", BATCH, live=True), 304: _UNCHANGED},
    ),
    Operation(
        "queryEventsBySelector",
        "POST",
        f"{AT}/events/query",
        reads.query,
        "Events of any selector, by revision or by effective time.",
        (_EFFECTIVE,),
        Body("the query", {JSON: named("Query")}),
        {200: _many("The events.", "CloudEvents", BATCH)},
    ),
    Operation(
        "event",
        "GET",
        f"{AT}/events/{{stream}}/{{event_id}}",
        reads.by_id,
        "The event of an id.",
        (Query("mode", "how it is sent", {"enum": ["structured", "binary"]}),),
        answers={200: Answer("The event.", {STRUCTURED: named("CloudEvent"), "*/*": {}}, {})},
    ),
    *(
        Operation(
            name,
            "GET",
            f"{AT}/{part}",
            reads.keys,
            f"Every {what}, once each, in order.",
            (Query("prefix", "only those that begin so", STRING),),
            answers={200: _many("All of them.", "Names", JSON)},
        )
        for name, part, what in (
            ("streams", "streams", "stream"),
            ("subjects", "subjects", "subject"),
            ("eventTypes", "event-types", "type of event"),
        )
    ),
)
_VIEWS: Final = (
    Operation(
        "listStateViews",
        "GET",
        f"{DB}/state-views",
        views.list_views,
        "Every version of every state view.",
        answers={200: _answer("All of them, by name.", "StateViews")},
    ),
    Operation(
        "publishStateView",
        "POST",
        f"{DB}/state-views",
        views.publish_view,
        "Publish the next version of a state view.",
        body=Body("metadata and component", {"multipart/form-data": named("Upload")}),
        answers={201: _answer("It is published.", "PublishedView", _LOCATION)},
        component=True,
    ),
    Operation(
        "stateView",
        "GET",
        f"{AT}/state-views/{{name}}/{{version}}",
        views.view,
        "What a state view has come to; live where text/event-stream is asked for.",
        (*_BINDINGS, _EFFECTIVE, _LAST, _MATCH),
        answers={
            200: Answer("Its content.", {"*/*": {}} | _LIVE, {**_ETAG, **_CODE}),
            204: Answer("No event ever modified it.", {}, _ETAG),
            304: _UNCHANGED,
        },
    ),
    # Behind the routes with words in the place of its revision.
    Operation(
        "awaitDatabase",
        "GET",
        AT,
        databases.await_revision,
        "A database at a revision, as soon as that exists.",
        (Query("wait", "seconds to wait at most", INTEGER), _MATCH),
        answers={200: _answer("Its state.", "Database", _ETAG), 304: _UNCHANGED},
        untimed=True,
    ),
)
_ALIASES: Final = (
    Operation("v1ListDatabases", "GET", "/v1/databases", databases.list_databases,
              "The same as listDatabases.", answers={200: _answer("Each one.", "Databases")}),
    Operation("v1CreateDatabase", "POST", "/v1/databases", databases.create,
              "The same as createDatabase.",
              body=Body("its name", {JSON: named("NewDatabase")}),
              answers={201: _answer("It is there.", "Database", _LOCATION)}),
    Operation("v1DeleteDatabase", "DELETE", "/v1/databases/{name}", aliases.delete,
              "The same as deleteDatabase.",
              answers={200: _answer("Its last state.", "Database")}),
    Operation("v1Command", "POST", "/v1/commands", aliases.command, "Execute a state change.",
              (_PREFER,), Body("the command and what it is for", {JSON: named("Command")}),
              {200: _answer("Nothing was to be written.", "Summary", _CODE),
               201: _answer("What it decided is committed.", "Summary", {**_LOCATION, **_CODE}),
               202: _ACCEPTED}),
    Operation("v1Events", "GET", "/v1/events", aliases.events, "The events of a database.",
              (*_AS_OF, *_FILTERS, _LIMIT),
              answers={200: _many("The events.", "CloudEvents", BATCH)}),
    Operation("v1StateView", "GET", "/v1/state-views/{view}", aliases.view,
              "What a state view has come to; its parameters are query parameters.",
              (*_AS_OF, Query("version", "the latest if left out", {"type": "integer", "minimum": 1}),
               Query("", "the parameters of the view", STRING, prefix=True), _MATCH),
              answers={200: Answer("Its content.", {"*/*": {}}, {**_ETAG, **_CODE}),
                       204: Answer("No event ever modified it.", {}, _ETAG), 304: _UNCHANGED}),
)  # fmt: skip

OPERATIONS: Final = (*_DATABASES, *_WRITES, *_EVENTS, *_VIEWS, *_ALIASES)
"""In the order in which their paths are tried."""
