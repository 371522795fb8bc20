"""Ops that tell security modules what the program and its files are to be.

Most of it shows on a machine with AppArmor or SELinux alone; on others, that the kernel was asked, and where.
"""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Final

import pytest

from slinger.plan import ops
from slinger.plan.ops import Op
from tests.contract.covers import fails, works
from tests.contract.look import inside, mounts
from tests.contract.walk import CLONE, Walk, cloned, entered, failure, look, rooted
from tests.requires import requires

pytestmark = requires("root", "gcc")

LABEL: Final = "system_u:object_r:container_file_t:s0:c4,c5"
ATTRIBUTE: Final = "security.selinux"


@works(ops.AppArmor)
@requires("apparmor")
def test_the_program_runs_under_its_profile(payload: Path, tmp_path: Path) -> None:
    """Not init itself: it is the exec that enters the profile."""
    profile = ops.AppArmor("process.apparmorProfile", profile="unconfined")
    assert label_of_program(payload, tmp_path / "report", profile) == "unconfined"


def label_of_program(payload: Path, report: Path, op: Op) -> str:
    """What a program says that is executed after the op."""
    plan = (
        CLONE,
        op,
        ops.FindProgram("process.args[0]", name=str(payload)),
        ops.Exec("process.args", args=("payload", "report")),
    )
    with report.open("wb") as stdout, Walk(*plan, stdio=(0, stdout.fileno(), 2), mode="supervise") as walk:
        assert walk.finish().exited == 0
    return str(json.loads(report.read_bytes())["label"])


@works(ops.ProcessLabel)
@requires("selinux")
def test_the_program_runs_under_its_label(payload: Path, tmp_path: Path) -> None:
    """Our own, which is always allowed."""
    own = Path("/proc/self/attr/current").read_text(encoding="utf-8").strip("\n\0")
    label = ops.ProcessLabel("process.selinuxLabel", label=own)
    assert label_of_program(payload, tmp_path / "report", label).strip("\0") == own


@fails(ops.ProcessLabel, ops.Keyring)
@requires("no-selinux")
@pytest.mark.parametrize(
    ("op", "text"),
    [
        (
            ops.ProcessLabel("process.selinuxLabel", label=LABEL),
            f"process.selinuxLabel ({LABEL}): write thread-self/attr/exec: invalid argument",
        ),
        (
            ops.Keyring("process", name="_ses.x", label=LABEL),
            "process (_ses.x): write thread-self/attr/keycreate: invalid argument",
        ),
    ],
)
@pytest.mark.parametrize("inside_root", [False, True])
def test_a_label_that_the_kernel_refuses_is_an_error(rootfs: Path, op: Op, text: str, *, inside_root: bool) -> None:
    """It is told what procfs lets ourselves alone write, in the root of the container too, and by nobody there."""
    assert failure(*(entered(rootfs) if inside_root else cloned()), op) == text


@works(ops.MountNew)
def test_the_root_of_a_file_system_is_labelled(rootfs: Path) -> None:
    """As mqueue needs it, which takes no option; shown by a tmpfs, which keeps the attribute without SELinux."""
    new = ops.MountNew("mounts[0]", type="tmpfs", source="tmpfs", destination="/mnt", label=LABEL)
    with look(*rooted(rootfs), new, new.replace(destination="/data", label="")).reach() as walk:
        labelled, plain = (inside(walk.pid, f"{rootfs}/{name}") for name in ("mnt", "data"))
        assert os.getxattr(labelled, ATTRIBUTE).decode() == LABEL
        assert ATTRIBUTE not in os.listxattr(plain)


@fails(ops.MountNew)
@requires("no-selinux")
@pytest.mark.parametrize(
    ("changes", "text"),
    [
        ({"options": (f"context={LABEL}",)}, f"mounts[0] (/mnt): fsconfig context={LABEL}: invalid argument"),
        ({"type": "ramfs", "label": LABEL}, f"mounts[0] (/mnt): fsetxattr {LABEL}: operation not supported"),
    ],
)
def test_a_label_that_a_file_system_does_not_take_is_an_error(
    rootfs: Path, changes: dict[str, str | tuple[str, ...]], text: str
) -> None:
    """The option as it is, commas and all."""
    new = ops.MountNew("mounts[0]", type="tmpfs", source="tmpfs", destination="/mnt").replace(**changes)
    assert failure(*rooted(rootfs), new) == text


@works(ops.Mask)
def test_what_hides_a_directory_has_the_options_that_are_asked(rootfs: Path) -> None:
    """And is read-only all the same."""
    masks = [
        ops.Mask("linux.maskedPaths[0]", path="/secrets", options=("size=64k", "mode=711")),
        ops.Mask("linux.maskedPaths[1]", path="/data"),
    ]
    with look(*entered(rootfs), *masks).reach() as walk:
        table = mounts(walk.pid)
        assert {"ro", "size=64k", "mode=711"} <= table["/secrets"].super_options
        assert "ro" in table["/data"].super_options
        assert "size=64k" not in table["/data"].super_options


@fails(ops.Mask)
@requires("no-selinux")
def test_an_option_of_what_hides_a_directory_that_is_refused_is_an_error(rootfs: Path) -> None:
    """A mask without the label would be one that the program cannot look into, or may look into and should not."""
    mask = ops.Mask("linux.maskedPaths[0]", path="/secrets", options=(f"context={LABEL}",))
    text = f"linux.maskedPaths[0] (/secrets): fsconfig context={LABEL}: invalid argument"
    assert failure(*entered(rootfs), mask) == text
