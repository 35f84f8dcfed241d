"""``docs/guides/adding-a-connector.md`` is complete, and its examples work."""

from __future__ import annotations

import dataclasses
import inspect
import json
import re
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings
from django.core.management import call_command

from connectors.definitions import schema
from connectors.definitions.loader import DefinitionFaults, read
from tests.connectors.battery.whole_flow import drive

GUIDE = Path(settings.BASE_DIR) / "docs" / "guides" / "adding-a-connector.md"
TEXT = GUIDE.read_text(encoding="utf-8")
#: Every table of keys, by the class whose fields they are: key to default.
DOCUMENTED = {
    match[1]: dict(re.findall(r"^\| `(\w+)` \| (.+?) \|", match[2], re.MULTILINE))
    for match in re.finditer(r"^### [^\n]*\((\w+)\)\n(.*?)(?=^##)", TEXT, re.MULTILINE | re.DOTALL)
}
CLASSES = dict(inspect.getmembers(schema, dataclasses.is_dataclass))
#: The name of the file, which no key says.
NOT_WRITTEN = {("Connector", "slug")}


def written(field: dataclasses.Field[Any]) -> str:
    """Write the default of a field as the guide does."""
    default = field.default
    if field.default_factory is not dataclasses.MISSING:
        default = field.default_factory()
    if default is dataclasses.MISSING:
        return "required"
    if isinstance(default, schema.Signing) and default.header:
        return f"`{default.header}: {default.value}`"
    if (not default and default is not False) or default == schema.RateLimit():
        return "none"
    return f"`{json.dumps(list(default) if isinstance(default, tuple) else default)}`"


@pytest.mark.parametrize("name", CLASSES)
def test_it_documents_every_key_with_its_default(name):
    fields = {
        field.name: written(field)
        for field in dataclasses.fields(CLASSES[name])
        if (name, field.name) not in NOT_WRITTEN
    }
    documented = DOCUMENTED.get(name, {})
    add = [
        f"| `{key}` | {fields[key]} | … |" for key in fields if fields[key] != documented.get(key)
    ]
    remove = sorted(documented.keys() - fields.keys())
    problem = [f"{GUIDE.name} and class {name} of connectors/definitions/schema.py differ."]
    if add:
        problem += [f"Write these rows under the heading that ends with ({name}):", *add]
    if remove:
        problem += [f"Remove the rows of {', '.join(remove)}: these fields are gone."]
    assert documented == fields, "\n".join(problem)


def test_it_documents_only_existing_classes():
    assert DOCUMENTED.keys() == CLASSES.keys()


#: Those that are whole files; the others are single tables.
EXAMPLES = re.findall(r"```toml\n(name = .*?)```", TEXT, re.DOTALL)


@pytest.mark.parametrize("example", EXAMPLES, ids=["api_key", "oauth2", "own_host"])
def test_its_examples_work_unchanged(example, tmp_path):
    file = tmp_path / "acme.toml"
    file.write_text(example)
    connector = read(file)
    assert {"check", "check refused", "invoke"} <= set(drive(connector))


def test_it_shows_the_faults_that_the_command_reports(tmp_path):
    wrong = EXAMPLES[0].replace("Bearer {key}", "Bearer {kee}").replace('"/me"', '"me"')
    (tmp_path / "acme.toml").write_text(wrong)
    out = StringIO()
    with pytest.raises(SystemExit):
        call_command("check_connectors", "--catalogue", str(tmp_path), stdout=out)
    for line in out.getvalue().splitlines()[:-1]:
        assert line in TEXT


@pytest.mark.parametrize(
    ("host", "pattern", "fits"),
    [
        ("{place}.acme.example", "[a-z0-9-]{1,63}", True),
        ("{place}", r"(?:login|test)\.acme\.example", True),
        ("{place}", "[a-z0-9-]{1,63}", False),
        ("{place}.example", "[a-z0-9-]{1,63}", False),
        ("{place}.acme.example", ".+", False),
        ("{place}.acme.example", "^[a-z]+$", False),
    ],
)
def test_its_table_of_host_patterns_is_right(host, pattern, fits, tmp_path):
    head, check, rest = EXAMPLES[0].partition("[check]")
    head = head.replace("https://api.acme.example/v1", f"https://{host}/v1")
    parameter = f"[[parameters]]\nname = 'place'\nlabel = 'Place'\npattern = '{pattern}'\n\n"
    (file := tmp_path / "acme.toml").write_text(head + parameter + check + rest)
    if fits:
        read(file)
    else:
        with pytest.raises(DefinitionFaults):
            read(file)


def test_the_files_to_copy_exist():
    for name in re.findall(r"`(\w+\.toml)`", TEXT):
        if not name.startswith("acme"):
            assert (Path(settings.BASE_DIR) / "connectors" / "catalogue" / name).exists(), name
