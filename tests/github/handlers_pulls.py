"""Pulls: to list, open, change, review and merge them."""

from __future__ import annotations

from datetime import datetime

from tests.github.answers import Answer, Refusal, custom, invalid, not_found
from tests.github.checks import check_fields, check_lengths, flag, list_of, matching, maybe, one_of, sha, text
from tests.github.models import Issue
from tests.github.routing import PAGES, Call, route

PULLS = "/repos/{owner}/{repo}/pulls"
PULL = PULLS + "/{number#}"
NEEDS = "pull_requests"
REVIEWERS = {"reviewers": list_of(text), "team_reviewers": list_of(text)}

PULLS_QUERY = {
    **PAGES,
    "state": one_of("open", "closed", "all"),
    # GitHub lists everything where the owner is left out; here that is refused.
    "head": matching("[^:]+:.+", "owner:branch"),
    "base": text,
    "sort": one_of("created", "updated", "popularity", "long-running"),
    "direction": one_of("asc", "desc"),
}


@route("GET", PULLS, NEEDS, query=PULLS_QUERY)
def list_pulls(call: Call) -> Answer:
    query, repository = call.query, call.repository
    found = repository.pulls(query.get("state", "open"))
    if "head" in query:
        found = [each for each in found if each.pull and f"{repository.owner.login}:{each.pull.head}" == query["head"]]
    if "base" in query:
        found = [each for each in found if each.pull and each.pull.base == query["base"]]
    sort = query.get("sort", "created")

    def key(issue: Issue) -> tuple[datetime | int, int]:
        if sort == "popularity":
            return len(repository.thread(issue.number)), issue.number
        return (issue.updated_at if sort == "updated" else issue.created_at), issue.number

    usual = "desc" if sort == "created" else "asc"
    found.sort(key=key, reverse=query.get("direction", usual) == "desc")
    return call.pages(found, lambda issue: call.hub.views.pull(repository, issue, is_whole=False))


@route("POST", PULLS, NEEDS)
def create_pull(call: Call) -> Answer:
    optional = {"title": text, "body": maybe(text), "draft": flag, "maintainer_can_modify": flag}
    given = check_fields("PullRequest", call.body, {"head": text, "base": text}, optional)
    if "title" not in given:
        raise invalid({"resource": "PullRequest", "code": "missing_field", "field": "title"})
    check_lengths("PullRequest", given)
    owner, colon, head = given["head"].rpartition(":")
    if colon and owner != call.repository.owner.login:
        raise invalid({"resource": "PullRequest", "field": "head", "code": "invalid"})
    issue = call.acts.open_pull(
        given["title"],
        given.get("body"),
        head,
        given["base"],
        draft=given.get("draft", False),
        modifiable=given.get("maintainer_can_modify", False),
    )
    return Answer(201, call.hub.views.pull(call.repository, issue))


@route("GET", PULL, NEEDS)
def get_pull(call: Call) -> Answer:
    return Answer(200, call.hub.views.pull(call.repository, call.pull()))


@route("PATCH", PULL, NEEDS)
def update_pull(call: Call) -> Answer:
    issue = call.pull()
    optional = {
        "title": text,
        "body": maybe(text),
        "state": one_of("open", "closed"),
        "base": text,
        "maintainer_can_modify": flag,
    }
    given = check_fields("PullRequest", call.body, {}, optional)
    check_lengths("PullRequest", given)
    if "base" in given:
        _check_base(call, issue, given["base"])
    if "state" in given:
        call.acts.set_state(issue, given["state"])
    call.acts.set_texts(issue, given.get("title", issue.title), given.get("body", issue.body))
    pull = issue.pull
    assert pull
    if given.get("base", pull.base) != pull.base:
        pull.base, issue.updated_at = given["base"], call.now
        pull.base_sha = call.repository.branch(pull.base) or pull.base_sha
    pull.maintainer_can_modify = given.get("maintainer_can_modify", pull.maintainer_can_modify)
    return Answer(200, call.hub.views.pull(call.repository, issue))


def _check_base(call: Call, issue: Issue, base: str) -> None:
    assert issue.pull
    if base == issue.pull.base:
        return
    if issue.state == "closed":
        raise custom("PullRequest", "base", "Cannot change the base branch of a closed pull request.")
    if call.repository.branch(base) is None:
        raise invalid({"resource": "PullRequest", "field": "base", "code": "invalid"})
    if any(each.pull and (each.pull.head, each.pull.base) == (issue.pull.head, base) for each in call.repository.pulls()):
        message = f"A pull request already exists for base branch '{base}' and head branch '{issue.pull.head}'"
        raise custom("PullRequest", "base", message)


@route("GET", PULL + "/commits", NEEDS, query=PAGES)
def list_pull_commits(call: Call) -> Answer:
    pull, store = call.pull().pull, call.repository.store
    assert pull
    found = store.between(pull.base_sha, pull.head_sha)[:250]
    return call.pages(found, lambda commit: call.hub.views.commit(call.repository, store.commits[commit]))


@route("GET", PULL + "/files", NEEDS, query=PAGES)
def list_pull_files(call: Call) -> Answer:
    pull = call.pull().pull
    assert pull
    found = call.hub.views.pull_files(call.repository, pull)[:3000]
    return call.pages(found, lambda change: call.hub.views.file_change(call.repository, pull.head_sha, change))


@route("GET", PULL + "/reviews", NEEDS, query=PAGES)
def list_reviews(call: Call) -> Answer:
    issue = call.pull()
    assert issue.pull
    return call.pages(issue.pull.reviews, lambda review: call.hub.views.review(call.repository, issue, review))


@route("GET", PULL + "/requested_reviewers", NEEDS, query=PAGES)
def list_requested_reviewers(call: Call) -> Answer:
    seen = call.hub.views.pull(call.repository, call.pull(), is_whole=False)
    return Answer(200, {"users": seen["requested_reviewers"], "teams": seen["requested_teams"]})


@route("POST", PULL + "/requested_reviewers", NEEDS)
def request_reviews(call: Call) -> Answer:
    issue, repository = call.pull(), call.repository
    given = check_fields("PullRequest", call.body, {}, REVIEWERS)
    logins, slugs = given.get("reviewers", []), given.get("team_reviewers", [])
    if issue.user.login in logins:
        raise Refusal(422, "Review cannot be requested from pull request author.")
    known = all(repository.allows(login, "read") and login in call.hub.users for login in logins)
    if not known or any(slug not in repository.teams for slug in slugs):
        raise Refusal(
            422,
            "Reviews may only be requested from collaborators. One or more of the users or teams you specified is not a "
            f"collaborator of the {repository.full_name} repository.",
        )
    pull = issue.pull
    assert pull
    users = [call.hub.users[login] for login in dict.fromkeys(logins)]
    teams = [repository.teams[slug] for slug in dict.fromkeys(slugs)]
    wanted = [each for each in users if each not in pull.requested_reviewers]
    wanted_teams = [each for each in teams if each not in pull.requested_teams]
    if wanted or wanted_teams:
        pull.requested_reviewers += wanted
        pull.requested_teams += wanted_teams
        issue.updated_at = call.now
    return Answer(201, call.hub.views.pull(repository, issue, is_whole=False))


@route("DELETE", PULL + "/requested_reviewers", NEEDS, takes_body=True)
def remove_requests(call: Call) -> Answer:
    issue = call.pull()
    given = check_fields("PullRequest", call.body, {"reviewers": REVIEWERS["reviewers"]}, REVIEWERS)
    pull = issue.pull
    assert pull
    pull.requested_reviewers = [each for each in pull.requested_reviewers if each.login not in given["reviewers"]]
    pull.requested_teams = [each for each in pull.requested_teams if each.slug not in given.get("team_reviewers", [])]
    issue.updated_at = call.now
    return Answer(200, call.hub.views.pull(call.repository, issue, is_whole=False))


@route("GET", PULL + "/merge", NEEDS)
def is_merged(call: Call) -> Answer:
    pull = call.pull().pull
    if pull is None or pull.merged_at is None:
        raise not_found()
    return Answer(204)


@route("PUT", PULL + "/merge", "contents")
def merge(call: Call) -> Answer:
    issue = call.pull()
    optional = {
        "sha": sha,
        "merge_method": one_of("merge", "squash", "rebase"),
        "commit_title": text,
        "commit_message": text,
    }
    given = check_fields("PullRequest", call.body, {}, optional)
    assert issue.pull
    if given.get("sha", issue.pull.head_sha) != issue.pull.head_sha:
        raise Refusal(409, "Head branch was modified. Review and try the merge again.")
    merged = call.acts.merge(issue, given.get("merge_method", "merge"), given.get("commit_title"), given.get("commit_message"))
    return Answer(200, {"sha": merged, "merged": True, "message": "Pull Request successfully merged"})
