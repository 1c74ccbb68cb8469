"""How a request says who sends it.

Each way is an :class:`Authenticator`; a server has one, or several in a :class:`FirstOf`. All of them
read headers only, so gRPC metadata and HTTP headers are the same to them.
"""

from __future__ import annotations

import hashlib
import json
from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from pathlib import Path

from evidentsource_runtime.server.access.errors import AccessSetupError, Unauthenticated
from evidentsource_runtime.server.access.principals import (
    EVERYTHING,
    Grants,
    Principal,
    parse_grants,
)

__all__ = ["Anonymous", "Authenticator", "DevHeaders", "FirstOf", "StaticTokens", "bearer_token"]

MAX_TOKEN = 16 * 1024
"""Characters that a bearer token may have; none longer is looked at."""

Headers = Mapping[str, str]
"""The headers of a request, their names in lower case."""


class Authenticator(ABC):
    """Tells from the headers who is asking."""

    proves: bool
    """Whether a caller has to show something that others do not have."""

    @abstractmethod
    async def authenticate(self, headers: Headers) -> Principal | None:
        """The caller; None where the headers hold nothing that this way reads.

        Raises:
            Unauthenticated: what they hold is not good.
        """

    async def close(self) -> None:  # noqa: B027 - most have nothing to let go of
        """Let go of what was opened."""


class Anonymous(Authenticator):
    """Everybody is let in, as one and the same anonymous caller.

    Args:
        grants: what that caller may do; everything by default.
    """

    proves = False

    def __init__(self, grants: Grants = EVERYTHING) -> None:
        self._principal = Principal("anonymous", grants, anonymous=True)

    async def authenticate(self, headers: Headers) -> Principal:  # noqa: ARG002 - nobody is asked
        """That caller."""
        return self._principal


class DevHeaders(Authenticator):
    """For development: the request itself says who sends it, and what they may do.

    The headers are ``x-dev-subject``, ``x-dev-email``, ``x-dev-display-name`` and ``x-dev-grants``
    (JSON, see :func:`parse_grants`). Without a subject it is "developer", without grants everything
    is allowed.
    """

    proves = False

    async def authenticate(self, headers: Headers) -> Principal | None:
        """Whoever the headers say; None where none of them is there."""
        if not any(name.startswith("x-dev-") for name in headers):
            return None
        grants = EVERYTHING
        if "x-dev-grants" in headers:
            try:
                grants = parse_grants(headers["x-dev-grants"], "x-dev-grants")
            except AccessSetupError as error:
                raise Unauthenticated(str(error)) from error
        return Principal(
            headers.get("x-dev-subject", "developer"),
            grants,
            headers.get("x-dev-email"),
            headers.get("x-dev-display-name"),
        )


class StaticTokens(Authenticator):
    """Bearer tokens that were handed out beforehand.

    Only digests are kept, and a token is found by its digest: how long that takes says nothing of
    the tokens that there are.

    Args:
        principals: the caller by the SHA-256 digest of its token, in hexadecimal.
    """

    proves = True

    def __init__(self, principals: Mapping[str, Principal]) -> None:
        if not principals:
            raise AccessSetupError("tokens", "there is none, so nobody could get in")
        self._principals = dict(principals)

    @classmethod
    def of(cls, tokens: Mapping[str, Principal]) -> StaticTokens:
        """The same by the tokens themselves."""
        return cls({token_digest(token): principal for token, principal in tokens.items()})

    @classmethod
    def from_file(cls, path: str | Path) -> StaticTokens:
        """The tokens of a JSON file.

        It holds ``{"tokens": [{"sha256": "...", "subject": "ann", "grants": {...}}, ...]}``, with
        ``"token": "..."`` where the token itself is to stand in it, and ``email`` and
        ``display_name`` where they are known.

        Raises:
            AccessSetupError: the file cannot be read, or holds something else.
        """
        field = f"tokens file {Path(path).name}"
        try:
            content = json.loads(Path(path).read_bytes())
        except (OSError, ValueError) as error:
            reason = getattr(error, "strerror", None) or "is no JSON"
            raise AccessSetupError(field, reason) from None
        entries = content.get("tokens") if isinstance(content, dict) else None
        if not isinstance(entries, list):
            raise AccessSetupError(field, 'holds no {"tokens": [...]}')
        return cls(dict(_entry(entry, f"{field}, tokens[{i}]") for i, entry in enumerate(entries)))

    async def authenticate(self, headers: Headers) -> Principal | None:
        """The caller whose token it is; None for a token that is none of these."""
        token = bearer_token(headers)
        return None if token is None else self._principals.get(token_digest(token))


class FirstOf(Authenticator):
    """Several ways, asked in turn; the first that knows the caller is believed.

    Args:
        ways: the ways.
        otherwise: who a caller is that brings no credential at all; None to turn those away.
    """

    def __init__(
        self, ways: Sequence[Authenticator], otherwise: Authenticator | None = None
    ) -> None:
        self._ways = tuple(ways)
        self._otherwise = otherwise
        self.proves = otherwise is None and all(way.proves for way in self._ways)

    async def authenticate(self, headers: Headers) -> Principal:
        """The caller.

        Raises:
            Unauthenticated: no way knows it, or one knows that its credential is not good.
        """
        for way in self._ways:
            principal = await way.authenticate(headers)
            if principal is not None:
                return principal
        if bearer_token(headers) is not None:
            raise Unauthenticated("the token is not known here")
        if self._otherwise is not None:
            principal = await self._otherwise.authenticate(headers)
            if principal is not None:
                return principal
        raise Unauthenticated("send a token: 'authorization: Bearer TOKEN'")

    async def close(self) -> None:
        """Close each of them."""
        for way in self._ways:
            await way.close()


def bearer_token(headers: Headers) -> str | None:
    """The token of an ``authorization`` header; None where there is no such header.

    Raises:
        Unauthenticated: the header is of another scheme, empty, or longer than any token.
    """
    value = headers.get("authorization")
    if value is None:
        return None
    scheme, _, token = value.partition(" ")
    token = token.strip()
    if scheme.lower() != "bearer" or not token:
        raise Unauthenticated("the authorization header must be 'Bearer TOKEN'")
    if len(token) > MAX_TOKEN:
        raise Unauthenticated(f"the token is longer than {MAX_TOKEN:,} characters")
    return token


def token_digest(token: str) -> str:
    """The digest by which a token is known.

    >>> token_digest("secret")[:8]
    '2bb80d53'
    """
    return hashlib.sha256(token.encode()).hexdigest()


def _entry(entry: object, field: str) -> tuple[str, Principal]:
    if not isinstance(entry, dict) or not isinstance(entry.get("subject"), str):
        raise AccessSetupError(field, 'needs a "subject" and a "sha256" or "token"')
    known = {"sha256", "token", "subject", "grants", "email", "display_name"}
    if unknown := set(entry) - known:
        raise AccessSetupError(field, f"has {sorted(unknown)}", f"known are {sorted(known)}")
    digest = entry.get("sha256")
    if digest is None and isinstance(entry.get("token"), str) and entry["token"].strip():
        digest = token_digest(entry["token"])
    if not isinstance(digest, str) or len(digest) != 64:
        raise AccessSetupError(field, '"sha256" has 64 hexadecimal digits, "token" is a text')
    grants = parse_grants(entry.get("grants", {}), f"{field}.grants")
    principal = Principal(entry["subject"], grants, entry.get("email"), entry.get("display_name"))
    return digest.lower(), principal
