"""JSON of people and of what they say, with the keys that GitHub writes."""

from __future__ import annotations

import hashlib
from datetime import UTC, datetime
from typing import Any

from tests.github.models import App, Comment, Event, Issue, Label, Milestone, Reaction, Repository, Review, Team, User

Json = dict[str, Any]
REACTIONS = ("+1", "-1", "laugh", "hooray", "confused", "heart", "rocket", "eyes")


def moment(at: datetime | None) -> str | None:
    return at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ") if at else None


def node(kind: str, number: int | str) -> str:
    return f"{kind}_kwDO{number}" if isinstance(number, str) else f"{kind}_kwDO{number:08d}"


class Views:
    """Renders for a server at two addresses: ``api`` of its REST API, ``web`` of its pages."""

    def __init__(self, api: str, web: str) -> None:
        self.api, self.web = api, web
        self.knows_state_reason = True

    def repository_url(self, repository: Repository) -> str:
        return f"{self.api}/repos/{repository.full_name}"

    def page_url(self, repository: Repository) -> str:
        return f"{self.web}/{repository.full_name}"

    def user(self, user: User | None) -> Json | None:
        if user is None:
            return None
        url = f"{self.api}/users/{user.login}"
        name = user.login.removesuffix("[bot]")
        return {
            "login": user.login,
            "id": user.id,
            "node_id": node("BOT" if user.type == "Bot" else "U", user.id),
            "avatar_url": f"{self.web}/avatars/u/{user.id}?v=4",
            "gravatar_id": "",
            "url": url,
            "html_url": f"{self.web}/apps/{name}" if user.type == "Bot" else f"{self.web}/{name}",
            "repos_url": f"{url}/repos",
            "type": user.type,
            "user_view_type": "public",
            "site_admin": False,
        }

    def team(self, team: Team, owner: str) -> Json:
        return {
            "id": team.id,
            "node_id": node("T", team.id),
            "name": team.slug,
            "slug": team.slug,
            "description": "",
            "privacy": "closed",
            "permission": "push",
            "url": f"{self.api}/organizations/{owner}/team/{team.id}",
            "html_url": f"{self.web}/orgs/{owner}/teams/{team.slug}",
            "parent": None,
        }

    def app(self, app: App) -> Json:
        return {
            "id": app.app_id,
            "client_id": app.client_id,
            "slug": app.slug,
            "node_id": node("A", app.app_id),
            "name": app.slug.title(),
            "description": "",
            "external_url": f"{self.web}/{app.slug}",
            "html_url": f"{self.web}/apps/{app.slug}",
            "created_at": "2024-01-01T00:00:00Z",
            "updated_at": "2024-01-01T00:00:00Z",
            "permissions": app.permissions,
            "events": [],
            "installations_count": 1,
        }

    def installation(self, app: App, owner: User) -> Json:
        url = f"{self.api}/app/installations/{app.installation_id}"
        return {
            "id": app.installation_id,
            "account": self.user(owner),
            "repository_selection": "all" if app.repositories is None else "selected",
            "access_tokens_url": f"{url}/access_tokens",
            "repositories_url": f"{self.api}/installation/repositories",
            "html_url": f"{self.web}/organizations/{owner.login}/settings/installations/{app.installation_id}",
            "app_id": app.app_id,
            "app_slug": app.slug,
            "target_id": owner.id,
            "target_type": owner.type,
            "permissions": app.permissions,
            "events": [],
            "created_at": "2024-01-01T00:00:00.000Z",
            "updated_at": "2024-01-01T00:00:00.000Z",
            "single_file_name": None,
            "suspended_by": None,
            "suspended_at": None,
        }

    def repository(self, repository: Repository, role: str | None = None) -> Json:
        url, page = self.repository_url(repository), self.page_url(repository)
        seen = {
            "id": repository.id,
            "node_id": repository.node_id,
            "name": repository.name,
            "full_name": repository.full_name,
            "private": True,
            "owner": self.user(repository.owner),
            "html_url": page,
            "description": None,
            "fork": False,
            "url": url,
            "archive_url": url + "/{archive_format}{/ref}",
            "clone_url": f"{page}.git",
            "created_at": moment(repository.created_at),
            "updated_at": moment(repository.created_at),
            "pushed_at": moment(repository.created_at),
            "default_branch": repository.default_branch,
            "visibility": "private",
            "archived": repository.is_archived,
            "disabled": False,
            "has_issues": repository.has_issues,
            "open_issues_count": repository.open_issues,
        }
        if role is not None:
            ranks = {"pull": "read", "triage": "triage", "push": "write", "maintain": "maintain", "admin": "admin"}
            order = ("read", "triage", "write", "maintain", "admin")
            seen |= {
                "permissions": {name: order.index(role) >= order.index(rank) for name, rank in ranks.items()},
                "allow_merge_commit": True,
                "allow_squash_merge": True,
                "allow_rebase_merge": False,
                "delete_branch_on_merge": repository.deletes_merged_branches,
            }
        else:
            # Of an App, which is no person, GitHub tells that it may do nothing.
            seen["permissions"] = dict.fromkeys(("admin", "maintain", "push", "triage", "pull"), False)
        return seen

    def label(self, repository: Repository, label: Label) -> Json:
        return {
            "id": label.id,
            "node_id": node("LA", label.id),
            "url": f"{self.repository_url(repository)}/labels/{label.name}",
            "name": label.name,
            "color": label.color,
            "default": False,
            "description": label.description,
        }

    def association(self, repository: Repository, user: User) -> str:
        if user == repository.owner:
            return "OWNER"
        return "COLLABORATOR" if user.login in repository.collaborators else "NONE"

    def said(self, repository: Repository, thing: Issue | Comment, url: str) -> Json:
        """What issues and comments have in common."""
        counts = {each: sum(reaction.content == each for reaction in thing.reactions) for each in REACTIONS}
        return {
            "url": url,
            "id": thing.id,
            "user": self.user(thing.user),
            "body": thing.body,
            "created_at": moment(thing.created_at),
            "updated_at": moment(thing.updated_at),
            "author_association": self.association(repository, thing.user),
            "performed_via_github_app": self.app(thing.app) if thing.app else None,
            "reactions": {"url": f"{url}/reactions", "total_count": len(thing.reactions), **counts},
        }

    def issue(self, repository: Repository, issue: Issue, *, is_whole: bool = True) -> Json:
        """An issue; one of a list (not ``is_whole``) does not say who closed it."""
        root, kind = self.repository_url(repository), "pull" if issue.pull else "issues"
        url, page = f"{root}/issues/{issue.number}", f"{self.page_url(repository)}/{kind}/{issue.number}"
        assignees = [self.user(each) for each in issue.assignees]
        seen = {
            **self.said(repository, issue, url),
            "repository_url": root,
            "labels_url": url + "/labels{/name}",
            "comments_url": f"{url}/comments",
            "events_url": f"{url}/events",
            "html_url": page,
            "node_id": node("PR" if issue.pull else "I", issue.id),
            "number": issue.number,
            "title": issue.title,
            "labels": [self.label(repository, each) for each in issue.labels],
            "state": issue.state,
            **({"state_reason": issue.state_reason} if self.knows_state_reason else {}),
            "locked": issue.is_locked,
            "active_lock_reason": issue.lock_reason,
            "assignee": assignees[0] if assignees else None,
            "assignees": assignees,
            "milestone": self.milestone(repository, issue.milestone) if issue.milestone else None,
            "comments": len(repository.thread(issue.number)),
            "closed_at": moment(issue.closed_at),
            "timeline_url": f"{url}/timeline",
        }
        if issue.pull:
            seen["draft"] = issue.pull.draft
            seen["pull_request"] = {
                "url": f"{root}/pulls/{issue.number}",
                "html_url": page,
                "diff_url": f"{page}.diff",
                "patch_url": f"{page}.patch",
                "merged_at": moment(issue.pull.merged_at),
            }
        if is_whole:
            seen["closed_by"] = self.user(issue.closed_by)
        return seen

    def milestone(self, repository: Repository, milestone: Milestone) -> Json:
        url = f"{self.repository_url(repository)}/milestones/{milestone.number}"
        counts = repository.count(milestone)
        return {
            "url": url,
            "html_url": f"{self.page_url(repository)}/milestone/{milestone.number}",
            "labels_url": f"{url}/labels",
            "id": milestone.id,
            "node_id": node("MI", milestone.id),
            "number": milestone.number,
            "title": milestone.title,
            "description": milestone.description,
            "creator": self.user(milestone.creator),
            "open_issues": counts["open"],
            "closed_issues": counts["closed"],
            "state": milestone.state,
            "created_at": moment(milestone.created_at),
            "updated_at": moment(milestone.updated_at),
            "due_on": moment(milestone.due_on),
            "closed_at": moment(milestone.closed_at),
        }

    def event(self, repository: Repository, event: Event) -> Json:
        """What happened to an issue. Of an assignment GitHub says the assignee where elsewhere it says who acted."""
        root = self.repository_url(repository)
        seen = {
            "id": event.id,
            "node_id": node("EV", event.id),
            "url": f"{root}/issues/events/{event.id}",
            "actor": self.user(event.assignee or event.actor),
            "event": event.event,
            "commit_id": event.commit_sha,
            "commit_url": f"{root}/commits/{event.commit_sha}" if event.commit_sha else None,
            "created_at": moment(event.created_at),
            "performed_via_github_app": self.app(event.app) if event.app else None,
        }
        if event.label:
            seen["label"] = {"name": event.label[0], "color": event.label[1]}
        if event.assignee:
            seen |= {"assignee": self.user(event.assignee), "assigner": self.user(event.actor)}
        if event.milestone is not None:
            seen["milestone"] = {"title": event.milestone}
        if event.rename:
            seen["rename"] = {"from": event.rename[0], "to": event.rename[1]}
        if event.event in ("closed", "reopened") and self.knows_state_reason:
            seen["state_reason"] = event.reason
        if event.event in ("locked", "unlocked"):
            seen["lock_reason"] = event.reason
        return seen

    def comment(self, repository: Repository, comment: Comment) -> Json:
        root = self.repository_url(repository)
        issue = repository.issues[comment.number]
        page = f"{self.page_url(repository)}/{'pull' if issue.pull else 'issues'}/{issue.number}"
        return {
            **self.said(repository, comment, f"{root}/issues/comments/{comment.id}"),
            "html_url": f"{page}#issuecomment-{comment.id}",
            "issue_url": f"{root}/issues/{comment.number}",
            "node_id": node("IC", comment.id),
        }

    def reaction(self, reaction: Reaction) -> Json:
        return {
            "id": reaction.id,
            "node_id": node("REA", reaction.id),
            "user": self.user(reaction.user),
            "content": reaction.content,
            "created_at": moment(reaction.created_at),
        }

    def review(self, repository: Repository, issue: Issue, review: Review) -> Json:
        page = f"{self.page_url(repository)}/pull/{issue.number}"
        return {
            "id": review.id,
            "node_id": node("PRR", review.id),
            "user": self.user(review.user),
            "body": review.body,
            "state": review.state,
            "html_url": f"{page}#pullrequestreview-{review.id}",
            "pull_request_url": f"{self.repository_url(repository)}/pulls/{issue.number}",
            "author_association": self.association(repository, review.user),
            "submitted_at": moment(review.submitted_at),
            "commit_id": review.commit_sha,
        }


def etag(body: bytes) -> str:
    return f'W/"{hashlib.sha256(body).hexdigest()}"'
