"""The Dagster side: partitions, assets by group, checks, job, schedule, sensor. The only importer of Dagster.

Definitions are loaded often (by the UI, the daemon, every run), so the analytics are imported by the bodies that use them.
An asset's body reads the partition, calls a plain function of ``pipeline`` and returns its numbers.
"""
