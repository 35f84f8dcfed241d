from __future__ import annotations

from urllib.parse import urlsplit

import pytest
from django.db import connection as database

from connections.calls.exchange import ServiceRequest
from connections.calls.invoking import invoke
from tests.connections.call_helpers import API, get

TOKEN = "an-access-token"


def test_it_works(network, acting):
    network.get(f"{API}/api/contacts", json={"contacts": []}, headers={"X-Rate": "5"})

    exchange = invoke(get(query={"q": "a b&c", "limit": 5}), acting())

    sent = network.calls[0].request
    assert sent.url == f"{API}/api/contacts?q=a+b%26c&limit=5"
    assert sent.headers["Authorization"] == f"Bearer {TOKEN}"
    assert sent.headers["Accept"] == "application/json"
    assert (exchange.connection, exchange.service) == ("Customers", "Sandbox")
    assert exchange.address == sent.url
    assert exchange.headers["Authorization"] == "•••"
    assert (exchange.status, exchange.status_words) == (200, "200 OK")
    assert exchange.answer == {"contacts": []}
    assert exchange.answer_headers["x-rate"] == "5"
    assert not exchange.has_failed


def test_its_query_is_text(network, acting):
    network.get(f"{API}/api/contacts", json={})
    query = {"yes": True, "no": False, "half": 0.5, "nothing": None, "empty": "", "ü": "é"}
    invoke(get(query=query), acting())
    address = network.calls[0].request.url
    assert urlsplit(address).query == "yes=true&no=false&half=0.5&empty=&%C3%BC=%C3%A9"


def test_a_list_in_its_query_repeats_the_name(network, acting):
    network.get(f"{API}/api/contacts", json={})
    query = {"z": "1", "ids[]": ["2", 1, None, True, ""], "none": [], "nulls": [None], "a": ["x"]}
    exchange = invoke(get(query=query), acting())
    asked = network.calls[0].request.url
    assert urlsplit(asked).query == "z=1&ids%5B%5D=2&ids%5B%5D=1&ids%5B%5D=true&ids%5B%5D=&a=x"
    assert exchange.address == asked


@pytest.mark.parametrize(
    ("value", "said"),
    [
        ({"a": 1}, "“q” is an object"),
        ([["a"]], "“q” is a list that holds lists or objects"),
        (["a", {"b": 1}], "“q” is a list that holds lists or objects"),
    ],
)
def test_its_query_holds_nothing_deeper(network, acting, value, said):
    exchange = invoke(get(query={"q": value}), acting())
    assert said in exchange.problem
    assert "Nothing was sent" in exchange.problem
    assert len(network.calls) == 0


@pytest.mark.parametrize(
    ("body", "headers", "sent", "content_type"),
    [
        ({"a": "ü", "b": None}, {}, '{"a": "ü", "b": null}', "application/json"),
        ([1, True], {}, "[1, true]", "application/json"),
        (0, {}, "0", "application/json"),
        ({}, {"content-type": "application/vnd.x+json"}, "{}", "application/vnd.x+json"),
        ("<é/>", {"Content-Type": "text/xml"}, "<é/>", "text/xml"),
        ("plain", {}, "plain", "text/plain; charset=utf-8"),
        (
            {"a": "1 2", "b": True, "c": None, "d": "&", "e[]": [1, "2"], "f": []},
            {"Content-Type": "application/x-www-form-urlencoded"},
            "a=1+2&b=true&d=%26&e%5B%5D=1&e%5B%5D=2",
            "application/x-www-form-urlencoded",
        ),
    ],
)
def test_it_sends_bodies(network, acting, body, headers, sent, content_type):
    network.post(f"{API}/api/contacts", json={}, status=201)

    request = ServiceRequest(method="POST", path="/contacts", body=body, headers=headers)
    exchange = invoke(request, acting())

    asked = network.calls[0].request
    assert asked.body.decode() == sent
    assert asked.headers["Content-Type"] == content_type
    assert exchange.body == sent


@pytest.mark.parametrize("body", [["a"], {"a": [["b"]]}, {"a": {"b": 1}}])
def test_a_form_is_flat(network, acting, body):
    headers = {"Content-Type": "application/x-www-form-urlencoded; charset=utf-8"}
    request = ServiceRequest(method="POST", path="/contacts", body=body, headers=headers)
    assert "Nothing was sent." in invoke(request, acting()).problem
    assert len(network.calls) == 0


@pytest.mark.parametrize("method", ["GET", "HEAD", "DELETE"])
def test_it_sends_a_body_only_where_there_is_one(network, acting, method):
    network.add(method, f"{API}/api/contacts", status=204)
    exchange = invoke(ServiceRequest(method=method, path="/contacts"), acting())
    assert network.calls[0].request.body is None
    assert "Content-Type" not in network.calls[0].request.headers
    assert (exchange.body, exchange.answer_body, exchange.answer) == ("", "", "")


def test_it_reads_no_more_than_a_mebibyte(network, acting):
    network.get(f"{API}/api/contacts", body=b"x" * (1024 * 1024 + 1))
    assert "larger than 1024 KiB" in invoke(get(), acting()).problem


def test_what_is_no_text_breaks_nothing(network, acting):
    network.get(f"{API}/api/contacts", body=b"\xff\xfe\x00" + TOKEN.encode())
    exchange = invoke(get(), acting())
    assert exchange.answer_body.endswith("•••")


@pytest.mark.django_db(transaction=True)
def test_no_transaction_is_open_while_a_service_is_asked(network, acting):
    open_ones = []

    def answer(request):
        open_ones.append(database.in_atomic_block)
        return 200, {}, "{}"

    network.add_callback("GET", f"{API}/api/contacts", answer)
    invoke(get(), acting())
    assert open_ones == [False]
