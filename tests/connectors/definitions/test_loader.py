"""The loader refuses faulty definitions, and names the file and the key of each fault."""

from __future__ import annotations

import tomllib
from dataclasses import FrozenInstanceError
from pathlib import Path
from typing import Any

import pytest

from connectors.definitions.grant_end import GrantEnd
from connectors.definitions.loader import DefinitionFaults, read, read_all

GOOD = """
name = "Acme"
category = "CRM and sales"
summary = "Customers of Acme."
documentation = "https://acme.example/docs"
sources = ["https://acme.example/docs/oauth"]
read_on = "2026-11-24"
api_base_url = "https://{region}.api.acme.example"

[[parameters]]
name = "region"
label = "Region"
help = "Where the account lives."
pattern = '[a-z]{2}'
example = "eu"

[check]
path = "/me"
account = ["email"]

[oauth2]
authorization_endpoint = "https://acme.example/authorize"
token_endpoint = "https://acme.example/token"
all_actions = ["leads.read"]

[[oauth2.modules]]
name = "Leads"
actions = [{ scope = "leads.read", action = "Read", sentence = "See leads." }]

[[oauth2.kept]]
name = "tenant"
source = "token"
path = "tenant"
pattern = '[a-z]{3,20}'
"""
BASIC = """
[basic]
fields = [
    { name = "username", label = "User name", secret = false },
    { name = "password", label = "Password" },
]

[basic.signing]
basic_user = "{username}"
basic_password = "{password}"
"""
WITHOUT_OAUTH = GOOD[: GOOD.index("[oauth2]")] + BASIC


def faults(folder: Path, text: str, name: str = "acme.toml", **constants: str) -> dict[str, str]:
    """Read the text as a definition and return the message of each fault by its key."""
    path = folder / name
    path.write_text(text)
    with pytest.raises(DefinitionFaults) as caught:
        read(path, constants)
    assert {fault.file for fault in caught.value.faults} == {name}
    return {fault.key: fault.message for fault in caught.value.faults}


def changed(old: str, new: str, text: str = GOOD) -> str:
    assert old in text
    return text.replace(old, new)


def test_it_reads_a_definition(tmp_path: Path) -> None:
    (tmp_path / "acme.toml").write_text(GOOD)

    connector = read(tmp_path / "acme.toml")

    assert (connector.slug, connector.auth_types) == ("acme", ("oauth2",))
    assert connector.oauth2 is not None
    assert connector.oauth2.modules[0].actions[0].sentence == "See leads."
    assert connector.oauth2.signing.value == "Bearer {access_token}"
    with pytest.raises(FrozenInstanceError):
        connector.name = "Other"  # type: ignore[misc]


def test_it_fills_constants_and_leaves_other_slots(tmp_path: Path) -> None:
    text = changed("https://acme.example/token", "{base}/{region}/token")
    (tmp_path / "acme.toml").write_text(text)

    connector = read(tmp_path / "acme.toml", {"base": "https://acme.example"})

    assert connector.oauth2 is not None
    assert connector.oauth2.token_endpoint == "https://acme.example/{region}/token"


def test_it_reads_a_definition_without_oauth(tmp_path: Path) -> None:
    (tmp_path / "acme.toml").write_text(WITHOUT_OAUTH)
    assert read(tmp_path / "acme.toml").auth_types == ("basic",)


@pytest.mark.parametrize(
    "package",
    ["pkg:npm/acme", "pkg:npm/%40acme/sdk@6.0.2-rc.1", "pkg:pypi/acme-sdk@10.0.1"],
)
def test_a_source_can_be_a_published_package(tmp_path: Path, package: str) -> None:
    (tmp_path / "acme.toml").write_text(changed("https://acme.example/docs/oauth", package))
    assert read(tmp_path / "acme.toml").sources == (package,)


def test_it_reads_how_a_grant_ends(tmp_path: Path) -> None:
    text = GOOD.replace("[oauth2]", "[oauth2]\ngrant_ends = [{ status = 400 }]", 1)
    (tmp_path / "acme.toml").write_text(text)
    connector = read(tmp_path / "acme.toml")
    assert connector.oauth2 is not None
    assert connector.oauth2.grant_ends == (GrantEnd(status=400),)


REFUSALS = {
    "a grant that ends with an outage": (
        changed("[oauth2]", "[oauth2]\ngrant_ends = [{ status = 503 }]"),
        "oauth2.grant_ends.0.status",
        "Only a status from 400 to 499",
    ),
    "a grant that ends with too many requests": (
        changed("[oauth2]", "[oauth2]\ngrant_ends = [{ status = 400 }, { status = 429 }]"),
        "oauth2.grant_ends.1.status",
        "are temporary",
    ),
    "a grant that ends without a status": (
        changed("[oauth2]", '[oauth2]\ngrant_ends = [{ body = "x" }]'),
        "oauth2.grant_ends.0.status",
        "missing",
    ),
    "a pattern of a grant that does not compile": (
        changed("[oauth2]", '[oauth2]\ngrant_ends = [{ status = 400, body = "(" }]'),
        "oauth2.grant_ends.0.body",
        "does not compile",
    ),
    "a credential that dies of an outage": (
        changed('path = "/me"', 'path = "/me"\nrefused_statuses = [403, 500]'),
        "check.refused_statuses",
        "500 cannot mean an invalid credential",
    ),
    "no TOML": (GOOD + "[", "", "not TOML"),
    "an unknown key": (f'color = "red"\n{GOOD}', "color", "Unknown key"),
    "an unknown key deep inside": (
        changed('label = "Region"', 'label = "Region"\nhint = "x"'),
        "parameters.0.hint",
        "Unknown key",
    ),
    "a slug of its own": (f'slug = "acme"\n{GOOD}', "slug", "leave this key out"),
    "a missing key": (changed('category = "CRM and sales"', ""), "category", "missing"),
    "a missing table": (
        changed('[check]\npath = "/me"\naccount = ["email"]', ""),
        "check",
        "missing",
    ),
    "a number for a string": (changed('name = "Acme"', "name = 7"), "name", "a string"),
    "a string for an array": (
        changed('account = ["email"]', 'account = "email"'),
        "check.account",
        "an array",
    ),
    "a string for a table": (
        changed('[check]\npath = "/me"\naccount = ["email"]', "", f'check = "x"\n{GOOD}'),
        "check",
        "a table",
    ),
    "a number in a table of strings": (
        changed('account = ["email"]', 'account = ["email"]\nheaders = { A = 1 }'),
        "check.headers.A",
        "a string",
    ),
    "a string for a boolean": (
        changed("[oauth2]", '[oauth2]\npkce = "yes"'),
        "oauth2.pkce",
        "true or false",
    ),
    "an unknown choice": (
        changed("[oauth2]", '[oauth2]\ntoken_endpoint_auth_method = "both"'),
        "oauth2.token_endpoint_auth_method",
        "one of",
    ),
    "an unknown level": (f'levels = ["everybody"]\n{GOOD}', "levels.0", "one of"),
    "no level": (f"levels = []\n{GOOD}", "levels", "at least one"),
    "a level twice": (
        f'levels = ["administrator", "administrator"]\n{GOOD}',
        "levels",
        "listed twice",
    ),
    "an empty name": (changed('name = "Acme"', 'name = ""'), "name", "not be empty"),
    "no way to authorize": (GOOD[: GOOD.index("[oauth2]")], "oauth2", "at least one"),
    "no source": (
        changed('sources = ["https://acme.example/docs/oauth"]', "sources = []"),
        "sources",
        "pages",
    ),
    "a source by plain http": (
        changed("https://acme.example/docs/oauth", "http://acme.example/docs/oauth"),
        "sources.0",
        "use http",
    ),
    "a package without a type": (
        changed("https://acme.example/docs/oauth", "pkg:acme"),
        "sources.0",
        "https URL",
    ),
    "a package as the page about authentication": (
        changed('"https://acme.example/docs"', '"pkg:npm/acme"'),
        "documentation",
        "https URL",
    ),
    "a date that is none": (changed("2026-11-24", "24.11.2026"), "read_on", "date"),
    "a summary without a full stop": (
        changed("Customers of Acme.", "Customers of Acme"),
        "summary",
        "a sentence",
    ),
    "an empty sentence": (
        changed('sentence = "See leads."', 'sentence = ""'),
        "oauth2.modules.0.actions.0.sentence",
        "not be empty",
    ),
    "a parameter twice": (
        changed("[check]", '[[parameters]]\nname = "region"\nlabel = "R"\npattern = "a"\n[check]'),
        "parameters.1.name",
        "used twice",
    ),
    "a parameter and a kept field of one name": (
        changed('name = "tenant"', 'name = "region"'),
        "parameters.0.name",
        "used twice",
    ),
    "a pattern that does not compile": (
        changed("'[a-z]{2}'", "'[a-z'"),
        "parameters.0.pattern",
        "does not compile",
    ),
    "a pattern too long": (
        changed("'[a-z]{2}'", f"'{'a' * 201}'"),
        "parameters.0.pattern",
        "longer than 200",
    ),
    "an anchored pattern": (
        changed("'[a-z]{2}'", "'^[a-z]{2}$'"),
        "parameters.0.pattern",
        "anchors",
    ),
    "nested quantifiers": (
        changed("'[a-z]{3,20}'", "'([a-z]+)+'"),
        "oauth2.kept.0.pattern",
        "nested unbounded quantifiers",
    ),
    "neither pattern nor choices": (
        changed("pattern = '[a-z]{2}'", ""),
        "parameters.0.pattern",
        "either a pattern or choices",
    ),
    "an example that its own pattern refuses": (
        changed('example = "eu"', 'example = "europe"'),
        "parameters.0.example",
        "refuse 'europe'",
    ),
    "a slot that nothing provides": (
        changed("https://acme.example/token", "https://acme.example/{realm}/token"),
        "oauth2.token_endpoint",
        "Nothing provides {realm}",
    ),
    "a token's field in the address that gives the token": (
        changed("https://acme.example/token", "https://acme.example/{tenant}/token"),
        "oauth2.token_endpoint",
        "Nothing provides {tenant}",
    ),
    "a slot in the path of the check": (
        changed('path = "/me"', 'path = "/{who}"'),
        "check.path",
        "Nothing provides {who}",
    ),
    "a single brace": (changed('path = "/me"', 'path = "/{me"'), "check.path", "brace"),
    "plain http": (
        changed("https://acme.example/token", "http://acme.example/token"),
        "oauth2.token_endpoint",
        "use http",
    ),
    "another scheme": (
        changed("https://acme.example/token", "ftp://acme.example/token"),
        "oauth2.token_endpoint",
        "https URL",
    ),
    "a host with a user in it": (
        changed("https://acme.example/token", "https://acme.example@evil.example/token"),
        "oauth2.token_endpoint",
        "The host can contain",
    ),
    "a free scheme": (
        changed("https://acme.example/token", "{region}://acme.example/token"),
        "oauth2.token_endpoint",
        "between https and http",
    ),
    "a scope twice": (
        changed(
            "[oauth2]",
            '[oauth2]\nalways = [{ scope = "leads.read", action = "R", sentence = "S." }]',
        ),
        "oauth2.always.0.scope",
        "listed twice",
    ),
    "a scope with a space": (
        changed('scope = "leads.read"', 'scope = "leads read"'),
        "oauth2.modules.0.actions.0.scope",
        "a space",
    ),
    "all actions that name an unlisted scope": (
        changed('all_actions = ["leads.read"]', 'all_actions = ["leads.all"]'),
        "oauth2.all_actions.0",
        "not among the listed",
    ),
    "a scope that includes an unlisted one": (
        changed('sentence = "See leads."', 'sentence = "See leads.", includes = ["leads"]'),
        "oauth2.modules.0.actions.0.includes",
        "not among the listed",
    ),
    "no all actions": (
        changed('all_actions = ["leads.read"]', ""),
        "oauth2.all_actions",
        "need each other",
    ),
    "an issuer that is required and not named": (
        changed("[oauth2]", "[oauth2]\nissuer_required = true"),
        "oauth2.issuer",
        "needs an issuer",
    ),
    "a check without an address": (changed('path = "/me"', ""), "check.path", "either a path"),
    "a signing slot that no field provides": (
        changed('"{password}"', '"{token}"', WITHOUT_OAUTH),
        "basic.signing.basic_password",
        "Nothing provides {token}",
    ),
    "an OAuth signing slot that is not the access token": (
        GOOD + '\n[oauth2.signing]\nheader = "Authorization"\nvalue = "Bearer {token}"\n',
        "oauth2.signing.value",
        "Nothing provides {token}",
    ),
    "a signing that signs nothing": (
        GOOD + '\n[oauth2.signing]\nheader = "X-Key"\nvalue = "key"\n',
        "oauth2.signing",
        "not be signed",
    ),
    "two ways of signing": (
        WITHOUT_OAUTH + 'header = "X-Key"\nvalue = "{password}"\n',
        "basic.signing",
        "or query and value",
    ),
    "a credential without a secret": (
        changed('label = "Password"', 'label = "Password", secret = false', WITHOUT_OAUTH),
        "basic.fields",
        "must be the secret",
    ),
    "a kept field that a user name and password do not leave": (
        changed('path = "/me"', 'path = "/{tenant}/me"') + BASIC,
        "check.path",
        "Nothing provides {tenant}",
    ),
    "a revocation path without the token": (
        GOOD + '\n[oauth2.revocation]\nendpoint = "https://acme.example/revoke"\nplaced = "path"\n',
        "oauth2.revocation.endpoint",
        "no {token}",
    ),
}


@pytest.mark.parametrize(("text", "key", "message"), REFUSALS.values(), ids=REFUSALS)
def test_it_refuses(tmp_path: Path, text: str, key: str, message: str) -> None:
    found = faults(tmp_path, text)
    assert message in found.get(key, ""), found


@pytest.mark.parametrize("name", ["Acme.toml", "acme-crm.toml", "acme crm.toml"])
def test_it_refuses_a_bad_slug(tmp_path: Path, name: str) -> None:
    assert set(faults(tmp_path, GOOD, name)) == {"slug"}


@pytest.mark.parametrize(
    "pattern",
    [
        r".{2}",
        r"\S{2,9}",
        r"[^/]{1,9}",
        r"[a-z/]{2}",
        r"[a-z@]{2}",
        r"[a-z:]{2}",
        r"[a-z]*",
        r"\w+",
    ],
)
def test_it_refuses_a_host_slot_that_could_change_the_domain(tmp_path: Path, pattern: str) -> None:
    text = changed("'[a-z]{2}'", f"'{pattern}'").replace('example = "eu"', "")
    assert "another host" in faults(tmp_path, text)["api_base_url"]


@pytest.mark.parametrize(
    ("pattern", "good"),
    [
        (r"[a-z0-9-]{1,63}(?:\.[a-z0-9-]{1,63}){0,8}", False),  # any host there is
        (r"(?:eu|us)\.acme\.example", True),
        (r"[a-z]{2,9}\.acme\.example", True),
        (r"[a-z]{2,9}\.(?:acme\.example|[a-z]{2,9}\.example)", False),
        (r"eu\.acme\.example|[a-z.]{1,30}", False),
    ],
)
def test_a_slot_that_is_the_whole_host_must_spell_out_its_domain(
    tmp_path: Path, pattern: str, good: bool
) -> None:
    text = changed("{region}.api.acme.example", "{region}")
    text = text.replace("'[a-z]{2}'", f"'{pattern}'").replace('example = "eu"', "")
    if good:
        (tmp_path / "acme.toml").write_text(text)
        assert read(tmp_path / "acme.toml").api_base_url == "https://{region}"
    else:
        assert "another host" in faults(tmp_path, text)["api_base_url"]


@pytest.mark.parametrize(
    ("pattern", "good"),
    [
        (r"https://www\.acmeapis\.(?:com|eu)", True),
        (r"https://[a-z0-9-]{1,63}(?:\.[a-z0-9-]{1,63}){0,4}\.acme\.example", True),
        (r"http://www\.acmeapis\.com", False),
        (r"https?://www\.acmeapis\.com", False),
        (r"www\.acmeapis\.com", False),
        (r"https://.{1,99}\.acme\.example", False),
        (r"https://[a-z.]{1,99}acme\.example", False),
        (r"https://www.acme.example", False),
        (r"https://[a-z]{1,9}\.com", False),
        (r"https://www\.acmeapis\.com|https://[a-z]{1,9}", False),
        (r"https://www\.acmeapis\.com(?:/[a-z]{1,9})?", False),
    ],
)
def test_a_kept_origin_must_be_https_and_spell_out_its_domain(
    tmp_path: Path, pattern: str, good: bool
) -> None:
    text = changed("https://{region}.api.acme.example", "{tenant}")
    text = text.replace("'[a-z]{3,20}'", f"'{pattern}'")
    if good:
        (tmp_path / "acme.toml").write_text(text)
        assert read(tmp_path / "acme.toml").api_base_url == "{tenant}"
    else:
        assert "spell out a domain" in faults(tmp_path, text)["api_base_url"]


def test_an_entered_host_can_have_a_port_and_nothing_else(tmp_path: Path) -> None:
    host = r"[a-z0-9-]{1,63}(?:\.[a-z0-9-]{1,63}){0,8}"
    text = changed("{region}.api.acme.example", "{region}").replace(
        'example = "eu"', "is_host = true"
    )
    (tmp_path / "acme.toml").write_text(text.replace("[a-z]{2}", host + "(:[0-9]{1,5})?"))
    assert read(tmp_path / "acme.toml").own_host

    for loose in (host + "(:.*)?", host + "(/[a-z]{1,9})?", r"[^/]{1,99}"):
        found = faults(tmp_path, text.replace("[a-z]{2}", loose))
        assert "another host" in found["api_base_url"]


def test_choices_in_a_host_must_be_parts_of_a_host(tmp_path: Path) -> None:
    choice = "\n[parameters.choices]\n"
    text = changed("pattern = '[a-z]{2}'\nexample = \"eu\"\n", choice + '"eu/evil" = "Europe"\n')
    assert "another host" in faults(tmp_path, text)["api_base_url"]


def test_only_the_sandbox_can_use_plain_http(tmp_path: Path) -> None:
    text = changed("https://acme.example/token", "http://localhost:9000/token")
    assert set(faults(tmp_path, text)) == {"oauth2.token_endpoint"}

    (tmp_path / "acme.toml").write_text("sandbox = true\n" + text)
    assert read(tmp_path / "acme.toml").sandbox


def test_it_reports_every_fault_at_once(tmp_path: Path) -> None:
    text = changed('name = "Acme"', 'name = 7\ncolor = "red"')
    text = text.replace("https://acme.example/token", "http://acme.example/token")
    text = text.replace('path = "/me"', "")

    found = faults(tmp_path, text)

    assert set(found) == {"name", "color", "oauth2.token_endpoint", "check.path"}


def test_one_faulty_file_does_not_hide_the_others(tmp_path: Path) -> None:
    (tmp_path / "acme.toml").write_text(GOOD)
    (tmp_path / "broken.toml").write_text("[")
    (tmp_path / "worse.toml").write_text(changed('name = "Acme"', ""))

    connectors, found = read_all(tmp_path)

    assert list(connectors) == ["acme"]
    assert [(fault.file, fault.key) for fault in found] == [
        ("broken.toml", ""),
        ("worse.toml", "name"),
    ]


def test_a_fault_names_its_file_and_key(tmp_path: Path) -> None:
    (tmp_path / "acme.toml").write_text(changed('name = "Acme"', ""))
    with pytest.raises(DefinitionFaults, match=r"^acme\.toml: name: This key is missing\.$"):
        read(tmp_path / "acme.toml")


@pytest.mark.parametrize("key", [k for k in tomllib.loads(GOOD) if k != "parameters"])
def test_a_value_of_the_wrong_type_is_a_fault(tmp_path: Path, key: str) -> None:
    table: dict[str, Any] = tomllib.loads(GOOD)
    for wrong in ("true", "1.5", "2026-11-24", "[1]", "{ a = 1 }"):
        rest = GOOD.replace(f"\n{key} = ", "\nx_") if isinstance(table[key], str) else GOOD
        text = f"{key} = {wrong}\n{rest}"
        assert faults(tmp_path, text)
