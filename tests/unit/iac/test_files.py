"""Files of a repository: what is read and by which path, and what forbids to edit one."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest

from dagster_project.errors import InputError
from dagster_project.iac.files import MAX_FILE_BYTES, Files, Forbidden, SourceFile, join, normal


def repository(tmp_path: Path, **contents: bytes) -> Files:
    """A repository of files by name; ``__`` stands for a slash."""
    folder = tmp_path / "repository"
    folder.mkdir(exist_ok=True)
    for name, data in contents.items():
        path = folder / name.replace("__", "/")
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)
    return Files.open(folder)


def data_of(files: Files, path: str) -> bytes | None:
    file = files.read(path)
    return file.data if file else None


def forbidden(files: Files, path: str) -> str:
    with pytest.raises(Forbidden) as caught:
        files.read(path)
    assert caught.value.path == path
    return caught.value.reason


# Paths.


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        ("a", "a"),
        ("./a//b/./c/", "a/b/c"),
        ("a/../b", "b"),
        ("a/b/../../c", "c"),
        ("a/..", "."),
        (".", "."),
        ("", "."),
        ("..a/b..", "..a/b.."),
        ("..", None),
        ("a/../..", None),
        ("../a", None),
        ("a/../../a", None),
        ("/a", None),
        ("/", None),
    ],
)
def test_a_path_is_made_plain_or_leads_out_of_the_repository(path: str, expected: str | None) -> None:
    assert normal(path) == expected


@pytest.mark.parametrize(
    ("folder", "path", "expected"),
    [
        (".", "a.tf", "a.tf"),
        ("env/prod", "a.tf", "env/prod/a.tf"),
        ("env", "../a.tf", "env/../a.tf"),
        ("env", "/etc/passwd", "/etc/passwd"),
        ("env", "/(repository)", "."),
        ("env", "/(repository)/live/a.hcl", "live/a.hcl"),
        ("env", "/(repository)s/a.hcl", "/(repository)s/a.hcl"),
    ],
)
def test_a_path_is_seen_from_a_folder_or_from_the_top_of_the_repository(folder: str, path: str, expected: str) -> None:
    assert join(folder, path) == expected


def test_a_repository_that_is_no_folder_is_refused(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"")
    for name in ("file", "absent"):
        with pytest.raises(InputError) as caught:
            Files.open(tmp_path / name)
        assert str(caught.value) == (
            f"The repository {tmp_path / name} is no folder; name the folder that holds the checkout with --repo."
        )


@pytest.mark.parametrize("path", ["../secret", "a/../../secret", "/etc/passwd", ".."])
def test_a_path_that_leads_out_of_the_repository_is_not_read(tmp_path: Path, path: str) -> None:
    (tmp_path / "secret").write_bytes(b"hunter2")
    assert forbidden(repository(tmp_path), path) == "other_repository"


def test_an_absolute_path_into_the_repository_is_not_read_either(tmp_path: Path) -> None:
    files = repository(tmp_path, main=b"1")
    assert forbidden(files, str(tmp_path / "repository" / "main")) == "other_repository"


def test_a_link_to_the_outside_is_not_followed(tmp_path: Path) -> None:
    (tmp_path / "secret").write_bytes(b"hunter2")
    (tmp_path / "outside").mkdir()
    (tmp_path / "outside" / "a.tf").write_bytes(b"hunter2")
    files = repository(tmp_path)
    (files.root / "link").symlink_to(tmp_path / "secret")
    (files.root / "folder").symlink_to("../outside")
    (files.root / "chain").symlink_to("link")
    for path in ("link", "chain", "folder/a.tf", "x/../link"):
        assert forbidden(files, path) == "outside_repository"
    for ask in (files.names, files.folders, files.is_folder):
        with pytest.raises(Forbidden) as caught:
            ask("folder")
        assert caught.value.reason == "outside_repository"


def test_a_folder_beside_the_repository_whose_name_begins_alike_is_outside(tmp_path: Path) -> None:
    (tmp_path / "repository2").mkdir()
    (tmp_path / "repository2" / "a.tf").write_bytes(b"hunter2")
    files = repository(tmp_path)
    (files.root / "link.tf").symlink_to("../repository2/a.tf")
    assert forbidden(files, "link.tf") == "outside_repository"


def test_a_link_inside_leads_to_the_one_path_of_its_file(tmp_path: Path) -> None:
    files = repository(tmp_path, shared__a=b"1")
    (files.root / "live").mkdir()
    (files.root / "live" / "a").symlink_to("../shared/a")
    (files.root / "alias").symlink_to("shared", target_is_directory=True)
    found = [files.read(path) for path in ("shared/a", "live/a", "alias/a", "live/../alias/./a")]
    assert [file.path for file in found if file] == ["shared/a"] * 4
    assert len({id(file) for file in found}) == 1
    assert files.real_path("alias") == "shared"
    assert files.names("alias") == ("a",)


def test_a_repository_may_be_opened_through_a_link(tmp_path: Path) -> None:
    repository(tmp_path, main=b"1")
    (tmp_path / "link").symlink_to("repository")
    files = Files.open(tmp_path / "link")
    assert files.root == (tmp_path / "repository").resolve()
    assert data_of(files, "main") == b"1"


@pytest.mark.parametrize("path", ["absent", "absent/file", "main/below", "folder", "loop", "dangling"])
def test_what_is_no_file_is_none(tmp_path: Path, path: str) -> None:
    files = repository(tmp_path, main=b"1", folder__x=b"2")
    (files.root / "loop").symlink_to("loop")
    (files.root / "dangling").symlink_to("absent")
    assert files.read(path) is None


def test_a_pipe_is_no_file_and_nobody_waits_for_it(tmp_path: Path) -> None:
    files = repository(tmp_path)
    os.mkfifo(files.root / "pipe")
    assert files.read("pipe") is None


def test_a_file_is_read_once(tmp_path: Path) -> None:
    files = repository(tmp_path, main=b"before")
    assert data_of(files, "main") == b"before"
    (files.root / "main").write_bytes(b"after")
    assert data_of(files, "./main") == b"before"
    assert data_of(Files.open(files.root), "main") == b"after"


def test_folders_list_files_and_folders_apart_sorted_and_without_what_tools_made(tmp_path: Path) -> None:
    made = {f"{name}__x": b"" for name in (".terraform", ".git", "node_modules", ".terragrunt-cache", "cdktf.out")}
    files = repository(tmp_path, b=b"", a=b"", z__x=b"", y__x=b"", **made)
    (files.root / "dangling").symlink_to("absent")
    (files.root / "link").symlink_to("a")
    assert files.names(".") == ("a", "b", "link")
    assert files.folders(".") == ("y", "z")
    assert files.names("absent") == files.names("a") == ()
    assert files.folders("absent") == files.folders("a") == ()
    assert [files.is_folder(path) for path in ("y", ".", "a", "absent")] == [True, True, False, False]


def test_a_huge_file_is_refused_without_being_read(tmp_path: Path) -> None:
    files = repository(tmp_path, just=b"", huge=b"")
    os.truncate(files.root / "just", MAX_FILE_BYTES)
    os.truncate(files.root / "huge", MAX_FILE_BYTES + 1)
    assert len(data_of(files, "just") or b"") == 20_000_000
    with pytest.raises(InputError) as caught:
        files.read("huge")
    assert str(caught.value) == "The file huge is larger than 20 MB; no configuration is."


def test_a_file_that_may_not_be_read_is_refused(tmp_path: Path, rights_hold: None) -> None:
    files = repository(tmp_path, env__main=b"hunter2")
    (files.root / "env/main").chmod(0)
    with pytest.raises(InputError) as caught:
        files.read("env/main")
    assert str(caught.value) == "The file env/main cannot be read (Permission denied); make it readable."


def test_a_folder_that_may_not_be_read_is_refused(tmp_path: Path, rights_hold: None) -> None:
    files = repository(tmp_path, env__main=b"1")
    (files.root / "env").chmod(0)
    try:
        with pytest.raises(InputError) as caught:
            files.names("env")
    finally:
        (files.root / "env").chmod(0o700)
    assert str(caught.value) == "The folder env cannot be read (Permission denied); make it readable."


# Changes that are not written.


def test_changes_are_laid_over_the_files_and_nothing_is_written(tmp_path: Path) -> None:
    files = repository(tmp_path, a=b"1", b=b"2")
    changed = files.with_changes({"a": b"one"})
    again = changed.with_changes({"b": b"two"})
    assert [data_of(each, "a") for each in (files, changed, again)] == [b"1", b"one", b"one"]
    assert [data_of(each, "b") for each in (files, changed, again)] == [b"2", b"2", b"two"]
    assert again.names(".") == ("a", "b")
    assert ((files.root / "a").read_bytes(), (files.root / "b").read_bytes()) == (b"1", b"2")


def test_a_change_is_seen_through_a_link_too(tmp_path: Path) -> None:
    files = repository(tmp_path, a=b"1")
    (files.root / "link").symlink_to("a")
    assert data_of(files.with_changes({"a": b"one"}), "link") == b"one"


def test_changes_do_not_open_what_is_outside(tmp_path: Path) -> None:
    assert forbidden(repository(tmp_path).with_changes({"../a": b"1"}), "../a") == "other_repository"


# What tools encrypt.

SOPS_JSON = b'{"size": "ENC[AES256_GCM,data:p673w==,iv:Ze=,tag:TH==,type:str]", "sops": {"mac": "ENC[x]", "version": "3.9"}}'
SOPS_YAML = b"size: ENC[AES256_GCM,data:p673w==,iv:Ze=,tag:TH==,type:str]\nsops:\n    kms: []\n    mac: ENC[x]\n"


@pytest.mark.parametrize(
    "data",
    [
        b"\x00GITCRYPT\x00\x8a\x01\xff",
        SOPS_JSON,
        SOPS_JSON.replace(b'"sops": {', b'"sops"  :\n{'),
        SOPS_YAML,
        b"size: plain\nsops:\n    mac: x\n    unencrypted_regex: size\n",
        b"$ANSIBLE_VAULT;1.1;AES256\n6162\n",
        b"age-encryption.org/v1\n-> X25519 x\n",
        b"-----BEGIN AGE ENCRYPTED FILE-----\nYWdl\n",
    ],
)
def test_an_encrypted_file_is_known(data: bytes) -> None:
    assert SourceFile("a.yaml", data).is_encrypted


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"GITCRYPT\x00",
        b"# \x00GITCRYPT\x00",
        b"# decrypt with sops: see the wiki\nsize: m5.large\nmac: 00:1b\n",
        b"sops: yes\nmac: x\n",
        b"  sops:\n    mac: x\n",
        b'{"tool": "sops", "mac": "00:1b"}',
        b'{"sops": {"version": "3.9"}, "size": "m5.large"}',
        b'{"sops": ["mac"], "mac": 1}',
        b"tool: ENC[AES256_GCM,data]\n",
        b"note: $ANSIBLE_VAULT;1.1;AES256\n",
    ],
)
def test_what_only_looks_encrypted_is_not(data: bytes) -> None:
    assert not SourceFile("a.yaml", data).is_encrypted


# What tools write.


@pytest.mark.parametrize(
    "opening",
    [
        "# Code generated by terraformer. DO NOT EDIT.\n",
        "// do not edit\n",
        "/* This file is generated from sizes.csv. */\n",
        "\ufeff# @generated\n",
        "\n\n  # Managed by hand? No:\n# this file was generated\n",
        "# a title\n/* Autogenerated,\n   every night */\n",
        "# auto-generated\n",
        "# Please do not modify this file.\r\n",
        "# Automatically generated\n",
        "# Generated by Terragrunt. Sig: nIlQXj57tbuaRZEa\n",
        "# machine generated",
    ],
)
def test_a_file_whose_opening_comment_names_a_tool_is_generated(opening: str) -> None:
    text = f'{opening}\nlocals {{ size = "m5.large" }}\n'
    assert SourceFile("a.tf", text.encode()).is_generated
    assert SourceFile("a.tf", text.replace("\n", "\r\n").encode()).is_generated
    assert SourceFile("a.tf", opening.encode()).is_generated


@pytest.mark.parametrize(
    "text",
    [
        "",
        'locals { size = "m5.large" }\n',
        "# Sizes of the web tier. Edit with care.\n",
        "# The generator set of the data centre\n",
        "# Regenerated forests are no tool\n",
        "locals { a = 1 } # do not edit\n# generated by hand\n",
        'locals {\n  # do not edit: the team of the database wants this\n  size = "x"\n}\n',
        'locals { note = "Code generated by X. DO NOT EDIT." }\n',
    ],
)
def test_a_file_that_only_mentions_generating_is_not_generated(text: str) -> None:
    assert not SourceFile("a.tf", text.encode()).is_generated


@pytest.mark.parametrize(
    "text",
    [
        '{"//": "generated by a script", "locals": {}}',
        '{"//": {"metadata": {"backend": "local", "stackName": "cdktf-prod"}}, "locals": {}}',
        '{"locals": {}, "_comment": "DO NOT EDIT"}',
        '{ "__comment__" : "auto-generated" }',
    ],
)
def test_a_json_file_with_a_comment_of_a_tool_is_generated(text: str) -> None:
    assert SourceFile("a.tf.json", text.encode()).is_generated
    assert not SourceFile("a.tf", text.encode()).is_generated


@pytest.mark.parametrize(
    "text",
    ['{"//": "sizes of the web tier"}', '{"description": "generated by a script"}', '{"a": "//", "b": "do not edit"}'],
)
def test_a_json_file_with_a_comment_of_a_person_is_not_generated(text: str) -> None:
    assert not SourceFile("a.tf.json", text.encode()).is_generated


# Whose a file is.


def test_what_a_tool_downloaded_is_not_edited(tmp_path: Path) -> None:
    files = repository(tmp_path)
    assert {
        path: files.owner_problem(path) for path in ("a/main.tf", ".terraform/modules/x/main.tf", "a/.terragrunt-cache/x")
    } == {
        "a/main.tf": None,
        ".terraform/modules/x/main.tf": "remote_module",
        "a/.terragrunt-cache/x": "remote_module",
    }
    assert files.owner_problem("my.terraform/main.tf") is None


def test_a_submodule_is_another_repository(tmp_path: Path) -> None:
    listing = b'[submodule "modules"]\n\tpath = vendor/modules\n\turl = ../modules.git\n[submodule "x"]\n  path=other/\r\n'
    files = repository(tmp_path, **{".gitmodules": listing})
    assert files.submodules() == ("vendor/modules", "other")
    assert files.owner_problem("vendor/modules/web/main.tf") == "other_repository"
    assert files.owner_problem("other/main.tf") == "other_repository"
    assert files.owner_problem("vendor/modules2/main.tf") is None
    assert files.owner_problem("vendor/main.tf") is None


def test_a_repository_without_submodules_has_none(tmp_path: Path) -> None:
    assert repository(tmp_path).submodules() == ()


def test_gits_own_listing_of_submodules_is_understood(tmp_path: Path) -> None:
    files = repository(tmp_path)
    path = files.root / ".gitmodules"
    for key, value in (("submodule.net.path", "modules/net"), ("submodule.net.url", "https://example.com/net.git")):
        subprocess.run(["git", "config", "--file", str(path), key, value], check=True)
    assert files.submodules() == ("modules/net",)
