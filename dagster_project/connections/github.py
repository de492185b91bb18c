"""One request to GitHub: signed in, timed, paced, retried as far as that is safe, and its failure told in one sentence.

PyGithub signs in (with tokens of an App renewed), sends, and tells limits from refusals. Its own retries are off: it repeats a
POST after a 502 that had worked, and sleeps for as long as a limit says. Requests are given as verb and path rather than through
its objects, which ask on their own when an attribute is missing: every call counts towards a limit and may be the one at which a
run is cut off, so every call is written out.
"""

from __future__ import annotations

import json
from collections import deque
from collections.abc import Callable, Iterator, Mapping
from datetime import datetime
from pathlib import Path
from typing import Any, TypeVar

from github import Auth, Github, GithubException, GithubIntegration, RateLimitExceededException
from github.Requester import Requester

from dagster_project import __version__, clock
from dagster_project.clock import Clock
from dagster_project.errors import AccessDenied, GithubError, GithubLimit, SettingsError
from dagster_project.settings import GithubSettings

PAGE = 100
_MINUTE = 60.0
_PAUSE_SECONDS = 60.0
"""How long to wait where GitHub asks to wait and does not say how long: its own advice."""
_BACKOFF_SECONDS = 2.0
_LONGEST_WAITS = 3
"""Waits that limits may ask for in one run."""
_T = TypeVar("_T")
Json = Any


class Pace:
    """How fast an account writes, over all of its repositories: GitHub counts by account."""

    def __init__(self, at: Clock = clock) -> None:
        self.at = at
        self.writes = 0
        self.waits = 0
        self._written_at: deque[float] = deque()

    def wait_for_a_write(self, settings: GithubSettings) -> None:
        """Waits until another write may be sent, and counts it. Raises ``GithubLimit`` where those of a night are spent."""
        if self.writes >= settings.max_writes_per_night:
            raise GithubLimit(f"The {self.writes} writes of a night are spent; what is left waits for the next night.")
        now = self.at.monotonic()
        if self._written_at:
            now = self._sleep_until(self._written_at[-1] + settings.seconds_between_writes, now)
        while self._written_at and self._written_at[0] <= now - _MINUTE:
            self._written_at.popleft()
        if len(self._written_at) >= settings.max_writes_per_minute:
            now = self._sleep_until(self._written_at[0] + _MINUTE, now)
            self._written_at.popleft()
        self._written_at.append(now)
        self.writes += 1

    def _sleep_until(self, moment: float, now: float) -> float:
        if moment <= now:
            return now
        self.at.sleep(moment - now)
        return self.at.monotonic()


class Connection:
    """Requests for one repository. ``is_app``: signed in as an App, of which GitHub tells no rights of a person."""

    def __init__(self, settings: GithubSettings, repository: str, pace: Pace) -> None:
        """Signs in. Raises ``AccessDenied`` where that is refused, ``GithubError`` where GitHub does not answer."""
        self.repository = repository
        self.is_app = settings.token is None
        self._settings = settings
        self._pace = pace
        self._at = pace.at
        self._requester: Requester
        self.login: str
        self._sign_in()

    def _sign_in(self) -> None:
        options: dict[str, Any] = {
            "base_url": self._settings.base_url.rstrip("/"),
            "timeout": self._settings.timeout_seconds,
            "user_agent": f"nightshift/{__version__}",
            "retry": 0,
            "seconds_between_requests": None,
            "seconds_between_writes": None,
        }
        if self._settings.token is not None:
            self._requester = Github(auth=Auth.Token(self._settings.token.get_secret_value()), **options).requester
            self.login = self.get("/user")["login"]
            return
        app = Auth.AppAuth(self._settings.app_id or 0, _key_of(self._settings))
        integration = GithubIntegration(auth=app, **options)
        self._requester = integration.requester
        self.login = f"{self.get('/app')['slug']}[bot]"
        installation = self.get(f"/repos/{self.repository}/installation")["id"]
        self._requester = Github(auth=app.get_installation_auth(installation), **options).requester

    def now(self) -> datetime:
        """The present moment."""
        return self._at.now()

    def get(self, path: str, **parameters: Any) -> Json:
        """What a path holds. Retried: reading twice changes nothing."""
        return self._repeated(lambda: self._send("GET", path, parameters, None))

    def find(self, path: str, **parameters: Any) -> Json | None:
        """As ``get``; None where there is nothing."""
        try:
            return self.get(path, **parameters)
        except GithubError as error:
            if error.status in (404, 410):  # never there, or deleted
                return None
            raise

    def pages(self, path: str, **parameters: Any) -> Iterator[Json]:
        """Entries of a list, page by page, as far as the caller reads."""
        number = 1
        while True:
            entries = self.get(path, **parameters, per_page=PAGE, page=number)
            if not isinstance(entries, list):
                raise GithubError(f"What answered {path} is not GitHub's API; correct github.base_url.")
            yield from entries
            if len(entries) < PAGE:
                return
            number += 1

    def location_of(self, path: str) -> str:
        """Where a path redirects to. Such an address may hold a token; it is for following only."""
        return self._repeated(lambda: self._redirection(path))

    def write(
        self, verb: str, path: str, body: Mapping[str, Any] | None, made: Callable[[], _T | None] | None = None
    ) -> Json | _T:
        """Changes something. After a failure ``made`` looks for what was meant, which may be there all the same: then that is the
        result, and only otherwise the request is sent again. Without ``made`` it must be harmless to send it twice."""
        return self._changed(lambda: self._send(verb, path, None, body), made)

    def mutate(self, name: str, fields: Mapping[str, Any], made: Callable[[], _T | None]) -> Json | _T:
        """A mutation of the GraphQL API. Its errors have no code that says why, so ``made`` is asked after every failure."""
        return self._changed(lambda: self._mutation(name, fields), made)

    # One request.

    def _send(self, verb: str, path: str, parameters: Mapping[str, Any] | None, body: Mapping[str, Any] | None) -> Json:
        with_parameters = {name: value for name, value in (parameters or {}).items() if value is not None}
        try:
            status, headers, output = self._requester.requestJson(verb, path, parameters=with_parameters, input=body)
        except GithubException as error:  # of an App's token
            raise self._told(error, verb, path) from None
        except RuntimeError:  # of PyGithub: a redirection to another host
            raise GithubError(f"GitHub sends {path} elsewhere; correct github.base_url or the repository's name.") from None
        except OSError:  # of requests: a timeout, a dropped connection, a name that does not resolve
            raise _NoAnswer(f"GitHub did not answer ({verb} {path}); see whether {self._host} can be reached.") from None
        if status >= 400:
            raise self._told(Requester.createException(status, headers, _document(output)), verb, path)
        if status >= 300:
            raise GithubError(f"{self.repository} was moved or renamed; correct its name in the settings.", status)
        return _content(output, path)

    def _redirection(self, path: str) -> str:
        try:
            status, headers, output = self._requester.requestJson("GET", path)
        except OSError:
            raise _NoAnswer(f"GitHub did not answer (GET {path}); see whether {self._host} can be reached.") from None
        if status in (301, 302) and headers.get("location"):
            return str(headers["location"])
        if status < 400:
            raise GithubError(f"GitHub answered {path} without an address; see whether {self._host} is GitHub's API.")
        raise self._told(Requester.createException(status, headers, _document(output)), "GET", path)

    def _mutation(self, name: str, fields: Mapping[str, Any]) -> Json:
        try:
            _, answer = self._requester.graphql_named_mutation(name, dict(fields), "clientMutationId")
            return answer
        except GithubException as error:
            if error.status == 400:
                raise _Unexplained(f"GitHub refused {name} of {self.repository}: {_words(error)[:200]}") from None
            raise self._told(error, "POST", name) from None
        except OSError:
            raise _NoAnswer(f"GitHub did not answer ({name}); see whether {self._host} can be reached.") from None

    @property
    def _host(self) -> str:
        return self._requester.hostname_and_port

    # Failures.

    def _told(self, error: GithubException, verb: str, path: str) -> GithubError | AccessDenied:
        """The failure as one of ours. GitHub's own words are kept short, and never its headers."""
        status, words = error.status, _words(error)
        if isinstance(error, RateLimitExceededException) or status == 429:
            return _Limited(self._seconds_to_wait(error), status)
        if status == 422 and "submitted too quickly" in words:
            return _Limited(_PAUSE_SECONDS, status)
        if status >= 500:
            return _NoAnswer(f"GitHub failed with {status} ({verb} {path}); it is tried again by the next night.", status)
        if status == 401:
            return _SignedOut(
                f"GitHub refused to sign in for {self.repository}; give a token that is valid, or the key of the App."
            )
        if status == 403:
            return AccessDenied(
                f"GitHub does not allow {verb} {path}; the account needs to write contents, issues and pull requests there."
            )
        return GithubError(f"GitHub refused {verb} {path} with {status}: {words[:200]}", status)

    def _seconds_to_wait(self, error: GithubException) -> float:
        headers = error.headers or {}
        if headers.get("retry-after", "").isdigit():
            return float(headers["retry-after"])
        if headers.get("x-ratelimit-remaining") == "0" and headers.get("x-ratelimit-reset", "").isdigit():
            return max(1.0, float(headers["x-ratelimit-reset"]) - self._at.now().timestamp())
        return _PAUSE_SECONDS

    def _repeated(self, once: Callable[[], _T]) -> _T:
        """Does what may be done twice, until it works or there is no use."""
        attempt = 1
        is_renewed = False
        while True:
            try:
                return once()
            except _Limited as limit:
                self._wait(limit)
            except _NoAnswer:
                if attempt >= self._settings.attempts:
                    raise
                self._at.sleep(_BACKOFF_SECONDS * 2 ** (attempt - 1))
                attempt += 1
            except _SignedOut:
                is_renewed = self._renewed(is_renewed)

    def _changed(self, once: Callable[[], Json], made: Callable[[], _T | None] | None) -> Json | _T:
        attempt = 1
        is_renewed = False
        while True:
            self._pace.wait_for_a_write(self._settings)
            try:
                return once()
            except _Limited as limit:
                self._wait(limit)
                continue
            except _SignedOut:
                is_renewed = self._renewed(is_renewed)
                continue
            except GithubError as error:
                failure = error
            # Whatever was said: it may be there.
            found = made() if made else None
            if found is not None:
                return found
            if not isinstance(failure, _NoAnswer | _Unexplained) or attempt >= self._settings.attempts:
                raise failure
            self._at.sleep(_BACKOFF_SECONDS * 2 ** (attempt - 1))
            attempt += 1

    def _renewed(self, is_renewed: bool) -> bool:
        """Called while a refusal is handled: signs in once more where a token of an App may have been revoked early."""
        if is_renewed or self._settings.token is not None or not hasattr(self, "login"):
            raise
        self._sign_in()
        return True

    def _wait(self, limit: _Limited) -> None:
        self._pace.waits += 1
        if limit.seconds > self._settings.longest_wait_seconds or self._pace.waits > _LONGEST_WAITS:
            raise GithubLimit(
                f"GitHub asks to wait {limit.seconds:.0f} s for {self.repository}; what is left waits for the next night.",
                limit.status,
            ) from None
        self._at.sleep(limit.seconds)


class _NoAnswer(GithubError):
    """No answer, or one that says that the server failed: the request may have worked."""


class _Unexplained(GithubError):
    """A mutation failed, and GitHub does not say why."""


class _SignedOut(AccessDenied):
    """The token is not, or not any more, valid."""


class _Limited(GithubError):
    """GitHub asks to wait."""

    def __init__(self, seconds: float, status: int) -> None:
        super().__init__(f"GitHub asks to wait {seconds:.0f} s.", status)
        self.seconds = seconds


def _key_of(settings: GithubSettings) -> str:
    if settings.app_key is not None:
        return settings.app_key.get_secret_value()
    path = settings.app_key_file or Path()
    try:
        return path.expanduser().read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError):
        raise SettingsError(f"The key of the GitHub App cannot be read from {path}; correct github.app_key_file.") from None


def _words(error: GithubException) -> str:
    """What GitHub says of a refusal: its message, and those of its details."""
    data = error.data if isinstance(error.data, dict) else {}
    details = data.get("errors")
    told = [
        str(each.get("message") or each.get("code") or "") if isinstance(each, dict) else str(each)
        for each in (details if isinstance(details, list) else [])
    ]
    return " ".join(filter(None, [str(data.get("message") or ""), *told])) or "no reason given"


def _content(text: str, path: str) -> Json:
    """What an answer holds; None where it is empty."""
    if not text:
        return None
    try:
        return json.loads(text)
    except ValueError:
        raise GithubError(f"What answered {path} is not GitHub's API; correct github.base_url.") from None


def _document(text: str) -> dict[str, Any]:
    try:
        found = json.loads(text)
    except ValueError:
        return {}
    return found if isinstance(found, dict) else {}
