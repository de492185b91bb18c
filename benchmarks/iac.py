"""The Terraform editor on a large repository: the first answer, further ones, memory."""

from __future__ import annotations

import tempfile
from pathlib import Path

from benchmarks import figures
from benchmarks.figures import Figure
from benchmarks.measure import Contender, alternate, measure
from benchmarks.options import Options

_FILES_PER_RESOURCE = 0.4  # of the other subjects' fleet: 8,000 files by default

_FURTHER = {"second, same root": "< 50"}


def run(options: Options) -> list[Figure]:
    """Builds a repository once, and asks about it in fresh processes."""
    with tempfile.TemporaryDirectory(prefix="bench-") as root:
        folder = str(Path(root) / "repository")
        size = measure("code:build", folder=folder, files=int(options.resources * _FILES_PER_RESOURCE)).result
        found = alternate(
            {
                "questions": Contender("code:ask", {"folder": folder}),
                "parsing": Contender("code:parse_everything", {"folder": folder}),
            },
            options.repeat,
        )
    asked, parsed = found["questions"], found["parsing"]
    first, *further = asked[0].result
    told = f"{size['files']:,} HCL files ({size['bytes'] / 1e6:.0f} MB, {size['roots']:,} roots)"
    return [
        figures.figure(f"first answer, {told}", [one.result[first] for one in asked], "s", "< 15"),
        *(
            figures.figure(f"answer: {label}", [one.result[label] * 1000 for one in asked], "ms", _FURTHER.get(label, ""))
            for label in further
        ),
        figures.peak("peak memory", asked, "< 500"),
        figures.seconds("every file parsed by tree-sitter, nothing evaluated", parsed),
        figures.ratio("time, first answer / parsing", [one.result[first] for one in asked], [one.seconds for one in parsed]),
    ]
