"""Rules that every definition in the catalogue follows."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from xml.etree import ElementTree

import pytest

from connectors.definitions.loader import definition_files, read_files
from connectors.definitions.registry import folders
from connectors.definitions.schema import Connector, KeptField
from connectors.definitions.templates import fill_url, slots
from tests.connectors.battery.examples import example_of

LOGOS = Path(__file__).parents[3] / "static" / "connectors"
#: The built-in ones, and those of EXTRA_CATALOGUES, so that a deployment can test its own.
CONNECTORS, FAULTS = read_files(
    definition_files(folders()), {"sandbox_url": "http://localhost:9000"}
)
WITH_OAUTH = [connector for connector in CONNECTORS.values() if connector.oauth2]

#: What the services themselves send, as their documentation shows it, by the name it is kept as.
KEPT = {
    "accounts_server": "https://accounts.zoho.eu",
    "api_domain": "https://www.zohoapis.eu",
    "instance_url": "https://acme.my.salesforce.com",
    "rest_instance_url": "https://mct0l7nxfq2r988t1kxfy8sc4xxx.rest.marketingcloudapis.com",
    "access_url": "https://api.surveymonkey.com",
    "realm_id": "9130347957983546",
    "host": "app-eu.wrike.com",
    "api_base_url": "https://us-11211.api.gong.io",
}
PIPEDRIVE = {"api_domain": "https://acme.pipedrive.com"}
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
    """Return values that a connection could have: parameters, kept fields and public fields."""
    parameters = {p.name: p.default or p.example for p in connector.parameters}
    fields = [
        field for auth in (connector.basic, connector.api_key) if auth for field in auth.fields
    ]
    public = {field.name: "AC0123" for field in fields if not field.secret}
    return {**public, **parameters, **sent(connector)}


def sent(connector: Connector) -> dict[str, str]:
    """Return the kept fields that the service sends."""
    fields = connector.oauth2.kept if connector.oauth2 else ()
    known = KEPT | (PIPEDRIVE if connector.slug == "pipedrive" else {})
    return {
        field.name: known[field.name] if field.name in known else example_of(field.pattern)
        for field in fields
    }


def url_templates(connector: Connector) -> dict[str, str]:
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


def test_it_has_the_promised_connectors() -> None:
    assert set(CONNECTORS) >= {
        "zoho_crm", "salesforce", "zoho_projects", "twilio", "slack", "github", "google_sheets",
        "hubspot", "rabbitmq_management", "jupyterhub", "sandbox", "sandbox_basic",
        "sandbox_api_key",
    }  # fmt: skip


@each
def test_every_url_template_can_be_filled(connector: Connector) -> None:
    scheme = "http" if connector.sandbox else "https"
    known = {**values(connector), "client_id": "abc", "token": "xyz"}
    for name, template in url_templates(connector).items():
        url = fill_url(template, known)
        assert re.fullmatch(rf"{scheme}://[A-Za-z0-9.:-]+(/[^{{}}\s]*)?", url), (name, url)


@each
def test_every_parameter_accepts_its_example(connector: Connector) -> None:
    for parameter in connector.parameters:
        assert parameter.accepts(parameter.default or parameter.example), parameter.name
        for hostile in HOSTILE:
            assert not parameter.accepts(hostile), (parameter.name, hostile)


@each_with_oauth
def test_kept_fields_accept_only_what_the_service_sends(connector: Connector) -> None:
    assert connector.oauth2 is not None
    for field in connector.oauth2.kept:
        assert re.fullmatch(field.pattern, sent(connector)[field.name])
        for hostile in HOSTILE:
            assert not re.fullmatch(field.pattern, hostile), (field.name, hostile)


@each_with_oauth
def test_the_default_of_a_kept_field_matches_its_pattern(connector: Connector) -> None:
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
def test_permissions_of_a_module_have_different_sentences(connector: Connector) -> None:
    assert connector.oauth2 is not None
    for module in connector.oauth2.modules:
        names = [action.action for action in module.actions]
        assert len(set(names)) == len(names), (module.name, names)


@each_with_oauth
def test_registration_steps_are_complete(connector: Connector) -> None:
    assert len(connector.registration) >= 2
    if not connector.sandbox:
        assert any("redirect URI" in step for step in connector.registration)


@each_with_oauth
def test_typed_scopes_are_scopes_and_nothing_else(connector: Connector) -> None:
    assert connector.oauth2 is not None
    if connector.oauth2.typed_scopes:
        for hostile in ("", "a b", "a,b", "x\n", "<b>", "a&scope=b"):
            assert not re.fullmatch(connector.oauth2.typed_scopes, hostile), hostile


@each
def test_a_credential_form_has_one_secret(connector: Connector) -> None:
    for auth in (connector.basic, connector.api_key):
        if auth:
            assert [field.secret for field in auth.fields].count(True) == 1


@each
def test_it_names_its_sources(connector: Connector) -> None:
    assert connector.sources
    assert connector.read_on >= "2026-11-24"


SHAPES = {"svg", "path", "circle", "title", "defs", "linearGradient", "stop", "mask", "use"}
GRADIENT = {
    *("id", "x1", "x2", "y1", "y2", "offset", "stop-color", "href", "mask", "transform"),
    *("opacity", "fill-opacity", "stop-opacity"),
}


@pytest.mark.parametrize("path", sorted(LOGOS.glob("*.svg")), ids=lambda path: path.stem)
def test_a_logo_is_a_plain_drawing(path: Path) -> None:
    assert path.stem in CONNECTORS
    assert f"`{path.name}`" in (LOGOS / "LICENSE.md").read_text()
    root = ElementTree.parse(path).getroot()
    x, y, width, height = map(int, root.get("viewBox", "").split())
    assert (x, y) == (0, 0)
    assert 1 / 2 < width / height < 2  # it is drawn into a square
    elements = list(root.iter())
    assert any("#" in e.get("fill", "") + e.get("stroke", "") for e in elements)
    assert {e.tag.rpartition("}")[2] for e in elements} <= SHAPES
    drawn = {"viewBox", "fill", "stroke", "d", "cx", "cy", "r", "role", "width", "height", "class"}
    names = {name for e in elements for name in e.attrib if "stroke" not in name}
    assert names <= drawn | GRADIENT
    assert all(e.get("href", "#").startswith("#") for e in elements)  # nothing else is loaded
    assert path.stat().st_size < 6000


def test_service_names_are_unique() -> None:
    names = [connector.name.casefold() for connector in CONNECTORS.values()]
    assert len(set(names)) == len(names)


@each
def test_a_file_is_named_after_its_service(connector: Connector) -> None:
    assert connector.slug == re.sub(r"[^a-z0-9]+", "_", connector.name.lower()).strip("_")


@each
def test_no_integration_catalogue_is_a_source(connector: Connector) -> None:
    others = (
        "nango|pipedream|n8n|airbyte|apideck|bollardai|composio|truto|evangelist|cdata|jitterbit|"
        "informatica|databricks|glama|skills\\.sh|qodex|gitguardian|//gist\\.|mintlify\\.com"
    )
    assert [page for page in connector.sources if re.search(others, page)] == []


@each
def test_a_package_source_is_a_package_url(connector: Connector) -> None:
    registries = r"://[^/]*(?:npm|pkg|pypi|packagist|rubygems|hex\.pm|libraries\.io)"
    assert [page for page in connector.sources if re.search(registries, page)] == []


def test_scopes_that_github_normalizes_are_not_missing() -> None:
    oauth2 = CONNECTORS["github"].oauth2
    assert oauth2 is not None
    requested = ("user", "gist", "user:email", "read:org")
    assert oauth2.missing(requested, ("user", "gist")) == ("read:org",)
    assert oauth2.missing(requested, ("admin:org", "user", "gist")) == ()
    assert oauth2.missing(requested, ()) == requested


def test_secrets_do_not_fill_urls() -> None:
    for connector in CONNECTORS.values():
        fields = [
            field for auth in (connector.basic, connector.api_key) if auth for field in auth.fields
        ]
        secret = {field.name for field in fields if field.secret} | {
            "access_token",
            "refresh_token",
        }
        for template in url_templates(connector).values():
            assert not slots(template) & secret, connector.slug
