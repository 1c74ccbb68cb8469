"""The schemas of the OpenAPI document, by name (JSON Schema 2020-12)."""

from __future__ import annotations

from typing import Any, Final

__all__ = ["BOOLEAN", "INTEGER", "SCHEMAS", "STRING", "TIME"]

STRING: Final = {"type": "string"}
INTEGER: Final = {"type": "integer", "minimum": 0, "maximum": 2**64 - 1}
BOOLEAN: Final = {"type": "string", "enum": ["true", "false"]}
TIME: Final = {"type": "string", "format": "date-time"}


def _object(required: str, **properties: Any) -> dict[str, Any]:
    return {"type": "object", "required": required.split(), "properties": properties}


def _list(name: str, schema: str) -> dict[str, Any]:
    items = {"type": "array", "items": _named(schema)} if schema else STRING
    return _object(name, **{name: items})


def _named(schema: str) -> dict[str, Any]:
    return {"$ref": f"#/components/schemas/{schema}"}


_WORDS: Final = {
    "transaction_id": STRING,
    "correlation_id": STRING,
    "causation_id": STRING,
    "commit_message": STRING,
}
_SUMMARY: Final = {
    "id": STRING,
    "database": STRING,
    "basis": INTEGER,
    "revision": INTEGER,
    "event_count": INTEGER,
    "timestamp": TIME,
    "metadata": {"type": "object"},
}

SCHEMAS: Final[dict[str, Any]] = {
    "Problem": _object(
        "type title status detail code",
        type=STRING,
        title=STRING,
        status={"type": "integer"},
        detail=STRING,
        code=STRING,
        field=STRING,
        errors={"type": "array", "items": _object("code detail", code=STRING, detail=STRING)},
        violations={"type": "array", "items": STRING},
    ),
    "Database": _object(
        "name created_at basis revision revision_timestamp",
        name=STRING,
        created_at=TIME,
        basis=INTEGER,
        revision=INTEGER,
        revision_timestamp=TIME,
    ),
    "Databases": _list("databases", "Database"),
    "Catalog": _object("databases", databases={"type": "array", "items": STRING}),
    "NewDatabase": _object("name", name=STRING) | {"additionalProperties": False},
    "CloudEvent": _object(
        "specversion id source type",
        specversion={"const": "1.0"},
        id=STRING,
        source=STRING,
        type=STRING,
        subject=STRING,
        time=TIME,
        datacontenttype=STRING,
        dataschema=STRING,
        data={},
        data_base64=STRING,
    ),
    "CloudEvents": {"type": "array", "items": _named("CloudEvent")},
    "Selector": {
        "type": "object",
        "description": "A selector of events, in either published form.",
        "examples": [
            {"stream": "accounts"},
            {"and": {"left": {"stream": "accounts"}, "right": {"subject": "a-1"}}},
        ],
    },
    "Condition": _object("selector", selector=_named("Selector"), min=INTEGER, max=INTEGER)
    | {"additionalProperties": False},
    "Transaction": _object(
        "events",
        events=_named("CloudEvents"),
        conditions={"type": "array", "items": _named("Condition")},
        last_read_revision=INTEGER,
        principal_attributes={"type": "object", "additionalProperties": STRING},
        **_WORDS,
    )
    | {"additionalProperties": False},
    "Summary": _object("id database basis revision event_count timestamp metadata", **_SUMMARY),
    "Committed": _object(
        "id database basis revision event_count timestamp metadata events",
        **_SUMMARY,
        events=_named("CloudEvents"),
    ),
    "Log": {"type": "array", "items": {"anyOf": [_named("Committed"), _named("Summary")]}},
    "Accepted": _object(
        "transaction_id correlation_id", transaction_id=STRING, correlation_id=STRING
    ),
    "Query": _object(
        "selector",
        selector=_named("Selector"),
        direction={"enum": ["forward", "reverse"]},
        limit={"type": "integer", "minimum": 0, "maximum": 2**32 - 1},
        range={
            "type": "object",
            "maxProperties": 1,
            "additionalProperties": False,
            "properties": {
                "revision": {"type": "object", "properties": {"start_at": INTEGER}},
                "effective_time": {
                    "type": "object",
                    "properties": {
                        "start_at": _object("timestamp", timestamp=TIME, revision=INTEGER),
                        "end_at": TIME,
                    },
                },
            },
        },
    )
    | {"additionalProperties": False},
    "Trace": {"type": "object"},
    "Names": {"type": "array", "items": STRING},
    "StateViews": _object("state_views", state_views={"type": "array"}),
    "StateChanges": _object("state_changes", state_changes={"type": "array"}),
    "PublishedView": _object("state_view_name version", state_view_name=STRING, version=INTEGER),
    "PublishedChange": _object(
        "state_change_name version", state_change_name=STRING, version=INTEGER
    ),
    "Upload": _object(
        "metadata wasm",
        metadata={"type": "object"},
        wasm={"type": "string", "contentMediaType": "application/wasm"},
    ),
    "Command": _object(
        "database name",
        database=STRING,
        name=STRING,
        version={"type": "integer", "minimum": 1},
        command={},
        content_type=STRING,
        last_seen_revision=INTEGER,
        **_WORDS,
    )
    | {"additionalProperties": False},
    "ServerSentEvent": _object("", id=STRING, event=STRING, data=STRING, retry=STRING),
    "Health": _object("status", status=STRING),
}
