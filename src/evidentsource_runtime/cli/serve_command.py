"""`evidentsource serve`."""

from __future__ import annotations

import gc
import json
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

from cyclopts import Group, Parameter

from evidentsource_runtime.problems import Problem, ProblemError

if TYPE_CHECKING:
    from opentelemetry.trace import TracerProvider

    from evidentsource_runtime.server import Server, Settings
    from evidentsource_runtime.server.access import Authenticator, Tls

LogLevel = Literal["debug", "info", "warning", "error"]

_ACCESS = Group("Access", sort_key=1)


@Parameter(name="*", group=_ACCESS)
@dataclass(frozen=True)
class Access:
    """Who is let in, and how.

    Parameters
    ----------
    exposed
        Listen on an address that others can reach though nobody has to show who they are.
    tokens
        A JSON file of bearer tokens with their grants.
    jwks
        The keys of an issuer of JWT, a file or an https URL.
    issuer
        What a JWT's issuer has to be.
    audience
        What a JWT's audience has to be.
    tls_certificate
        The server's certificate, PEM.
    tls_key
        The key of that certificate, PEM.
    """

    exposed: Annotated[bool, Parameter(negative=())] = False
    tokens: Path | None = None
    jwks: str | None = None
    issuer: str | None = None
    audience: str | None = None
    tls_certificate: Path | None = None
    tls_key: Path | None = None


_NO_ACCESS = Access()


def serve_command(
    *,
    data: Path,
    host: str = "127.0.0.1",
    grpc_port: int = 50051,
    http_port: int = 3000,
    create: Annotated[list[str] | None, Parameter(negative=())] = None,
    access: Access = _NO_ACCESS,
    log_level: LogLevel = "info",
    tracing: Annotated[bool, Parameter(negative=())] = False,
    log_json: Annotated[bool, Parameter(negative=())] = False,
    json_output: Annotated[bool, Parameter(name="--json", negative=())] = False,
) -> None:
    """Serve databases over gRPC and HTTP until it is told to end (Ctrl-C).

    Parameters
    ----------
    data
        A folder of databases, which is made where there is none; or one database's file, `NAME.db`.
    host
        The address to listen on.
    grpc_port
        The port for gRPC; 0 for a free one.
    http_port
        The port for HTTP; 0 for a free one.
    create
        A database to make where there is none of that name; may be given several times.
    access
        Who is let in, and how.
    log_level
        From which level on the log is written to stderr; at `debug` every request is told.
    tracing
        Send a span of every call to where OTEL_EXPORTER_OTLP_ENDPOINT says; it needs the extra `otel`.
    log_json
        Write the log as one JSON object a line.
    json_output
        Print where it listens, and errors, as JSON.
    """
    needs_server("serve")
    from evidentsource_runtime.server import Settings, serve  # noqa: PLC0415 - an optional extra
    from evidentsource_runtime.server.logs import log_to_stderr  # noqa: PLC0415 - the same

    log_to_stderr(log_level, as_json=log_json)
    settings = Settings(
        data,
        host,
        grpc_port,
        http_port,
        authenticator=authenticator(access),
        exposed=access.exposed,
        tls=_tls(access),
        tracer_provider=_provider() if tracing else None,
        create=tuple(create or (data.stem,) if data.suffix == ".db" else create or ()),
    )
    serve(settings, lambda server: tell_where(server, settings, json_output=json_output))


def _provider() -> TracerProvider:
    from evidentsource_runtime.server.tracing import (  # noqa: PLC0415 - an optional extra
        provider_of_the_environment,
    )

    return provider_of_the_environment()


def needs_server(command: str) -> None:
    """Refuse where the optional extra is not installed, with what to run."""
    # What is imported here stays: looking through it for garbage, now or later, only costs time.
    gc.disable()
    try:
        import evidentsource_runtime.server  # noqa: F401, PLC0415 - an optional extra

        gc.freeze()
    except ImportError as error:
        message = f"evidentsource {command} needs {error.name or 'more'}, which is not installed"
        hint = "run: pip install 'evidentsource-functions[server]'"
        raise ProblemError(Problem("missing-extra", message, hint=hint)) from error
    finally:
        gc.enable()


def tell_where(server: Server, settings: Settings, *, json_output: bool) -> None:
    """Print where a server listens."""
    assert server.http is not None  # noqa: S101 - the command has asked for it
    if json_output:
        facts = {"grpc": server.grpc.target, "http": server.http.url, "data": str(settings.data)}
        print(json.dumps(facts), flush=True)
        return
    print(f"gRPC  {server.grpc.target}")
    print(f"HTTP  {server.http.url}  (described in {server.http.url}/openapi.json)")
    print(f"data  {settings.data}", flush=True)


def authenticator(access: Access) -> Authenticator | None:
    """How callers say who they are; None for development, where everybody may do everything."""
    from evidentsource_runtime.server.access import (  # noqa: PLC0415 - an optional extra
        FirstOf,
        StaticTokens,
    )
    from evidentsource_runtime.server.access.tokens import Jwt  # noqa: PLC0415 - the same

    ways: list[Authenticator] = []
    if access.tokens is not None:
        ways.append(StaticTokens.from_file(access.tokens))
    if access.jwks is not None:
        ways.append(Jwt(access.jwks, issuer=access.issuer, audience=access.audience))
    elif access.issuer or access.audience:
        message = "--issuer and --audience are of JWT, and their keys are not named"
        raise ProblemError(Problem("usage", message, hint="name them with --jwks"))
    return FirstOf(ways) if ways else None


def _tls(access: Access) -> Tls | None:
    from evidentsource_runtime.server.access import Tls  # noqa: PLC0415 - an optional extra

    if access.tls_certificate is None and access.tls_key is None:
        return None
    if access.tls_certificate is None or access.tls_key is None:
        message = "--tls-certificate and --tls-key go together"
        raise ProblemError(Problem("usage", message, hint="name both, or none"))
    return Tls.from_files(access.tls_certificate, access.tls_key)
