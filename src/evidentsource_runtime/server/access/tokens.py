"""Signed tokens (JWT, RFC 7519), and the keys that they are checked with (JWKS, RFC 7517)."""

from __future__ import annotations

import asyncio
import json
import logging
import time
import urllib.request
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, Final
from urllib.parse import urlsplit

import jwt
from jwt.exceptions import InvalidTokenError, PyJWTError

from evidentsource_runtime.server.access.authentication import Authenticator, bearer_token
from evidentsource_runtime.server.access.errors import AccessSetupError, Unauthenticated
from evidentsource_runtime.server.access.principals import Grants, Principal, parse_grants

__all__ = ["Jwt", "KeySet"]

ALGORITHMS: Final = ("RS256", "ES256")
"""Signatures by a key that only the issuer has. Nothing symmetric, and never "none"."""
GRANTS_CLAIM: Final = "evs:grants"
LOOK_AGAIN: Final = 60.0
"""Seconds that pass at least between two looks at a key set, however many unknown keys are named."""
KEEP: Final = 3600.0
"""Seconds after which a key set is looked at again."""
_MOST: Final = 1024 * 1024
_TIMEOUT: Final = 5.0

_log = logging.getLogger("evidentsource.server.access")


class KeySet:
    """The public keys of an issuer, from a file or a URL.

    They are read when the first token comes, again after an hour, and when a token names a key that
    is not among them; that at most once a minute, so that made-up tokens cannot make this server
    call anybody. Where a look fails, the keys of the last one stay good.

    Args:
        location: a path, or an ``https`` URL (``http`` on the own machine).
        clock: seconds that only go forward.
    """

    def __init__(self, location: str, clock: Callable[[], float] = time.monotonic) -> None:
        parts = urlsplit(location)
        self._remote = parts.scheme in ("http", "https")
        local = parts.hostname in ("localhost", "127.0.0.1", "::1")
        if parts.scheme == "http" and not local:
            raise AccessSetupError("jwks", "is fetched over http, which can be forged", "use https")
        self._location = location
        self._clock = clock
        self._keys: dict[str | None, jwt.PyJWK] = {}
        self._looked: float | None = None
        self._looking = asyncio.Lock()

    async def key(self, key_id: str | None) -> jwt.PyJWK:
        """The key of that id; without an id, the one there is.

        Raises:
            Unauthenticated: there is none.
        """
        found = self._find(key_id)
        if found is None or self._older_than(KEEP):
            await self._look(key_id)
            found = self._find(key_id)
        if found is None:
            raise Unauthenticated("the token is signed with a key that is not known here")
        return found

    def _find(self, key_id: str | None) -> jwt.PyJWK | None:
        if key_id is None and len(self._keys) == 1:
            return next(iter(self._keys.values()))
        return self._keys.get(key_id)

    def _older_than(self, seconds: float) -> bool:
        return self._looked is None or self._clock() - self._looked >= seconds

    async def _look(self, key_id: str | None) -> None:
        async with self._looking:
            if not self._older_than(LOOK_AGAIN) or (
                not self._older_than(KEEP) and self._find(key_id) is not None
            ):
                return
            try:
                self._keys = await asyncio.to_thread(self._read)
            except (OSError, ValueError, PyJWTError) as error:
                # The location may have a secret in it; what went wrong has not.
                _log.warning("the key set could not be read: %s", type(error).__name__)
            self._looked = self._clock()

    def _read(self) -> dict[str | None, jwt.PyJWK]:
        if self._remote:
            with urllib.request.urlopen(self._location, timeout=_TIMEOUT) as reply:  # noqa: S310 - http and https only
                content = reply.read(_MOST + 1)
        else:
            content = Path(self._location).read_bytes()
        if len(content) > _MOST:
            raise ValueError("it is larger than any key set")
        listed = json.loads(content)["keys"]
        keys = (jwt.PyJWK(each) for each in listed if _usable(each))
        return {key.key_id: key for key in keys}


class Jwt(Authenticator):
    """Bearer tokens that an issuer has signed.

    A token needs ``exp`` and ``sub``; ``nbf`` and ``iat`` are kept to where they are there. What the
    caller may do stands in the claim ``evs:grants``.

    Args:
        keys: the issuer's keys, or where they are.
        issuer: what ``iss`` has to be; None asks for nothing.
        audience: what ``aud`` has to have in it; None asks that there is no ``aud``.
        leeway: seconds by which clocks may differ.
    """

    proves = True

    def __init__(
        self,
        keys: KeySet | str,
        *,
        issuer: str | None = None,
        audience: str | None = None,
        leeway: float = 30.0,
    ) -> None:
        self._keys = KeySet(keys) if isinstance(keys, str) else keys
        self._issuer = issuer
        self._audience = audience
        self._leeway = leeway

    async def authenticate(self, headers: Mapping[str, str]) -> Principal | None:
        """The caller that the token names; None where there is no token, or it is no JWT."""
        token = bearer_token(headers)
        if token is None or token.count(".") != 2:
            return None
        try:
            header = jwt.get_unverified_header(token)
        except InvalidTokenError:
            return None
        if header.get("alg") not in ALGORITHMS:
            raise Unauthenticated(f"the token must be signed with {' or '.join(ALGORITHMS)}")
        key = await self._keys.key(header.get("kid"))
        claims = self._verified(token, key, header["alg"])
        return Principal(
            str(claims["sub"]), _grants(claims), claims.get("email"), claims.get("name")
        )

    def _verified(self, token: str, key: jwt.PyJWK, algorithm: str) -> dict[str, Any]:
        if key.algorithm_name != algorithm:
            raise Unauthenticated("the token is signed with another algorithm than its key is for")
        try:
            return jwt.decode(
                token,
                key,
                algorithms=[algorithm],
                issuer=self._issuer,
                audience=self._audience,
                leeway=self._leeway,
                options={"require": ["exp", "sub"]},
            )
        except InvalidTokenError as error:
            raise Unauthenticated(_reason(error)) from None


def _grants(claims: Mapping[str, Any]) -> Grants:
    try:
        return parse_grants(claims.get(GRANTS_CLAIM, {}), GRANTS_CLAIM)
    except AccessSetupError as error:
        raise Unauthenticated(f"the token's claim {error}") from error


def _reason(error: InvalidTokenError) -> str:
    """What is wrong with a token, without any of its content."""
    known = {
        "ExpiredSignatureError": "the token has expired",
        "ImmatureSignatureError": "the token is not valid yet",
        "InvalidAudienceError": "the token is for another audience",
        "InvalidIssuerError": "the token is from another issuer",
        "InvalidSignatureError": "the token's signature is wrong",
    }
    missing = getattr(error, "claim", None)
    if missing is not None and type(error).__name__ == "MissingRequiredClaimError":
        return f"the token lacks the claim {missing!r}"
    return known.get(type(error).__name__, "the token cannot be read")


def _usable(listed: object) -> bool:
    if not isinstance(listed, dict) or listed.get("use", "sig") != "sig":
        return False
    kind = (listed.get("kty"), listed.get("crv"))
    return kind[0] == "RSA" or kind == ("EC", "P-256")
