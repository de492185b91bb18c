"""A strict AWS for tests, with many accounts and regions, over real HTTP, with moto behind it.

with AwsServer() as server:
    instance = server.world.instance("m5.xlarge")
    server.faults.add(Fault("StopInstances", "drop_after"))
    other = server.account("222222222222").world("us-east-1").instance("m5.large", tags={"team": "shop"})
    client = boto3.client("ec2", endpoint_url=server.url, region_name=server.region, aws_access_key_id=server.key, ...)
"""

from tests.aws.faults import Fault
from tests.aws.server import AwsServer
from tests.aws.world import World

__all__ = ["AwsServer", "Fault", "World"]
