"""Every error of the core: its code, its place in the tree, and that it survives any journey."""

from __future__ import annotations

import copy
import inspect
import pickle
import traceback
from collections.abc import Callable, Iterator
from typing import Any

import pytest

import evidentsource_core as core
from evidentsource_core import EvidentSourceError
from evidentsource_core.domain import database_errors, definitions, errors

# Programs match on these: a code is never changed, and never used for anything else.
CODES = {
    "BlankConstraint": "blank-constraint",
    "CommandParseError": "command-parse-error",
    "CommandRequestError": "command-request-error",
    "ConcurrentWriteCollision": "concurrent-write-collision",
    "ConstraintConflict": "constraint-conflict",
    "ConstraintError": "constraint-error",
    "ConstraintViolations": "constraint-violations",
    "ContentNegotiationError": "content-negotiation-error",
    "DatabaseAccessError": "database-access-error",
    "DatabaseAlreadyExists": "database-already-exists",
    "DatabaseError": "database-error",
    "DatabaseErrorWithContext": "database-error-with-context",
    "DatabaseNotFound": "database-not-found",
    "DatabaseServerError": "database-server-error",
    "DatabaseTimeout": "database-timeout",
    "DeserializationFailed": "deserialization-failed",
    "DuplicateEventId": "duplicate-event-id",
    "DuplicateTransactionId": "duplicate-transaction-id",
    "EmptyTransaction": "empty-transaction",
    "EventError": "event-error",
    "EvidentSourceError": "error",
    "IdentifierError": "invalid-identifier",
    "IncompatibleSelectors": "incompatible-selectors",
    "InvalidConstraints": "invalid-constraints",
    "InvalidDatabaseName": "invalid-database-name",
    "InvalidEventId": "invalid-event-id",
    "InvalidEventSource": "invalid-event-source",
    "InvalidEventSubject": "invalid-event-subject",
    "InvalidEventType": "invalid-event-type",
    "InvalidEvents": "invalid-events",
    "InvalidExtension": "invalid-extension",
    "InvalidRange": "invalid-range",
    "InvalidRevision": "invalid-revision",
    "InvalidSelector": "invalid-selector",
    "InvalidStateChangeName": "invalid-state-change-name",
    "InvalidStateViewName": "invalid-state-view-name",
    "InvalidStreamName": "invalid-stream-name",
    "InvalidTimestamp": "invalid-timestamp",
    "InvalidTransactionId": "invalid-transaction-id",
    "InvalidType": "invalid-type",
    "InvalidValue": "invalid-value",
    "NoBody": "no-body",
    "ParameterError": "parameter-error",
    "SerializationFailed": "serialization-failed",
    "StateChangeError": "state-change-error",
    "StateChangeExecutionError": "state-change-execution-error",
    "StateChangeNotFound": "state-change-not-found",
    "StateChangeServerError": "state-change-server-error",
    "StateChangeValidationError": "state-change-validation-error",
    "StateViewError": "state-view-error",
    "StateViewEvolveError": "state-view-evolve-error",
    "StateViewNotFound": "state-view-not-found",
    "StateViewServerError": "state-view-server-error",
    "TransactionError": "transaction-error",
    "TransactionTooLarge": "transaction-too-large",
    "UnsupportedContentType": "unsupported-content-type",
}

VALUES: dict[str, Any] = {
    "actual": 11,
    "context": core.OperationContext("transact", "bank", "batch 2"),
    "errors": (core.DuplicateEventId("s", "e-1"), core.InvalidEventId("")),
    "expected": "str",
    "got": 5,
    "index": 3,
    "kind": core.DatabaseAccessErrorKind.STATE_VIEW_FAILED,
    "max_size": 10,
    "max_val": 2,
    "min_val": 3,
    "source": core.DatabaseNotFound("bank"),
    "version": 2,
    "violations": ("left", "right"),
}


def all_errors() -> list[type[EvidentSourceError]]:
    found = {
        member
        for module in (errors, database_errors, definitions)
        for _, member in inspect.getmembers(module, inspect.isclass)
        if issubclass(member, EvidentSourceError) and not member.__name__.startswith("_")
    }
    return sorted(found, key=lambda cls: cls.__name__)


def built() -> Iterator[Any]:
    """Every error, made by keyword with each of its parameters."""
    for cls in all_errors():
        keywords: dict[str, Any] = {}
        if "__init__" in {name for base in cls.__mro__[:-3] for name in vars(base)}:
            parameters = list(inspect.signature(cls).parameters)
            keywords = {name: VALUES.get(name, f"the {name}") for name in parameters}
        yield pytest.param(cls, keywords, id=cls.__name__)


BUILT = list(built())
JOURNEYS: list[tuple[str, Callable[[Any], Any]]] = [
    ("copy", copy.copy),
    ("deepcopy", copy.deepcopy),
    *(
        (f"pickle {protocol}", lambda e, p=protocol: pickle.loads(pickle.dumps(e, p)))
        for protocol in range(pickle.HIGHEST_PROTOCOL + 1)
    ),
]


def test_every_error_has_the_code_that_it_always_had() -> None:
    assert {cls.__name__: cls.code for cls in all_errors()} == CODES


def test_no_two_errors_share_a_code() -> None:
    assert len(set(CODES.values())) == len(CODES)


def test_every_error_is_exported_by_the_package() -> None:
    for cls in all_errors():
        assert getattr(core, cls.__name__) is cls
        assert cls.__name__ in core.__all__


@pytest.mark.parametrize(("cls", "keywords"), BUILT)
def test_an_error_keeps_what_it_was_built_from(
    cls: type[EvidentSourceError], keywords: dict[str, Any]
) -> None:
    error = cls(**keywords)
    renamed = {"min_val": "min", "max_val": "max", "max_size": "max", "got": "found"}
    for name, value in keywords.items():
        kept = getattr(error, renamed.get(name, name))
        assert kept == ("int" if name == "got" else value)
    assert str(error) or not keywords


@pytest.mark.parametrize("journey", [pytest.param(j, id=name) for name, j in JOURNEYS])
@pytest.mark.parametrize(("cls", "keywords"), BUILT)
def test_an_error_survives_copying_and_pickling(
    cls: type[EvidentSourceError], keywords: dict[str, Any], journey: Callable[[Any], Any]
) -> None:
    error = cls(**keywords)
    error.add_note("while testing")
    back = journey(error)
    assert type(back) is cls
    assert back.args == error.args
    assert str(back) == str(error)
    assert back.__notes__ == ["while testing"]
    for name, value in vars(error).items():
        assert comparable(getattr(back, name)) == comparable(value)


def comparable(value: Any) -> Any:
    """Errors are equal only to themselves, so they are compared by what they say."""
    if isinstance(value, tuple):
        return tuple(comparable(each) for each in value)
    return (type(value), str(value)) if isinstance(value, Exception) else value


@pytest.mark.parametrize(("cls", "keywords"), BUILT)
def test_an_error_can_be_hashed_raised_and_printed(
    cls: type[EvidentSourceError], keywords: dict[str, Any]
) -> None:
    error = cls(**keywords)
    assert len({error, error}) == 1
    with pytest.raises(cls) as caught:
        raise error
    assert cls.__name__ in "".join(traceback.format_exception(caught.value))


def test_an_error_of_a_user_s_own_subclass_survives_too() -> None:
    back = pickle.loads(pickle.dumps(OwnError("a", 5)))
    assert (type(back), back.first, back.second, str(back)) == (OwnError, "a", 5, "a and 5")


class OwnError(EvidentSourceError):
    def __init__(self, first: str, second: int) -> None:
        super().__init__(f"{first} and {second}")
        self.first = first
        self.second = second


@pytest.mark.parametrize(
    ("error", "text"),
    [
        (core.InvalidValue("limit", "is negative", "use 0"), "limit: is negative; use 0"),
        (core.InvalidType("id", "str", None), "id: expected str, got None"),
        (core.InvalidType("id", "str", 5, "call str()"), "id: expected str, got int; call str()"),
        (core.InvalidExtension("Bad", "why"), "invalid extension attribute 'Bad': why"),
        (core.InvalidSelector(3, "why"), "invalid selector: node 3: why"),
        (core.TransactionTooLarge(11, 10), "transaction too large: 11 events, max 10"),
        (core.TransactionTooLarge(11, 10, "bytes"), "transaction too large: 11 bytes, max 10"),
        (core.ConstraintViolations([]), "transaction has 0 constraint violations"),
        (core.ConstraintViolations(["a", "b"]), "transaction has 2 constraint violations: a; b"),
        (
            core.InvalidEvents([core.DuplicateEventId("s", "e")]),
            "transaction contains 1 invalid events: duplicate event id: s/e",
        ),
        (
            core.DatabaseErrorWithContext(VALUES["context"], VALUES["source"]),
            "transact(db=bank) [batch 2]: database 'bank' not found",
        ),
        (core.ParameterError("p", "is not bound"), "parameter 'p': is not bound"),
    ],
)
def test_a_message_names_the_place_and_the_fix(error: Exception, text: str) -> None:
    assert str(error) == text


@pytest.mark.parametrize(
    ("error", "builtin"),
    [
        (core.InvalidValue("f", "r"), ValueError),
        (core.InvalidTimestamp("f", "r"), ValueError),
        (core.InvalidType("f", "str", 5), TypeError),
        (core.InvalidExtension("n", "r"), ValueError),
        (core.InvalidSelector(0, "r"), ValueError),
        (core.InvalidRange(3, 2), ValueError),
        (core.InvalidRevision("f", "r"), ValueError),
        (core.DeserializationFailed("m"), ValueError),
        (core.ParameterError("p", "r"), ValueError),
    ],
)
def test_bad_values_and_types_are_also_what_python_calls_them(
    error: Exception, builtin: type[Exception]
) -> None:
    assert isinstance(error, builtin)


def test_many_reasons_may_come_from_anywhere_and_stay_as_they_were() -> None:
    reasons = [core.DuplicateEventId("s", "e")]
    error = core.InvalidEvents(iter(reasons))
    reasons.clear()
    assert [type(reason) for reason in error.errors] == [core.DuplicateEventId]


def test_a_context_grows_by_details_and_the_error_gives_up_its_source() -> None:
    context = core.OperationContext("transact", "bank")
    assert str(context) == "transact(db=bank)"
    assert str(context.with_details("batch 2")) == "transact(db=bank) [batch 2]"
    source = core.DatabaseTimeout()
    assert core.DatabaseErrorWithContext(context, source).inner() is source


KINDS = core.DatabaseAccessErrorKind


@pytest.mark.parametrize(
    ("error", "kind", "reason"),
    [
        (core.DatabaseAccessError.invalid_revision("why"), KINDS.INVALID_REVISION, "why"),
        (core.DatabaseAccessError.query_failed("why"), KINDS.QUERY_FAILED, "why"),
        (core.DatabaseAccessError.state_view_failed("why"), KINDS.STATE_VIEW_FAILED, "why"),
        (core.DatabaseAccessError.conversion_error("why"), KINDS.CONVERSION_ERROR, "why"),
        (
            core.DatabaseAccessError.state_view_not_found(),
            KINDS.STATE_VIEW_NOT_FOUND,
            "State view not found",
        ),
        (core.DatabaseAccessError("why"), KINDS.QUERY_FAILED, "why"),
    ],
)
def test_a_refused_access_tells_which_one_and_why(
    error: core.DatabaseAccessError, kind: core.DatabaseAccessErrorKind, reason: str
) -> None:
    assert (error.kind, error.reason) == (kind, reason)
    assert error.message == str(error)
    assert reason in error.message


@pytest.mark.parametrize("error", [core.StateViewNotFound, database_errors.StateChangeNotFound])
@pytest.mark.parametrize(
    ("version", "named"), [(2, "deposit.v2 not found"), (0, "deposit not found")]
)
def test_what_was_not_found_is_named_by_its_version_where_one_was_asked_for(
    error: type[core.StateViewNotFound | core.StateChangeNotFound], version: int, named: str
) -> None:
    assert str(error("deposit", version)).endswith(named)
