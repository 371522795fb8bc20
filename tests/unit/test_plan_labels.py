"""plan/labels.py: what security modules are told, and of which mounts."""

from __future__ import annotations

import pytest

from slinger.errors import ConfigError
from slinger.plan import ops
from slinger.plan.facts import Facts, Hierarchy
from slinger.plan.labels import CONTEXT_TYPE, exec_label_ops, keyring_op
from slinger.plan.masks import mask_ops
from slinger.plan.mounts import mount_ops
from slinger.spec.config import Process
from tests.unit.documents import parsed

LABEL = "system_u:object_r:container_file_t:s0:c4,c5"
MOUNT_LABEL = ("linux.mountLabel", LABEL)
FACTS = Facts(rootfs="/r", hierarchies=(Hierarchy("/sys/fs/cgroup", (), 2, "/box"),))
V1 = FACTS.replace(hierarchies=(Hierarchy("/sys/fs/cgroup/memory", ("memory",), 1, "/box"),))
PROCESS = Process(cwd="/")


def new(kind: str, *options: str, more: tuple[tuple[str, object], ...] = (), facts: Facts = FACTS) -> ops.MountNew:
    """The op for a new file system, with a mount label."""
    entry = {"destination": "/a", "type": kind, "source": kind, "options": list(options)}
    done = mount_ops(parsed(("mounts", [entry]), MOUNT_LABEL, *more), facts, "/bundle")
    return next(op for op in done.mounts if isinstance(op, ops.MountNew))


@pytest.mark.parametrize("kind", ["tmpfs", "devpts", "ext4", "overlay"])
def test_a_new_file_system_is_labelled_by_an_option(kind: str) -> None:
    """context= of mount(8), after its own; commas in it part nothing."""
    op = new(kind, "size=1")
    assert (op.options, op.label) == (("size=1", f"context={LABEL}"), "")


@pytest.mark.parametrize("kind", ["proc", "sysfs", "cgroup", "cgroup2"])
def test_what_the_policy_labels_is_left_alone(kind: str) -> None:
    """Their super blocks are not the container's alone."""
    op = new(kind)
    assert (op.options, op.label) == ((), "")


def test_the_root_of_a_message_queue_is_labelled_as_a_directory() -> None:
    """It takes no option; runc and crun do the same."""
    op = new("mqueue")
    assert (op.options, op.label) == ((), LABEL)


@pytest.mark.parametrize("own", ["context", "fscontext", "defcontext", "rootcontext"])
def test_a_mount_that_says_its_context_has_that(own: str) -> None:
    """Two would contradict each other, which the kernel refuses."""
    assert new("tmpfs", f'{own}="u:r:t:s0:c1,c2"').options == (f"{own}=u:r:t:s0:c1,c2",)


@pytest.mark.parametrize("name", ["fscontext", "defcontext", "rootcontext", "context"])
def test_an_annotation_says_which_context_is_meant(name: str) -> None:
    """As crun's callers say it: rootcontext lets the program label what it makes there."""
    more = (("annotations", {CONTEXT_TYPE: name}),)
    assert new("tmpfs", more=more).options == (f"{name}={LABEL}",)


def test_an_unknown_context_is_refused() -> None:
    """With what there is."""
    with pytest.raises(ConfigError) as caught:
        new("tmpfs", more=(("annotations", {CONTEXT_TYPE: "size=1,context"}),))
    assert str(caught.value) == (
        'annotations["run.oci.mount_context_type"]: expected one of context, fscontext, defcontext, rootcontext, '
        'got "size=1,context"'
    )


def test_the_tmpfs_that_holds_the_hierarchies_is_labelled() -> None:
    """On cgroup v1 it is one of ours, unlike what is in it."""
    assert new("cgroup", facts=V1).options == ("mode=755", f"context={LABEL}")


def test_what_hides_a_directory_is_labelled() -> None:
    """A new file system as any other."""
    (op,) = mask_ops(parsed(MOUNT_LABEL, ("linux.maskedPaths", ["/x"])))
    assert op == ops.Mask("linux.maskedPaths[0]", path="/x", options=(f"context={LABEL}",))
    (op,) = mask_ops(parsed(("linux.maskedPaths", ["/x"])))
    assert op == ops.Mask("linux.maskedPaths[0]", path="/x")


@pytest.mark.parametrize("options", [["bind"], ["rbind"]])
def test_a_bind_mount_keeps_the_labels_of_its_files(options: list[str]) -> None:
    """Who wants the files relabelled does it before, as engines do for their options z and Z; no runtime does."""
    entry = {"destination": "/a", "type": "bind", "source": "/s", "options": options}
    done = mount_ops(parsed(("mounts", [entry]), MOUNT_LABEL), FACTS, "/bundle")
    bare = mount_ops(parsed(("mounts", [entry])), FACTS, "/bundle")
    assert done == bare


def test_the_program_and_its_keyring_have_the_label_of_the_process() -> None:
    """SELinux by attr/exec and attr/keycreate, AppArmor by its own file; without a label nothing is written."""
    labelled = PROCESS.replace(selinux_label="l", apparmor_profile="p")
    assert exec_label_ops(labelled) == [
        ops.ProcessLabel("process.selinuxLabel", label="l"),
        ops.AppArmor("process.apparmorProfile", profile="p"),
    ]
    assert exec_label_ops(PROCESS) == []
    assert keyring_op(labelled, "box") == ops.Keyring("process", name="_ses.box", label="l")
    assert keyring_op(PROCESS, "box") == keyring_op(None, "box") == ops.Keyring("process", name="_ses.box")
