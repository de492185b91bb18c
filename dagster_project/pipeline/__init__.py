"""The steps of a night as plain functions: each wires adapters together and is what one asset or command calls.

Adapters do not import each other; this is where they meet. Nothing here imports Dagster.
"""
