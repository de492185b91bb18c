"""A strict GitHub for tests, which keeps state and answers over real HTTP.

with GitHubServer() as server:
    server.add_token("ghp_x", login="nightshift-bot")
    people = server.create_repository("acme/infra", {"main.tf": b"..."})
    people.add_collaborator("nightshift-bot", "write")
    github = Github(base_url=server.url, auth=Auth.Token("ghp_x"))
"""

from tests.github.faults import Fault
from tests.github.models import Seed
from tests.github.people import People
from tests.github.server import GitHubServer

__all__ = ["Fault", "GitHubServer", "People", "Seed"]
