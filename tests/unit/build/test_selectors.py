"""Selectors in TOML and in both published JSON forms mean the same, and come back as written."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from evidentsource_core import Parameter, Selector, SelectorTemplate
from evidentsource_runtime.build import read_selector, selector_json
from evidentsource_runtime.build.selectors import SelectorFormError

names = st.from_regex(r"\A[a-zA-Z][a-zA-Z0-9\-_.]{1,20}\Z")
texts = st.text(st.characters(exclude_categories=["Cc", "Cs", "Z"]), min_size=1, max_size=20)
leaves = st.one_of(
    names.map(Selector.stream),
    texts.map(Selector.subject),
    texts.map(Selector.event_type),
    names.map(Selector.stream_starts_with),
    texts.map(Selector.subject_starts_with),
    texts.map(Selector.event_type_starts_with),
    st.just(Selector.no_subject()),
    st.builds(Parameter.stream, texts.map("stream-".__add__), starts_with=st.booleans()),
    st.builds(Parameter.subject, texts.map("subject-".__add__), starts_with=st.booleans()),
    st.builds(Parameter.event_type, texts.map("type-".__add__), starts_with=st.booleans()),
).map(SelectorTemplate.of)
templates = st.recursive(
    leaves,
    lambda inner: st.tuples(inner, inner, st.booleans()).map(
        lambda both: both[0] & both[1] if both[2] else both[0] | both[1]
    ),
    max_leaves=8,
)


@given(templates)
def test_what_is_published_reads_back_as_the_same_selector(template: SelectorTemplate) -> None:
    assert read_selector(selector_json(template)) == template


SAME: dict[str, tuple[SelectorTemplate, list[Any]]] = {
    "a stream": (
        SelectorTemplate.of(Selector.stream("todos")),
        [
            {"stream": "todos"},
            {"equals": {"stream": {"stream": "todos"}}},
            {"equals": {"stream": "todos"}},
            {"type": "equals", "attr": {"stream": "todos"}},
        ],
    ),
    "a parameter": (
        Parameter.subject("account_id"),
        [
            {"subject": {"parameter": "account_id"}},
            {"equals": {"subject": {"parameter": "account_id"}}},
            {"type": "equals", "attr": {"subject": {"parameter": "account_id"}}},
        ],
    ),
    "a subject": (
        SelectorTemplate.of(Selector.subject("x")),
        [{"subject": "x"}, {"equals": {"subject": {"subject": {"has_value": True, "value": "x"}}}}],
    ),
    "no subject": (
        SelectorTemplate.of(Selector.no_subject()),
        [
            {"no-subject": True},
            {"no_subject": True},
            {"equals": {"subject": {"subject": {"has_value": False}}}},
        ],
    ),
    "a prefix": (
        SelectorTemplate.of(Selector.event_type_starts_with("order.")),
        [
            {"event-type-starts-with": "order."},
            {"event_type_starts_with": "order."},
            {"starts_with": {"event_type": {"event_type": "order."}}},
            {"type": "starts_with", "attr": {"event_type": "order."}},
        ],
    ),
    "a choice": (
        SelectorTemplate.of(Selector.event_type("A") | Selector.event_type("B")),
        [
            {"any": [{"event-type": "A"}, {"event-type": "B"}]},
            {"or": {"left": {"event_type": "A"}, "right": {"event_type": "B"}}},
            {
                "type": "or",
                "selectors": [{"type": "equals", "attr": {"event_type": name}} for name in "AB"],
            },
        ],
    ),
}


@pytest.mark.parametrize("case", SAME)
def test_every_form_means_the_same(case: str) -> None:
    template, forms = SAME[case]
    assert [read_selector(form) for form in forms] == [template] * len(forms)


@pytest.mark.parametrize(
    ("value", "words", "hint"),
    [
        ("accounts", "selector: a selector is a table", 'write { stream = "orders" }'),
        ({}, "selector: a selector has one key, found nothing", "all"),
        ({"stream": "ab", "subject": "x"}, "one key, found stream, subject", "{ all = [...] }"),
        ({"streem": "ab"}, "selector.streem: unknown key", "did you mean stream?"),
        ({"all": []}, "selector.all: a list of selectors is needed", "write"),
        (
            {"all": [{"stream": "ab"}, {"stream": 3}]},
            "selector.all[1].stream: text or a parameter",
            "parameter",
        ),
        ({"stream": "no good"}, "selector.stream:", ""),
        (
            {"equals": {"streams": "ab"}},
            "selector.equals.streams: unknown attribute",
            "did you mean stream?",
        ),
        ({"and": {"left": {"stream": "ab"}}}, "selector.and: left and right", ""),
        ({"type": "xor"}, "selector.type: unknown type", "equals"),
        ({"type": "or"}, "selector.selectors: a list of selectors is needed", ""),
        ({"subject": {"parameter": ""}}, "selector.subject:", ""),
        ({"no-subject": False}, "selector.no-subject: unknown key", ""),
    ],
)
def test_a_wrong_selector_is_refused_with_the_path_of_the_wrong_part(
    value: Any, words: str, hint: str
) -> None:
    with pytest.raises(SelectorFormError) as caught:
        read_selector(value)
    assert words in str(caught.value)
    assert hint in (caught.value.hint or "")
