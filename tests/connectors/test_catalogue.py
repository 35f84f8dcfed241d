"""Every definition of the catalogue goes through the same battery."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from xml.etree import ElementTree

import pytest

from connectors.definition import Connector, KeptField
from connectors.reading import read_all
from connectors.registry import CATALOGUE
from connectors.templating import fill_url, slots

LOGOS = Path(__file__).parents[2] / "static" / "connectors"
CONNECTORS, FAULTS = read_all(CATALOGUE, {"sandbox_url": "http://localhost:9000"})
WITH_OAUTH = [connector for connector in CONNECTORS.values() if connector.oauth2]

#: What the services themselves send, as their documentation shows it.
KEPT = {
    "zoho_crm": {
        "accounts_server": "https://accounts.zoho.eu",
        "api_domain": "https://www.zohoapis.eu",
    },
    "zoho_projects": {"accounts_server": "https://accounts.zoho.eu"},
    "salesforce": {"instance_url": "https://acme.my.salesforce.com"},
}
HOSTILE = (
    "",
    "https://evil.example",
    "http://169.254.169.254",
    "https://accounts.zoho.com.evil.example",
    "https://accounts.zoho.com@evil.example",
    "https://accounts.zoho.com/../evil",
    "https://accounts.zoho.com#",
    "https://accounts.zoho.com:8443",
    "https://evilaccounts.zoho.com",
    "https://www.zohoapis.com.evil.example",
    "http://www.zohoapis.com",
    "https://acme.my.salesforce.com.evil.example",
    "https://evil.example/.my.salesforce.com",
    "https://evilsalesforce.com",
    "https://acme.my.salesforce.com\n",
)
each = pytest.mark.parametrize("connector", CONNECTORS.values(), ids=CONNECTORS)
each_with_oauth = pytest.mark.parametrize(
    "connector", WITH_OAUTH, ids=[connector.slug for connector in WITH_OAUTH]
)


def values(connector: Connector) -> Mapping[str, str]:
    """Return what a connection to this service could have: parameters, kept and public fields."""
    parameters = {p.name: p.default or p.example for p in connector.parameters}
    boxes = [box for way in (connector.basic, connector.api_key) if way for box in way.fields]
    public = {box.name: "AC0123" for box in boxes if not box.secret}
    return {**public, **parameters, **KEPT.get(connector.slug, {})}


def addresses(connector: Connector) -> dict[str, str]:
    found = {"api": connector.api_base_url}
    check = connector.check
    found["check"] = check.url or connector.api_base_url + check.path
    if oauth2 := connector.oauth2:
        found["authorize"] = oauth2.authorization_endpoint
        found["token"] = oauth2.token_endpoint
        found |= {f"kept {k.name}": k.default for k in oauth2.kept if k.default}
        if oauth2.revocation:
            found["revoke"] = oauth2.revocation.endpoint
    return found


def kept(slug: str, name: str) -> KeptField:
    oauth2 = CONNECTORS[slug].oauth2
    assert oauth2 is not None
    return next(field for field in oauth2.kept if field.name == name)


def test_the_catalogue_has_no_faults() -> None:
    assert [str(fault) for fault in FAULTS] == []


def test_the_promised_connectors_are_there() -> None:
    assert set(CONNECTORS) >= {
        "zoho_crm", "salesforce", "zoho_projects", "twilio", "slack", "github", "google_sheets",
        "hubspot", "rabbitmq_management", "jupyterhub", "sandbox", "sandbox_basic",
        "sandbox_api_key",
    }  # fmt: skip


@each
def test_every_address_fills(connector: Connector) -> None:
    scheme = "http" if connector.sandbox else "https"
    known = {**values(connector), "client_id": "abc", "token": "xyz"}
    for name, template in addresses(connector).items():
        url = fill_url(template, known)
        assert re.fullmatch(rf"{scheme}://[a-z0-9.:-]+(/[^{{}}\s]*)?", url), (name, url)


@each
def test_every_parameter_accepts_its_own_example(connector: Connector) -> None:
    for parameter in connector.parameters:
        assert parameter.accepts(parameter.default or parameter.example), parameter.name
        for hostile in HOSTILE:
            assert not parameter.accepts(hostile), (parameter.name, hostile)


@each_with_oauth
def test_kept_fields_take_what_the_service_sends_and_nothing_else(connector: Connector) -> None:
    assert connector.oauth2 is not None
    for field in connector.oauth2.kept:
        assert re.fullmatch(field.pattern, KEPT[connector.slug][field.name])
        for hostile in HOSTILE:
            assert not re.fullmatch(field.pattern, hostile), (field.name, hostile)


@each_with_oauth
def test_a_default_of_a_kept_field_matches_its_own_pattern(connector: Connector) -> None:
    assert connector.oauth2 is not None
    for field in connector.oauth2.kept:
        if field.default:
            assert re.fullmatch(field.pattern, fill_url(field.default, values(connector)))


@each_with_oauth
def test_permissions_are_sentences_and_listed_once(connector: Connector) -> None:
    assert connector.oauth2 is not None
    actions = [a for module in connector.oauth2.modules for a in module.actions]
    actions += connector.oauth2.always
    assert len({action.scope for action in actions}) == len(actions)
    for action in actions:
        assert re.fullmatch(r"[A-Z].{2,120}\.", action.sentence), action
        assert action.action[0].isupper(), action


@each_with_oauth
def test_within_a_module_no_two_permissions_read_the_same(connector: Connector) -> None:
    assert connector.oauth2 is not None
    for module in connector.oauth2.modules:
        names = [action.action for action in module.actions]
        assert len(set(names)) == len(names), (module.name, names)


@each_with_oauth
def test_all_actions_covers_something(connector: Connector) -> None:
    assert connector.oauth2 is not None
    assert connector.oauth2.all_actions
    assert set(connector.oauth2.all_actions) <= set(connector.oauth2.actions)


@each_with_oauth
def test_somebody_new_can_register_this_console(connector: Connector) -> None:
    assert len(connector.registration) >= 2
    if not connector.sandbox:
        assert any("redirect URI" in step for step in connector.registration)


@each_with_oauth
def test_typed_scopes_take_every_listed_one(connector: Connector) -> None:
    assert connector.oauth2 is not None
    if connector.oauth2.typed_scopes:
        for scope in connector.oauth2.actions:
            assert re.fullmatch(connector.oauth2.typed_scopes, scope), scope
        for hostile in ("", "a b", "a,b", "x\n", "<b>", "a&scope=b"):
            assert not re.fullmatch(connector.oauth2.typed_scopes, hostile), hostile


@each
def test_a_credential_form_has_one_secret(connector: Connector) -> None:
    for way in (connector.basic, connector.api_key):
        if way:
            assert [box.secret for box in way.fields].count(True) == 1


@each
def test_it_says_where_it_was_read(connector: Connector) -> None:
    assert connector.sources
    assert connector.read_on >= "2026-11-24"


@each
def test_it_has_a_logo_that_is_only_a_drawing(connector: Connector) -> None:
    path = LOGOS / f"{connector.slug}.svg"
    if connector.slug == "salesforce":  # in neither collection; a letter stands for it
        assert not path.exists()
        return
    root = ElementTree.parse(path).getroot()
    assert root.get("viewBox") == "0 0 24 24"
    assert "#" in (root.get("fill", "") + root.get("stroke", ""))
    tags = {element.tag.rpartition("}")[2] for element in root.iter()}
    assert tags <= {"svg", "path", "circle"}
    assert path.stat().st_size < 4096


def test_only_one_s_own_hosts_are_typed_in() -> None:
    own = {connector.slug for connector in CONNECTORS.values() if connector.own_host}
    assert own == {"rabbitmq_management", "jupyterhub"}


@pytest.mark.parametrize("slug", ["rabbitmq_management", "jupyterhub"])
@pytest.mark.parametrize(
    ("host", "accepted"),
    [
        ("hub.example.com", True),
        ("hub.example.com:8443", True),
        ("localhost:15672", True),
        ("10.0.0.7:15672", True),
        ("", False),
        ("hub.example.com:", False),
        ("hub.example.com/", False),
        ("hub.example.com/../x", False),
        ("a@hub.example.com", False),
        ("hub.example.com#", False),
        ("hub.example.com?x", False),
        ("hub.example.com\\x", False),
        ("hub example.com", False),
        ("https://hub.example.com", False),
        (".example.com", False),
        ("hub..example.com", False),
        ("hub.example.com:123456", False),
    ],
)
def test_a_host_of_one_s_own_is_a_host_and_a_port(slug: str, host: str, accepted: bool) -> None:
    parameters = {parameter.name: parameter for parameter in CONNECTORS[slug].parameters}
    assert parameters["host"].accepts(host) is accepted


@pytest.mark.parametrize(
    ("data_center", "accounts", "api"),
    [
        ("zoho.com", "https://accounts.zoho.com", "https://www.zohoapis.com"),
        ("zoho.eu", "https://accounts.zoho.eu", "https://www.zohoapis.eu"),
        ("zoho.in", "https://accounts.zoho.in", "https://www.zohoapis.in"),
        ("zoho.com.au", "https://accounts.zoho.com.au", "https://www.zohoapis.com.au"),
        ("zoho.jp", "https://accounts.zoho.jp", "https://www.zohoapis.jp"),
        ("zohocloud.ca", "https://accounts.zohocloud.ca", "https://www.zohoapis.ca"),
        ("zoho.sa", "https://accounts.zoho.sa", "https://www.zohoapis.sa"),
        ("zoho.uk", "https://accounts.zoho.uk", "https://www.zohoapis.uk"),
        ("zoho.com.cn", "https://accounts.zoho.com.cn", "https://www.zohoapis.com.cn"),
    ],
)
def test_every_data_center_of_zoho_has_its_hosts(data_center: str, accounts: str, api: str) -> None:
    for slug in ("zoho_crm", "zoho_projects"):
        (parameter,) = CONNECTORS[slug].parameters
        assert parameter.accepts(data_center)
        field = kept(slug, "accounts_server")
        assert fill_url(field.default, {"data_center": data_center}) == accounts
        assert re.fullmatch(field.pattern, accounts)
    assert re.fullmatch(kept("zoho_crm", "api_domain").pattern, api)


def test_zoho_is_asked_for_a_refresh_token_and_signed_its_own_way() -> None:
    for slug in ("zoho_crm", "zoho_projects"):
        oauth2 = CONNECTORS[slug].oauth2
        assert oauth2 is not None
        assert oauth2.authorize_parameters == {"access_type": "offline", "prompt": "consent"}
        assert oauth2.signing.value == "Zoho-oauthtoken {access_token}"
        assert oauth2.scope_separator == ","


@pytest.mark.parametrize(
    ("host", "accepted"),
    [
        ("login.salesforce.com", True),
        ("test.salesforce.com", True),
        ("acme.my.salesforce.com", True),
        ("acme--uat.sandbox.my.salesforce.com", True),
        ("salesforce.com", False),
        ("evil.salesforce.com", False),
        ("login.salesforce.com.evil.example", False),
        ("evil.example/.my.salesforce.com", False),
        ("loginXsalesforce.com", False),
    ],
)
def test_salesforce_is_signed_in_to_at_salesforce(host: str, accepted: bool) -> None:
    (parameter,) = CONNECTORS["salesforce"].parameters
    assert parameter.accepts(host) is accepted


def test_what_github_leaves_out_because_it_is_included_is_not_missing() -> None:
    oauth2 = CONNECTORS["github"].oauth2
    assert oauth2 is not None
    asked = ("user", "gist", "user:email", "read:org")
    assert oauth2.missing(asked, ("user", "gist")) == ("read:org",)
    assert oauth2.missing(asked, ("admin:org", "user", "gist")) == ()
    assert oauth2.missing(asked, ()) == asked


def test_nothing_is_filled_from_what_is_secret() -> None:
    for connector in CONNECTORS.values():
        boxes = [box for way in (connector.basic, connector.api_key) if way for box in way.fields]
        secret = {box.name for box in boxes if box.secret} | {"access_token", "refresh_token"}
        for template in addresses(connector).values():
            assert not slots(template) & secret, connector.slug
