"""Every error that Nightshift raises on purpose.

    NightshiftError                  exit 1   something failed; the message says what to do
    ├── InputError                   exit 2   bad input or configuration: change it, then run again
    │   ├── SettingsError                     a setting, an environment variable or the settings file
    │   ├── ContractError                     a table or column of the decision engine's database
    │   ├── AccessDenied                      credentials or rights that were refused
    │   └── UnknownDay                        a day that cannot be worked on
    ├── SourceUnavailable            exit 1   a source could not be reached: try again later
    ├── EmptySource                  exit 1   a source answered, with nothing for the day
    ├── MissingPartition             exit 1   a lake table has no partition for the day
    ├── LakeError                    exit 1   a partition could not be written or has the wrong shape
    ├── GithubError                  exit 1   GitHub did not answer, or not as it should
    │   └── GithubLimit                       it asks to wait longer than a night may
    ├── CloudError                   exit 1   a cloud did not answer, or not as it should
    │   ├── CapacityShortage                  it has no capacity of a size now
    │   └── CloudRefused                      it will not do what was asked, and did not
    ├── SlackError                   exit 1   Slack did not answer, or not as it should
    ├── StateError                   exit 1   Nightshift's own tables are not what this version expects
    └── CheckFailed                  exit 1   a data check does not hold

A message is one sentence for the person who must act: what happened, to which thing, what to do.
No message holds a password, a token or the text of a row.
"""

from __future__ import annotations


class NightshiftError(Exception):
    """The base of all errors that are meant for a person. ``exit_code`` is the command line's."""

    exit_code = 1


class InputError(NightshiftError):
    """The request or the configuration is wrong; the same run would fail again."""

    exit_code = 2


class SettingsError(InputError):
    """A setting is missing, out of bounds or unknown."""


class ContractError(InputError):
    """The decision engine's database lacks a required table or column, or has another type there."""


class AccessDenied(InputError):
    """A source or a folder refused the credentials or rights that the run has."""


class UnknownDay(InputError):
    """The day is malformed, in the future, or outside of what can be worked on."""


class SourceUnavailable(NightshiftError):
    """A source did not answer in time, or dropped the connection."""


class EmptySource(NightshiftError):
    """A source is reachable and holds nothing for the day that was asked for."""


class MissingPartition(NightshiftError):
    """A lake table has no partition for a day that a later step needs."""

    def __init__(self, table: str, day: object) -> None:
        self.table = table
        self.day = day
        super().__init__(f"{table} has no partition for {day}; run 'nightshift nightly --day {day}' first.")


class LakeError(NightshiftError):
    """A partition could not be written, or what a statement returned is not what the table's contract says."""


class GithubError(NightshiftError):
    """GitHub did not answer in time, or refused what should be right. ``status`` is its answer's, where there was one."""

    def __init__(self, message: str, status: int | None = None) -> None:
        super().__init__(message)
        self.status = status


class GithubLimit(GithubError):
    """A limit of GitHub, or of the settings, was reached; what is left waits for the next night."""


class CloudError(NightshiftError):
    """A cloud did not answer in time, or not as it should; whether it did what was asked is not known."""


class CapacityShortage(CloudError):
    """A cloud has no capacity of the size that was asked for now."""


class CloudRefused(CloudError):
    """A cloud will not do what was asked, and did not."""


class SlackError(NightshiftError):
    """Slack did not answer in time, or refused what should be right. ``code`` is its own word for it, where it said one."""

    def __init__(self, message: str, code: str | None = None) -> None:
        super().__init__(message)
        self.code = code


class StateError(NightshiftError):
    """The schema ``nightshift`` is newer than this version, or one of its migrations was changed."""


class CheckFailed(NightshiftError):
    """A blocking data check found rows that violate it."""


def told(error: Exception, doing: str) -> str:
    """A failure as a sentence, where it must not keep the rest of a night from being done. What is no error of ours may hold
    anything, and is named only; ``doing`` says when it came."""
    if isinstance(error, NightshiftError):
        return str(error)
    return f"{type(error).__name__} while {doing}; run again with --debug and report it."
