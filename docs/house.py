"""Write the map of the house into CONTRIBUTING.md, from docs/house.toml.

python docs/house.py
"""

from __future__ import annotations

import tomllib
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
BEGIN, END = "<!-- the map -->", "<!-- end of the map -->"


def drawn() -> str:
    """The floors from the ground up, a line a room."""
    house = tomllib.loads((ROOT / "docs/house.toml").read_text(encoding="utf-8"))
    lines = ["| floor | room | its one job |", "|---|---|---|"]
    for number, rooms in enumerate(house["floor"], 1):
        lines += [f"| {number} | `{room}` | {job} |" for room, job in rooms.items()]
    return "\n".join(lines)


def mapped(text: str) -> str:
    """A page with the map as it is now."""
    before, rest = text.split(BEGIN)
    _, after = rest.split(END)
    return f"{before}{BEGIN}\n\n{drawn()}\n\n{END}{after}"


if __name__ == "__main__":
    page = ROOT / "CONTRIBUTING.md"
    page.write_text(mapped(page.read_text(encoding="utf-8")), encoding="utf-8")
