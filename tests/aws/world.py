"""What a test puts into AWS and sees there without asking over the wire: it is not in the log, and no time passes."""

from __future__ import annotations

from tests.aws.history import History
from tests.aws.inside import IMAGE
from tests.aws.metrics import Metrics
from tests.aws.world_commitments import Commitments
from tests.aws.world_databases import Databases
from tests.aws.world_groups import Groups
from tests.aws.world_instances import Instances

__all__ = ["IMAGE", "World"]


class World(Instances, Groups, Databases, Commitments):
    """A region of an account, from within."""

    @property
    def history(self) -> History:
        """What AWS remembers of alarms, scaling activities and calls there."""
        return self._place.history

    @property
    def metrics(self) -> Metrics:
        """CloudWatch's metrics there."""
        return self.of(Metrics)

    def role(self, name: str = "nightshift", external_id: str | None = None) -> str:
        """A role of the account that the key may assume; its ARN."""
        arn = f"arn:aws:iam::{self.account}:role/{name}"
        with self._hub.lock:
            self._hub.sessions.roles[arn] = external_id
        return arn
