"""The directives of service units: which there are, and which values systemd takes for each.

Everything here is what `systemd-analyze verify` of systemd 252 says, checked against the program
itself. A directive with many values counts as refused if systemd leaves out any of them.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Mapping, Sequence

from msgspec import Struct

from gunilint.parse.systemd import Directive, Unit, boolean, is_specifier, listed, timespan
from gunilint.regex import regex
from gunilint.source import Fragment, Source

Check = Callable[[str], "str | None"]
"""Why systemd doesn't take a value, in words that follow "it"; None if it does."""


class Refusal(Struct, frozen=True):
    """What systemd makes of a directive that it doesn't take.

    `kind` is that of a `Problem`: "ignored" where only the value is left out, "refused" where
    the whole unit isn't loaded for it.
    """

    reason: str
    kind: str = "ignored"


def refusal(section: str, key: str, value: str) -> Refusal | None:
    """What systemd 252 makes of a service unit's directive; None if it takes it.

    The values of `Exec*=` are judged by `parse.systemd`. A specifier that depends on the unit or
    the machine is taken to stand for something right.
    """
    if section.startswith("X-"):
        return None
    known = _DIRECTIVES.get(section)
    if known is None:
        return Refusal(f"service units have no section [{section}]")
    check = known.get(key)
    if check is None:
        return None if key.startswith("X-") else Refusal(f"[{section}] has no {key}=")
    reason = check(value)
    if reason is None:
        return None
    fatal = key in _FATAL and not (key == "WorkingDirectory" and value.startswith("-"))
    fatal = fatal or (key == "PIDFile" and reason == _NOT_NORMALIZED)
    return Refusal(reason, "refused" if fatal else "ignored")


def known_sections() -> Mapping[str, Mapping[str, Check]]:
    """The sections of a service unit, each with its directives."""
    return _DIRECTIVES


def refused_as_a_whole(unit: Unit) -> str | None:
    """Why systemd doesn't load a service unit of which each line may be right, in a sentence."""
    starts = unit.all("Service", "ExecStart")
    kind = unit.last("Service", "Type")
    is_oneshot = kind is not None and kind.value.text == "oneshot"
    if not starts and not unit.all("Service", "ExecStop"):
        return "it has no ExecStart="
    if len(starts) > 1 and not is_oneshot:
        return "it has more than one ExecStart= and isn't Type=oneshot"
    return None


def counting(unit: Unit, section: str, *keys: str) -> Directive | None:
    """The directive that sets what `keys` set, the last one that systemd takes; None if unset."""
    found: Directive | None = None
    for directive in unit.directives:
        if directive.section != section or directive.key not in keys:
            continue
        if refusal(section, directive.key, directive.value.text) is None:
            found = directive
    return found if found is not None and found.value.text else None


# single values


def _any(value: str) -> str | None:
    return None


def _text(value: str) -> str | None:
    return _bad_specifier(value)


def _boolean(value: str) -> str | None:
    return "is no boolean, such as yes or no" if boolean(value) is None else None


def _timespan(value: str) -> str | None:
    return "is no time span, such as 30 or 5min 20s" if timespan(value) is None else None


def _one_of(*names: str) -> Check:
    def check(value: str) -> str | None:
        return None if value in names else f"is none of {', '.join(names)}"

    return check


def _either(first: Check, second: Check) -> Check:
    """A value that one of two checks takes; the reason is the second one's."""

    def check(value: str) -> str | None:
        return None if first(value) is None else second(value)

    return check


def _or_empty(check: Check) -> Check:
    """A value that may be empty, which sets the default again."""
    return _either(_one_of(""), check)


_INTEGER = regex(
    r"(?P<binary>0b[01]+)|(?P<octal>0o[0-7]+)|[+-]?(?:(?P<hex>0[xX][0-9a-fA-F]+)|(?P<zero>0[0-7]*)|[1-9][0-9]*)"
)


def _integer(value: str) -> int | None:
    """A whole number as C reads it: `0x` is hexadecimal, and a leading 0 octal."""
    match = _INTEGER.fullmatch(value)
    if match is None:
        return None
    if match["binary"] or match["octal"] or match["hex"]:
        return int(value, 0)
    return int(value, 8 if match["zero"] else 10)


def _between(low: int, high: int) -> Check:
    def check(value: str) -> str | None:
        number = _integer(value)
        if number is None:
            return "is no whole number"
        return None if low <= number <= high else f"isn't between {low} and {high}"

    return check


def _mode(value: str) -> str | None:
    if re.fullmatch("0*[0-7]{1,4}", value):
        return None
    return "is no file mode of octal digits, such as 0027"


_SIGNALS = frozenset(
    """HUP INT QUIT ILL TRAP ABRT BUS FPE KILL USR1 SEGV USR2 PIPE ALRM TERM STKFLT CHLD CONT STOP
    TSTP TTIN TTOU URG XCPU XFSZ VTALRM PROF WINCH IO PWR SYS RTMIN RTMAX""".split()
)
_REAL_TIME = regex(r"RT(?:MIN\+|MAX-)(\d+)")
_LAST_SIGNAL, _REAL_TIME_SIGNALS = 64, 30


def _signal(value: str) -> str | None:
    number = _integer(value)
    if number is not None and 0 < number <= _LAST_SIGNAL:
        return None
    name = value.removeprefix("SIG")
    real_time = _REAL_TIME.fullmatch(name)
    if name in _SIGNALS or (real_time and int(real_time[1]) <= _REAL_TIME_SIGNALS):
        return None
    return "is no signal, such as SIGTERM"


_SIZE = regex(r"[ \t]*\+?([0-9]+)(?:\.([0-9]*))?[ \t]*([EPTGMKB]?)")
_UNITS = ("E", "P", "T", "G", "M", "K", "B", "")
_LARGEST = 2**64 - 1


def _size(value: str) -> int | None:
    """A size in bytes, such as 1.5G or `1G 512M`; units are powers of 1024 and only descend."""
    total, position, unit = 0, 0, -1
    while position < len(value) or not value:
        match = _SIZE.match(value, position)
        if match is None or _UNITS.index(match[3]) <= unit:
            return None
        unit = _UNITS.index(match[3])
        factor = 1024 ** max(0, 6 - unit)
        fraction = match[2] or ""
        total += int(match[1]) * factor + int(fraction or "0") * factor // 10 ** len(fraction)
        position = match.end()
    return total if total < _LARGEST else None


_SHARE = regex(r"\+?([0-9]+)(?:\.[0-9]{1,2}%|%|\.[0-9]‰|‰|‱)")
_OF = {"%": 100, "‰": 1000, "‱": 10000}


def _share(value: str) -> float | None:
    """A part of a whole, such as 12.5%; 1 is all of it."""
    match = _SHARE.fullmatch(value)
    return float(value.strip("%‰‱")) / _OF[value[-1]] if match else None


def _memory(value: str) -> str | None:
    share = _share(value)
    size = _size(value) if share is None else None
    taken = value in ("", "infinity") or size is not None or (share is not None and share <= 1)
    return None if taken else "is no size, such as 512M or 50%"


def _some_memory(value: str) -> str | None:
    zero = _share(value) == 0 or _size(value) == 0
    return "is zero" if zero else _memory(value)


def _tasks(value: str) -> str | None:
    share = _share(value)
    if value in ("", "infinity") or (share is not None and share <= 1):
        return None
    number = _integer(value)
    if number is None:
        return "is no number or share, such as 512 or 50%"
    return None if 0 < number < _LARGEST else "is out of range"


def _quota(value: str) -> str | None:
    return None if not value or _share(value) else "is no share of a CPU, such as 150%"


def _count(value: str) -> float | None:
    number = _integer(value)
    return None if number is None or not 0 <= number < _LARGEST else number


def _nice(value: str) -> float | None:
    """A limit of the nice level: the level itself if it has a sign, else 20 less that level."""
    number = _integer(value)
    if number is None:
        return None
    if value[0] in "+-":
        return 20 - number if -20 <= number < 20 else None
    return number if 0 <= number <= 40 else None


def _unlimited(read: Callable[[str], float | None]) -> Callable[[str], float | None]:
    return lambda value: math.inf if value == "infinity" else read(value)


def _limit(read: Callable[[str], float | None]) -> Check:
    """A resource limit, `value` or `soft:hard`, whose numbers `read` understands."""

    def check(value: str) -> str | None:
        limits = [read(part) for part in value.split(":", 1)]
        soft, hard = limits[0], limits[-1]
        if soft is None or hard is None:
            return "is no limit, such as 4096 or 1024:4096"
        return "has a soft limit above the hard one" if soft > hard else None

    return check


# paths

_NOT_ABSOLUTE = "is no absolute path"
_NOT_NORMALIZED = "has `..` in its path"
_LONGEST_PATH, _LONGEST_NAME = 4096, 255


_SPECIFIER = regex("%([%A-Za-z0-9])")
_ABSOLUTE = regex("/|%[CELSTVYdfhsty]")
_RELATIVE = regex("[^/%]|%[^CELSTVYdfhstyiIjJ]|$")


def _bad_specifier(value: str) -> str | None:
    for match in _SPECIFIER.finditer(value):
        if not is_specifier(match[1]):
            return f"has `{match[0]}` in it, which is no specifier; a plain % is written %%"
    return None


def _filled(value: str) -> str:
    """A value with something plain for each specifier, so that the rest can be judged."""
    return _SPECIFIER.sub(lambda match: {"%": "%", "n": "x.service"}.get(match[1], "x"), value)


def _bad_path(path: str) -> str | None:
    return _bad_specifier(path) or (_NOT_ABSOLUTE if _RELATIVE.match(path) else _bad_parts(path))


def _bad_parts(path: str) -> str | None:
    parts = path.split("/")
    if len(path) >= _LONGEST_PATH or any(len(part) > _LONGEST_NAME for part in parts):
        return "is longer than a path may be"
    return _NOT_NORMALIZED if ".." in parts else None


def _working_directory(value: str) -> str | None:
    path = value.removeprefix("-")
    return None if value == "" or path == "~" else _bad_path(path)


def _tolerant_path(value: str) -> str | None:
    return _bad_path(value.removeprefix("-"))


def _pid_file(value: str) -> str | None:
    return _bad_specifier(value) or _bad_parts(value)


def _condition_path(value: str) -> str | None:
    return _bad_path(value.removeprefix("|").removeprefix("!"))


_INPUTS = ("null", "tty", "tty-force", "tty-fail", "socket", "fd", "data")
_OUTPUTS = (
    "inherit", "null", "tty", "syslog", "syslog+console", "kmsg", "kmsg+console", "journal",
    "journal+console", "socket", "fd",
)  # fmt: skip


def _stream(names: tuple[str, ...], files: tuple[str, ...]) -> Check:
    """What a standard stream is connected to: a name, `fd:name`, or a file."""
    named = _one_of(*names, *files)

    def check(value: str) -> str | None:
        target, colon, rest = value.partition(":")
        if colon and target == "fd":
            return _bad_specifier(rest)
        return _bad_path(rest) if colon and f"{target}:" in files else named(value)

    return check


# lists


def _each(check: Check, *, escapes: bool = True) -> Check:
    """A list of words, which may be quoted, of which `check` has to take each."""

    def check_all(value: str) -> str | None:
        fragments, fault = listed(Fragment.whole(Source("", value)), escapes=escapes)
        reason = _first_reason(check, [fragment.text for fragment in fragments])
        return reason or ("has an open quote or a wrong escape in it" if fault else None)

    return check_all


def _each_bare(check: Check) -> Check:
    """A list of words without quoting, of which `check` has to take each."""
    return lambda value: _first_reason(check, value.split())


def _first_reason(check: Check, words: Sequence[str]) -> str | None:
    for word in words:
        if reason := check(word):
            return f"has `{word}` in it, which {reason}" if len(words) > 1 else reason
    return None


_ADDRESS_FAMILIES = frozenset(
    """
    AF_ALG AF_APPLETALK AF_ASH AF_ATMPVC AF_ATMSVC AF_AX25 AF_BLUETOOTH AF_BRIDGE AF_CAIF AF_CAN
    AF_DECnet AF_ECONET AF_FILE AF_IB AF_IEEE802154 AF_INET AF_INET6 AF_IPX AF_IRDA AF_ISDN AF_IUCV
    AF_KCM AF_KEY AF_LLC AF_LOCAL AF_MCTP AF_MPLS AF_NETBEUI AF_NETLINK AF_NETROM AF_NFC AF_PACKET
    AF_PHONET AF_PPPOX AF_QIPCRTR AF_RDS AF_ROSE AF_ROUTE AF_RXRPC AF_SECURITY AF_SMC AF_SNA
    AF_TIPC AF_UNIX AF_VSOCK AF_WANPIPE AF_X25 AF_XDP none
    """.split()
)


def _address_family(value: str) -> str | None:
    return None if value.lstrip("~") in _ADDRESS_FAMILIES else "is no address family"


_VARIABLE = regex(r"[A-Za-z_][A-Za-z0-9_]*")


def _variable(value: str) -> str | None:
    named = _VARIABLE.fullmatch(_filled(value))
    return _bad_specifier(value) or (None if named else "is no variable's name")


def _assignment(value: str) -> str | None:
    name, equals, text = value.partition("=")
    if reason := _bad_specifier(value):
        return reason
    if not equals or not _VARIABLE.fullmatch(_filled(name)):
        return "is no assignment, NAME=value"
    return "isn't UTF-8" if "\N{REPLACEMENT CHARACTER}" in text else None


def _listed_path(value: str) -> str | None:
    return _bad_path(value.removeprefix("-").removeprefix("+"))


def _folder(value: str) -> str | None:
    """A name for `RuntimeDirectory=` and the like; a second one, after a colon, is a link's."""
    if reason := _bad_specifier(value):
        return reason
    names = [name for name in value.split(":") if name]
    if not names:
        return "is no name"
    for name in names:
        if _ABSOLUTE.match(name):
            return "has to be relative"
        parts = [part for part in name.split("/") if part not in ("", ".")]
        if not parts or ".." in parts:
            return _NOT_NORMALIZED
        if parts[0] == "private":
            return "can't be `private`"
    return None


def _plain_folder(value: str) -> str | None:
    return "has a colon in it" if ":" in value else _folder(value)


_NO_ACCOUNT = regex(r"[0-9]+|-[0-9]*|\.\.?|.*[:/\x00-\x1f\x7f].*|", re.DOTALL)
_NOBODY_16, _NOBODY_32 = 2**16 - 1, 2**32 - 1


def _account(value: str) -> str | None:
    """A user or group, by name or number; systemd takes almost any name."""
    if reason := _bad_specifier(value):
        return reason
    if re.fullmatch("0|[1-9][0-9]{0,9}", value):
        number = int(value)
        valid = number < _NOBODY_32 and number != _NOBODY_16
    else:
        valid = not _NO_ACCOUNT.fullmatch(value)
    return None if valid else "is no name or number of a user or group"


_STATUSES = frozenset(
    """SUCCESS FAILURE INVALIDARGUMENT NOTIMPLEMENTED NOPERMISSION NOTINSTALLED NOTCONFIGURED
    NOTRUNNING USAGE DATAERR NOINPUT NOUSER NOHOST UNAVAILABLE SOFTWARE OSERR OSFILE CANTCREAT IOERR
    TEMPFAIL PROTOCOL NOPERM CONFIG CHDIR NICE FDS EXEC MEMORY LIMITS OOM_ADJUST SIGNAL_MASK STDIN
    STDOUT CHROOT IOPRIO TIMERSLACK SECUREBITS SETSCHEDULER CPUAFFINITY GROUP USER CAPABILITIES
    CGROUP SETSID CONFIRM STDERR PAM NETWORK NAMESPACE NO_NEW_PRIVILEGES SECCOMP SELINUX_CONTEXT
    PERSONALITY APPARMOR ADDRESS_FAMILIES RUNTIME_DIRECTORY CHOWN SMACK_PROCESS_LABEL KEYRING
    STATE_DIRECTORY CACHE_DIRECTORY LOGS_DIRECTORY CONFIGURATION_DIRECTORY NUMA_POLICY CREDENTIALS
    BPF EXCEPTION""".split()
)


def _status(value: str) -> str | None:
    taken = value in _STATUSES or _between(0, 255)(value) is None or _signal(value) is None
    return None if taken else "is no exit status or signal"


_NOT_IN_NAMES = regex("%[^%abgijlmnopquvwABGHMNUW]")
_UNIT_NAME = regex(
    r"(?!@)[A-Za-z0-9:_.\\@-]+"
    r"\.(?:service|socket|device|mount|automount|swap|target|path|timer|slice|scope)"
)


def _unit_name(value: str) -> str | None:
    if other := _NOT_IN_NAMES.search(value):
        return f"has `{other[0]}` in it, which no unit's name may have"
    named = _UNIT_NAME.fullmatch(_filled(value))
    return None if named else "is no unit's name with a suffix"


def _named(suffix: str) -> Check:
    def check(value: str) -> str | None:
        if not value.endswith(suffix):
            return f"is no {suffix} unit"
        return _unit_name(value)

    return check


_NAMESPACES = _either(
    _boolean, _each(_one_of("cgroup", "ipc", "net", "mnt", "pid", "user", "uts", "time"))
)


def _namespaces(value: str) -> str | None:
    return _NAMESPACES(value.removeprefix("~"))


_URL = regex(r"(?:https?://|file:/|info:|man:).+")


def _url(value: str) -> str | None:
    named = _URL.fullmatch(value)
    return _bad_specifier(value) or (
        None if named else "is no URL of http, https, file, info or man"
    )


# the table

_ACTION = _one_of(
    "none", "reboot", "reboot-force", "reboot-immediate", "poweroff", "poweroff-force",
    "poweroff-immediate", "exit", "exit-force",
)  # fmt: skip
_FAILURE_MODE = _one_of("terminate", "abort", "kill")
_JOB_MODE = _one_of(
    "fail", "replace", "replace-irreversibly", "isolate", "flush", "ignore-dependencies",
    "ignore-requirements", "triggering",
)  # fmt: skip
_WEIGHT = _between(1, 10000)
_UNSIGNED = _between(0, 2**32 - 1)
_LEVEL = _either(
    _between(0, 7),
    _one_of("emerg", "alert", "crit", "err", "warning", "notice", "info", "debug"),
)
_FACILITY = _either(
    _between(0, 127),
    _one_of(
        "kern", "user", "mail", "daemon", "auth", "syslog", "lpr", "news", "uucp", "cron",
        "authpriv", "ftp", *(f"local{number}" for number in range(8)),
    ),
)  # fmt: skip

_TABLE: tuple[tuple[str, Check, str], ...] = (
    # [Unit]
    ("Unit", _text, "Description"),
    ("Unit", _each_bare(_url), "Documentation"),
    ("Unit", _each_bare(_unit_name), """Requires Requisite Wants BindsTo BindTo Upholds
     Conflicts Before After OnSuccess OnFailure PropagatesReloadTo PropagateReloadTo
     ReloadPropagatedFrom PropagateReloadFrom PropagatesStopTo StopPropagatedFrom PartOf
     JoinsNamespaceOf"""),
    ("Unit", _each(_bad_path), "RequiresMountsFor"),
    ("Unit", _or_empty(_bad_path), "SourcePath"),
    ("Unit", _boolean, """StopWhenUnneeded RefuseManualStart RefuseManualStop AllowIsolate
     DefaultDependencies OnFailureIsolate IgnoreOnIsolate"""),
    ("Unit", _JOB_MODE, "OnSuccessJobMode OnFailureJobMode"),
    ("Unit", _timespan, """JobTimeoutSec JobRunningTimeoutSec StartLimitIntervalSec
     StartLimitInterval"""),
    ("Unit", _UNSIGNED, "StartLimitBurst"),
    ("Unit", _ACTION, "StartLimitAction FailureAction SuccessAction JobTimeoutAction"),
    ("Unit", _or_empty(_between(0, 255)), "FailureActionExitStatus SuccessActionExitStatus"),
    ("Unit", _one_of("inactive", "inactive-or-failed"), "CollectMode"),
    ("Unit", _or_empty(_condition_path), """ConditionPathExists ConditionPathExistsGlob
     ConditionPathIsDirectory ConditionPathIsSymbolicLink ConditionPathIsMountPoint
     ConditionPathIsReadWrite ConditionPathIsEncrypted ConditionDirectoryNotEmpty
     ConditionFileNotEmpty ConditionFileIsExecutable ConditionNeedsUpdate AssertPathExists
     AssertPathExistsGlob AssertPathIsDirectory AssertPathIsSymbolicLink AssertPathIsMountPoint
     AssertPathIsReadWrite AssertPathIsEncrypted AssertDirectoryNotEmpty AssertFileNotEmpty
     AssertFileIsExecutable AssertNeedsUpdate"""),
    ("Unit", _text, """ConditionFirstBoot ConditionArchitecture ConditionFirmware
     ConditionVirtualization ConditionHost ConditionKernelCommandLine ConditionKernelVersion
     ConditionCredential ConditionSecurity ConditionCapability ConditionACPower ConditionMemory
     ConditionCPUFeature ConditionCPUs ConditionEnvironment ConditionUser ConditionGroup
     ConditionControlGroupController ConditionOSRelease ConditionMemoryPressure
     ConditionCPUPressure ConditionIOPressure AssertFirstBoot AssertArchitecture
     AssertVirtualization AssertHost AssertKernelCommandLine AssertKernelVersion AssertCredential
     AssertSecurity AssertCapability AssertACPower AssertMemory AssertCPUFeature AssertCPUs
     AssertEnvironment AssertUser AssertGroup AssertControlGroupController AssertOSRelease
     AssertMemoryPressure AssertCPUPressure AssertIOPressure"""),
    ("Unit", _any, """RebootArgument JobTimeoutRebootArgument RequiresOverridable
     RequisiteOverridable"""),
    # [Install]: systemd reads it only when a unit is enabled
    ("Install", _any, "Alias WantedBy RequiredBy Also DefaultInstance"),
    # [Service]: how it starts and stops
    ("Service", _one_of("simple", "exec", "forking", "oneshot", "dbus", "notify", "idle"), "Type"),
    ("Service", _one_of("main", "cgroup"), "ExitType"),
    ("Service", _one_of("no", "on-success", "on-failure", "on-abnormal", "on-watchdog", "on-abort",
                        "always"), "Restart"),
    ("Service", _one_of("none", "main", "exec", "all"), "NotifyAccess"),
    ("Service", _one_of("continue", "stop", "kill"), "OOMPolicy"),
    ("Service", _or_empty(_one_of("control-group", "process", "mixed", "none")), "KillMode"),
    ("Service", _signal, "KillSignal RestartKillSignal FinalKillSignal WatchdogSignal"),
    ("Service", _FAILURE_MODE, "TimeoutStartFailureMode TimeoutStopFailureMode"),
    ("Service", _ACTION, "StartLimitAction FailureAction"),
    ("Service", _timespan, """RestartSec TimeoutSec TimeoutStartSec TimeoutStopSec RuntimeMaxSec
     RuntimeRandomizedExtraSec WatchdogSec StartLimitInterval TimeoutCleanSec
     LogRateLimitIntervalSec"""),
    ("Service", _or_empty(_timespan), "TimeoutAbortSec CPUQuotaPeriodSec"),
    ("Service", _UNSIGNED, "StartLimitBurst FileDescriptorStoreMax LogRateLimitBurst"),
    ("Service", _each_bare(_status), """RestartPreventExitStatus RestartForceExitStatus
     SuccessExitStatus"""),
    ("Service", _pid_file, "PIDFile"),
    ("Service", _any, """ExecCondition ExecStartPre ExecStart ExecStartPost ExecReload ExecStop
     ExecStopPost"""),
    ("Service", _each_bare(_named(".socket")), "Sockets"),
    ("Service", _boolean, """PermissionsStartOnly RootDirectoryStartOnly RemainAfterExit
     GuessMainPID NonBlocking SendSIGKILL SendSIGHUP"""),
    # [Service]: where it runs, and with what
    ("Service", _or_empty(_account), "User Group"),
    ("Service", _each_bare(_account), "SupplementaryGroups"),
    ("Service", _working_directory, "WorkingDirectory"),
    ("Service", _or_empty(_bad_path), """RootDirectory RootImage RootVerity TTYPath
     NetworkNamespacePath IPCNamespacePath"""),
    ("Service", _each(_assignment), "Environment"),
    ("Service", _or_empty(_tolerant_path), "EnvironmentFile"),
    ("Service", _each(_variable, escapes=False), "PassEnvironment"),
    ("Service", _each(_either(_assignment, _variable)), "UnsetEnvironment"),
    ("Service", _each(_folder), """RuntimeDirectory StateDirectory CacheDirectory LogsDirectory"""),
    ("Service", _each(_plain_folder), "ConfigurationDirectory"),
    ("Service", _mode, """UMask RuntimeDirectoryMode StateDirectoryMode CacheDirectoryMode
     LogsDirectoryMode ConfigurationDirectoryMode"""),
    ("Service", _either(_one_of("restart"), _boolean), "RuntimeDirectoryPreserve"),
    ("Service", _stream(_INPUTS, ("file:",)), "StandardInput"),
    ("Service", _stream(_OUTPUTS, ("file:", "append:", "truncate:")), """StandardOutput
     StandardError"""),
    ("Service", _text, "SyslogIdentifier PAMName UtmpIdentifier"),
    ("Service", _LEVEL, "SyslogLevel LogLevelMax"),
    ("Service", _FACILITY, "SyslogFacility"),
    ("Service", _or_empty(_between(-20, 19)), "Nice"),
    ("Service", _or_empty(_between(-1000, 1000)), "OOMScoreAdjust"),
    # [Service]: limits
    ("Service", _limit(_unlimited(_count)), """LimitNOFILE LimitNPROC LimitLOCKS LimitSIGPENDING
     LimitRTPRIO"""),
    ("Service", _limit(_unlimited(_size)), """LimitFSIZE LimitDATA LimitSTACK LimitCORE LimitRSS
     LimitAS LimitMEMLOCK LimitMSGQUEUE"""),
    ("Service", _limit(timespan), "LimitCPU LimitRTTIME"),
    ("Service", _limit(_nice), "LimitNICE"),
    ("Service", _some_memory, "MemoryHigh MemoryMax MemoryLimit"),
    ("Service", _memory, "MemoryMin DefaultMemoryMin DefaultMemoryLow MemoryLow MemorySwapMax"),
    ("Service", _tasks, "TasksMax"),
    ("Service", _quota, "CPUQuota"),
    ("Service", _or_empty(_either(_one_of("idle"), _WEIGHT)), "CPUWeight StartupCPUWeight"),
    ("Service", _or_empty(_WEIGHT), "IOWeight StartupIOWeight"),
    ("Service", _or_empty(_between(2, 262144)), "CPUShares StartupCPUShares"),
    ("Service", _named(".slice"), "Slice"),
    # [Service]: what it may reach
    ("Service", _boolean, """DynamicUser RemoveIPC NoNewPrivileges MemoryDenyWriteExecute
     RestrictRealtime RestrictSUIDSGID LockPersonality PrivateTmp PrivateDevices PrivateNetwork
     PrivateUsers PrivateMounts PrivateIPC ProtectKernelTunables ProtectKernelModules
     ProtectKernelLogs ProtectClock ProtectControlGroups ProtectHostname IgnoreSIGPIPE TTYReset
     TTYVHangup TTYVTDisallocate SyslogLevelPrefix CPUSchedulingResetOnFork CPUAccounting
     MemoryAccounting IOAccounting BlockIOAccounting TasksAccounting IPAccounting"""),
    ("Service", _either(_one_of("full", "strict"), _boolean), "ProtectSystem"),
    ("Service", _either(_one_of("read-only", "tmpfs"), _boolean), "ProtectHome"),
    ("Service", _one_of("noaccess", "invisible", "ptraceable", "default"), "ProtectProc"),
    ("Service", _one_of("all", "pid"), "ProcSubset"),
    ("Service", _one_of("inherit", "private", "shared"), "KeyringMode"),
    ("Service", _one_of("auto", "closed", "strict"), "DevicePolicy"),
    ("Service", _or_empty(_namespaces), "RestrictNamespaces"),
    ("Service", _each(_address_family), "RestrictAddressFamilies"),
    ("Service", _each(_listed_path), """ReadWritePaths ReadOnlyPaths InaccessiblePaths ExecPaths
     NoExecPaths ReadWriteDirectories ReadOnlyDirectories InaccessibleDirectories"""),
    # [Service]: the rest, whose values aren't judged
    ("Service", _any, """AllowedCPUs AllowedMemoryNodes AmbientCapabilities AppArmorProfile
     BPFProgram BindPaths BindReadOnlyPaths BlockIODeviceWeight BlockIOReadBandwidth BlockIOWeight
     BlockIOWriteBandwidth BusName BusPolicy CPUAffinity CPUSchedulingPolicy CPUSchedulingPriority
     Capabilities CapabilityBoundingSet CoredumpFilter Delegate DeviceAllow DisableControllers
     ExecSearchPath ExtensionDirectories ExtensionImages IODeviceLatencyTargetSec IODeviceWeight
     IOReadBandwidthMax IOReadIOPSMax IOSchedulingClass IOSchedulingPriority IOWriteBandwidthMax
     IOWriteIOPSMax IPAddressAllow IPAddressDeny IPEgressFilterPath IPIngressFilterPath
     LoadCredential LoadCredentialEncrypted LogExtraFields LogNamespace ManagedOOMMemoryPressure
     ManagedOOMMemoryPressureLimit ManagedOOMPreference ManagedOOMSwap MountAPIVFS MountFlags
     MountImages NUMAMask NUMAPolicy NetClass Personality RebootArgument
     RestrictFileSystems RestrictNetworkInterfaces RootHash RootHashSignature RootImageOptions
     SELinuxContext SecureBits SetCredential SetCredentialEncrypted SmackProcessLabel
     SocketBindAllow SocketBindDeny StandardInputData StandardInputText StartupAllowedCPUs
     StartupAllowedMemoryNodes StartupBlockIOWeight SysVStartPriority SystemCallArchitectures
     SystemCallErrorNumber SystemCallFilter SystemCallLog TTYColumns TTYRows
     TemporaryFileSystem TimerSlackNSec
     USBFunctionDescriptors USBFunctionStrings UtmpMode"""),
)  # fmt: skip
"""The directives: their section, how systemd reads a value, and their names."""

_DIRECTIVES: dict[str, dict[str, Check]] = {
    section: {key: check for each, check, keys in _TABLE if each == section for key in keys.split()}
    for section in ("Unit", "Service", "Install")
}

_FATAL = frozenset(
    {
        "DynamicUser", "Group", "RootDirectory", "RootImage", "RootVerity", "SupplementaryGroups",
        "User", "WorkingDirectory",
    }
)  # fmt: skip
"""The directives of [Service] with which a wrong value costs the unit, not only the value."""
