"""Ways to break the reference database, each with the part of the contract that has to notice.

A defect is a text that stands once in ``evidentsource_core.reference`` or ``.rules``, and what stands
there instead.
"""

from __future__ import annotations

from dataclasses import dataclass

from evidentsource_runtime.contract import (
    changing,
    committing,
    conditions,
    querying,
    refusing,
    selecting,
    speculating,
    storing,
    viewing,
)


@dataclass(frozen=True)
class Defect:
    """``old`` becomes ``new``; a case of ``caught_by`` fails then."""

    caught_by: type
    old: str
    new: str

    def __str__(self) -> str:
        return f"{self.caught_by.__name__}: {self.old.strip()[:60]} -> {self.new.strip()[:60]}"


_HALF_WRITTEN = """try:
                check_holds(check_conditions(conditions), self._latest.highest)
            except Exception:
                self._write(valid[:1], transaction_id)
                raise"""

_CHANGES: dict[type, list[tuple[str, str]]] = {
    committing.Revisions: [
        ("revision = basis.revision + len(records)", "revision = basis.revision + 1"),
        ("max(self._now(), basis.revision_timestamp)", "self._now()"),
        ("enumerate(events, basis.revision + 1)", "enumerate(events, basis.revision)"),
        ("basis.log.append(records)", "basis.log.append(records[::-1])"),
        ("low, self.length,", "low, len(self.log.records),"),
    ],
    committing.Log: [
        ("if each.revision >= from_revision]", "if each.basis >= from_revision]"),
        ("return None if found is None else found[1]", "return self._transactions[-1]"),
        ("self._by_id.get((stream, event_id))", 'self._by_id.get(("accounts", event_id))'),
    ],
    committing.TransactionIds: [
        ("if found[0] != content:", "if False:"),
        ("if found[0] != content:", "if found[0][0] != content[0]:"),
        ("self._by_id[transaction_id] = (content, result)", ""),
        ("transaction_id = str(uuid.uuid4())", 'transaction_id = "made"'),
        ("found = self._by_id.get(transaction_id)\n        if", "found = None\n        if"),
        ("return EventId(value).value", "return value"),
    ],
    storing.Storing: [
        ('f"{revision:020d}"', 'f"{revision}"'),
        ("else in_utc(event.time)", "else event.time"),
        ("else in_utc(event.time)", "else in_utc(event.time).replace(microsecond=0)"),
        (
            "in_utc(event.time),\n        datacontenttype=event.datacontenttype,",
            "in_utc(event.time),",
        ),
        ("dataschema=event.dataschema,\n        extensions=stamped", "extensions=stamped"),
        (
            "subject=event.subject,\n        data=event.data,\n        time=None",
            "subject=event.subject or 'none',\n        data=event.data,\n        time=None",
        ),
        ("data=event.data,\n        time=None", "data=event.data_as_bytes(),\n        time=None"),
        ("own = {", "own = {} and {"),
        ('f"{streams}/{event.stream}"', 'f"{streams}/{event.stream}".lower()'),
        ("id=event.id,\n        source=", "id=event.id.strip().lower(),\n        source="),
    ],
    refusing.BadEvents: [
        ("check_events(events, self._latest.log.has)", "events"),
        ("check_events(events, self._latest.log.has)", "check_events(events[:1]) + events[1:]"),
    ],
    refusing.DuplicateIds: [
        ("check_events(events, self._latest.log.has)", "check_events(events)"),
        ("check_events(events, self._latest.log.has)", "check_events(events, lambda *_: False)"),
        ("return (stream, event_id) in", "return ('accounts', event_id) in"),
        ("return (stream, event_id) in", "return (stream, event_id.strip()) in"),
    ],
    refusing.Limits: [
        ("if not events:", "if False:"),
        ("if len(events) > self.max_events:", "if len(events) >= self.max_events:"),
        ("if len(events) > self.max_events:", "if len(events) > self.max_events + 1:"),
        ("if size > self.max_bytes:", "if size > self.max_bytes * 2:"),
        ("for event in events)", "for event in events[:1])"),
        ("return len(value.encode())", "return len(value)"),
        ("_value_size(name) + _value_size(value.value)", "_value_size(name)"),
    ],
    refusing.Atomic: [
        ("check_holds(check_conditions(conditions), self._latest.highest)", _HALF_WRITTEN),
        (
            "before = self._committed_before(transaction_id, content)\n            if",
            "before = None\n            if",
        ),
    ],
    conditions.Conditions: [
        ("check_holds(check_conditions(conditions), self._latest.highest)", ""),
        ("check_holds(check_conditions(conditions),", "check_holds(conditions[:1],"),
        ("check_holds(check_conditions(conditions),", "check_holds(conditions[-1:],"),
        ("else last.revision", "else last.revision - 1"),
        ("next(self.select(selector, reverse=True), None)", "next(self.select(selector), None)"),
        ("0 if last is None", "1 if last is None"),
        ("    if violations:", "    if len(violations) > 1:"),
        ("if not condition.holds(highest):", "if not condition.holds(highest) and highest:"),
    ],
    selecting.Selectors: [
        ("found[node.left] + found[node.right])", "found[node.left])"),
        ("key is not None and key.startswith(start)", "key == start"),
        ("if position != previous:", "if True:"),
        ("if selector.matches(record.event):", "if True:"),
        ("key is not None and key.startswith(start)]", "key is not None and key > start]"),
    ],
    querying.Ranges: [
        ("start_at=span.start_at or 0", "start_at=(span.start_at or 0) + 1"),
        ("islice(ordered, options.get_limit())", "islice(ordered, options.get_limit() or None)"),
        ('attrgetter("effective_order"), reverse=reverse', 'attrgetter("effective_order")'),
        ("and in_effect(record, span.end_at)", ""),
        (">= (start.timestamp, start.revision)", "> (start.timestamp, start.revision)"),
        (">= (start.timestamp, start.revision)", ">= (start.timestamp, 0)"),
        ("limit=result.get_limit() if limit is None else limit", "limit=result.get_limit()"),
        ("range=result.range if span is None else span", "range=result.range"),
        ("return (self.effective_at, self.revision)", "return (self.effective_at, -self.revision)"),
        ("self.recorded_at if self.event.time is None else self.event.time", "self.recorded_at"),
    ],
    querying.AtRevisions: [
        ("return bisect_right(", "return bisect_left("),
        ("history.log.records[length - 1].recorded_at if length else created_at", "created_at"),
        ("check_earlier(revision, history.revision)", "check_earlier(revision, 2**64)"),
        (
            "return Committed(history.log, length, revision,",
            "return Committed(history.log, length, 0,",
        ),
    ],
    querying.AtEffectiveTimes: [
        ("record.effective_at <= by", "record.effective_at < by"),
        ("if effective_at is None else EffectiveTimeRange()", "if True else EffectiveTimeRange()"),
        ("if in_effect(record, effective_at)\n", "if True\n"),
        ("filter(lambda record: in_effect(record, effective_at), found)", "found"),
        ("revision, self.created_at), self._effective_at", "revision, self.created_at), None"),
        (
            "self._home, self._history, timestamp)",
            "self._home, self._history, self._effective_at or timestamp)",
        ),
    ],
    speculating.Speculation: [
        ("self.basis.revision + len(self.added)", "self.basis.revision"),
        ("chain(added, committed) if reverse else", "chain(committed, added) if reverse else"),
        ("if record.revision >= start_at and selector", "if selector"),
        ("and selector.matches(record.event)", ""),
        ("(reversed(self.added) if reverse else self.added)", "self.added"),
        ("(*self._transactions, check_events(events))", "(check_events(events),)"),
        ("(*self._transactions, check_events(events))", "(*self._transactions, tuple(events))"),
        ("transactions = (check_events(events),)", "transactions = (tuple(events),)"),
        ("history.revision + 1)", "history.revision + 2)"),
        (
            "store(event, home.streams, revision, history",
            "store(event, 'https://x', revision, history",
        ),
        (
            "self._history.basis, transactions, self._effective_at",
            "self._history.basis, transactions, None",
        ),
    ],
    viewing.Views: [
        (
            "version=len(versions) + 1)\n        versions.append(PublishedView",
            "version=1)\n        versions.append(PublishedView",
        ),
        ("return versions[version - 1] if 1", "return versions[-1] if 1"),
        ("if 1 <= version <= len(versions)", "if version <= len(versions)"),
        ("if by_revision else EffectiveTimeRange()", ""),
        ("if state.last_modified_revision == 0:", "if False:"),
        ("newest = max(batch, key=lambda record: record.revision)", "newest = batch[-1]"),
        ("QueryOptions(range=span), effective_at)", "QueryOptions(range=span), None)"),
        ("content_schema_url=definition.content_schema", "content_schema_url=None"),
        (
            "content_type=definition.content_type,\n            content_schema_url",
            "content_schema_url",
        ),
        ("self.view.evolve(state, [", "self.view.evolve(replace(state, content=None), ["),
        ("newest.revision, newest.recorded_at)", "newest.revision, state.last_modified_timestamp)"),
        (
            'raise DatabaseAccessError.state_view_failed(f"{self.view}: {reason}") from error',
            "content = None",
        ),
    ],
    viewing.ViewParameters: [
        ("_bound(view, pairs)", "_bound(view, [])"),
        ("bind(dict(parameters))", "bind({k: v for k, v in parameters if k != 'else'})"),
    ],
    changing.Changes: [
        ("if not decided:", "if False:"),
        ("snapshot = seen if last_seen_revision is None else", "snapshot = seen if True else"),
        ("version, asked.command)\n", "version)\n"),
        ("self._commit(decided, checked,", "self._commit(decided, (),"),
        ("return StateChangeResult(before.revision, before)", "pass"),
        ("checked, transaction_id, content)", "checked, None, content)"),
        ("return versions[wanted - 1]", "return versions[-1]"),
        ("if not 1 <= wanted <= len(versions):", "if not versions:"),
        ("(*request.headers, *headers)", "tuple(headers)"),
        ('content_type or "application/json",', '"application/json",'),
    ],
}

DEFECTS = [Defect(part, *change) for part, changes in _CHANGES.items() for change in changes]

FOR_THE_MACHINE = [
    ("max(batch, key=lambda record: record.revision)", "batch[-1]"),
    ("check_events(events, self._latest.log.has)", "check_events(events)"),
    (">= (start.timestamp, start.revision)", "> (start.timestamp, start.revision)"),
    ("(reversed(self.added) if reverse else self.added)", "self.added"),
    ("if found[0] != content:", "if found[0][0] != content[0]:"),
]
"""What random histories find too, by the same change."""
