"""Where a server listens, and what that asks of its authentication."""

from __future__ import annotations

import ipaddress
from dataclasses import dataclass
from pathlib import Path

from evidentsource_runtime.server.access.authentication import Authenticator
from evidentsource_runtime.server.access.errors import AccessSetupError

__all__ = ["Tls", "check_exposure", "is_loopback"]


@dataclass(frozen=True, slots=True)
class Tls:
    """A server's certificate.

    Args:
        certificate: the certificate chain, PEM.
        key: the private key, PEM.
        client_ca: the authority whose certificates clients must show, PEM; None asks for none.
    """

    certificate: bytes
    key: bytes
    client_ca: bytes | None = None

    @classmethod
    def from_files(
        cls, certificate: str | Path, key: str | Path, client_ca: str | Path | None = None
    ) -> Tls:
        """The same from files.

        Raises:
            AccessSetupError: one cannot be read, or holds something else.
        """
        ca = None if client_ca is None else _pem(client_ca, "client_ca", b"CERTIFICATE")
        return cls(
            _pem(certificate, "certificate", b"CERTIFICATE"), _pem(key, "key", b"PRIVATE KEY"), ca
        )


def is_loopback(host: str) -> bool:
    """Whether an address can be reached from its own machine only.

    >>> [is_loopback(host) for host in ("localhost", "127.0.0.1", "::1", "0.0.0.0", "example.org")]
    [True, True, True, False, False]
    """
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return False


def check_exposure(host: str, authenticator: Authenticator, *, exposed: bool) -> None:
    """Refuse to let everybody in who can reach this machine, unless that was asked for by name.

    Args:
        host: the address to listen on.
        authenticator: who is let in.
        exposed: whether it was asked for.

    Raises:
        AccessSetupError: the address is not the machine's own, and nobody has to show anything.
    """
    if is_loopback(host) or authenticator.proves or exposed:
        return
    raise AccessSetupError(
        "host",
        f"{host} can be reached from other machines, and nobody would be asked who they are",
        "set tokens or JWT, listen on 127.0.0.1, or ask for it by name: exposed=True",
    )


def _pem(path: str | Path, field: str, kind: bytes) -> bytes:
    try:
        content = Path(path).read_bytes()
    except OSError as error:
        raise AccessSetupError(field, error.strerror or "cannot be read") from None
    if b"-----BEGIN" not in content or kind not in content:
        raise AccessSetupError(field, f"holds no PEM {kind.decode()}")
    return content
