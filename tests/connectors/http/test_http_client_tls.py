"""Certificates are checked against the host name, not against the address."""

from __future__ import annotations

import datetime
import ipaddress
import socket
import ssl
from pathlib import Path

import certifi
import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from connectors.errors import ServiceUnreachable
from connectors.http import http_client

NOW = datetime.datetime.now(datetime.UTC)
DAY = datetime.timedelta(days=1)


def certificate(folder: Path, *, name: str, ends: datetime.datetime) -> Path:
    """Write a self-signed certificate with its key and return the file."""
    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    try:
        alternative: x509.GeneralName = x509.IPAddress(ipaddress.ip_address(name))
    except ValueError:
        alternative = x509.DNSName(name)
    signed = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(NOW - 2 * DAY)
        .not_valid_after(ends)
        .add_extension(x509.SubjectAlternativeName([alternative]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    file = folder / f"{name}.pem"
    file.write_bytes(
        signed.public_bytes(serialization.Encoding.PEM)
        + key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
    )
    return file


@pytest.fixture
def serve(listen, settings):
    """Return a function that serves one response over TLS, and returns the received data."""

    def start(file: Path) -> tuple[int, list[bytes], list[str | None]]:
        received: list[bytes] = []
        named: list[str | None] = []
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(file)
        context.sni_callback = lambda sock, name, context: named.append(name)

        def speak(sock: socket.socket) -> None:
            with context.wrap_socket(sock, server_side=True) as tls:
                received.append(tls.recv(65536))
                tls.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}")

        listener = listen(speak)
        settings.ALLOWED_PRIVATE_HOSTS = [
            f"{host}:{listener.port}" for host in ("localhost", "127.0.0.1")
        ]
        return listener.port, received, named

    return start


def test_it_works(serve, monkeypatch, tmp_path: Path) -> None:
    file = certificate(tmp_path, name="localhost", ends=NOW + DAY)
    monkeypatch.setattr(certifi, "where", lambda: str(file))
    port, received, named = serve(file)

    answer = http_client.send("GET", f"https://localhost:{port}/", service="Zoho CRM")

    assert answer.json() == {}
    assert received[0].startswith(b"GET / HTTP/1.1")
    assert named == ["localhost"]


@pytest.mark.parametrize(
    ("name", "ends", "trusted", "why"),
    [
        ("localhost", NOW + DAY, False, "it is self-signed"),
        ("localhost", NOW - DAY, True, "it has expired"),
        ("other.example", NOW + DAY, True, "it is for another host"),
        ("127.0.0.1", NOW + DAY, True, "it is for another host"),
    ],
    ids=["unknown issuer", "expired", "another name", "the address instead of the name"],
)
def test_it_sends_nothing_if_the_certificate_is_invalid(
    serve, monkeypatch, tmp_path: Path, name: str, ends: datetime.datetime, trusted: bool, why: str
) -> None:
    file = certificate(tmp_path, name=name, ends=ends)
    if trusted:
        monkeypatch.setattr(certifi, "where", lambda: str(file))
    port, received, _ = serve(file)

    with pytest.raises(ServiceUnreachable, match=f"has an invalid certificate: {why}") as caught:
        http_client.send("POST", f"https://localhost:{port}/", service="Zoho CRM", data=b"secret")

    assert caught.value.certain
    assert received == []


def test_plain_http_instead_of_https_is_not_reported_as_an_invalid_certificate(service) -> None:
    with pytest.raises(ServiceUnreachable, match="does not use https on this port") as caught:
        http_client.send("GET", f"https://127.0.0.1:{service.port}/", service="Zoho CRM")
    assert "certificate" not in str(caught.value)
    assert caught.value.certain


def test_a_connection_closed_during_the_handshake_is_not_reported_as_an_invalid_certificate(
    listen, settings
) -> None:
    listener = listen(lambda sock: sock.recv(65536) and None)
    settings.ALLOWED_PRIVATE_HOSTS = [f"127.0.0.1:{listener.port}"]
    with pytest.raises(ServiceUnreachable, match="an encrypted connection") as caught:
        http_client.send("GET", f"https://127.0.0.1:{listener.port}/", service="Zoho CRM")
    assert "certificate" not in str(caught.value)
    assert caught.value.certain


def test_the_error_says_that_the_port_uses_https(listen, settings) -> None:
    """A TLS server that responds to plain http with an alert, as OpenSSL does."""

    def alert(sock: socket.socket) -> None:
        sock.recv(65536)
        sock.sendall(b"\x15\x03\x03\x00\x02\x02\x46")

    listener = listen(alert)
    settings.ALLOWED_PRIVATE_HOSTS = [f"127.0.0.1:{listener.port}"]
    with pytest.raises(ServiceUnreachable, match="uses https on this port"):
        http_client.send("GET", f"http://127.0.0.1:{listener.port}/", service="Zoho CRM")
