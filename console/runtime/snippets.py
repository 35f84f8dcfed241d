"""Code that calls a service through a connection, to copy from the page of the connection."""

from __future__ import annotations

import json
from dataclasses import dataclass

from django.conf import settings

from connections.models.snapshot import ConnectionSnapshot
from console.choices import Level

#: The environment variable in which the examples expect the key.
KEY_VARIABLE = "CONSOLE_KEY"


@dataclass(frozen=True, kw_only=True)
class Snippet:
    """An example in one language."""

    name: str
    title: str
    text: str


def proxy_url(link_name: str) -> str:
    """Return the URL for calls through a connection."""
    return f"{settings.PUBLIC_URL}/api/v1/connections/{link_name}/proxy"


def example_path(connection: ConnectionSnapshot) -> str:
    """Return the path of the connector's check call, or ``/`` where it has no plain one."""
    check = connection.definition.check
    plain = check.method == "GET" and check.path and not check.url
    path = check.path if plain and "{" not in check.path else ""
    return path if path.startswith("/") else f"/{path}"


def snippets(connection: ConnectionSnapshot, key_hint: str = "") -> list[Snippet]:
    """Return the examples; ``key_hint`` names the key to use."""
    path, is_personal = example_path(connection), connection.level == Level.LOGGED_IN_USER
    url = proxy_url(connection.link_name) + path
    key = f"the key {key_hint}" if key_hint else "a key of the application"
    return [
        Snippet(name="curl", title="curl", text=_curl(url, key, is_personal)),
        Snippet(
            name="python",
            title="Python",
            text=_python(connection.link_name, path, key, is_personal),
        ),
        Snippet(name="typescript", title="TypeScript", text=_typescript(url, key, is_personal)),
        Snippet(name="function", title="Function", text=_function(connection.link_name, path)),
    ]


def _curl(url: str, key: str, is_personal: bool) -> str:
    lines = [f"# {KEY_VARIABLE}: {key}", f"curl '{url}' \\"]
    if is_personal:
        lines.append('  -H "Console-User: $CONSOLE_USER" \\')
    return "\n".join([*lines, f'  -H "Authorization: Bearer ${KEY_VARIABLE}"'])


def _python(link_name: str, path: str, key: str, is_personal: bool) -> str:
    user = ', user=os.environ["CONSOLE_USER"]' if is_personal else ""
    return "\n".join(
        [
            "import os",
            "",
            "from developer_console_client import Console",
            "",
            f"# {KEY_VARIABLE}: {key}",
            f'console = Console("{settings.PUBLIC_URL}", os.environ["{KEY_VARIABLE}"])',
            f'session = console.connection("{link_name}"{user})',
            f'response = session.get("{path}")',
            "response.raise_for_status()",
            "print(response.json())",
        ]
    )


def _typescript(url: str, key: str, is_personal: bool) -> str:
    user = ['    "Console-User": process.env.CONSOLE_USER!,'] if is_personal else []
    return "\n".join(
        [
            f"// {KEY_VARIABLE}: {key}",
            f'const response = await fetch("{url}", {{',
            "  headers: {",
            f"    Authorization: `Bearer ${{process.env.{KEY_VARIABLE}}}`,",
            *user,
            "  },",
            "});",
            "if (!response.ok) throw new Error(await response.text());",
            "console.log(await response.json());",
        ]
    )


def _function(link_name: str, path: str) -> str:
    call = {"connection": link_name, "method": "GET", "path": path}
    return json.dumps({"calls": [call]}, indent=2)
