"""The components that codecs are tried on have the whole contract, and a contract is of one piece."""

from __future__ import annotations

import pytest

from evidentsource_runtime.host.convert.packed.specimen import all_methods, view_text
from evidentsource_runtime.host.convert.packed.trial import Trial
from evidentsource_runtime.host.errors import ComponentLoadError
from tests.unit.host.packed import trials


def test_every_function_of_the_contract_is_among_its_imports() -> None:
    assert [item.path for item in trials.change("own").contract.imports] == all_methods()


def test_the_other_contract_differs_wherever_contracts_may() -> None:
    own, other = (trials.change(name).contract for name in trials.CONTRACTS)
    assert (own.borrows_database, other.borrows_database) == (False, True)
    assert {name: fields[::-1] for name, fields in own.orders.items()} == other.orders
    assert own.widths.keys() == other.widths.keys()
    assert other.widths["datetime.seconds"].name == "u64"


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ('(field "seconds" u64) (field "nanoseconds" u32)', "datetime.seconds differs"),
        ('(field "nanoseconds" u32) (field "seconds" s64)', "datetime differs"),
    ],
)
def test_a_component_with_two_forms_of_one_type_is_refused(fields: str, words: str) -> None:
    text = view_text()
    first = text.index("(type $state-view-context-parts")
    another = (
        f"(type $another-parts (record {fields}))"
        '(export "another" (type $another (eq $another-parts)))'
    )
    context = text[first:].replace(
        '"database-revision-timestamp" $datetime', '"database-revision-timestamp" $another', 1
    )
    aliased = context.replace(
        '(alias export $contract "datetime"',
        '(alias export $contract "another" (type $another)) (alias export $contract "datetime"',
    )
    with pytest.raises(ComponentLoadError, match=words):
        Trial(text[:first] + another + aliased)
