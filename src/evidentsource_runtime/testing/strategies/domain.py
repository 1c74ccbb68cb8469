"""Any value of the domain, extremes included: what the contract of a component can carry."""

from __future__ import annotations

import string
from datetime import datetime

from hypothesis import strategies as st

from evidentsource_core import (
    AppendCondition,
    BinaryEventData,
    BinaryExtension,
    BooleanExtension,
    Constraint,
    EffectiveTimeRange,
    Event,
    EventAttribute,
    EventSelector,
    EventSubject,
    EventType,
    EventTypeAttribute,
    IntegerExtension,
    ProspectiveEvent,
    QueryDirection,
    QueryOptions,
    Range,
    RangeCursor,
    RevisionRange,
    Selector,
    StreamAttribute,
    StreamName,
    StringEventData,
    StringExtension,
    SubjectAttribute,
    TimestampExtension,
    UriExtension,
    UriRefExtension,
)
from evidentsource_core.domain.identifiers import stream_of
from evidentsource_core.times import MAX_SECONDS, MIN_SECONDS, from_parts

texts = st.text(st.characters(exclude_categories=["Cs"]), max_size=40)
"""Any text of up to 40 characters that UTF-8 can carry, NUL and astral characters included."""

_names = st.from_regex(r"[a-zA-Z][a-zA-Z0-9\-_.]{1,30}", fullmatch=True)
_prefixes = st.from_regex(r"[a-zA-Z][a-zA-Z0-9\-_.]{0,10}", fullmatch=True)
_labels = st.text(st.characters(exclude_categories=["Cs", "Cc"]), min_size=1, max_size=30).filter(
    lambda text: text.strip() != ""
)
_revisions = st.integers(0, 2**64 - 1)
_sources = st.one_of(
    _names, _names.map("https://host/db/streams/streams/{}".format), texts.filter(stream_of)
)


@st.composite
def moments(draw: st.DrawFn) -> datetime:
    """Any time of the years 1 to 9999, nanoseconds included."""
    seconds = draw(
        st.integers(MIN_SECONDS, MAX_SECONDS) | st.sampled_from([MIN_SECONDS, -1, 0, MAX_SECONDS])
    )
    micros = draw(st.sampled_from([0, 1, 999_999]) | st.integers(0, 999_999))
    return from_parts(seconds, micros * 1000 + draw(st.sampled_from([0, 0, 1, 999])))


_values = st.one_of(
    st.booleans().map(BooleanExtension),
    st.integers(-(2**31), 2**31 - 1).map(IntegerExtension),
    texts.map(StringExtension),
    st.binary(max_size=40).map(BinaryExtension),
    texts.map(UriExtension),
    texts.map(UriRefExtension),
    moments().map(TimestampExtension),
)
_taken = frozenset(
    "id source specversion type subject time datacontenttype dataschema data sequence "
    "recordedtime".split()
)
extensions = st.dictionaries(
    st.text(string.ascii_lowercase + string.digits, min_size=1, max_size=20).filter(
        lambda name: name not in _taken
    ),
    _values,
    max_size=4,
)
"""Up to four extension attributes, of any type."""
_data = st.one_of(
    st.none(), texts.map(StringEventData), st.binary(max_size=60).map(BinaryEventData)
)


def stored_events() -> st.SearchStrategy[Event]:
    """Any stored event, also of ids and types that no database would take."""
    return st.builds(
        Event,
        id=texts,
        source=_sources,
        event_type=texts,
        subject=st.none() | texts,
        data=_data,
        time=st.none() | moments(),
        datacontenttype=st.none() | texts,
        dataschema=st.none() | texts,
        extensions=extensions,
    )


def prospective_events() -> st.SearchStrategy[ProspectiveEvent]:
    """Any event that a database would take."""
    return st.builds(
        ProspectiveEvent,
        id=_labels,
        stream=_names,
        event_type=_labels,
        subject=st.none() | _labels,
        data=_data,
        time=st.none() | moments(),
        datacontenttype=st.none() | texts,
        dataschema=st.none() | texts,
        extensions=extensions,
    )


def event_attributes() -> st.SearchStrategy[EventAttribute]:
    """What a view's parameter may be bound to."""
    return st.one_of(
        _names.map(StreamName).map(StreamAttribute),
        st.none().map(SubjectAttribute),
        _labels.map(EventSubject).map(SubjectAttribute),
        _labels.map(EventType).map(EventTypeAttribute),
    )


_leaves = st.one_of(
    _names.map(Selector.stream),
    _labels.map(Selector.subject),
    st.just(Selector.no_subject()),
    _labels.map(Selector.event_type),
    _prefixes.map(Selector.stream_starts_with),
    _labels.map(Selector.subject_starts_with),
    _labels.map(Selector.event_type_starts_with),
)


def selectors(max_leaves: int = 12) -> st.SearchStrategy[EventSelector]:
    """Any selector tree."""
    return st.recursive(
        _leaves,
        lambda inner: (
            st.tuples(inner, inner).map(lambda pair: pair[0] & pair[1])
            | st.tuples(inner, inner).map(lambda pair: pair[0] | pair[1])
        ),
        max_leaves=max_leaves,
    )


def conditions() -> st.SearchStrategy[AppendCondition]:
    """Any append condition."""
    bounds = st.tuples(_revisions, _revisions).map(sorted)
    return st.one_of(
        st.builds(Constraint.min, selectors(), _revisions),
        st.builds(Constraint.max, selectors(), _revisions),
        st.builds(Constraint.range, selectors(), bounds.map(lambda pair: Range(*pair))),
    )


def query_options() -> st.SearchStrategy[QueryOptions]:
    """Any way to run a query."""
    ranges = st.one_of(
        st.none(),
        st.builds(RevisionRange, st.none() | _revisions),
        st.builds(
            EffectiveTimeRange,
            st.none() | st.builds(RangeCursor, moments(), _revisions),
            st.none() | moments(),
        ),
    )
    return st.builds(
        QueryOptions,
        st.sampled_from(QueryDirection),
        range=ranges,
        limit=st.none() | st.integers(0, 2**32 - 1),
    )
