"""The configs of the differential test about seccomp: actions, operators, flags, machines, a real profile."""

from __future__ import annotations

from typing import Final

from tests.bundles import DROP, Json
from tests.peers.case import (
    TRY,
    USER,
    Case,
    rule,
    seccomp,
)

SECCOMP: Final = (
    Case(
        name="seccomp report",
        changes=seccomp(defaultAction="SCMP_ACT_ALLOW", syscalls=[rule("SCMP_ACT_ERRNO", "reboot")]),
    ),
    Case(
        name="seccomp report with new privileges",
        changes={
            **seccomp(defaultAction="SCMP_ACT_ALLOW", syscalls=[rule("SCMP_ACT_ERRNO", "reboot")]),
            "process.noNewPrivileges": False,
        },
    ),
    Case(
        name="seccomp errno",
        changes=seccomp(
            defaultAction="SCMP_ACT_ALLOW",
            syscalls=[rule("SCMP_ACT_ERRNO", "mount", "no_such_call", errnoRet=42), rule("SCMP_ACT_ERRNO", "swapon")],
        ),
        arguments=TRY,
    ),
    Case(
        name="seccomp kill",
        changes=seccomp(
            defaultAction="SCMP_ACT_ALLOW",
            syscalls=[
                rule("SCMP_ACT_KILL", "reboot"),
                rule("SCMP_ACT_KILL_PROCESS", "bpf"),
                rule("SCMP_ACT_TRAP", "sync"),
            ],
        ),
        arguments=TRY,
    ),
    Case(
        name="seccomp by argument",
        changes=seccomp(
            defaultAction="SCMP_ACT_ALLOW",
            syscalls=[
                rule(
                    "SCMP_ACT_ERRNO",
                    "unshare",
                    args=[{"index": 0, "value": 0x10000000, "op": "SCMP_CMP_EQ"}],
                    errnoRet=13,
                ),
                rule(
                    "SCMP_ACT_ERRNO",
                    "personality",
                    args=[{"index": 0, "value": 0xFFFFFFFF, "valueTwo": 0xFFFFFFFF, "op": "SCMP_CMP_MASKED_EQ"}],
                ),
            ],
        ),
        arguments=TRY,
    ),
    Case(name="seccomp of podman", changes={}, podman=True, arguments=TRY),
    Case(name="seccomp of podman, reported", changes={}, podman=True),
    Case(
        name="seccomp of podman without a default errno",
        changes={"linux.seccomp.defaultErrnoRet": DROP},
        podman=True,
        arguments=TRY,
    ),
    Case(
        name="seccomp of podman with all capabilities",
        changes={"process.capabilities": DROP, "process.noNewPrivileges": False},
        podman=True,
        arguments=TRY,
    ),
)

CALLS: Final = (
    ("personality", 0xFFFFFFFF),
    ("acct", 1),
    ("chroot", 1),
    ("unshare", 0x10000000),
    ("setns", (1 << 64) - 1),
)
TRY_CALLS: Final = ("/bin/payload", "try-syscall", "personality", "acct", "chroot", "unshare", "unshare_user", "setns")
EVERY_CALL: Final = ("/bin/payload", "try-syscall", "reboot", "bpf", "sync", "swapon", "unknown")
ALLOWED: Final = "SCMP_ACT_ALLOW"


def condition(operator: str, value: int, index: int = 0, **more: Json) -> Json:
    """Make one entry of args."""
    return {"index": index, "value": value, "op": f"SCMP_CMP_{operator}", **more}


def compared(operator: str) -> Case:
    """Make a case in which calls are refused by comparing their first argument."""
    return Case(
        name=f"seccomp operator {operator}",
        changes=seccomp(
            defaultAction=ALLOWED,
            syscalls=[
                rule("SCMP_ACT_ERRNO", name, args=[condition(operator, value, valueTwo=value)], errnoRet=60 + number)
                for number, (name, value) in enumerate(CALLS)
            ],
        ),
        arguments=TRY_CALLS,
    )


def acted(action: str, **more: Json) -> Case:
    """Make a case in which one call gets the action."""
    return Case(
        name=" ".join(["seccomp action", action, *(f"{key} {value}" for key, value in more.items())]),
        changes=seccomp(defaultAction=ALLOWED, syscalls=[rule(f"SCMP_ACT_{action}", "reboot", "bpf", **more)]),
        arguments=EVERY_CALL,
    )


def one(name: str, *rules: Json, arguments: tuple[str, ...] | None = TRY_CALLS, **members: Json) -> Case:
    """Make a case of a filter that allows by default."""
    given = {"defaultAction": ALLOWED, "syscalls": list(rules), **members}
    return Case(name=f"seccomp {name}", changes=seccomp(**given), arguments=arguments)


MORE_SECCOMP: Final = (
    *map(compared, ("NE", "LT", "LE", "EQ", "GE", "GT", "MASKED_EQ")),
    *map(acted, ("ALLOW", "ERRNO", "KILL", "KILL_THREAD", "KILL_PROCESS", "TRAP", "TRACE", "LOG", "NOTIFY", "NO_SUCH")),
    acted("ERRNO", errnoRet=0),
    acted("ERRNO", errnoRet=4095),
    acted("TRACE", errnoRet=7),
    acted("KILL", errnoRet=7),
    *(
        Case(
            name=f"seccomp default {action}",
            changes={"linux.seccomp.defaultAction": f"SCMP_ACT_{action}", "linux.seccomp.defaultErrnoRet": DROP},
            podman=True,
            arguments=("/bin/payload", "try-syscall", "reboot", "bpf", "keyctl", "swapon", "getpid", "acct"),
        )
        for action in ("ERRNO", "KILL", "KILL_THREAD", "KILL_PROCESS", "TRAP", "TRACE", "LOG", "ALLOW")
    ),
    Case(name="seccomp default errno 99", changes={"linux.seccomp.defaultErrnoRet": 99}, podman=True, arguments=TRY),
    one(
        "two arguments at once",
        rule("SCMP_ACT_ERRNO", "setns", args=[condition("EQ", (1 << 64) - 1), condition("EQ", 0, 1)], errnoRet=61),
    ),
    one(
        "two arguments, one other",
        rule("SCMP_ACT_ERRNO", "setns", args=[condition("EQ", (1 << 64) - 1), condition("NE", 0, 1)], errnoRet=61),
    ),
    one(
        "one argument twice", rule("SCMP_ACT_ERRNO", "acct", args=[condition("GE", 1), condition("LE", 0)], errnoRet=61)
    ),
    one(
        "two rules for one call",
        rule("SCMP_ACT_ERRNO", "acct", args=[condition("EQ", 7)], errnoRet=61),
        rule("SCMP_ACT_ERRNO", "acct", args=[condition("EQ", 1)], errnoRet=62),
    ),
    one(
        "a rule with and one without arguments",
        rule("SCMP_ACT_ERRNO", "acct", args=[condition("EQ", 1)], errnoRet=61),
        rule("SCMP_ACT_ERRNO", "acct", errnoRet=62),
    ),
    one("the same rule twice", rule("SCMP_ACT_ERRNO", "acct"), rule("SCMP_ACT_ERRNO", "acct")),
    one("two actions for one call", rule("SCMP_ACT_ERRNO", "acct"), rule("SCMP_ACT_KILL", "acct")),
    one(
        "a masked value",
        rule("SCMP_ACT_ERRNO", "unshare", args=[condition("MASKED_EQ", 0x10000000, valueTwo=0x10000000)], errnoRet=61),
    ),
    one(
        "the argument of index 5",
        rule("SCMP_ACT_ERRNO", "getpid", args=[condition("EQ", 0, 5)]),
        arguments=("/bin/payload", "try-syscall", "acct"),
    ),
    one("the argument of index 6", rule("SCMP_ACT_ERRNO", "acct", args=[condition("EQ", 0, 6)])),
    one("an unknown operator", rule("SCMP_ACT_ERRNO", "acct", args=[condition("ABOUT", 0)])),
    one("an unknown call", rule("SCMP_ACT_ERRNO", "no_such_call")),
    one("a rule without names", rule("SCMP_ACT_ERRNO")),
    one("no rules"),
    one("calls of another machine", rule("SCMP_ACT_ERRNO", "arm_fadvise64_64", "s390_runtime_instr", "acct")),
    one(
        "two machines",
        rule("SCMP_ACT_ERRNO", "acct"),
        architectures=["SCMP_ARCH_X86_64", "SCMP_ARCH_X86", "SCMP_ARCH_X32"],
    ),
    one("another machine alone", rule("SCMP_ACT_ERRNO", "acct"), architectures=["SCMP_ARCH_S390X"]),
    one("an unknown machine", rule("SCMP_ACT_ERRNO", "acct"), architectures=["SCMP_ARCH_PDP11"]),
    *(
        one(f"flag {name}", rule("SCMP_ACT_ERRNO", "acct"), flags=[f"SECCOMP_FILTER_FLAG_{name}"], arguments=None)
        for name in ("TSYNC", "LOG", "SPEC_ALLOW", "WAIT_KILLABLE_RECV", "NO_SUCH")
    ),
    one("flags none", rule("SCMP_ACT_ERRNO", "acct"), flags=[], arguments=None),
    one(
        "flags together",
        rule("SCMP_ACT_ERRNO", "acct"),
        flags=["SECCOMP_FILTER_FLAG_LOG", "SECCOMP_FILTER_FLAG_SPEC_ALLOW"],
        arguments=None,
    ),
    one("a listener that nothing asks", rule("SCMP_ACT_ERRNO", "acct"), listenerPath="/no/such/socket"),
    one("metadata without a listener", rule("SCMP_ACT_ERRNO", "acct"), listenerMetadata="m"),
    Case(name="seccomp without a default action", changes=seccomp(syscalls=[rule("SCMP_ACT_ERRNO", "acct")])),
    Case(
        name="seccomp of a user with new privileges",
        changes={
            **USER,
            **seccomp(defaultAction=ALLOWED, syscalls=[rule("SCMP_ACT_ERRNO", "acct")]),
            "process.noNewPrivileges": False,
        },
    ),
    Case(
        name="seccomp that forbids what the runtime does",
        changes=seccomp(
            defaultAction=ALLOWED,
            syscalls=[
                rule(
                    "SCMP_ACT_ERRNO", "mount", "setuid", "capset", "prctl", "close_range", "chdir", "socket", "sendmsg"
                )
            ],
        ),
    ),
)
