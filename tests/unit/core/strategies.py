"""Every value that the domain can hold, for properties."""

from __future__ import annotations

from datetime import datetime, timedelta, timezone

from hypothesis import strategies as st

from evidentsource_core import (
    AndSelector,
    BinaryEventData,
    BinaryExtension,
    BooleanExtension,
    Constraint,
    Event,
    EventSelector,
    ExtensionValue,
    IntegerExtension,
    OrSelector,
    ProspectiveEvent,
    Range,
    Selector,
    StringEventData,
    StringExtension,
    TimestampExtension,
    UriExtension,
    UriRefExtension,
)
from evidentsource_core.domain.extensions import CONTEXT_ATTRIBUTES
from evidentsource_core.times import MAX_SECONDS, MIN_SECONDS, from_parts

ALPHABET = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
NAME_CHARACTERS = ALPHABET + "0123456789-_."

seconds = st.integers(MIN_SECONDS, MAX_SECONDS)
nanoseconds = st.integers(0, 999_999_999)
parts = st.tuples(seconds, nanoseconds)
instants = st.builds(from_parts, seconds, nanoseconds)
zones = st.integers(-23 * 60 - 59, 23 * 60 + 59).map(lambda m: timezone(timedelta(minutes=m)))


def _in_zone(moment: datetime, zone: timezone) -> datetime:
    try:
        return moment.astimezone(zone)
    except OverflowError:
        return moment


zoned_instants = st.builds(_in_zone, instants, zones)

names = st.builds(
    str.__add__, st.sampled_from(ALPHABET), st.text(NAME_CHARACTERS, min_size=1, max_size=127)
)
name_prefixes = st.builds(
    str.__add__, st.sampled_from(ALPHABET), st.text(NAME_CHARACTERS, max_size=127)
)
texts = st.text(st.characters(exclude_categories=("Cc", "Cs")), min_size=1, max_size=255).filter(
    str.strip
)
uris = st.from_regex(r"https://[a-z]{1,8}\.example/[a-z0-9]{0,8}", fullmatch=True)

extension_names = st.text("abcdefghijklmnopqrstuvwxyz0123456789", min_size=1, max_size=20).filter(
    lambda name: name not in CONTEXT_ATTRIBUTES | {"data", "sequence", "recordedtime"}
)
extension_values: st.SearchStrategy[ExtensionValue] = st.one_of(
    st.builds(BooleanExtension, st.booleans()),
    st.builds(IntegerExtension, st.integers(-(2**31), 2**31 - 1)),
    st.builds(StringExtension, st.text(max_size=20)),
    st.builds(BinaryExtension, st.binary(max_size=20)),
    st.builds(UriExtension, uris),
    st.builds(UriRefExtension, st.text(max_size=20)),
    st.builds(TimestampExtension, zoned_instants),
)
extensions = st.dictionaries(extension_names, extension_values, max_size=4)
payloads = st.one_of(
    st.none(),
    st.builds(StringEventData, st.text(max_size=40)),
    st.builds(BinaryEventData, st.binary(max_size=40)),
)
_shared = {
    "event_type": texts,
    "subject": st.none() | texts,
    "data": payloads,
    "time": st.none() | zoned_instants,
    "datacontenttype": st.none() | st.sampled_from(["application/json", "text/plain"]),
    "dataschema": st.none() | uris,
    "extensions": extensions,
}
events = st.builds(
    Event,
    id=texts,
    source=names | names.map("https://host.example/db/bank/streams/{}".format),
    **_shared,
)
prospective_events = st.builds(ProspectiveEvent, id=texts, stream=names, **_shared)

leaf_selectors: st.SearchStrategy[EventSelector] = st.one_of(
    st.builds(Selector.stream, names),
    st.builds(Selector.subject, st.none() | texts),
    st.builds(Selector.event_type, texts),
    st.builds(Selector.stream_starts_with, name_prefixes),
    st.builds(Selector.subject_starts_with, texts),
    st.builds(Selector.event_type_starts_with, texts),
)


def trees_of(leaves: st.SearchStrategy[EventSelector]) -> st.SearchStrategy[EventSelector]:
    """``and`` and ``or`` trees of any shape over these leaves."""
    return st.recursive(
        leaves,
        lambda below: st.builds(AndSelector, below, below) | st.builds(OrSelector, below, below),
        max_leaves=12,
    )


selectors = trees_of(leaf_selectors)
revisions = st.integers(0, 2**64 - 1)
ranges = st.tuples(revisions, revisions).map(lambda pair: Range(min(pair), max(pair)))
constraints = st.one_of(
    st.builds(Constraint.min, selectors, revisions),
    st.builds(Constraint.max, selectors, revisions),
    st.builds(Constraint.range, selectors, ranges),
)
