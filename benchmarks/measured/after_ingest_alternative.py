"""Exact percentiles straight from seven days of raw samples, as a user of DuckDB would write them."""

from __future__ import annotations

from pathlib import Path

import duckdb

_METRICS = ("cpu_avg_pct", "cpu_max_pct", "mem_avg_pct", "mem_max_pct")


def exact_quantiles(home: str) -> int:
    """Four quantiles of four metrics of every resource into a Parquet file; returns the resources."""
    samples = Path(home) / "warehouse" / "utilization_samples" / "day=*" / "*.parquet"
    quantiles = ", ".join(f"quantile_cont({metric}, [0.5, 0.95, 0.99, 0.995]) as {metric}" for metric in _METRICS)
    with duckdb.connect() as connection:
        written = connection.execute(
            f"copy (select resource_id, {quantiles} from read_parquet('{samples}') group by all order by resource_id) "
            f"to '{Path(home) / 'exact.parquet'}' (format parquet, compression zstd)"
        ).fetchall()
    return written[0][0]
