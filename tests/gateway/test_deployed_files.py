"""The files of ``deploy/nginx`` are what an operator copies."""

from __future__ import annotations

import os
import re
import subprocess
import sys

import pytest

from tests.gateway.nginx_server import FILES, nginx_path
from tests.servers import ROOT, unavailable
from tests.setup import nginx_with_lua_is_there

LOAD = """
load_module /usr/lib/nginx/modules/ndk_http_module.so;
load_module /usr/lib/nginx/modules/ngx_http_lua_module.so;
events {{}}
pid {folder}/nginx.pid;
http {{ include {folder}/conf.d/*.conf; }}
"""


def test_each_slot_is_an_upstream_of_its_own():
    lines = (FILES / "slots.conf").read_text().splitlines()
    slots = [line for line in lines if line.startswith("upstream")]
    lua = (FILES / "lua" / "gateway" / "slots.lua").read_text()
    count = int(re.search(r"COUNT = (\d+)", lua)[1])
    idle = re.search(r"IDLE_SECONDS = (\d+)", lua)[1]
    assert [line.split()[1] for line in slots] == [f"{number:03}.slot" for number in range(count)]
    assert len({line.split("{", 1)[1] for line in slots}) == 1
    assert f"keepalive_timeout {idle}s;" in slots[0]
    # The order that nginx asks for.
    assert slots[0].index("balancer_by_lua_block") < slots[0].index("keepalive ")


def test_the_example_is_a_valid_configuration(tmp_path):
    if not nginx_with_lua_is_there():
        unavailable("nginx with Lua is not installed (make test-setup)")
    example = (FILES / "example.conf").read_text()
    key = ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-subj", "/CN=x"]
    key += ["-keyout", tmp_path / "key.pem", "-out", tmp_path / "certificate.pem"]
    subprocess.run(key, check=True, capture_output=True)
    (tmp_path / "gateway-secret").write_text("s" * 40)
    (tmp_path / "console").symlink_to(FILES)
    (tmp_path / "conf.d").mkdir()
    example = example.replace("/etc/ssl/console", str(tmp_path))
    example = example.replace("/etc/nginx/console/gateway", f"{tmp_path}/gateway")
    example = example.replace("/etc/nginx/console/lua", str(FILES / "lua"))
    example = example.replace("/etc/ssl/certs/ca-certificates.crt", f"{tmp_path}/certificate.pem")
    (tmp_path / "conf.d" / "console.conf").write_text(example.replace("443", "8443"))
    (tmp_path / "nginx.conf").write_text(LOAD.format(folder=tmp_path))
    command = [nginx_path(), "-t", "-c", tmp_path / "nginx.conf", "-p", tmp_path]
    tried = subprocess.run(command, capture_output=True, text=True, check=False)
    assert tried.returncode == 0, tried.stderr


@pytest.mark.parametrize(("secret", "accepted"), [("x" * 31, False), ("x" * 32, True), ("", True)])
def test_the_console_refuses_a_short_secret(secret, accepted):
    finished = subprocess.run(
        [sys.executable, "manage.py", "check"],
        cwd=ROOT,
        env={**os.environ, "GATEWAY_SECRET": secret},
        capture_output=True,
        text=True,
        check=False,
    )
    assert (finished.returncode == 0) is accepted, finished.stderr
    if not accepted:
        assert "GATEWAY_SECRET is too short" in finished.stderr


def test_nginx_refuses_a_short_secret(tmp_path):
    from tests.gateway.nginx_server import nginx

    if not nginx_with_lua_is_there():
        unavailable("nginx with Lua is not installed (make test-setup)")
    with (
        pytest.raises(RuntimeError, match="too short"),
        nginx(tmp_path / "nginx", "http://127.0.0.1:1", secret="short"),
    ):
        pass
