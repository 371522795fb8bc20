"""copy-symlink, src-nofollow and dest-nofollow: what a symlink at either end of a bind mount means (crun's options)."""

from __future__ import annotations

import os

import pytest

from tests.bundles import mount
from tests.integration.box import INSIDE, Box
from tests.integration.mounting import shown, with_mounts
from tests.requires import requires

pytestmark = requires("root", "gcc")


def test_a_copied_symlink_says_the_same_and_leads_nowhere_of_the_hosts(box: Box) -> None:
    """Made with what leads to it; one that says the same already is fine, and so is a source that is no symlink."""
    (box.directory / "link").symlink_to("points/to/nowhere")
    (box.directory / "file").write_text("a file")
    for _ in range(2):
        with_mounts(
            box,
            mount("/made/link", "bind", "link", "rbind", "copy-symlink", "ro", "rprivate"),
            mount("/made/file", "bind", "file", "bind", "copy-symlink"),
            process_args=[INSIDE, "cat", "/made/file"],
        )
        assert box.succeed(*box.running()) == "a file"
        assert os.readlink(box.bundle.rootfs / "made/link") == "points/to/nowhere"


@pytest.mark.parametrize("there", ["file", "another link", "directory"])
def test_another_file_in_the_place_of_a_copied_symlink_is_an_error(box: Box, there: str) -> None:
    """It stays as it is."""
    (box.directory / "link").symlink_to("one")
    place = box.bundle.rootfs / "place"
    match there:
        case "file":
            place.write_text("x")
        case "directory":
            place.mkdir()
        case _:
            place.symlink_to("another")
    with_mounts(box, mount("/place", "bind", "link", "bind", "copy-symlink"))
    assert box.fail(*box.running()) == (
        "mounts[7] (/place): symlinkat: file exists (the image has another file there than the symlink to be copied)"
    )
    assert place.is_symlink() == (there == "another link")


def test_a_copied_symlink_is_made_inside_the_root(box: Box) -> None:
    """Whatever links of the image lead to it."""
    (box.directory / "link").symlink_to("one")
    (box.bundle.rootfs / "out").symlink_to(f"../../..{box.directory}")
    with_mounts(box, mount("/out/made", "bind", "link", "bind", "copy-symlink"), process_args=[INSIDE, "true"])
    box.succeed(*box.running())
    assert not os.path.lexists(box.directory / "made")
    assert os.readlink(f"{box.bundle.rootfs}{box.directory}/made") == "one"


@pytest.mark.parametrize("exists", [True, False])
def test_the_destination_itself_is_covered_although_it_is_a_symlink(box: Box, *, exists: bool) -> None:
    """Not what it leads to; options and propagation are those of that mount."""
    (box.directory / "file").write_text("of the host")
    victim = box.bundle.rootfs / "victim"
    victim.write_text("of the image")
    if exists:
        (box.bundle.rootfs / "place").symlink_to("victim")
    with_mounts(box, mount("/place", "bind", "file", "bind", "dest-nofollow", "ro", "shared"))
    (told,) = shown(box, "/place")
    assert ("ro" in told["options"], told["propagation"]) == (True, {"shared"})
    with_mounts(
        box,
        mount("/place", "bind", "file", "bind", "dest-nofollow"),
        process_args=[INSIDE, "cat", "/place", "/victim"],
    )
    assert box.succeed(*box.running()) == "of the hostof the image"


@pytest.mark.parametrize("kind", ["box", "mapped"])
def test_a_source_that_is_a_symlink_is_mounted_itself(request: pytest.FixtureRequest, kind: str) -> None:
    """Followed inside, where it leads to what the image has; in a user namespace, too, where it is opened twice."""
    box: Box = request.getfixturevalue(kind)
    (box.directory / "link").symlink_to("/victim")
    (box.bundle.rootfs / "victim").write_text("of the image")
    (box.bundle.rootfs / "place").symlink_to("nowhere")
    entry = mount("/place", "bind", "link", "bind", "src-nofollow", "dest-nofollow", "private")
    with_mounts(box, entry, process_args=[INSIDE, "cat", "/place"])
    assert box.succeed(*box.running()) == "of the image"


@pytest.mark.parametrize(
    ("kind", "options", "why"),
    [
        ("bind", ("bind", "copy-symlink", "src-nofollow"), "copy-symlink excludes src-nofollow and dest-nofollow"),
        ("bind", ("bind", "copy-symlink", "dest-nofollow"), "copy-symlink excludes src-nofollow and dest-nofollow"),
        *(
            (
                "tmpfs",
                (option,),
                'copy-symlink, src-nofollow and dest-nofollow are options of a bind mount (add "bind" or "rbind")',
            )
            for option in ("copy-symlink", "src-nofollow", "dest-nofollow")
        ),
    ],
)
def test_options_of_symlinks_that_mean_nothing_are_errors(
    box: Box, kind: str, options: tuple[str, ...], why: str
) -> None:
    """Something else was meant."""
    with_mounts(box, mount("/data", kind, "/tmp", *options))
    assert box.fail(*box.running()) == f"mounts[7].options: {why}"
