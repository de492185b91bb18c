"""What may be said of a literal: statuses and reason codes, with a sentence for each."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

from dagster_project.iac.values import Span

_NAMED = 5
EDITABLE = "editable"
SHARED = "shared"
AMBIGUOUS = "ambiguous"
NOT_FOUND = "not_found"
REFUSED = "refused"


@dataclass(frozen=True, slots=True)
class ReasonCode:
    """A reason code: the status that it belongs to, and its sentence; ``{detail}`` is what it is about."""

    code: str
    status: str
    sentence: str


_ALL = (
    ReasonCode("literal", EDITABLE, "This literal alone sets the value, and it sets nothing else."),
    ReasonCode(
        "chosen_by_live_value",
        EDITABLE,
        "A condition or a key is not known from the code; of its alternatives this one alone is the live value.",
    ),
    ReasonCode("shared_literal", SHARED, "This literal sets the value of {detail} too."),
    ReasonCode("shared_by_roots", SHARED, "Other roots of the repository use this literal too: {detail}."),
    ReasonCode("shared_launch_template", SHARED, "Others are launched from the same template: {detail}."),
    ReasonCode("several_candidates", AMBIGUOUS, "Several literals hold the live value; which is used is not known: {detail}."),
    ReasonCode("unknown_alternative", AMBIGUOUS, "One literal holds the live value, but what is used may be another: {detail}."),
    ReasonCode("duplicate_id", AMBIGUOUS, "The state has several resources of this id: {detail}."),
    ReasonCode(
        "unlisted_var_file",
        AMBIGUOUS,
        "With {detail} the value would come from there; name the file that is used with --var-file.",
    ),
    ReasonCode("several_instance_types", AMBIGUOUS, "The group launches several instance types: {detail}."),
    ReasonCode("not_in_state", NOT_FOUND, "The state has no such resource."),
    ReasonCode("no_live_value", NOT_FOUND, "The state has no {detail} of this resource."),
    ReasonCode("address_not_in_code", NOT_FOUND, "The code has no {detail}."),
    ReasonCode("attribute_not_in_code", NOT_FOUND, "The code does not set {detail}."),
    ReasonCode("drift", NOT_FOUND, "{detail}; apply or revert first."),
    ReasonCode("encrypted", REFUSED, "It depends on an encrypted file: {detail}."),
    ReasonCode("generated", REFUSED, "A tool writes the file {detail}; change what it is made from."),
    ReasonCode("ignore_changes", REFUSED, "Changes of {detail} are ignored by the code; an edit would do nothing."),
    ReasonCode("composite_string", REFUSED, "The value is put together from several parts, none of which is it: {detail}."),
    ReasonCode("other_repository", REFUSED, "It lies in another repository: {detail}."),
    ReasonCode("remote_module", REFUSED, "It is set inside a module that is not in the repository: {detail}."),
    ReasonCode("outside_repository", REFUSED, "A link leads out of the repository: {detail}."),
    ReasonCode("changes_addresses", REFUSED, "The literal also decides which resources there are; an edit would replace some."),
    ReasonCode("fails_validation", REFUSED, "Terraform would refuse the new value: {detail}."),
    ReasonCode("changes_more", REFUSED, "The edit would change more than was announced: {detail}."),
    ReasonCode("spot_request", REFUSED, "A spot request cannot change its type in place; it would be replaced."),
    ReasonCode("unsupported_kind", REFUSED, "Resources of the type {detail} are not edited."),
    ReasonCode("unsupported_file", REFUSED, "{detail}."),
    ReasonCode("unknown_value", REFUSED, "The value is not known from the code: it depends on {detail}."),
    ReasonCode("unparseable", REFUSED, "The code cannot be read as Terraform would: {detail}."),
    ReasonCode("missing_module", REFUSED, "The code of a module is missing: {detail}."),
    ReasonCode("missing_file", REFUSED, "A file is missing: {detail}."),
    ReasonCode("cycle", REFUSED, "The code refers to itself: {detail}."),
    ReasonCode("pinned_launch_template", REFUSED, "It is pinned to version {detail} of its template; an edit would do nothing."),
    ReasonCode("launch_template_elsewhere", REFUSED, "What it is launched from is not in this state: {detail}."),
    ReasonCode("attribute_based_type", REFUSED, "Instance types are chosen by requirements, not by name."),
)
REASON_CODES: dict[str, ReasonCode] = {reason.code: reason for reason in _ALL}


@dataclass(frozen=True, slots=True)
class Location:
    """Where a value is set. ``start_byte`` to ``end_byte`` of ``file`` (relative to the repository) are the literal without
    its quotes; ``current`` is its text, ``value`` what that means. ``affects`` are all addresses of the root whose values
    change with it; ``other_roots`` those that it feeds in other roots, ``other_plans`` those that it feeds where this root is
    planned with another variable file, each after a colon. ``launched_by`` are the users of a launch template, among them
    ``resource_address``, what was asked for."""

    status: str
    reason_code: str
    detail: str
    resource: str
    attribute: str
    address: str | None = None
    resource_address: str | None = None
    file: str | None = None
    start_byte: int | None = None
    end_byte: int | None = None
    line: int | None = None
    current: str | None = None
    value: str | None = None
    affects: tuple[str, ...] = ()
    other_roots: tuple[str, ...] = ()
    other_plans: tuple[str, ...] = ()
    launched_by: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()

    @property
    def span(self) -> Span | None:
        """The literal's place; None where none was found."""
        if self.file is None or self.start_byte is None or self.end_byte is None:
            return None
        return Span(self.file, self.start_byte, self.end_byte)

    @property
    def sentence(self) -> str:
        """The reason as a sentence."""
        return REASON_CODES[self.reason_code].sentence.format(detail=self.detail)

    def to_json(self) -> dict[str, Any]:
        """What ``--json`` prints."""
        return {**asdict(self), "detail": self.sentence}


def few(names: Sequence[str]) -> str:
    """The first names of many, for a sentence."""
    more = len(names) - _NAMED
    return ", ".join(names) if more <= 0 else f"{', '.join(names[:_NAMED])} and {more} more"


class Refusal(Exception):
    """A verdict that ends the search. ``reason_code`` and ``detail`` as in ``Location``."""

    def __init__(self, reason_code: str, detail: str = "") -> None:
        super().__init__(reason_code, detail)
        self.reason_code = reason_code
        self.detail = detail
