"""The list of fonts is the list that is fetched."""

import json
import re
from pathlib import Path

FONTS = Path(__file__).parents[3] / "fonts"


def test_every_font_that_is_fetched_is_listed_with_an_open_licence() -> None:
    dependencies = json.loads((FONTS / "package.json").read_text())["dependencies"]
    # Print is fetched by another name than its package has: "npm:PACKAGE@VERSION".
    fetched = dict(
        version.removeprefix("npm:").rsplit("@", 1) if "npm:" in version else (name, version)
        for name, version in dependencies.items()
    )
    rows = re.findall(
        r"^\| [^|]+ \| `([^`]+)` \| ([^|]+) \| ([^|]+) \| Copyright [^|]+ \|$",
        (FONTS / "README.md").read_text("utf-8"),
        re.M,
    )
    assert {package: version for package, version, _ in rows} == fetched
    assert {licence for *_, licence in rows} == {"OFL-1.1", "Apache-2.0"}
