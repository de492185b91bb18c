"""An AWS with many measured machines, in a process of its own: ``python -m benchmarks.measured.metric_server REGION=COUNT…``.

Prints its address and what signs requests to it, and stops when its input ends. A line ``REGION=SECONDS`` lets requests to a
region take so much longer from then on.
"""

from __future__ import annotations

import json
import sys
from datetime import UTC, datetime

import numpy as np
from numpy.typing import NDArray

from tests.aws import AwsServer
from tests.aws.metrics import Metrics
from tests.aws.sessions import ACCOUNT

DAY = datetime(2025, 3, 9, tzinfo=UTC)
VOLUMES = ("NetworkIn", "NetworkOut", "EBSReadBytes", "EBSWriteBytes", "EBSReadOps", "EBSWriteOps")


def main() -> None:
    with AwsServer() as server:
        for argument in sys.argv[1:]:
            region, _, count = argument.partition("=")
            world = server.in_account(ACCOUNT, region)
            for number, name in enumerate(world.fleet(int(count), "m5.xlarge")):
                _measure(world.metrics, name, number)
        print(json.dumps({"url": server.url, "key": server.key, "secret": server.secret}), flush=True)
        for line in sys.stdin:
            region, _, seconds = line.strip().partition("=")
            server.dials.delay_seconds[region] = float(seconds)
            print("done", flush=True)


def _measure(metrics: Metrics, name: str, number: int) -> None:
    def level(moments: NDArray[np.int64]) -> NDArray[np.float64]:
        found: NDArray[np.float64] = 20 + number % 50 + 5 * np.sin(moments / 13751 + number)
        return found

    key = {"InstanceId": name}
    metrics.publish("AWS/EC2", "CPUUtilization", key, DAY, level, samples=5)
    for volume in VOLUMES:
        metrics.publish("AWS/EC2", volume, key, DAY, lambda moments: level(moments) * 1000, samples=5)
    metrics.publish("CWAgent", "mem_used_percent", key, DAY, level, samples=5)


if __name__ == "__main__":
    main()
