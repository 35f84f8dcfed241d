"""A real nginx with the files of ``deploy/nginx`` in front of a console."""

from __future__ import annotations

import os
import re
import shutil
import socket
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

import certifi
import requests

from tests.servers import ROOT, free_port, running

FILES = ROOT / "deploy" / "nginx"
SECRET = "canary-of-the-gateway-0123456789-abcdefgh"
CONFIGURATION = """
load_module /usr/lib/nginx/modules/ndk_http_module.so;
load_module /usr/lib/nginx/modules/ngx_http_lua_module.so;
{user}daemon off; worker_processes {workers}; pid {folder}/nginx.pid;
error_log {folder}/error.log info;
worker_rlimit_nofile 16384;
events {{ worker_connections 8192; }}
http {{
  client_body_temp_path {folder}/body; proxy_temp_path {folder}/proxy;
  fastcgi_temp_path {folder}/fastcgi; uwsgi_temp_path {folder}/uwsgi; scgi_temp_path {folder}/scgi;
  keepalive_requests 10000000; client_body_timeout 1s; send_timeout 2s;
  lua_package_path "{files}/lua/?.lua;{files}/lua/?/init.lua;;";
  init_by_lua_block {{
    require("gateway.settings").configure {{
      console = "{console}", host = "localhost", public_url = "{public_url}",
      secret_file = "{folder}/gateway-secret",
    }}
  }}
  include console/http.conf;
  upstream console {{ server {console}; keepalive 64; }}
  server {{
    listen 127.0.0.1:{port};
    proxy_ssl_trusted_certificate {bundle};
    include console/server.conf;
  }}
}}
"""


@dataclass(frozen=True, kw_only=True)
class Nginx:
    """A running nginx; ``folder`` holds everything that it may write."""

    url: str
    main: int
    folder: Path

    @property
    def port(self) -> int:
        return urlsplit(self.url).port or 0

    @property
    def workers(self) -> list[int]:
        children = Path(f"/proc/{self.main}/task/{self.main}/children").read_text()
        return [int(pid) for pid in children.split()]

    def address(self, link_name: str, path: str) -> str:
        return f"{self.url}/api/v1/connections/{link_name}/proxy/{path}"

    @property
    def errors(self) -> str:
        return (self.folder / "error.log").read_text()

    def shared_memory(self) -> bytes:
        """Return the content of all shared memory, as one of the workers sees it."""
        worker = self.workers[0]
        content = b""
        with Path(f"/proc/{worker}/mem").open("rb") as memory:
            for line in Path(f"/proc/{worker}/maps").read_text().splitlines():
                if match := re.match(r"([0-9a-f]+)-([0-9a-f]+) rw-s .* /dev/zero", line):
                    begin, end = (int(number, 16) for number in match.groups())
                    memory.seek(begin)
                    content += memory.read(end - begin)
        return content

    def files(self) -> bytes:
        """Return the content of everything in the folder except the secret that it reads."""
        return b"".join(
            path.read_bytes()
            for path in self.folder.rglob("*")
            if path.is_file() and path.name != "gateway-secret"
        )


def is_by_nginx(response: requests.Response) -> bool:
    """Tell whether nginx made the call itself: its request IDs end with a number."""
    return response.headers["Console-Request-Id"][24:28] == "0000"


def nginx_path() -> str | None:
    return shutil.which("nginx", path="/usr/sbin:/usr/bin")


@contextmanager
def nginx(
    folder: Path,
    console_url: str,
    *,
    secret: str = SECRET,
    public_url: str = "http://console.test",
    bundle: str | None = None,
    workers: int = 2,
    files: Path = FILES,
) -> Iterator[Nginx]:
    """Run nginx in front of a console until the block ends."""
    folder.mkdir(parents=True)
    (folder / "gateway-secret").write_text(secret + "\n")
    (folder / "console").symlink_to(files)
    port, console = free_port(), urlsplit(console_url).netloc.replace("localhost", "127.0.0.1")
    configuration = folder / "nginx.conf"
    configuration.write_text(
        CONFIGURATION.format(
            # Started by root, nginx would run as nobody, who cannot read the folder.
            user="user root; " if os.geteuid() == 0 else "",
            folder=folder,
            workers=workers,
            files=files,
            console=console,
            public_url=public_url,
            port=port,
            bundle=bundle or certifi.where(),
        )
    )
    log = folder / "output.log"
    command = [nginx_path() or "nginx", "-p", str(folder), "-c", str(configuration)]
    command += ["-e", str(folder / "error.log")]
    with running(*command, log=log, folder=folder, environment=dict(os.environ)) as process:
        deadline = time.monotonic() + 10
        while True:
            with suppress(OSError), socket.create_connection(("127.0.0.1", port), 1):
                break
            if process.poll() is not None or time.monotonic() > deadline:
                raise RuntimeError(f"nginx did not start: {log.read_text()}")
            time.sleep(0.02)
        yield Nginx(url=f"http://localhost:{port}", main=process.pid, folder=folder)
