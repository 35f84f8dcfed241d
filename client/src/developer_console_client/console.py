"""One console, as one key sees it."""

from __future__ import annotations

import re
from typing import Any

import requests

from developer_console_client.problems import RunStopped
from developer_console_client.sessions import ConnectionSession, ConsoleAdapter, RefusingAdapter

_LINK_NAME = re.compile(r"[a-z][a-z0-9_]*")


class Console:
    """A Developer Console at ``base_url``, for the application and environment of ``key``."""

    def __init__(self, base_url: str, key: str) -> None:
        if not base_url.startswith(("https://", "http://")):
            raise ValueError("base_url begins with https://, or with http:// on your own machine.")
        self.api_url = f"{base_url.rstrip('/')}/api/v1"
        self._key = key

    def __repr__(self) -> str:
        return f"<Console {self.api_url}>"

    def connection(self, link_name: str, *, user: str | None = None) -> ConnectionSession:
        """Return a session of requests that calls the connection's service.

        ``user`` is the token of the person for whom the calls are: a *Logged-in User*
        connection needs it.
        """
        return ConnectionSession(
            f"{self.api_url}/connections/{_named(link_name)}/proxy", self._key, user
        )

    def connections(self, *, user: str | None = None) -> list[dict[str, Any]]:
        """Tell how each connection of the application stands, for this person."""
        with self._session(user) as session:
            found: list[dict[str, Any]] = session.get(f"{self.api_url}/connections/").json()[
                "connections"
            ]
        return found

    def run(
        self, function: str, input: dict[str, Any] | None = None, *, user: str | None = None
    ) -> Any:
        """Run a function or a workflow, and return what its last call answered.

        Raise :class:`~developer_console_client.RunStopped` where a call of it has failed, and
        :class:`~developer_console_client.ConsoleProblem` where it could not begin.
        """
        url = f"{self.api_url}/functions/{_named(function)}/run"
        with self._session(user) as session:
            document: dict[str, Any] = session.post(url, json={"input": input or {}}).json()
        if document["outcome"] != "worked":
            raise RunStopped(document)
        return document["answer"]

    def _session(self, user: str | None) -> requests.Session:
        session = requests.Session()
        session.adapters.clear()
        for scheme in ("https://", "http://"):
            session.mount(scheme, RefusingAdapter())
        session.mount(f"{self.api_url}/", ConsoleAdapter(self._key, user))
        return session


def _named(link_name: str) -> str:
    if not _LINK_NAME.fullmatch(link_name):
        raise ValueError(f"{link_name!r} is no link name: they look like zoho_crm.")
    return link_name
