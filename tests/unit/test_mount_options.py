"""linux/flags.py: what the kernel is told for each mount option."""

from __future__ import annotations

import pytest

from slinger.linux import flags
from slinger.linux.flags import OPTION_NAMES, MountOptions, parse_options

MUST = (  # noqa: SIM905  a page of words, as the specification has it
    "async atime bind defaults dev diratime dirsync exec iversion lazytime loud noatime nodev nodiratime noexec "
    "noiversion nolazytime norelatime nostrictatime nosuid private rbind relatime remount ro rprivate rshared rslave "
    "runbindable rw shared silent slave strictatime suid sync unbindable"
).split()
SHOULD = (  # noqa: SIM905  as above
    "nosymfollow symfollow idmap ridmap ratime rdev rdiratime rexec rnoatime rnodev rnodiratime rnoexec rnorelatime "
    "rnostrictatime rnosuid rnosymfollow rrelatime rro rrw rstrictatime rsuid rsymfollow"
).split()
MAY = ["mand", "nomand", "tmpcopyup"]
CRUNS = ["copy-symlink", "dest-nofollow", "src-nofollow"]

RDONLY, NOSUID, NODEV, NOEXEC, NODIRATIME, NOSYMFOLLOW = 0x1, 0x2, 0x4, 0x8, 0x80, 0x200000
ATIME, NOATIME, STRICTATIME = 0x70, 0x10, 0x20
PLAIN = MountOptions()


def test_all_options_of_the_specification_are_known() -> None:
    """config.md, "Linux mount options": MUST, SHOULD and MAY, and no others, in order."""
    assert list(OPTION_NAMES) == sorted([*MUST, *SHOULD, *MAY, *CRUNS])


@pytest.mark.spec("config.md#linux-mount-options/idmap-no-data", "config.md#linux-mount-options/ridmap-no-data")
@pytest.mark.parametrize("name", OPTION_NAMES)
def test_no_known_option_is_data_for_the_file_system(name: str) -> None:
    """The file system would not know it."""
    assert parse_options((name,)).specific == ()


@pytest.mark.parametrize("name", ["auto", "user", "nofail", "_netdev", "comment=a", "x-y", "X-y.z=1"])
def test_what_is_for_readers_of_fstab_is_not_for_the_kernel(name: str) -> None:
    """mount(8) keeps it to itself as well; a file system would refuse it, a bind mount take it for a typing error."""
    assert parse_options((name,)) == PLAIN


@pytest.mark.parametrize("name", ["user=me", "groups", "nofails", "x", "xnoauto", "comment"])
def test_what_only_looks_so_is_data(name: str) -> None:
    """The file system knows it, or it is a typing error and refused."""
    assert parse_options((name,)).specific == (name,)


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        ("", PLAIN),
        ("defaults", PLAIN),
        ("silent loud iversion noiversion", PLAIN),
        ("ro", PLAIN.replace(attr_set=RDONLY, data=("ro",))),
        ("rw", PLAIN.replace(attr_clr=RDONLY, cleared=RDONLY)),
        ("ro rw", PLAIN.replace(attr_clr=RDONLY, cleared=RDONLY)),
        ("rw ro", PLAIN.replace(attr_set=RDONLY, data=("ro",))),
        ("nosuid nodev noexec", PLAIN.replace(attr_set=NOSUID | NODEV | NOEXEC)),
        ("suid dev exec", PLAIN.replace(attr_clr=NOSUID | NODEV | NOEXEC, cleared=NOSUID | NODEV | NOEXEC)),
        ("nodiratime nosymfollow", PLAIN.replace(attr_set=NODIRATIME | NOSYMFOLLOW)),
        ("diratime symfollow", PLAIN.replace(attr_clr=NODIRATIME | NOSYMFOLLOW, cleared=NODIRATIME | NOSYMFOLLOW)),
        ("rro rnosuid", PLAIN.replace(rec_set=RDONLY | NOSUID)),
        ("rrw rsuid", PLAIN.replace(rec_clr=RDONLY | NOSUID)),
        ("rro rrw", PLAIN.replace(rec_clr=RDONLY)),
        ("bind", PLAIN.replace(bind=True)),
        ("rbind", PLAIN.replace(bind=True, recursive=True)),
        ("rbind bind", PLAIN.replace(bind=True, recursive=True)),
        ("remount", PLAIN.replace(remount=True)),
        ("idmap", PLAIN.replace(idmap=True)),
        ("ridmap", PLAIN.replace(rec_idmap=True)),
        ("tmpcopyup", PLAIN.replace(tmpcopyup=True)),
    ],
)
def test_an_option_becomes_what_takes_it(options: str, expected: MountOptions) -> None:
    """Of two that contradict each other the later one wins."""
    assert parse_options(tuple(options.split())) == expected


@pytest.mark.parametrize(
    ("options", "attr_set", "attr_clr"),
    [
        ("noatime", NOATIME, ATIME),
        ("strictatime", STRICTATIME, ATIME),
        ("relatime", 0, ATIME),
        ("atime", 0, ATIME),
        ("nostrictatime", 0, ATIME),
        ("norelatime", 0, 0),
        ("noatime strictatime", STRICTATIME, ATIME),
        ("strictatime noatime", NOATIME, ATIME),
        ("noatime relatime", 0, ATIME),
        ("noatime atime", 0, ATIME),
        ("strictatime atime", STRICTATIME, ATIME),
        ("noatime nostrictatime", NOATIME, ATIME),
        ("noatime norelatime", NOATIME, ATIME),
        ("relatime norelatime", 0, 0),
    ],
)
def test_an_access_time_mode_replaces_the_whole_field(options: str, attr_set: int, attr_clr: int) -> None:
    """mount_setattr(2): MOUNT_ATTR__ATIME must be in attr_clr; the recursive twins work alike."""
    names = options.split()
    assert parse_options(tuple(names)) == PLAIN.replace(attr_set=attr_set, attr_clr=attr_clr)
    recursive = tuple(f"r{name}" for name in names)
    assert parse_options(recursive) == PLAIN.replace(rec_set=attr_set, rec_clr=attr_clr)


def test_propagation_is_kept_in_order() -> None:
    """Each is applied by itself, after the mount."""
    assert parse_options(("rslave", "shared", "private", "runbindable")).propagation == (
        flags.MS_SLAVE | flags.MS_REC,
        flags.MS_SHARED,
        flags.MS_PRIVATE,
        flags.MS_UNBINDABLE | flags.MS_REC,
    )


@pytest.mark.parametrize(
    ("options", "data", "specific"),
    [
        ("size=64k mode=755", ("size=64k", "mode=755"), ("size=64k", "mode=755")),
        ("size=1 size=2", ("size=1", "size=2"), ("size=1", "size=2")),
        ("newinstance gid=5", ("newinstance", "gid=5"), ("newinstance", "gid=5")),
        ("sync size=1 dirsync lazytime mand", ("sync", "size=1", "dirsync", "lazytime", "mand"), ("size=1",)),
        ("sync async", (), ()),
        ("async sync", ("sync",), ()),
        ("sync size=1 sync", ("size=1", "sync"), ("size=1",)),
        ("lazytime nolazytime mand nomand", (), ()),
        ("remount rw async nomand", ("rw", "async", "nomand"), ()),
        ("remount ro", ("ro",), ()),
        ("size=1,mode=755", ("size=1", "mode=755"), ("size=1", "mode=755")),
        (",,size=1,", ("size=1",), ("size=1",)),
        ('context="a:b:c0,c1",uid=0', ("context=a:b:c0,c1", "uid=0"), ("context=a:b:c0,c1", "uid=0")),
        ("lowerdir=/a\\,b", ("lowerdir=/a\\,b",), ("lowerdir=/a\\,b",)),
        ("RO", ("RO",), ("RO",)),
    ],
)
def test_data_keeps_its_order_and_its_commas(options: str, data: tuple[str, ...], specific: tuple[str, ...]) -> None:
    """Super block flags are part of it; only a remount says which are to be off."""
    parsed = parse_options(tuple(options.split()))
    assert (parsed.data, parsed.specific) == (data, specific)
