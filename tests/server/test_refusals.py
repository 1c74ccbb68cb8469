"""What callers are told of errors, and what they are not."""

from __future__ import annotations

import logging
import re

import grpc
import pytest

from evidentsource_core.domain import database_errors, errors, value_errors
from evidentsource_core.domain.errors import DatabaseAccessError, EvidentSourceError
from evidentsource_functions import StateChangeError
from evidentsource_runtime.host import ComponentTrap
from evidentsource_runtime.server.grpc.status import MOST_MESSAGE, code_of, status_of
from evidentsource_runtime.server.service import Kind, TransactionFailed, refusal_of
from evidentsource_runtime.store import errors as store

SECRET = "/srv/private/bank.db"


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (errors.InvalidDatabaseName("7"), "INVALID_ARGUMENT"),
        (errors.EmptyTransaction(), "INVALID_ARGUMENT"),
        (errors.InvalidRange(2, 1), "INVALID_ARGUMENT"),
        (errors.InvalidTransactionId(""), "INVALID_ARGUMENT"),
        (errors.DeserializationFailed("no JSON"), "INVALID_ARGUMENT"),
        (StateChangeError.validation("no"), "INVALID_ARGUMENT"),
        (StateChangeError.unauthorized("no"), "PERMISSION_DENIED"),
        (errors.DatabaseNotFound("bank"), "NOT_FOUND"),
        (errors.StateViewNotFound("summary", 1), "NOT_FOUND"),
        (errors.StateChangeNotFound("deposit", 1), "NOT_FOUND"),
        (StateChangeError.not_found("no"), "NOT_FOUND"),
        (errors.DatabaseAlreadyExists("bank"), "ALREADY_EXISTS"),
        (errors.DuplicateTransactionId("t-1"), "ALREADY_EXISTS"),
        (errors.InvalidEvents([errors.DuplicateEventId("a", "b")]), "ALREADY_EXISTS"),
        (errors.InvalidEvents([errors.InvalidEventId("")]), "INVALID_ARGUMENT"),
        (errors.ConstraintViolations(["conditions[0]: no"]), "FAILED_PRECONDITION"),
        (StateChangeError.conflict("no"), "FAILED_PRECONDITION"),
        (errors.ConcurrentWriteCollision(), "ABORTED"),
        (DatabaseAccessError.invalid_revision("9"), "OUT_OF_RANGE"),
        (errors.TransactionTooLarge(2, 1), "RESOURCE_EXHAUSTED"),
        (errors.DatabaseTimeout(), "DEADLINE_EXCEEDED"),
        (TimeoutError(), "DEADLINE_EXCEEDED"),
        (StateChangeError.internal("no"), "INTERNAL"),
        (ComponentTrap("deposit", "unreachable"), "INTERNAL"),
        (DatabaseAccessError.state_view_failed("no"), "INTERNAL"),
        (store.StoreFull(SECRET), "UNAVAILABLE"),
        (store.StoreBusy(SECRET, 5), "UNAVAILABLE"),
        (store.StoreClosed(SECRET), "UNAVAILABLE"),
        (store.CommitUncertain(SECRET, "no"), "UNKNOWN"),
        (store.DamagedStore(SECRET, "no"), "INTERNAL"),
        (ZeroDivisionError(SECRET), "INTERNAL"),
    ],
    ids=repr,
)
def test_each_error_has_its_status(error: Exception, code: str) -> None:
    status = status_of(error)
    assert status.code is grpc.StatusCode[code]
    assert SECRET not in status.message
    assert SECRET.encode() not in status.trailers[0][1]


def test_every_kind_has_a_status_code() -> None:
    assert all(isinstance(code_of(kind), grpc.StatusCode) for kind in Kind)


def test_an_error_of_the_server_is_found_in_its_log_by_what_the_caller_is_told(
    caplog: pytest.LogCaptureFixture,
) -> None:
    refusal = refusal_of(ZeroDivisionError(SECRET))
    reference = re.findall(r"[0-9a-f]{8}", refusal.message)[0]
    assert reference in caplog.text
    assert SECRET in caplog.text
    assert [record.levelno for record in caplog.records] == [logging.ERROR]


def test_the_guest_stays_in_the_log() -> None:
    error = ComponentTrap("deposit", "unreachable", guest_traceback=f"File {SECRET}")
    status = status_of(error)
    assert status.message == "deposit: unreachable"
    assert SECRET.encode() not in status.trailers[0][1]


def test_what_was_refused_later_is_the_same_refusal() -> None:
    first = refusal_of(errors.DatabaseNotFound("bank"))
    again = TransactionFailed(first.code, first.kind.name, first.message, dict(first.facts))
    kept = refusal_of(again)
    assert (kept.kind, kept.code, kept.message) == (first.kind, first.code, first.message)


@pytest.mark.parametrize("character", ["x", "ü", "%", "\n", "😀"])
def test_no_message_is_longer_than_a_header_may_be(character: str) -> None:
    message = status_of(errors.InvalidDatabaseName("7")).message
    assert "cut" not in message
    long = status_of(StateChangeError.validation(character * 100_000)).message
    encoded = sum(1 if " " <= c <= "~" and c != "%" else 3 * len(c.encode()) for c in long)
    assert encoded <= MOST_MESSAGE + len("... (cut)")


def test_every_error_that_the_platform_names_is_more_than_an_internal_one() -> None:
    """A new error class of the domain has to be given a kind."""
    unkind = {
        "EvidentSourceError", "DatabaseError", "DatabaseServerError", "DatabaseErrorWithContext",
        "StateViewError", "StateViewServerError", "StateChangeError", "StateChangeServerError",
        "TransactionError",
    }  # fmt: skip
    for module in (errors, database_errors, value_errors):
        for name, kind in vars(module).items():
            known = isinstance(kind, type) and issubclass(kind, EvidentSourceError)
            if not known or name in unkind or name.startswith("_"):
                continue
            blank = kind.__new__(kind)
            if isinstance(blank, DatabaseAccessError):
                blank.kind = errors.DatabaseAccessErrorKind.INVALID_REVISION
            if isinstance(blank, errors.InvalidEvents):
                blank.errors = ()
            assert refusal_of(blank).kind is not Kind.INTERNAL, name
