"""Processes of tests that are forked from a server which has imported everything and used nothing.

A fork of the tests themselves would inherit threads that do not run in it, and a fresh interpreter would import for longer than
it works. There is one server in a process of tests: whoever starts it first, it has what all of them need.
"""

from __future__ import annotations

import multiprocessing

FORKS = multiprocessing.get_context("forkserver")
FORKS.set_forkserver_preload(
    ["tests.approvals.killing", "tests.faults.test_killed", "tests.faults.test_side_by_side", "tests.properties.schedules"]
)
