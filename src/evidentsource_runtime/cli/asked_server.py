"""A database of a server, asked by the commands over HTTP."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import Any, Final
from urllib.parse import quote

import httpx

from evidentsource_core.times import format_rfc3339
from evidentsource_runtime.cli.asked import Asked, Filter, Json, Rendered
from evidentsource_runtime.problems import Problem, ProblemError

__all__ = ["AskedServer", "ServerProblem"]

_TIMEOUT: Final = httpx.Timeout(90.0, connect=10.0)
_LINES: Final = {"accept": "application/x-ndjson"}


class ServerProblem(ProblemError):
    """A server refused; what it said is the problem."""


class AskedServer(Asked):
    """A database of a server.

    Args:
        url: the server, such as ``http://127.0.0.1:3000``.
        database: its name; None for the one there is.
        token: a bearer token, if the server asks for one.

    Raises:
        ServerProblem: the server cannot be reached, or has several databases, or none.
    """

    def __init__(self, url: str, database: str | None, token: str | None) -> None:
        headers = {"authorization": f"Bearer {token}"} if token else {}
        self._url = url.rstrip("/")
        self._client = httpx.Client(base_url=self._url, headers=headers, timeout=_TIMEOUT)
        try:
            self.database = database or self._only()
        except BaseException:
            self._client.close()
            raise

    def _only(self) -> str:
        names = self.ask("GET", "/api/v1/catalog").json()["databases"]
        if len(names) == 1:
            return str(names[0])
        found = f"has the databases {', '.join(names)}" if names else "has no database"
        message = f"{self._url} {found}"
        raise ServerProblem(Problem("which-database", message, hint="name one with --database"))

    def ask(self, method: str, path: str, **request: Any) -> httpx.Response:
        """Ask, and have a refusal raised."""
        try:
            answer = self._client.request(method, path, **request)
        except httpx.HTTPError as error:
            raise self._unreached(error) from error
        return _checked(answer)

    def _unreached(self, error: httpx.HTTPError) -> ServerProblem:
        message = f"{self._url} cannot be asked: {str(error) or type(error).__name__}"
        hint = "is it running? evidentsource serve starts one; --data FILE asks a file"
        return ServerProblem(Problem("no-server", message, hint=hint))

    def path(self, *parts: str | int) -> str:
        """A path under the database."""
        return "/".join(
            (f"/api/v1/db/{quote(self.database)}", *(quote(str(p), safe="") for p in parts))
        )

    def execute(
        self,
        name: str,
        version: int | None,
        body: bytes,
        content_type: str,
        last_seen_revision: int | None,
        transaction_id: str | None,
    ) -> Json:
        """Execute a state change; what it led to."""
        query = {"last_seen_revision": last_seen_revision, "transaction_id": transaction_id}
        answer = self.ask(
            "POST",
            self.path("state-changes", name, version or "latest"),
            content=body,
            headers={"content-type": content_type},
            params=_given(query),
        )
        facts: Json = answer.json()
        return facts

    def view(
        self,
        name: str,
        version: int | None,
        parameters: Mapping[str, str],
        revision: int | None,
        effective_at: datetime | None,
    ) -> Rendered:
        """Read a state view."""
        listed = self.ask("GET", self.path("state-views")).json()["state_views"]
        found = [e for e in listed if e["name"] == name and version in {None, e["version"]}]
        kinds = found[-1]["parameters"] if found else {}
        query = {f"{kinds.get(key, 'subject')}.{key}": value for key, value in parameters.items()}
        if effective_at is not None:
            query["effective_at"] = format_rfc3339(effective_at)
        at = "latest" if revision is None else revision
        where = self.path(at, "state-views", name, version or "latest")
        answer = self.ask("GET", where, params=query)
        modified = answer.headers.get("x-evidentsource-last-modified-revision")
        return Rendered(
            int(answer.headers["x-evidentsource-version"]),
            None if answer.status_code == 204 else answer.content,
            answer.headers.get("content-type", ""),
            None if modified is None else int(modified),
        )

    def events(self, wanted: Filter) -> Iterator[Json]:
        """Events, as CloudEvents."""
        query = _filters(wanted) | {"limit": wanted.limit}
        query["direction"] = "reverse" if wanted.reverse else None
        yield from self._lines(self.path("latest", "events"), _given(query))

    def follow(self, wanted: Filter) -> Iterator[Json]:
        """Events, and then each new one."""
        path, query = self.path("latest", "events"), _given(_filters(wanted))
        headers = {"accept": "text/event-stream"}
        kind = ""
        for line in self._streamed(path, query, headers):
            name, _, value = line.partition(": ")
            if name == "event":
                kind = value
            elif name == "data" and kind == "event":
                yield json.loads(value)
            elif name == "data" and kind == "problem":
                raise _problem(json.loads(value))
            elif name == "data":
                return

    def log(self, start_at: int, limit: int | None) -> Iterator[Json]:
        """Transactions, oldest first."""
        query = {"start_at_revision": start_at or None, "limit": limit}
        yield from self._lines(self.path("transactions"), _given(query))

    def trace(self, transaction_id: str) -> Json:
        """Why a transaction was committed."""
        found: Json = self.ask("GET", self.path("transactions", transaction_id, "trace")).json()
        return found

    def _lines(self, path: str, query: Mapping[str, Any]) -> Iterator[Json]:
        for line in self._streamed(path, query, _LINES):
            yield json.loads(line)

    def _streamed(
        self, path: str, query: Mapping[str, Any], headers: Mapping[str, str]
    ) -> Iterator[str]:
        try:
            with self._client.stream("GET", path, params=query, headers=headers) as answer:
                if answer.is_error:
                    answer.read()
                _checked(answer)
                yield from answer.iter_lines()
        except httpx.HTTPError as error:
            raise self._unreached(error) from error

    def close(self) -> None:
        """Close the connection."""
        self._client.close()


def _filters(wanted: Filter) -> dict[str, Any]:
    return {
        "stream": wanted.stream,
        "subject": wanted.subject,
        "type": wanted.type,
        "start_at": wanted.start_at or None,
    }


def _given(values: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in values.items() if value is not None}


def _checked(answer: httpx.Response) -> httpx.Response:
    if not answer.is_error:
        return answer
    try:
        document = answer.json()
    except ValueError:
        document = {}
    if not isinstance(document, dict) or "detail" not in document:
        document = {"code": f"http-{answer.status_code}", "detail": answer.reason_phrase}
    raise _problem(document)


def _problem(document: Json) -> ServerProblem:
    return ServerProblem(Problem(str(document.get("code", "refused")), str(document["detail"])))
