"""The Dagster side: partitions, assets by group, checks, job, schedule, sensor. The only importer of Dagster.

An asset's body reads the partition, calls a plain function of ``pipeline`` and returns its numbers.
"""
