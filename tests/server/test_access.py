"""Who gets in, and what they may do there."""

from __future__ import annotations

import asyncio
import json
import logging
import ssl
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import grpc
import httpx
import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from evidentsource_runtime.server import Server, Settings, running
from evidentsource_runtime.server.access import (
    AccessSetupError,
    Anonymous,
    DevHeaders,
    FirstOf,
    Grants,
    Limits,
    Principal,
    RateLimited,
    RateLimiter,
    Role,
    StaticTokens,
    Tls,
    Unauthenticated,
    parse_grants,
)
from evidentsource_runtime.server.access.authentication import token_digest
from evidentsource_runtime.server.protobuf.events import prospective_to
from tests.server.conftest import SOMEBODY, event
from tests.server.stub import OPTIONS, Stub, reason, said

EC = ec.generate_private_key(ec.SECP256R1())


def bearer(token: str) -> dict[str, str]:
    return {"authorization": f"Bearer {token}"}


# --- grants --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "role", "database", "allowed"),
    [
        ('{"databases": {"bank": "writer"}}', Role.WRITER, "bank", True),
        ('{"databases": {"bank": "writer"}}', Role.READER, "bank", True),
        ('{"databases": {"bank": "writer"}}', Role.READER, "shop", False),
        ('{"databases": {"bank": "reader"}}', Role.WRITER, "bank", False),
        ('{"databases": {"bank": "writer"}}', Role.PUBLISHER, "bank", False),
        ('{"databases": {"bank": ["reader", "publisher"]}}', Role.PUBLISHER, "bank", True),
        ('{"databases": {"bank": "publisher"}}', Role.READER, "bank", False),
        ('{"databases": {"*": "reader"}}', Role.READER, "any", True),
        ('["writer:bank"]', Role.WRITER, "bank", True),
        ('["reader"]', Role.READER, "any", True),
        ("{}", Role.READER, "bank", False),
    ],
)
def test_grants_allow_what_they_say(text: str, role: Role, database: str, allowed: bool) -> None:
    assert parse_grants(text).allow(role, database) is allowed


@pytest.mark.parametrize(
    "text",
    [
        "no json", "7", '{"database": {}}', '{"databases": {"bank": "admin"}}', '["owner"]', "[7]",
        '{"databases": {"7": "reader"}}', '{"database_creator": 1}', '{"databases": []}',
        '{"databases": {"bank": 7}}',
    ],
)  # fmt: skip
def test_grants_that_say_something_else_are_refused(text: str) -> None:
    with pytest.raises(AccessSetupError):
        parse_grants(text)


# --- what each role may do ------------------------------------------------------------------------

READER, WRITER, CREATOR = (
    parse_grants(text) for text in ('["reader:bank"]', '["writer:bank"]', '["database_creator"]')
)


@pytest.fixture(scope="module")
def guarded(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A server with tokens, and a database "bank"."""
    grants = {"reader": READER, "writer": WRITER, "creator": CREATOR, "nobody": Grants()}
    tokens = {f"{name}-token": Principal(name, given) for name, given in grants.items()}
    settings = Settings(
        tmp_path_factory.mktemp("guarded"), grpc_port=0, authenticator=StaticTokens.of(tokens)
    )
    with running(settings) as server:
        server.ask(server.service.databases.create(SOMEBODY, "bank"))
        server.ask(server.service.databases.create(SOMEBODY, "shop"))
        yield server


CALLS: dict[str, dict[str, Any]] = {
    "FetchLatestDatabase": {"database_name": "bank"},
    "FetchCachedDatabase": {"database_name": "bank"},
    "AwaitDatabase": {"database_name": "bank"},
    "DatabaseEffectiveAtTimestamp": {"database_name": "bank", "at_timestamp": {}},
    "FetchTransactionById": {"database_name": "bank", "transaction_id": "none"},
    "ScanDatabaseLog": {"database_name": "bank"},
    "FetchEventsByRevisions": {"database_name": "bank"},
    "ScanIndexKeys": {"database_name": "bank"},
    "SubscribeDatabaseUpdates": {"database_name": "bank"},
    "QueryEvents": {
        "database_name": "bank",
        "query": {"selector": {"equals": {"stream": "accounts"}}},
    },
    "EventById": {"database_name": "bank", "stream": "accounts", "event_id": "e-1"},
    "ListStateViewDefinitions": {"database_name": "bank"},
    "ListStateChanges": {"database_name": "bank"},
    "FetchStateViewAtRevision": {
        "state_view_identity": {"database_name": "bank", "state_view_name": "none"}
    },
    "Transact": {"database_name": "bank"},
    "TransactAsync": {"database_name": "bank"},
    "ExecuteStateChange": {"database_name": "bank", "state_change_name": "none"},
    "ExecuteStateChangeAsync": {"database_name": "bank", "state_change_name": "none"},
    "CreateDatabase": {"database_name": "bank"},
    "DeleteDatabase": {"database_name": "none"},
}
WRITES = {"Transact", "TransactAsync", "ExecuteStateChange", "ExecuteStateChangeAsync"}
CREATES = {"CreateDatabase", "DeleteDatabase"}


def code(stub: Stub, call: str) -> grpc.StatusCode:
    """How a call ends, after its first reply where it is a stream."""
    try:
        reply = getattr(stub, call)(**CALLS[call])
        if hasattr(reply, "cancel"):
            next(reply, None)
            reply.cancel()
    except grpc.RpcError as error:
        return error.code()
    return grpc.StatusCode.OK


@pytest.mark.parametrize("call", CALLS)
def test_every_call_asks_for_its_role(
    guarded: Server, connected: Callable[..., Stub], call: str
) -> None:
    denied = {
        who: code(connected(guarded, ("authorization", f"Bearer {who}-token")), call)
        is grpc.StatusCode.PERMISSION_DENIED
        for who in ("reader", "writer", "creator", "nobody")
    }
    assert denied == {
        "reader": call in WRITES | CREATES,
        "writer": call in CREATES,
        "creator": call not in CREATES,
        "nobody": True,
    }
    assert code(connected(guarded), call) is grpc.StatusCode.UNAUTHENTICATED


def test_the_catalog_shows_what_may_be_read(
    guarded: Server, connected: Callable[..., Stub]
) -> None:
    def names(who: str) -> list[str]:
        stub = connected(guarded, ("authorization", f"Bearer {who}-token"))
        return [reply.database_name for reply in stub.FetchCatalog()]

    assert names("reader") == ["bank"]
    assert names("nobody") == []
    assert names("creator") == ["bank", "shop"]


def test_a_database_that_may_not_be_read_looks_like_one_that_is_not_there(
    guarded: Server, connected: Callable[..., Stub]
) -> None:
    stub = connected(guarded, ("authorization", "Bearer reader-token"))
    messages = []
    for name in ("shop", "none"):
        with pytest.raises(grpc.RpcError) as caught:
            stub.FetchLatestDatabase(database_name=name)
        messages.append(said(caught.value).replace(name, "NAME"))
        assert caught.value.code() is grpc.StatusCode.PERMISSION_DENIED
    assert messages[0] == messages[1]
    assert "reader of database 'NAME'" in messages[0]


def test_who_committed_is_kept_and_cannot_be_said_otherwise(
    guarded: Server, connected: Callable[..., Stub]
) -> None:
    stub = connected(guarded, ("authorization", "Bearer writer-token"))
    claimed = {"subject": "somebody else", "tenant": "acme"}
    proposed = [prospective_to(event("who"))]
    result = stub.Transact(database_name="bank", events=proposed, principal_attributes=claimed)
    metadata = result.result.transaction_summary.metadata
    assert dict(metadata.principal_attributes) == {"subject": "writer", "tenant": "acme"}


def test_a_thousand_wrong_tokens_get_in_nobodys_way(
    guarded: Server, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)

    async def play() -> float:
        async with grpc.aio.insecure_channel(guarded.grpc.target) as channel:
            ask: Any = channel.unary_unary("/com.evidentsource.EvidentSource/FetchLatestDatabase")
            request = b"\n\x04bank"
            codes = set()
            for start in range(0, 1_000, 500):
                calls = [
                    ask(request, metadata=(("authorization", f"Bearer secret-{start + n}"),))
                    for n in range(500)
                ]
                for call in calls:
                    codes.add(await call.code())
            assert codes == {grpc.StatusCode.UNAUTHENTICATED}
            began = time.monotonic()
            await ask(request, metadata=(("authorization", "Bearer reader-token"),))
            return time.monotonic() - began

    assert asyncio.run(play()) < 1
    assert "secret-" not in caplog.text
    assert len(guarded.admission._rates._buckets) < 10


# --- static tokens and headers --------------------------------------------------------------------


def test_tokens_come_from_a_file_as_digests_or_as_they_are(tmp_path: Path) -> None:
    path = tmp_path / "tokens.json"
    path.write_text(
        json.dumps(
            {
                "tokens": [
                    {"sha256": token_digest("one"), "subject": "ann", "grants": ["reader"]},
                    {"token": "two", "subject": "bob", "email": "bob@example.org"},
                ]
            }
        )
    )
    tokens = StaticTokens.from_file(path)
    ann = asyncio.run(tokens.authenticate(bearer("one")))
    bob = asyncio.run(tokens.authenticate(bearer("two")))
    assert ann is not None
    assert bob is not None
    assert (ann.subject, ann.grants.allow(Role.READER, "bank")) == ("ann", True)
    assert bob.attributes == {"subject": "bob", "email": "bob@example.org"}
    assert asyncio.run(tokens.authenticate(bearer("three"))) is None


@pytest.mark.parametrize(
    "content",
    [
        "no json", "[]", '{"tokens": [7]}', '{"tokens": []}', '{"tokens": [{"subject": "ann"}]}',
        '{"tokens": [{"subject": "ann", "token": " "}]}',
        '{"tokens": [{"subject": "ann", "token": "t", "role": "admin"}]}',
        '{"tokens": [{"subject": "ann", "sha256": "short"}]}',
    ],
)  # fmt: skip
def test_a_tokens_file_that_says_something_else_is_refused_without_its_content(
    tmp_path: Path, content: str
) -> None:
    (tmp_path / "tokens.json").write_text(content)
    with pytest.raises(AccessSetupError) as caught:
        StaticTokens.from_file(tmp_path / "tokens.json")
    assert str(tmp_path) not in str(caught.value)


@pytest.mark.parametrize("value", ["Basic YTpi", "Bearer", "Bearer  ", "Bearer " + "x" * 20_000])
def test_an_authorization_header_of_another_kind_is_refused(value: str) -> None:
    tokens = StaticTokens.of({"one": SOMEBODY})
    with pytest.raises(Unauthenticated):
        asyncio.run(tokens.authenticate({"authorization": value}))


def test_in_development_the_request_says_who_it_is() -> None:
    ways = FirstOf([DevHeaders()], otherwise=Anonymous())
    headers = {
        "x-dev-subject": "ann",
        "x-dev-email": "ann@example.org",
        "x-dev-display-name": "Ann",
        "x-dev-grants": '["reader:bank"]',
    }
    ann = asyncio.run(ways.authenticate(headers))
    assert ann.attributes == {
        "subject": "ann",
        "email": "ann@example.org",
        "display_name": "Ann",
    }
    assert not ann.grants.allow(Role.WRITER, "bank")
    assert asyncio.run(ways.authenticate({})).anonymous
    with pytest.raises(Unauthenticated, match="x-dev-grants"):
        asyncio.run(ways.authenticate({"x-dev-grants": "no json"}))


# --- rates ----------------------------------------------------------------------------------------


def test_a_caller_that_asks_too_often_is_told_when_to_come_back() -> None:
    now = [100.0]
    limiter = RateLimiter(rate=10, burst=5, clock=lambda: now[0])
    for _ in range(5):
        limiter.take("ann")
    with pytest.raises(RateLimited) as caught:
        limiter.take("ann")
    limiter.take("bob")
    now[0] += caught.value.retry_after
    limiter.take("ann")
    with pytest.raises(RateLimited):
        limiter.take("ann")


def test_only_so_many_callers_are_remembered() -> None:
    limiter = RateLimiter(rate=1, burst=1, clock=lambda: 0.0, most=10)
    for number in range(1000):
        limiter.take(f"caller-{number}")
    assert len(limiter._buckets) == 10


def test_a_server_keeps_the_rate(tmp_path: Path, connected: Callable[..., Stub]) -> None:
    limits = Limits(rate=0.001, burst=3)
    with running(Settings(tmp_path, grpc_port=0, limits=limits)) as server:
        stub = connected(server)
        for _ in range(3):
            list(stub.FetchCatalog())
        with pytest.raises(grpc.RpcError) as caught:
            list(stub.FetchCatalog())
        assert caught.value.code() is grpc.StatusCode.RESOURCE_EXHAUSTED
        assert reason(caught.value) == "RATE_LIMITED"


# --- TLS ------------------------------------------------------------------------------------------


def certificate(folder: Path) -> tuple[Path, Path]:
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "localhost")])
    now = datetime.now(UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(EC.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName("localhost")]), critical=False)
        .sign(EC, hashes.SHA256())
    )
    paths = folder / "certificate.pem", folder / "key.pem"
    paths[0].write_bytes(made.public_bytes(serialization.Encoding.PEM))
    paths[1].write_bytes(
        EC.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
    )
    return paths


def test_a_server_with_a_certificate_speaks_tls_only(tmp_path: Path) -> None:
    chain, key = certificate(tmp_path)
    tls = Tls.from_files(chain, key)
    settings = Settings(tmp_path / "data", grpc_port=0, http_port=0, tls=tls)
    with running(settings) as server:
        target = f"localhost:{server.grpc.port}"
        credentials = grpc.ssl_channel_credentials(chain.read_bytes())
        with grpc.secure_channel(target, credentials, OPTIONS) as channel:
            assert list(Stub(channel).FetchCatalog()) == []
        with grpc.insecure_channel(target) as channel, pytest.raises(grpc.RpcError) as caught:
            list(Stub(channel).FetchCatalog(timeout=5))
        assert caught.value.code() is grpc.StatusCode.UNAVAILABLE
        assert server.http is not None
        assert server.http.url.startswith("https://")
        url = f"https://localhost:{server.http.port}/health"
        trusted = ssl.create_default_context(cafile=str(chain))
        assert httpx.get(url, verify=trusted).json() == {"status": "ok"}
        with pytest.raises(httpx.ConnectError, match="CERTIFICATE_VERIFY_FAILED"):
            httpx.get(url)
        with pytest.raises(httpx.HTTPError):
            httpx.get(url.replace("https", "http"))


def test_what_is_no_certificate_is_refused(tmp_path: Path) -> None:
    chain, key = certificate(tmp_path)
    with pytest.raises(AccessSetupError, match="certificate"):
        Tls.from_files(key, key)
    with pytest.raises(AccessSetupError, match="key"):
        Tls.from_files(chain, chain)
    with pytest.raises(AccessSetupError, match="No such file"):
        Tls.from_files(tmp_path / "none.pem", key)
