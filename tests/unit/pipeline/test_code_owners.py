"""Who is asked to review an edited file, by the file in which GitHub looks for its owners."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from dagster_project.pipeline.pull_request_texts import owners_of

FILE = "envs/prod/payment-api.tf"
NOBODY: tuple[tuple[str, ...], tuple[str, ...]] = ((), ())


def checkout(folder: Path, **texts: str | bytes) -> Path:
    """A checkout with owner files: ``hidden`` in .github, ``top``, ``docs``."""
    places = {"hidden": ".github/CODEOWNERS", "top": "CODEOWNERS", "docs": "docs/CODEOWNERS"}
    for name, text in texts.items():
        path = folder / places[name]
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return folder


def asked(folder: Path, text: str | bytes, *files: str) -> tuple[tuple[str, ...], tuple[str, ...]]:
    return owners_of(checkout(folder, top=text), files or (FILE,))


class TestWhichFile:
    @pytest.mark.parametrize(
        ("there", "people"),
        [
            (("hidden", "top", "docs"), ("hidden",)),
            (("top", "docs"), ("top",)),
            (("docs",), ("docs",)),
            (("hidden", "docs"), ("hidden",)),
            ((), ()),
        ],
    )
    def test_the_first_place_counts(self, tmp_path: Path, there: tuple[str, ...], people: tuple[str, ...]) -> None:
        checkout(tmp_path, **{name: f"* @{name}\n" for name in there})
        assert owners_of(tmp_path, [FILE]) == (people, ())

    def test_it_counts_though_it_names_nobody_for_the_file(self, tmp_path: Path) -> None:
        assert owners_of(checkout(tmp_path, hidden="/docs/ @alice\n", top="* @bob\n"), [FILE]) == NOBODY

    def test_a_link_is_passed_over(self, tmp_path: Path) -> None:
        """What is linked may lie outside of the repository."""
        elsewhere = tmp_path / "elsewhere"
        elsewhere.write_text("* @mallory\n", encoding="utf-8")
        folder = checkout(tmp_path / "code", top="* @alice\n")
        (folder / ".github").mkdir()
        (folder / ".github" / "CODEOWNERS").symlink_to(elsewhere)
        assert owners_of(folder, [FILE]) == (("alice",), ())

    def test_a_link_to_nowhere_and_a_folder_are_passed_over(self, tmp_path: Path) -> None:
        folder = checkout(tmp_path, docs="* @alice\n")
        (folder / ".github").mkdir()
        (folder / ".github" / "CODEOWNERS").symlink_to("nowhere")
        (folder / "CODEOWNERS").mkdir()
        assert owners_of(folder, [FILE]) == (("alice",), ())

    def test_a_folder_that_is_not_there_has_no_owners(self, tmp_path: Path) -> None:
        assert owners_of(tmp_path / "nowhere", [FILE]) == NOBODY

    @pytest.mark.skipif(os.geteuid() == 0, reason="Every file is readable for this user.")
    def test_one_that_may_not_be_read_asks_nobody(self, tmp_path: Path) -> None:
        folder = checkout(tmp_path, top="* @alice\n")
        (folder / "CODEOWNERS").chmod(0)
        assert owners_of(folder, [FILE]) == NOBODY


class TestWhoOwns:
    def test_people_and_teams_are_told_apart_and_mails_cannot_be_asked(self, tmp_path: Path) -> None:
        text = "* @acme/payments @alice carol@example.com @acme/search @Bob nobody\n"
        assert asked(tmp_path, text) == (("Bob", "alice"), ("payments", "search"))

    @pytest.mark.parametrize(
        ("text", "people"),
        [
            ("* @alice\n*.tf @bob\n", ("bob",)),
            ("*.tf @bob\n* @alice\n", ("alice",)),
            ("* @alice\n/envs/ @bob\n/envs/prod/ @carol\n", ("carol",)),
            ("/envs/prod/ @carol\n/envs/ @bob\n", ("bob",)),
            ("* @alice\n/envs/prod/\n", ()),
            ("* @alice\n/modules/ @bob\n", ("alice",)),
        ],
    )
    def test_the_last_line_that_matches_counts(self, tmp_path: Path, text: str, people: tuple[str, ...]) -> None:
        assert asked(tmp_path, text) == (people, ())

    @pytest.mark.parametrize(
        ("pattern", "is_meant"),
        [
            ("*", True),
            ("*.tf", True),
            ("payment-api.tf", True),
            ("/payment-api.tf", False),
            ("envs/", True),
            ("/envs/", True),
            ("/envs", True),
            ("prod/", True),
            ("/prod/", False),
            ("envs/prod/", True),
            ("/envs/*", False),
            ("/envs/*/payment-api.tf", True),
            ("/envs/*/*.tf", True),
            ("/envs/**", True),
            ("**/prod/**", True),
            ("**/payment-api.tf", True),
            ("/envs/prod/payment", False),
            ("/envs/p?od/", True),
            ("ENVS/", False),
            ("*.tfvars", False),
        ],
    )
    def test_patterns_are_those_of_github(self, tmp_path: Path, pattern: str, is_meant: bool) -> None:
        assert asked(tmp_path, f"{pattern} @alice\n") == ((("alice",), ()) if is_meant else NOBODY)

    def test_each_file_has_its_own_owners_and_all_are_asked_once(self, tmp_path: Path) -> None:
        text = "/envs/prod/ @alice @acme/payments\n/envs/dev/ @bob @acme/payments\n"
        assert asked(tmp_path, text, FILE, "envs/dev/a.tf", "README.md") == (("alice", "bob"), ("payments",))

    def test_without_files_nobody_is_asked(self, tmp_path: Path) -> None:
        assert owners_of(checkout(tmp_path, top="* @alice\n"), []) == NOBODY

    def test_names_with_spaces_are_written_with_a_backslash(self, tmp_path: Path) -> None:
        assert asked(tmp_path, "/envs/my\\ prod/ @alice\n", "envs/my prod/a.tf") == (("alice",), ())

    def test_no_more_are_asked_than_github_takes(self, tmp_path: Path) -> None:
        owners = " ".join(f"@p{number:02} @acme/t{number:02}" for number in range(40))
        people, teams = asked(tmp_path, f"* {owners}\n")
        assert people == tuple(f"p{number:02}" for number in range(15))
        assert teams == tuple(f"t{number:02}" for number in range(15))


class TestWhatIsWrittenWrongly:
    @pytest.mark.parametrize(
        "text",
        ["", "\n\n", "# * @alice\n", "*\n", "@alice\n", "* alice\n", "* @\n", "[Section]\n", "\ufeff"],
        ids=ascii,
    )
    def test_where_nobody_is_named_nobody_is_asked(self, tmp_path: Path, text: str) -> None:
        assert asked(tmp_path, text) == NOBODY

    def test_other_line_ends_and_comments_are_read(self, tmp_path: Path) -> None:
        assert asked(tmp_path, "# owners\r\n\r\n  * @alice\t@bob  \r\n") == (("alice", "bob"), ())

    def test_a_comment_behind_the_owners_names_nobody(self, tmp_path: Path) -> None:
        assert asked(tmp_path, "* @alice # and not @bob nor @acme/search any more\n") == (("alice",), ())

    def test_bytes_that_are_no_text_do_not_matter(self, tmp_path: Path) -> None:
        assert asked(tmp_path, b"# \xff\xfe\n* @alice\n") == (("alice",), ())

    @pytest.mark.parametrize("line", ["/docs/[a @bob", "/docs/[z-a] @bob", "/docs/[] @bob", "[ @bob", "/docs/[!] @bob"])
    def test_a_line_that_github_skips_does_not_hide_the_others(self, tmp_path: Path, line: str) -> None:
        assert asked(tmp_path, f"* @alice\n{line}\n") == (("alice",), ())
        assert asked(tmp_path, f"{line}\n* @alice\n") == (("alice",), ())
