"""Signed tokens, and the keys that they are checked with."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from threading import Thread
from typing import Any

import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric import ec, rsa

from evidentsource_runtime.server.access import (
    AccessSetupError,
    Principal,
    Role,
    Unauthenticated,
)
from evidentsource_runtime.server.access.tokens import Jwt, KeySet

RSA = rsa.generate_private_key(public_exponent=65537, key_size=2048)
EC = ec.generate_private_key(ec.SECP256R1())
OTHER = ec.generate_private_key(ec.SECP256R1())


def bearer(token: str) -> dict[str, str]:
    return {"authorization": f"Bearer {token}"}


def jwk(key: Any, kid: str) -> dict[str, Any]:
    algorithm = jwt.algorithms.RSAAlgorithm if key is RSA else jwt.algorithms.ECAlgorithm
    listed: dict[str, Any] = algorithm.to_jwk(key.public_key(), as_dict=True)
    return listed | {"kid": kid, "use": "sig", "alg": "RS256" if key is RSA else "ES256"}


@pytest.fixture
def keys(tmp_path: Path) -> Path:
    path = tmp_path / "jwks.json"
    path.write_text(json.dumps({"keys": [jwk(RSA, "rsa"), jwk(EC, "ec"), {"kty": "oct"}]}))
    return path


def token(key: Any = EC, kid: str | None = "ec", **claims: Any) -> str:
    now = datetime.now(UTC)
    whole = {
        "sub": "ann",
        "iss": "https://issuer",
        "aud": "evidentsource",
        "exp": now + timedelta(minutes=5),
        "evs:grants": ["writer:bank"],
    } | claims
    algorithm = "RS256" if key is RSA else "ES256"
    held = {name: value for name, value in whole.items() if value is not None}
    return jwt.encode(held, key, algorithm, {"kid": kid} if kid else {})


def checked(keys: Path | KeySet, text: str) -> Principal | None:
    way = Jwt(
        keys if isinstance(keys, KeySet) else str(keys),
        issuer="https://issuer",
        audience="evidentsource",
    )
    return asyncio.run(way.authenticate(bearer(text)))


@pytest.mark.parametrize(("key", "kid"), [(RSA, "rsa"), (EC, "ec")])
def test_a_signed_token_says_who_it_is_and_what_they_may(keys: Path, key: Any, kid: str) -> None:
    ann = checked(keys, token(key, kid, name="Ann"))
    assert ann is not None
    assert (ann.subject, ann.display_name) == ("ann", "Ann")
    assert ann.grants.allow(Role.WRITER, "bank")
    assert not ann.grants.database_creator


LATER, EARLIER = datetime.now(UTC) + timedelta(hours=1), datetime.now(UTC) - timedelta(hours=1)


@pytest.mark.parametrize(
    ("claims", "expected"),
    [
        ({"exp": EARLIER}, "expired"),
        ({"exp": None}, "lacks the claim 'exp'"),
        ({"sub": None}, "lacks the claim 'sub'"),
        ({"nbf": LATER}, "not valid yet"),
        ({"iss": "https://other"}, "another issuer"),
        ({"iss": None}, "'iss'"),
        ({"aud": "other"}, "another audience"),
        ({"aud": None}, "'aud'"),
        ({"evs:grants": ["owner"]}, "evs:grants"),
        ({"evs:grants": 7}, "evs:grants"),
    ],
)
def test_a_signed_token_that_is_not_good_is_refused_and_says_why(
    keys: Path, claims: dict[str, Any], expected: str
) -> None:
    with pytest.raises(Unauthenticated, match=expected):
        checked(keys, token(**claims))


def test_a_token_signed_by_another_key_is_refused(keys: Path) -> None:
    with pytest.raises(Unauthenticated, match="signature is wrong"):
        checked(keys, token(OTHER))
    with pytest.raises(Unauthenticated, match="not known here"):
        checked(keys, token(OTHER, "other"))
    with pytest.raises(Unauthenticated, match="not known here"):
        checked(keys, token(OTHER, None))


def test_an_algorithm_that_anybody_could_use_is_refused(keys: Path) -> None:
    for text in (
        jwt.encode({"sub": "ann"}, "x" * 32, "HS256", {"kid": "rsa"}),
        jwt.encode({"sub": "ann"}, "", "none", {"kid": "rsa"}),
        token(RSA, "ec"),
    ):
        with pytest.raises(Unauthenticated):
            checked(keys, text)


def test_what_is_no_signed_token_is_left_to_others(keys: Path) -> None:
    assert checked(keys, "opaque") is None
    assert checked(keys, "a.b.c") is None
    assert asyncio.run(Jwt(str(keys)).authenticate({})) is None


class Issuer:
    """Serves a key set, and counts who asks for it."""

    def __init__(self) -> None:
        self.asked = 0
        self.body = b""
        issuer = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                issuer.asked += 1
                self.send_response(200 if issuer.body else 500)
                self.end_headers()
                self.wfile.write(issuer.body)

            def log_message(self, *_: Any) -> None:
                pass

        self.server = HTTPServer(("127.0.0.1", 0), Handler)
        Thread(target=self.server.serve_forever, daemon=True).start()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server.server_port}/jwks"


@pytest.fixture
def issuer() -> Iterator[Issuer]:
    issuer = Issuer()
    yield issuer
    issuer.server.shutdown()
    issuer.server.server_close()


def test_keys_are_fetched_seldom_and_new_ones_are_found(issuer: Issuer) -> None:
    now = [0.0]
    issuer.body = json.dumps({"keys": [jwk(EC, "ec")]}).encode()
    keys = KeySet(issuer.url, clock=lambda: now[0])

    async def play() -> None:
        way = Jwt(keys, issuer="https://issuer", audience="evidentsource")
        for _ in range(5):
            assert await way.authenticate(bearer(token()))
        for number in range(100):
            with pytest.raises(Unauthenticated):
                await way.authenticate(bearer(token(OTHER, f"made-up-{number}")))
        assert issuer.asked == 1
        issuer.body = json.dumps({"keys": [jwk(EC, "ec"), jwk(OTHER, "new")]}).encode()
        now[0] += 61
        assert await way.authenticate(bearer(token(OTHER, "new")))
        assert issuer.asked == 2
        # The keys that are known stay good while the issuer is away.
        issuer.body = b""
        now[0] += 7200
        assert await way.authenticate(bearer(token()))
        assert issuer.asked == 3

    asyncio.run(play())


def test_keys_are_not_fetched_where_they_could_be_forged() -> None:
    with pytest.raises(AccessSetupError, match="use https"):
        KeySet("http://issuer.example.org/jwks")
