"""What a person wants to see of an application's map: read from the query string."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from urllib.parse import urlencode

from django.http import QueryDict

from console.filters import FilterTag

#: Percent; ``fit`` makes the map as wide as its frame.
ZOOMS = ("fit", "50", "75", "100", "150", "200")
GROUPINGS = {
    "": "Automatic",
    "kind": "By kind",
    "connection": "By connection",
    "none": "Not at all",
}
#: As many groups can be open at a time.
MAX_OPEN = 20
MAX_FIND = 100


@dataclass(frozen=True, kw_only=True)
class MapChoices:
    """How the boxes are grouped, which groups are open, what is searched, and the zoom.

    A value that is not valid is ignored, as in the filters of a list.
    """

    by: str = ""
    opened: tuple[str, ...] = ()
    find: str = ""
    zoom: str = "100"
    is_list: bool = False

    @classmethod
    def from_query(cls, params: QueryDict) -> MapChoices:
        by, zoom = params.get("by", ""), params.get("zoom", "100")
        return cls(
            by=by if by in GROUPINGS else "",
            opened=tuple(dict.fromkeys(params.getlist("open")))[:MAX_OPEN],
            find=params.get("find", "").replace("\0", "").strip()[:MAX_FIND],
            zoom=zoom if zoom in ZOOMS else "100",
            is_list=params.get("view") == "list",
        )

    @property
    def query(self) -> str:
        """Return the query string, without the values that are the default."""
        pairs = [
            ("by", self.by),
            ("find", self.find),
            ("zoom", self.zoom if self.zoom != "100" else ""),
            ("view", "list" if self.is_list else ""),
            *(("open", key) for key in self.opened),
        ]
        return urlencode([(name, value) for name, value in pairs if value])

    @property
    def groupings(self) -> list[tuple[str, str, bool]]:
        """Return each way to group, its name, and whether it is chosen."""
        return [(value, label, value == self.by) for value, label in GROUPINGS.items()]

    @property
    def zooms(self) -> list[tuple[str, str, str, bool]]:
        """Return each zoom, its words, its query string, and whether it is chosen."""
        return [
            (
                zoom,
                "Fit" if zoom == "fit" else f"{zoom} %",
                replace(self, zoom=zoom).query,
                zoom == self.zoom,
            )
            for zoom in ZOOMS
        ]

    @property
    def as_picture(self) -> str:
        return replace(self, is_list=False).query

    @property
    def as_list(self) -> str:
        return replace(self, is_list=True).query

    @property
    def everything(self) -> str:
        """Return the query string that shows the whole map again."""
        return replace(self, find="", opened=()).query

    def opening(self, key: str) -> str:
        """Return the query string that also opens this group."""
        return replace(self, opened=(*self.opened, key)[-MAX_OPEN:]).query

    def tags(self, names: Iterable[tuple[str, str]]) -> list[FilterTag]:
        """List what narrows or opens the map; ``names`` are the keys and names of open groups."""
        found = []
        if self.find:
            found.append(
                FilterTag(name="Find", value=self.find, query=replace(self, find="").query)
            )
        for key, name in names:
            kept = tuple(each for each in self.opened if each != key)
            found.append(
                FilterTag(name="Open group", value=name, query=replace(self, opened=kept).query)
            )
        return found
