"""The client of one console, with one API key."""

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

        ``user`` is the token of the person that the calls are for. A *Logged-in User*
        connection needs it.
        """
        return ConnectionSession(
            f"{self.api_url}/connections/{_validated(link_name)}/proxy", self._key, user
        )

    def connections(self, *, user: str | None = None) -> list[dict[str, Any]]:
        """Return the state of each connection of the application, for this person."""
        with self._session(user) as session:
            found: list[dict[str, Any]] = session.get(f"{self.api_url}/connections/").json()[
                "connections"
            ]
        return found

    def run(
        self, function: str, input: dict[str, Any] | None = None, *, user: str | None = None
    ) -> Any:
        """Run a function or a workflow, and return the response of its last call.

        Raise :class:`~developer_console_client.RunStopped` if one of its calls fails, and
        :class:`~developer_console_client.ConsoleProblem` if it cannot start.
        """
        url = f"{self.api_url}/functions/{_validated(function)}/run"
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


def _validated(link_name: str) -> str:
    if not _LINK_NAME.fullmatch(link_name):
        raise ValueError(f"{link_name!r} is not a link name. Link names look like zoho_crm.")
    return link_name
