"""`interface/decider.wit` is the published contract: names, types, order and shapes."""

from __future__ import annotations

import re
from itertools import pairwise
from pathlib import Path

CONTRACT = Path(__file__).resolve().parents[2] / "interface" / "decider.wit"

# Everything but the comments, as it was published; one entry a declaration.
SHAPE = """
interface cloudevents {
record datetime { seconds: s64, nanoseconds: u32, }
variant cloudevent-data { binary(list<u8>), %string(string), }
variant cloudevent-attribute-value { boolean(bool), integer(s32), %string(string), binary(list<u8>),
  uri(string), uri-ref(string), timestamp(datetime), }
record cloudevent { id: string, source: string, specversion: string, %type: string,
  data: option<cloudevent-data>, attributes: list<tuple<string, cloudevent-attribute-value>>, }
}
interface state-view-types {
use cloudevents.{datetime};
record state-view-context { database: string, name: string, version: u64, database-revision: u64,
  database-revision-timestamp: datetime, content-type: option<string>,
  content-schema: option<string>, }
record rendered-state-view { context: state-view-context, content: option<list<u8>>,
  last-modified-revision: u64, last-modified-timestamp: datetime, }
}
interface state-change-types {
use cloudevents.{cloudevent, datetime};
use state-view-types.{rendered-state-view};
record command { body: option<list<u8>>, content-type: string, content-schema: option<string>, }
record state-change-metadata { state-change-name: string, state-change-version: u64,
  last-seen-revision: u64, command-received-at: datetime,
  command-headers: list<tuple<string, string>>, }
variant event-attribute { %stream(string), subject(option<string>), event-type(string), }
variant event-attribute-prefix { %stream(string), subject(string), event-type(string), }
variant event-selector-node { equals(event-attribute), starts-with(event-attribute-prefix),
  and(tuple<u32, u32>), or(tuple<u32, u32>), }
record event-selector { nodes: list<event-selector-node>, }
record batch-constraint-min { selector: event-selector, revision: u64, }
record batch-constraint-max { selector: event-selector, revision: u64, }
record batch-constraint-range { selector: event-selector, min: u64, max: u64, }
variant batch-constraint { min(batch-constraint-min), max(batch-constraint-max),
  range(batch-constraint-range), }
variant state-change-error { validation(string), conflict(string), not-found(string),
  unauthorized(string), internal(string), }
enum query-direction { forward, reverse, }
record revision-range { start-at: option<u64>, }
record range-cursor { timestamp: datetime, revision: u64, }
record effective-time-range { start-at: option<range-cursor>, end-at: option<datetime>, }
variant query-range { revision(revision-range), effective-time(effective-time-range), }
record database-query { selector: event-selector, range: option<query-range>,
  direction: query-direction, limit: option<u32>, }
resource database {
at-revision: func(revision: u64) -> result<database, string>;
at-effective-timestamp: func(effective-time: datetime) -> database;
speculate-with-batch: func(events: list<cloudevent>) -> speculative-database;
query-events: func(query: database-query) -> result<list<cloudevent>, string>;
view-state: func(state-view: string, version: u64,
  parameters: list<tuple<string, event-attribute>>) -> result<option<rendered-state-view>, string>;
name: func() -> string;
created-at: func() -> datetime;
revision: func() -> u64;
revision-timestamp: func() -> datetime;
effective-timestamp: func() -> option<datetime>;
}
resource speculative-database {
speculate-with-batch: func(events: list<cloudevent>) -> speculative-database;
at-effective-timestamp: func(effective-time: datetime) -> speculative-database;
query-events: func(query: database-query) -> result<list<cloudevent>, string>;
view-state: func(state-view: string, version: u64,
  parameters: list<tuple<string, event-attribute>>) -> result<option<rendered-state-view>, string>;
basis: func() -> database;
speculated-event-count: func() -> u64;
name: func() -> string;
created-at: func() -> datetime;
revision: func() -> u64;
revision-timestamp: func() -> datetime;
effective-timestamp: func() -> option<datetime>;
}
}
world state-view {
use cloudevents.{cloudevent};
use state-view-types.{rendered-state-view};
export evolve: func(state-view: rendered-state-view, events: list<cloudevent>)
  -> option<list<u8>>;
}
world state-change {
use cloudevents.{cloudevent};
use state-change-types.{command, state-change-metadata, state-change-error, batch-constraint,
  database};
export decide: func(db: database, command: command, state-change-metadata: state-change-metadata)
  -> result<tuple<list<cloudevent>, list<batch-constraint>>, state-change-error>;
}
"""


def shape(text: str) -> str:
    return "".join(re.sub(r"//[^\n]*", "", text).split())


def test_the_contract_has_the_published_names_types_and_order() -> None:
    assert shape(CONTRACT.read_text(encoding="utf-8")) == shape(
        "package evidentsource:decider;" + SHAPE
    )


def test_every_type_and_every_rule_is_explained() -> None:
    lines = CONTRACT.read_text(encoding="utf-8").splitlines()
    declared = re.compile(r"^\s*(interface|record|variant|enum|resource|world|export) ")
    bare = [
        line.strip()
        for before, line in pairwise(lines)
        if declared.match(line) and not before.strip().startswith("///")
    ]
    assert bare == []
