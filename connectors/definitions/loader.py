"""Load ``catalogue/<slug>.toml`` as a ``Connector``, or report all its faults.

The format of the file follows from the dataclasses in ``schema.py``: a table is a dataclass, an
array is a tuple. A new field there is a new key in the file.
"""

from __future__ import annotations

import dataclasses
import tomllib
import typing
from collections.abc import Iterable, Mapping
from dataclasses import MISSING, dataclass
from functools import cache
from pathlib import Path
from types import MappingProxyType, NoneType, UnionType
from typing import Any, Literal

from connectors.definitions.rules import faults_of
from connectors.definitions.schema import Connector

EMPTY: Mapping[str, str] = MappingProxyType({})


@dataclass(frozen=True, kw_only=True)
class DefinitionFault:
    """A fault in a definition: the file, the dotted key, and a message."""

    file: str
    key: str
    message: str

    def __str__(self) -> str:
        return f"{self.file}: {self.key}: {self.message}"


class DefinitionFaults(Exception):
    """One or more definitions have faults."""

    def __init__(self, faults: tuple[DefinitionFault, ...]) -> None:
        super().__init__("\n".join(map(str, faults)))
        self.faults = faults


def read(
    path: Path, constants: Mapping[str, str] = EMPTY, tables: dict[str, Any] | None = None
) -> Connector:
    """Return the connector of a file; raise ``DefinitionFaults`` with all faults.

    ``constants`` fill slots of the same name anywhere in the file, before it is validated. If the
    file uses none of them, its parsed TOML is added to ``tables``, for :func:`build_connector`.
    """
    try:
        text = path.read_text(encoding="utf-8")
        table = tomllib.loads(text)
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        fault = DefinitionFault(file=path.name, key="", message=f"This is not TOML: {error}.")
        raise DefinitionFaults((fault,)) from error
    if tables is not None:
        tables[path.stem] = table
    if any(f"{{{name}}}" in text for name in constants):
        table = _fill_constants(table, constants)
        if tables is not None:
            del tables[path.stem]
    builder = _Builder()
    if "slug" in table:
        builder.add("slug", "The name of the file is the slug; leave this key out.")
    connector: Connector = builder.build(Connector, {**table, "slug": path.stem}, "")
    faults = [*builder.faults, *(f for f in faults_of(connector) if not builder.covers(f[0]))]
    if faults:
        raise DefinitionFaults(
            tuple(
                DefinitionFault(file=path.name, key=key, message=message) for key, message in faults
            )
        )
    return connector


def read_all(
    folder: Path, constants: Mapping[str, str] = EMPTY
) -> tuple[dict[str, Connector], tuple[DefinitionFault, ...]]:
    """Read all definitions of a folder; a faulty file does not hide the others."""
    return read_files(definition_files([folder]), constants)


def definition_files(folders: Iterable[Path]) -> list[Path]:
    """Return the definition files, one for each slug.

    A file overrides one with the same name in an earlier folder.
    """
    paths = {path.stem: path for folder in folders for path in sorted(folder.glob("*.toml"))}
    return list(paths.values())


def read_files(
    paths: Iterable[Path],
    constants: Mapping[str, str] = EMPTY,
    tables: dict[str, Any] | None = None,
) -> tuple[dict[str, Connector], tuple[DefinitionFault, ...]]:
    """Return the connectors of these files by slug, and all faults."""
    connectors: dict[str, Connector] = {}
    faults: list[DefinitionFault] = []
    for path in paths:
        try:
            connectors[path.stem] = read(path, constants, tables)
        except DefinitionFaults as error:
            faults.extend(error.faults)
    return connectors, tuple(faults)


def build_connector(slug: str, table: Mapping[str, Any]) -> Connector:
    """Build a connector from a parsed definition that is known to have no faults."""
    connector: Connector = _Builder().build(Connector, {**table, "slug": slug}, "")
    return connector


def _fill_constants(value: Any, constants: Mapping[str, str]) -> Any:
    if isinstance(value, str):
        for name, constant in constants.items():
            value = value.replace(f"{{{name}}}", constant)
        return value
    if isinstance(value, list):
        return [_fill_constants(item, constants) for item in value]
    if isinstance(value, dict):
        return {key: _fill_constants(item, constants) for key, item in value.items()}
    return value


@cache
def _layout(cls: type) -> Mapping[str, tuple[Any, bool]]:
    """Map the fields of a dataclass to their type, and whether they are required."""
    hints = typing.get_type_hints(cls)
    return {
        field.name: (
            hints[field.name],
            field.default is MISSING and field.default_factory is MISSING,
        )
        for field in dataclasses.fields(cls)
    }


class _Builder:
    """Builds dataclasses from parsed TOML by the types of the fields, and collects faults.

    A wrong value is replaced by an empty one, so that the rest can be validated too.
    """

    def __init__(self) -> None:
        self.faults: list[tuple[str, str]] = []

    def add(self, key: str, message: str) -> None:
        self.faults.append((key, message))

    def covers(self, key: str) -> bool:
        """Return whether a fault at, above or below ``key`` was already found."""
        known = {other for other, _ in self.faults}
        return any(
            key == other or key.startswith(f"{other}.") or other.startswith(f"{key}.")
            for other in known
        )

    def build(self, cls: type, table: Mapping[str, Any], path: str) -> Any:
        layout = _layout(cls)
        for name in table.keys() - layout.keys():
            self.add(_join(path, name), f"Unknown key. Known here: {', '.join(sorted(layout))}.")
        values = {}
        for name, raw in table.items():
            if name not in layout:
                continue
            hint, required = layout[name]
            key = _join(path, name)
            values[name] = self.value(hint, raw, key)
            if required and values[name] == "" and not self.covers(key):
                self.add(key, "This must not be empty.")
        for name, (hint, required) in layout.items():
            if required and name not in table:
                self.add(_join(path, name), "This key is missing.")
                values[name] = _empty(hint)
        return cls(**values)

    def value(self, hint: Any, raw: Any, key: str) -> Any:
        if hint is str and type(raw) is str:  # the most common case
            return raw
        origin, arguments = typing.get_origin(hint), typing.get_args(hint)
        if origin is Literal:
            if raw in arguments:
                return raw
            self.add(key, f"This must be one of {', '.join(map(repr, arguments))}.")
        elif origin in (UnionType, typing.Union):
            return self.value(next(a for a in arguments if a is not NoneType), raw, key)
        elif origin is tuple and isinstance(raw, list):
            items = enumerate(raw)
            return tuple(self.value(arguments[0], item, _join(key, str(n))) for n, item in items)
        elif origin is Mapping and isinstance(raw, dict):
            pairs = {k: self.value(arguments[1], v, _join(key, k)) for k, v in raw.items()}
            return MappingProxyType(pairs)
        elif dataclasses.is_dataclass(hint) and isinstance(raw, dict):
            return self.build(typing.cast(type, hint), raw, key)
        elif hint in (str, bool, int) and type(raw) is hint:
            return raw
        else:
            self.add(key, f"This must be {_TYPE_NAMES.get(origin or hint, 'a table')}.")
        return _empty(hint)


_TYPE_NAMES = {
    str: "a string",
    bool: "true or false",
    int: "a whole number",
    tuple: "an array",
    Mapping: "a table of strings",
}


def _empty(hint: Any) -> Any:
    """Return an empty value in place of a wrong one."""
    origin = typing.get_origin(hint)
    if origin is Literal:
        return typing.get_args(hint)[0]
    if origin in (UnionType, typing.Union):
        return None
    if origin is Mapping:
        return EMPTY
    if dataclasses.is_dataclass(hint):
        return _Builder().build(typing.cast(type, hint), {}, "")
    return (origin or hint)()


def _join(path: str, name: str) -> str:
    return f"{path}.{name}" if path else name
