from __future__ import annotations

import pytest

from connectors.errors import ServiceForbidden
from connectors.http.ssrf import is_public, validate_url

PRIVATE = """
0.0.0.0 0.1.2.3 10.0.0.1 10.255.255.255 100.64.0.1 100.100.100.200 100.127.255.254 127.0.0.1
127.1.2.3 127.255.255.254 168.63.129.16 169.254.0.1 169.254.169.254 169.254.170.2 172.16.0.1
172.31.255.254 192.0.0.1 192.0.0.192 192.0.2.1 192.88.99.1 192.168.0.1 192.168.255.254
198.18.0.1 198.19.255.254 198.51.100.1 203.0.113.7 224.0.0.1 239.255.255.250 240.0.0.1 250.1.2.3
255.255.255.255 :: ::1 ::2 ::7f00:1 ::127.0.0.1 ::10.0.0.1 ::8.8.8.8 ::ffff:127.0.0.1
::ffff:10.0.0.1 ::ffff:169.254.169.254 ::ffff:0.0.0.0 ::ffff:168.63.129.16 ::ffff:0:127.0.0.1
64:ff9b::7f00:1 64:ff9b::127.0.0.1 64:ff9b::10.1.2.3 64:ff9b::169.254.169.254 64:ff9b:1::1
64:ff9b:1::8.8.8.8 2002:7f00:1:: 2002:7f00:1::1 2002:0a00:1::1 2002:a9fe:a9fe::1 2002:c0a8:1::
2001:0:4136:e378:8000:63bf:3fff:fdd2 2001:0:7f00:1:: 2001::1 2001:2::1 2001:10::1 2001:20::1
2001:db8::1 3fff::1 100::1 5f00::1 4000::1 8000::1 e000::1 fc00::1 fd00::1 fd00:ec2::254 fe80::1
fe80::1%eth0 fe80::a9fe:a9fe fec0::1 feff::1 ff00::1 ff01::1 ff02::1 ff05::2 ff0e::1
""".split()  # noqa: SIM905

PUBLIC = """
1.1.1.1 8.8.8.8 52.94.236.248 100.63.255.255 100.128.0.1 172.15.0.1 172.32.0.1 192.0.1.1
223.255.255.1 2606:4700::1111 2a00:1450:4001::1 ::ffff:8.8.8.8 64:ff9b::8.8.8.8 2002:808:808::1
""".split()  # noqa: SIM905

TRICKS = [
    "",
    "api.example.com",
    "//api.example.com/",
    "https:///etc/passwd",
    "https:api.example.com",
    "https:/api.example.com",
    "https://",
    "https://:443/",
    "https://api.example.com:/",
    "https://api.example.com:0/",
    "https://api.example.com:65536/",
    "https://api.example.com:port/",
    "https://api.example.com:-1/",
    "https://user@api.example.com/",
    "https://user:password@api.example.com/",
    "https://api.example.com@127.0.0.1/",
    "https://127.0.0.1:6666\\@1.1.1.1/",
    "https://1.1.1.1\\@127.0.0.1/",
    "https://api.example.com\\.evil.example/",
    "https:\\\\api.example.com/",
    "https://api.example.com#@127.0.0.1/",
    "https://api.example.com/#fragment",
    "https://api.example.com /",
    "https://api.example.com/a b",
    " https://api.example.com/",
    "https://api.example.com/\t",
    "https://api.example.com/\r\nHost: evil",
    "https://api.exa\nmple.com/",
    "https://api.example.com/\x00",
    "https://api.example.com\x00.evil.example/",
    "https://api%2eexample.com/",
    "https://127.0.0.%31/",
    "https://%31%32%37.0.0.1/",
    "https://[::1%25eth0]/",
    "https://[fe80::1%eth0]/",
    "https://[::1/",
    "https://::1/",
    "https://[api.example.com]/",
    "https://bücher.example/",
    "https://１２７.0.0.1/",  # noqa: RUF001
    "https://①②⑦.⓪.⓪.①/",
    "https://127。0。0。1/",
    "https://api..example.com/",
    "https://.example.com/",
    "https://-api.example.com/",
    "https://api.example.com../",
    f"https://{'a' * 64}.example.com/",
    f"https://{'a.' * 130}example.com/",
    f"https://api.example.com/{'a' * 17_000}",
    "https://2130706433/",
    "https://0x7f000001/",
    "https://0x7f.1/",
    "https://017700000001/",
    "https://0177.0.0.1/",
    "https://127.1/",
    "https://127.0.1/",
    "https://0/",
    "https://127.0.0.1./",
    "https://1.1.1.1.1/",
    "https://256.256.256.256/",
    "file:///etc/passwd",
    "ftp://api.example.com/",
    "gopher://api.example.com/",
    "unix:///var/run/docker.sock",
    "http+unix://%2Fvar%2Frun%2Fdocker.sock/",
    "data:text/plain,hello",
    "javascript:alert(1)",
    "ws://api.example.com/",
]


@pytest.mark.parametrize("address", PRIVATE)
def test_private_addresses_are_not_public(address: str) -> None:
    assert not is_public(address)


@pytest.mark.parametrize("address", PUBLIC)
def test_public_addresses_are_public(address: str) -> None:
    assert is_public(address)


@pytest.mark.parametrize(
    "nonsense", ["", "localhost", "1.1.1", "01.1.1.1", "2130706433", "1.1.1.1/8"]
)
def test_invalid_addresses_are_not_public(nonsense: str) -> None:
    assert not is_public(nonsense)


@pytest.mark.parametrize("url", TRICKS)
def test_it_refuses_an_ambiguous_url(url: str) -> None:
    with pytest.raises(ServiceForbidden, match="Zoho CRM's URL is not valid"):
        validate_url(url, service="Zoho CRM")


@pytest.mark.parametrize("address", [a for a in PRIVATE if "%" not in a])
def test_it_refuses_a_url_with_a_private_address(address: str) -> None:
    host = f"[{address}]" if ":" in address else address
    with pytest.raises(ServiceForbidden, match="private network"):
        validate_url(f"https://{host}/", service="Zoho CRM")


@pytest.mark.parametrize(
    "url",
    [
        "https://api.example.com",
        "https://api.example.com/",
        "https://API.Example.COM/v1/users?page=1&q=%C3%BC",
        "https://api.example.com./",
        "https://xn--bcher-kva.example/",
        "https://my_tenant.example.com:8443/a/b;c=d/@me/~x",
        "https://api.example.com/$metadata?$filter=a%20eq%20'b'",
        "https://1.1.1.1/",
        "https://[2606:4700::1111]/",
        "https://rabbit.example:15671/api/whoami",
    ],
)
def test_it_accepts_ordinary_urls(url: str) -> None:
    assert validate_url(url, service="Zoho CRM").scheme == "https"


def test_it_refuses_plain_http() -> None:
    with pytest.raises(ServiceForbidden, match="does not begin with https://"):
        validate_url("http://api.example.com/", service="Zoho CRM")


@pytest.mark.parametrize(
    "url", ["http://hub.internal:8000/", "https://10.0.0.7/", "https://hub.internal:6379/"]
)
def test_the_error_says_who_can_allow_the_host_and_does_not_name_it(url: str) -> None:
    with pytest.raises(ServiceForbidden, match=r"operator .* ALLOWED_PRIVATE_HOSTS") as refused:
        validate_url(url, service="Zoho CRM")
    assert "internal" not in str(refused.value)
    assert "10.0.0.7" not in str(refused.value)


@pytest.mark.parametrize(
    "port", [21, 22, 23, 25, 53, 80, 110, 389, 445, 993, 1433, 2375, 3306, 5432, 6379, 11211, 27017]
)
def test_it_refuses_ports_of_other_protocols(port: int) -> None:
    with pytest.raises(ServiceForbidden, match=f"uses port {port}"):
        validate_url(f"https://api.example.com:{port}/", service="Zoho CRM")


def test_the_operator_can_allow_a_host_and_port(settings) -> None:
    settings.ALLOWED_PRIVATE_HOSTS = ["Rabbit.internal:80", "[::1]:9000"]

    validate_url("http://rabbit.internal/api", service="RabbitMQ")
    validate_url("http://[::1]:9000/", service="RabbitMQ")
    for other in ("http://rabbit.internal:81/", "http://[::1]:9001/", "http://x.rabbit.internal/"):
        with pytest.raises(ServiceForbidden):
            validate_url(other, service="RabbitMQ")
