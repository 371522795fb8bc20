"""What this slinger knows, for ``slinger features``: runtime-spec 1.3 features.md.

The answer comes from the tables that the code itself works with, needs no root and asks no kernel. A
member that is absent means "unknown"; False means that the runtime does not do it.
"""

from __future__ import annotations

from slinger.lifecycle import STAGE_NAMES
from slinger.linux.capabilities import CAPABILITIES
from slinger.linux.flags import NAMESPACES, OPTION_NAMES
from slinger.linux.scheduling import MEMORY_POLICIES, MEMORY_POLICY_FLAGS
from slinger.linux.seccomp import ACTIONS, ARCHITECTURES, FLAGS, OPERATORS
from slinger.version import COMMIT, SPEC_VERSION, VERSION

# What the plan can do. A row becomes True in the change that makes it so.
CGROUP = {"v1": True, "v2": True, "systemd": True, "systemdUser": True, "rdma": True}
APPARMOR = True
SELINUX = True
INTEL_RDT = True
NET_DEVICES = True
IDMAP = True
# Beside systemd's properties, of which one can run programs as root (CVE-2024-3154): files on the host that hooks'
# output goes to, the caller's groups, and a socket of the host.
UNSAFE = ("run.oci.hooks.", "run.oci.keep_original_groups", "run.oci.seccomp.receiver")
# Obeyed only where --cdi-annotations or the settings say so: they give devices of the host, and hooks that run as root.
DEVICES = "cdi.k8s.io/"
# The versions of the files that can be added to a configuration, see inject/.
HOOKS_D_VERSION = "1.0.0"
CDI_VERSION = "1.1.0"


def features(*, version: str = VERSION, commit: str = COMMIT, libseccomp: str = "") -> dict[str, object]:
    """The features document. What is "" is not known and left out, such as the version of libseccomp."""
    known = (
        ("org.opencontainers.slinger.version", version),
        ("org.opencontainers.slinger.commit", commit),
        ("org.opencontainers.slinger.checkpoint.enabled", "false"),
        ("org.opencontainers.slinger.hooks.d.version", HOOKS_D_VERSION),
        ("org.opencontainers.slinger.cdi.version", CDI_VERSION),
        ("io.github.seccomp.libseccomp.version", libseccomp),
    )
    return {
        "ociVersionMin": "1.0.0",
        "ociVersionMax": SPEC_VERSION,
        "hooks": list(STAGE_NAMES),
        "mountOptions": list(OPTION_NAMES),
        "linux": {
            "namespaces": sorted(NAMESPACES),
            "capabilities": list(CAPABILITIES),
            "cgroup": dict(CGROUP),
            "seccomp": {
                "enabled": True,
                "actions": sorted(ACTIONS),
                "operators": sorted(OPERATORS),
                "archs": sorted(ARCHITECTURES),
                "knownFlags": list(FLAGS),
                "supportedFlags": list(FLAGS),
            },
            "apparmor": {"enabled": APPARMOR},
            "selinux": {"enabled": SELINUX},
            "intelRdt": {"enabled": INTEL_RDT, "schemata": INTEL_RDT, "monitoring": INTEL_RDT},
            "memoryPolicy": {"modes": list(MEMORY_POLICIES), "flags": list(MEMORY_POLICY_FLAGS)},
            "mountExtensions": {"idmap": {"enabled": IDMAP}},
            "netDevices": {"enabled": NET_DEVICES},
        },
        "annotations": {name: value for name, value in known if value},
        "potentiallyUnsafeConfigAnnotations": ["org.systemd.property.", *UNSAFE, DEVICES],
    }
