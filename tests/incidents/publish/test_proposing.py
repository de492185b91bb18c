"""A postmortem is a pull request that is opened once, kept up to date, and never stands in people's way."""

from __future__ import annotations

from datetime import timedelta

import pytest

from dagster_project.domain.incidents.merging import merge
from dagster_project.pipeline.postmortem_pulls import Proposed
from dagster_project.reporting.markdown import escape_markdown
from dagster_project.settings import RepositorySettings, RootSettings
from tests.conftest import query
from tests.github.faults import Fault
from tests.incidents.publish.conftest import DAY, INCIDENT, REPOSITORY, World, document

AT = "\N{FULLWIDTH COMMERCIAL AT}"


class TestOpening:
    def test_a_document_is_proposed_once_exactly_as_it_was_generated(self, world: World) -> None:
        found = world.proposed(document())
        issue = world.people.issue(1)
        assert found == Proposed("open", "It is new.", 1, world.url(1))
        assert issue.title == f"Postmortem: {INCIDENT} Payments failed"
        assert (issue.pull.base, issue.pull.head) == ("main", world.branch)
        assert world.file(world.branch) == merge(document(), None).text
        assert world.file(world.branch).startswith(document())
        assert world.people.files(world.branch).keys() == {"README.md", world.path}
        assert world.people.commits(world.branch)[1].sha == world.people.head("main")

    def test_the_folder_is_that_of_the_settings(self, world: World) -> None:
        world.incidents["folder"] = "docs/incidents"
        world.proposed(document())
        assert f"docs/incidents/{INCIDENT}.md" in world.people.files(world.branch)

    def test_the_body_links_the_document_and_is_marked_as_ours(self, world: World) -> None:
        world.proposed(document())
        body = world.people.issue(1).body
        address = f"{world.server.url.removesuffix('/api/v3')}/{REPOSITORY}/blob/{world.branch}/{world.path}"
        assert f"the postmortem of `{INCIDENT}`: [`{world.path}`]({address})" in body
        assert body.startswith("<!-- nightshift:begin proposal ")
        assert "Brought up to date" not in body

    def test_what_a_heading_says_mentions_nobody_closes_nothing_and_skips_no_checks(self, world: World) -> None:
        heading = str(escape_markdown("Fixes #12 for @alice [skip ci] <b> a_b"))
        world.proposed(document(title=heading))
        title = world.people.issue(1).title
        assert title == f"Postmortem: {INCIDENT} Fixes \N{FULLWIDTH NUMBER SIGN}12 for {AT}alice (skip ci) <b> a_b"
        assert world.people.commits(world.branch)[0].message.splitlines()[0] == title

    def test_an_odd_incident_id_leads_nowhere_else(self, world: World) -> None:
        (found,) = world.night(document(incident_id="../../x y")).values()
        assert found.state == "open"
        (path,) = world.people.files("main").keys() ^ world.people.files(world.people.issue(1).pull.head).keys()
        assert path == "postmortems/x-y-e76b0dff.md"

    def test_a_night_opens_so_many_and_the_rest_wait_for_the_next(self, world: World) -> None:
        world.proposals["max_new_per_night"] = 2
        documents = [document(incident_id=f"INC-{number}") for number in range(5)]
        assert [each.state for each in world.night(*documents).values()] == ["open", "open", "waiting", "waiting", "waiting"]
        assert [each.state for each in world.night(*documents).values()] == ["open", "open", "open", "open", "waiting"]
        assert world.pulls() == [1, 2, 3, 4]

    def test_run_again_a_night_opens_no_more(self, world: World) -> None:
        world.proposals["max_new_per_night"] = 1
        documents = [document(incident_id=f"INC-{number}") for number in range(2)]
        world.night(*documents)
        world.day = DAY
        assert [each.state for each in world.night(*documents).values()] == ["open", "waiting"]


class TestKeepingUpToDate:
    def test_a_night_without_news_writes_nothing(self, world: World) -> None:
        world.proposed(document())
        before = world.writes()
        assert world.proposed(document()) == Proposed("open", "Nothing is new.", 1, world.url(1))
        assert world.writes() == before

    def test_news_is_one_more_commit(self, world: World) -> None:
        world.proposed(document())
        first = world.people.head(world.branch)
        assert world.proposed(document("10:00 it began, 11:00 it ended")).detail == "It was brought up to date."
        assert "11:00 it ended" in world.file(world.branch)
        (commit, *_) = world.people.commits(world.branch)
        assert commit.parents == (first,)
        assert commit.message.splitlines()[2] == "Sections: timeline"
        assert world.pulls() == [1]

    def test_what_somebody_pushed_to_the_branch_survives_and_is_built_upon(self, world: World) -> None:
        world.proposed(document())
        theirs = world.edit(world.branch, "_What do we know now?_", "Alarms need owners.")
        world.people.push("ana", world.branch, {"chart.svg": b"<svg/>"})
        world.proposed(document("10:00 it began, 11:00 it ended"))
        text = world.file(world.branch)
        assert "Alarms need owners." in text
        assert "11:00 it ended" in text
        assert world.people.file(world.branch, "chart.svg") == b"<svg/>"
        assert theirs in [each.sha for each in world.people.commits(world.branch)]

    def test_a_section_that_somebody_rewrote_is_left_and_said_so(self, world: World) -> None:
        world.proposed(document())
        world.edit(world.branch, "10:00 it began", "09:40 it began, see the chat")
        world.proposed(document("10:01 it began", impact="## Impact\n\nNone."))
        text = world.file(world.branch)
        assert "09:40 it began, see the chat" in text
        assert "10:01" not in text
        assert "## Impact" in text
        assert "Left as somebody wrote them:\n\n- [Timeline](" in world.people.issue(1).body

    def test_a_commit_in_the_moment_of_ours_is_not_written_over(self, world: World) -> None:
        world.proposed(document())
        world.server.faults.add(Fault("POST", "/graphql", "moved", callback=lambda: world.edit(world.branch, "10:00", "09:00")))
        found = world.proposed(document("10:00 it began, 11:00 it ended"))
        assert (found.state, found.number) == ("failed", 1)
        assert found.detail == f"The branch {world.branch} of {REPOSITORY} was moved by somebody else; it is left alone."
        assert "09:00 it began" in world.file(world.branch)
        assert world.proposed(document("10:00 it began, 11:00 it ended")).state == "open"
        assert "09:00 it began" in world.file(world.branch)

    def test_words_that_people_put_into_the_pull_request_stay(self, world: World) -> None:
        world.proposed(document())
        world.people.edit_title("ana", 1, "Postmortem: the payments outage")
        world.people.edit_body("ana", 1, f"{world.people.issue(1).body}\r\nReviewed on Monday.\r\n")
        world.edit(world.branch, "10:00 it began", "09:40 it began")
        world.proposed(document("10:01 it began"))
        assert world.people.issue(1).title == "Postmortem: the payments outage"
        assert "Left as somebody wrote them" in world.people.issue(1).body
        assert "Reviewed on Monday." in world.people.issue(1).body

    def test_a_document_that_people_took_off_the_branch_is_not_put_back(self, world: World) -> None:
        world.proposed(document())
        world.people.push("ana", world.branch, {world.path: None, "moved.md": b"Elsewhere.\n"})
        before = world.writes()
        found = world.proposed(document("10:01 it began"))
        assert (found.state, found.detail) == ("open", f"Its branch has no {world.path} any more; it is left alone.")
        assert world.writes() == before


class TestClosed:
    def test_closed_unmerged_it_stays_closed(self, world: World) -> None:
        world.proposed(document())
        world.people.close("ana", 1)
        before = world.writes()
        found = world.proposed(document())
        assert (found.state, found.number) == ("closed", 1)
        again = world.proposed(document("10:01 it began"))
        assert again.detail == f"{found.detail} There is news that it does not hold."
        assert world.writes() == before
        assert query(world.dsn, "select is_over, number from nightshift.postmortem_pulls")[0] == (True, 1)

    def test_closed_with_its_branch_deleted_it_stays_closed(self, world: World) -> None:
        world.proposed(document())
        world.people.delete_branch("ana", world.branch)
        assert world.proposed(document("10:01 it began")).state == "closed"
        assert world.people.branches() == ["main"]

    def test_reopened_it_is_brought_up_to_date(self, world: World) -> None:
        world.proposed(document())
        world.people.close("ana", 1)
        world.proposed(document("10:01 it began"))
        world.people.reopen("ana", 1)
        assert world.proposed(document("10:01 it began")).state == "open"
        assert "10:01 it began" in world.file(world.branch)
        assert query(world.dsn, "select is_over from nightshift.postmortem_pulls")[0] == (False,)

    def test_a_refusal_outlives_its_pull_request(self, world: World) -> None:
        world.proposed(document())
        world.people.close("ana", 1)
        refused = world.proposed(document())
        del world.people.repository.issues[1]
        assert world.proposed(document("10:01 it began")) == refused

    def test_the_others_go_on(self, world: World) -> None:
        documents = [document(incident_id="INC-1"), document(incident_id="INC-2")]
        world.night(*documents)
        world.people.close("ana", 1)
        assert [each.state for each in world.night(*documents).values()] == ["closed", "open"]


class TestMerged:
    @pytest.mark.parametrize("method", ["merge", "squash"])
    @pytest.mark.parametrize("is_deleted", [False, True], ids=["branch kept", "branch deleted"])
    def test_news_after_the_merge_opens_another(self, world: World, method: str, is_deleted: bool) -> None:
        world.proposed(document())
        world.people.merge("ana", 1, method)
        if is_deleted:
            world.people.delete_branch("ana", world.branch)
        before = world.writes()
        assert world.proposed(document()) == Proposed("merged", "The repository has all of it.", 1, world.url(1))
        assert world.writes() == before
        world.edit("main", "_What do we know now?_", "Alarms need owners.")
        world.people.push("ana", "main", {"README.md": b"Read them.\n"})
        found = world.proposed(document("10:01 it began"))
        assert (found.state, found.number, found.detail) == ("open", 2, "There is news of it.")
        assert "Alarms need owners." in world.file(world.branch)
        assert "10:01 it began" in world.file(world.branch)
        assert world.people.commits(world.branch)[0].parents == (world.people.head("main"),)
        assert "Brought up to date:\n\n- [Timeline](" in world.people.issue(2).body

    def test_a_section_edited_on_the_default_branch_survives_the_next_pull_request(self, world: World) -> None:
        world.proposed(document())
        world.people.merge("ana", 1)
        world.edit("main", "10:00 it began", "09:40 it began, see the chat")
        world.proposed(document("10:01 it began", impact="## Impact\n\nNone."))
        world.people.merge("ana", 2)
        assert "09:40 it began, see the chat" in world.file("main")
        assert "10:01" not in world.file("main")

    def test_an_edit_on_the_default_branch_while_one_is_open_is_taken_along_and_merges(self, world: World) -> None:
        world.proposed(document(impact="## Impact\n\nUnknown."))
        world.people.merge("ana", 1)
        world.proposed(document("10:01 it began", impact="## Impact\n\nUnknown."))
        world.edit("main", "Unknown.", "40 orders were lost.")
        world.edit(world.branch, "_What do we know now?_", "Alarms need owners.")
        world.proposed(document("10:02 it began", impact="## Impact\n\nNone."))
        assert "40 orders were lost." in world.file(world.branch)
        world.people.merge("ana", 2)
        text = world.file("main")
        assert all(each in text for each in ("40 orders were lost.", "Alarms need owners.", "10:02 it began"))
        before = world.writes()
        assert world.proposed(document("10:02 it began", impact="## Impact\n\nNone.")).state == "merged"
        assert world.writes() == before

    def test_a_section_given_back_on_the_branch_is_not_taken_from_the_default_branch_again(self, world: World) -> None:
        world.proposed(document())
        world.people.merge("ana", 1)
        world.edit("main", "10:00 it began", "09:40 it began")
        world.proposed(document("10:01 it began", impact="## Impact\n\nNone."))
        world.people.push("ana", world.branch, {world.path: document("10:01 it began").encode()})
        world.proposed(document("10:02 it began", impact="## Impact\n\nNone."))
        assert "10:02 it began" in world.file(world.branch)

    def test_what_was_pushed_to_the_branch_after_the_merge_is_built_upon(self, world: World) -> None:
        world.proposed(document())
        world.people.merge("ana", 1)
        late = world.edit(world.branch, "_What do we know now?_", "Said late.")
        assert world.proposed(document("10:01 it began")).number == 2
        assert "Said late." in world.file(world.branch)
        assert world.people.commits(world.branch)[0].parents == (late,)

    def test_a_document_that_somebody_put_there_themselves_needs_no_pull_request(self, world: World) -> None:
        world.people.push("ana", "main", {world.path: merge(document(), None).text.encode()})
        assert world.proposed(document()) == Proposed("unchanged", "The repository has all of it.")
        assert world.writes() == 0

    def test_line_ends_and_mode_are_kept(self, world: World) -> None:
        text = merge(document(), None).text.replace("\n", "\r\n").encode()
        world.people.push("ana", "main", {world.path: text}, modes={world.path: "100755"})
        world.proposed(document("10:01 it began"))
        expected = merge(document("10:01 it began"), None).text.replace("\n", "\r\n")
        assert world.people.file(world.branch, world.path) == expected.encode()
        assert world.people.modes(world.branch)[world.path] == "100755"


class TestNotAllowed:
    def test_without_credentials_it_goes_to_the_outbox(self, world: World) -> None:
        world.github["token"] = None
        assert world.proposed(document()).state == "outbox"
        (folder,) = (world.home / "outbox" / str(DAY) / "postmortems").iterdir()
        assert folder.name == f"acme__postmortems--{INCIDENT}"
        assert (folder / "document.md").read_text() == merge(document(), None).text
        assert (folder / "body.md").read_text().count(f"`{world.path}`") == 1
        assert f'"title": "Postmortem: {INCIDENT} Payments failed"' in (folder / "payload.json").read_text()
        assert world.server.log == []

    @pytest.mark.parametrize("change", ["kill switch", "file", "dry run", "back-fill", "no repository", "nothing"])
    def test_nothing_is_asked_or_written(self, world: World, change: str) -> None:
        world.proposals["kill_switch"] = change == "kill switch"
        if change == "file":
            world.home.mkdir()
            (world.home / "kill_switch").touch()
        if change == "no repository":
            world.incidents["repository"] = None
        day = DAY - timedelta(days=1) if change == "back-fill" else None
        documents = [] if change == "nothing" else [document()]
        assert world.night(*documents, day=day, is_dry_run=change == "dry run") == {}
        assert world.server.log == []
        assert not (world.home / "outbox").exists()

    def test_a_kill_switch_in_the_night_stops_what_is_left_of_it(self, world: World) -> None:
        world.home.mkdir()
        switch = world.home / "kill_switch"
        world.server.faults.add(Fault("POST", "/pulls$", "moved", callback=switch.touch))
        found = world.night(document(incident_id="INC-1"), document(incident_id="INC-2"))
        assert [each.state for each in found.values()] == ["open", "waiting"]
        assert world.pulls() == [1]

    def test_a_repository_of_infrastructure_code_is_refused(self, world: World) -> None:
        root = RootSettings(path=".", state="prod.tfstate")
        world.more["repositories"] = (RepositorySettings(name=REPOSITORY.upper(), roots=(root,)),)
        assert world.proposed(document()) == Proposed(
            "failed", f"{REPOSITORY} is a repository of infrastructure code; set incidents.repository to another one."
        )
        assert world.server.log == []

    def test_without_the_right_to_write_it_says_so(self, world: World) -> None:
        world.people.add_collaborator("nightshift-bot", "read")
        assert world.proposed(document()).detail == (
            f"nightshift-bot may not write to {REPOSITORY}; give it that right, or leave incidents.repository out."
        )
        assert world.writes() == 0


class TestFailures:
    def test_one_that_fails_does_not_stop_the_others(self, world: World) -> None:
        world.people.push("ana", "main", {world.path: b"\xff\xfe"})
        found = world.night(document(), document(incident_id="INC-2"))
        assert found[INCIDENT] == Proposed("failed", f"{world.path} in {REPOSITORY} is not UTF-8; save it as UTF-8.")
        assert found["INC-2"].state == "open"

    def test_a_file_that_is_too_large_is_left_alone(self, world: World) -> None:
        world.people.push("ana", "main", {world.path: b"x" * 1_000_001})
        found = world.proposed(document())
        assert found.detail == f"{world.path} in {REPOSITORY} has more than 1,000,000 bytes; make it shorter."
        assert not [each for each in world.server.log if "/git/blobs/" in each.path]

    def test_a_link_in_its_place_is_left_alone(self, world: World) -> None:
        world.people.push("ana", "main", {world.path: b"/etc/passwd"}, modes={world.path: "120000"})
        assert world.proposed(document()).detail == f"{world.path} in {REPOSITORY} is no file; give it another name."

    def test_a_limit_lets_the_rest_wait(self, world: World) -> None:
        world.github["max_writes_per_night"] = 6
        found = world.night(*(document(incident_id=f"INC-{number}") for number in range(3)))
        assert [each.state for each in found.values()] == ["open", "waiting", "waiting"]
        assert found["INC-2"].detail == "The 6 writes of a night are spent; what is left waits for the next night."

    def test_a_failure_still_names_the_pull_request_that_is_there(self, world: World) -> None:
        world.proposed(document())
        world.server.faults.add(Fault("GET", "/pulls/1$", "forbidden"))
        found = world.proposed(document())
        assert (found.state, found.number, found.url) == ("failed", 1, world.url(1))

    def test_after_ten_failures_no_more_is_tried(self, world: World) -> None:
        world.server.faults.add(Fault("GET", "/pulls$", "forbidden", times=100))
        found = world.night(*(document(incident_id=f"INC-{number:02}") for number in range(12)))
        assert [each.state for each in found.values()] == ["failed"] * 10 + ["waiting"] * 2
