"""The command: ``python -m benchmarks.run [--only NAME…] [--resources N] [--repeat R] [--quick]``.

Prints one table and writes ``benchmarks/results/<name>.json``. It judges nothing: a figure stands beside its target.
"""

from __future__ import annotations

import argparse
import sys
from dataclasses import asdict
from pathlib import Path

from benchmarks import action_items, after_ingest, aws, figures, iac, incidents, ingest, overhead, reports, verdicts
from benchmarks.options import Options

SUBJECTS = {
    "ingest": ingest.run,
    "after_ingest": after_ingest.run,
    "overhead": overhead.run,
    "verdicts": verdicts.run,
    "iac": iac.run,
    "incidents": incidents.run,
    "action_items": action_items.run,
    "aws": aws.run,
    "reports": reports.run,
}
RESULTS = Path(__file__).with_name("results")
_QUICK = Options(resources=500, repeat=1)


def main() -> None:
    """Runs the subjects that were asked for, one after the other."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.run", description="Nightshift and its alternatives.")
    names = list(SUBJECTS)
    parser.add_argument("--only", nargs="+", choices=names, default=names, metavar="NAME", help=", ".join(names))
    parser.add_argument("--resources", type=int, default=20_000, metavar="N", help="resources of the fleet (20000)")
    parser.add_argument("--repeat", type=int, default=3, metavar="R", help="measurements of each figure (3)")
    parser.add_argument("--quick", action="store_true", help="500 resources, once: whether it runs, not how fast")
    chosen = parser.parse_args()
    options = _QUICK if chosen.quick else Options(chosen.resources, chosen.repeat)
    found = {}
    for name in chosen.only:
        print(name, file=sys.stderr, flush=True)
        found[name] = SUBJECTS[name](options)
        figures.save(RESULTS, name, found[name], asdict(options))
    print(figures.table(found))


if __name__ == "__main__":
    main()
