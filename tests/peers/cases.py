"""The configs of the differential test: a name, and what it changes in the base config.

`look` is what the payload is asked about beside its usual report; placeholders are those of tests.bundles, and
@NET@ @IPC@ @UTS@ @PID@ @CGROUP@ @TIME@ @USER@, the paths of namespaces that the test holds open (see anchors.py).
"""

from __future__ import annotations

from typing import Final

from tests.peers.cases_kernel import DEVICES, KERNEL, MORE_DEVICES, MORE_KERNEL
from tests.peers.cases_mounts import MORE_MOUNTS, MOUNTS
from tests.peers.cases_namespaces import MORE_NAMESPACES, NAMESPACES
from tests.peers.cases_process import IDENTITY, MORE_IDENTITY, MORE_PRIVILEGES, MORE_TERMINAL, PRIVILEGES
from tests.peers.cases_refusals import MORE_REFUSALS, REFUSALS
from tests.peers.cases_seccomp import MORE_SECCOMP, SECCOMP

CASES: Final = (
    *IDENTITY,
    *PRIVILEGES,
    *MORE_IDENTITY,
    *MORE_PRIVILEGES,
    *MORE_TERMINAL,
    *NAMESPACES,
    *MORE_NAMESPACES,
    *MOUNTS,
    *MORE_MOUNTS,
    *DEVICES,
    *KERNEL,
    *MORE_DEVICES,
    *MORE_KERNEL,
    *SECCOMP,
    *MORE_SECCOMP,
    *REFUSALS,
    *MORE_REFUSALS,
)
