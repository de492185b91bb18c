"""EC2 launch templates: versions inherit from their source, tokens are remembered, lists come in pages."""

from __future__ import annotations

from datetime import datetime

from tests.aws.backend import Backend
from tests.aws.overlay import LONG_AGO
from tests.aws.routing import Call, handles
from tests.aws.wire import Json, Refusal

_LONGEST_TOKEN = 128
_ALL = 10_000


class Templates:
    """What moto does not know of its templates."""

    def __init__(self, backend: Backend) -> None:
        self._backend = backend
        self.by_token: dict[str, tuple[Json, Json]] = {}
        self.made_at: dict[tuple[str, int], datetime] = {}
        """When versions were made; others were long ago."""

    def version(self, template_id: str, name: str) -> Json:
        """A version. Raises ``Refusal``."""
        found = self._backend.call("ec2", "DescribeLaunchTemplateVersions", LaunchTemplateId=template_id, Versions=[name])
        return self._dated(found["LaunchTemplateVersions"][0])

    def newest_first(self, template_id: str) -> list[Json]:
        found = self._backend.call("ec2", "DescribeLaunchTemplateVersions", LaunchTemplateId=template_id, MaxResults=_ALL)
        return sorted(map(self._dated, found["LaunchTemplateVersions"]), key=lambda each: -each["VersionNumber"])

    def _dated(self, version: Json) -> Json:
        """moto makes all of them now."""
        made_at = self.made_at.get((version["LaunchTemplateId"], version["VersionNumber"]), LONG_AGO)
        return {**version, "CreateTime": made_at}


@handles("ec2", "DescribeLaunchTemplateVersions")
def describe(call: Call) -> Json:
    call.takes("LaunchTemplateId", "Versions", "MaxResults", "NextToken")
    if "LaunchTemplateId" not in call.parameters:
        return {"LaunchTemplateVersions": _of_all(call)}
    templates, template_id = call.place.templates, call.parameters["LaunchTemplateId"]
    if names := call.parameters.get("Versions"):
        return {"LaunchTemplateVersions": [templates.version(template_id, each) for each in names]}
    limit = call.parameters.get("MaxResults", 200)
    if not 1 <= limit <= 200:
        raise Refusal(400, "InvalidParameterValue", f"Value ( {limit} ) for parameter maxResults is invalid.")
    size = min(limit, call.hub.dials.templates_per_page)
    found = templates.newest_first(template_id)
    begin = int(call.parameters.get("NextToken", "0"))
    following = {"NextToken": str(begin + size)} if begin + size < len(found) else {}
    return {"LaunchTemplateVersions": found[begin : begin + size], **following}


def _of_all(call: Call) -> list[Json]:
    """The default or newest version of each template, a page of them: only these two can be asked for without one."""
    names = call.parameters.get("Versions", [])
    if not names or not {*names} <= {"$Default", "$Latest"}:
        raise Refusal(400, "MissingParameter", "The request must contain the parameter LaunchTemplateId or LaunchTemplateName")
    described = call.place.backend.call("ec2", "DescribeLaunchTemplates")["LaunchTemplates"][: call.parameters["MaxResults"]]
    return [call.place.templates.version(each["LaunchTemplateId"], name) for each in described for name in names]


@handles("ec2", "CreateLaunchTemplateVersion")
def create(call: Call) -> Json:
    call.takes("LaunchTemplateId", "SourceVersion", "VersionDescription", "LaunchTemplateData", "ClientToken")
    asked = dict(call.parameters)
    token = asked.pop("ClientToken", None)
    if token is not None:
        if len(token) > _LONGEST_TOKEN or not token.isascii():
            raise Refusal(400, "InvalidParameterValue", "The client token is longer than 128 ASCII characters.")
        if token in call.place.templates.by_token:
            before, result = call.place.templates.by_token[token]
            if before != asked:
                raise Refusal(400, "IdempotentParameterMismatch", f"The client token {token} was used with other parameters.")
            return result
    data = asked["LaunchTemplateData"]
    if source := asked.pop("SourceVersion", None):
        data = {**call.place.templates.version(asked["LaunchTemplateId"], source)["LaunchTemplateData"], **data}
    made = call.place.backend.call("ec2", "CreateLaunchTemplateVersion", **{**asked, "LaunchTemplateData": data})
    result = {"LaunchTemplateVersion": made["LaunchTemplateVersion"]}
    if token is not None:
        call.place.templates.by_token[token] = (
            {key: value for key, value in call.parameters.items() if key != "ClientToken"},
            result,
        )
    call.is_change = True
    return result
