"""A new user namespace without mappings: what is mapped there, seen from inside."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Final

from tests.bundles import DROP, Drop, Json, mapping
from tests.integration.box import INSIDE, Box
from tests.integration.plain import RANGE, SUBORDINATE, USER, PlainBox
from tests.requires import requires

pytestmark = requires("root", "gcc")

NONE: Final[dict[str, Json | Drop]] = {"linux.uidMappings": DROP, "linux.gidMappings": DROP}


def maps(told: Json) -> list[list[int]]:
    """The numbers of uid_map and gid_map in a report."""
    return [[int(word) for word in str(mapping(told)[name]).split()] for name in ("uidMap", "gidMap")]


def test_root_maps_every_id_to_itself(box: Box) -> None:
    """So that the program may be anybody, and a file belongs to whom it says."""
    user: Json = {"uid": 1000, "gid": 1001}
    box.configure({"linux.namespaces+": [{"type": "user"}], "process.user": user})
    told = box.report()
    ours = [[int(word) for word in Path(f"/proc/self/{name}").read_text().split()] for name in ("uid_map", "gid_map")]
    assert maps(told) == [[ours[0][0], ours[0][0], ours[0][2]], [ours[1][0], ours[1][0], ours[1][2]]]
    assert (told["uid"], told["gid"]) == ([1000] * 4, [1001] * 4)


def test_what_was_mapped_is_in_the_configuration_that_later_verbs_read(box: Box) -> None:
    """An exec as another user finds it mapped; the bundle's own file stays as it is."""
    box.configure({"linux.namespaces+": [{"type": "user"}], "process.args": [INSIDE, "sleep", "88.6621"]})
    written = (box.directory / "config.json").read_bytes()
    box.create()
    box.start()
    told = json.loads(box.succeed("exec", "--user", "7:8", box.id, INSIDE, "report"))
    assert (told["uid"], told["gid"]) == ([7] * 4, [8] * 4)
    assert (box.directory / "config.json").read_bytes() == written


@requires("setpriv", "unshare", "plain-userns", "common-python")
def test_a_plain_user_without_subordinate_ids_is_root_alone(plain: PlainBox) -> None:
    """The one id that needs no privilege."""
    plain.configure({**NONE, "process.args": [INSIDE, "report"]})
    told = json.loads(plain.succeed(*plain.running()))
    assert maps(told) == [[0, USER, 1]] * 2
    assert told["setgroups"] == "deny"


@requires("setpriv", "unshare", "plain-userns", "common-python", "newuidmap")
def test_subordinate_ids_follow_that_of_the_plain_user(plain: PlainBox) -> None:
    """The program may be any of them."""
    plain.give_subordinate_ids()
    plain.configure({**NONE, "process.user": {"uid": RANGE, "gid": 1}, "process.args": [INSIDE, "report"]})
    told = json.loads(plain.succeed(*plain.running()))
    assert maps(told) == [[0, USER, 1, 1, SUBORDINATE, RANGE]] * 2
    assert (told["uid"], told["gid"]) == ([RANGE] * 4, [1] * 4)


@requires("setpriv", "unshare", "plain-userns", "common-python", "newuidmap")
def test_a_user_beyond_the_subordinate_ids_is_refused(plain: PlainBox) -> None:
    """As with mappings that were written out."""
    plain.give_subordinate_ids()
    plain.configure({**NONE, "process.user": {"uid": RANGE + 1, "gid": 0}})
    assert plain.fail(*plain.running()) == f"process.user.uid: {RANGE + 1} is not mapped in linux.uidMappings"


@requires("setpriv", "unshare", "plain-userns", "common-python", "newuidmap")
def test_without_the_helpers_a_plain_user_is_root_alone(plain: PlainBox) -> None:
    """Nobody has asked for the other ids."""
    plain.give_subordinate_ids()
    for place in ("/usr/bin", "/bin", "/usr/local/bin", "/usr/sbin", "/sbin"):
        if Path(place, "newgidmap").exists() and not Path(place).is_symlink():
            plain.cover(f"{place}/newgidmap", "")
    plain.configure({**NONE, "process.args": [INSIDE, "report"]})
    assert maps(json.loads(plain.succeed(*plain.running()))) == [[0, USER, 1]] * 2
