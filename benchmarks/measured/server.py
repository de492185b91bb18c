"""Keeps an embedded PostgreSQL running for the processes of a benchmark, until its standard input ends."""

from __future__ import annotations

import sys
from pathlib import Path

from dagster_project.demo.postgres import embedded_dsn

if __name__ == "__main__":
    print(embedded_dsn(Path(sys.argv[1])), flush=True)
    sys.stdin.read()
