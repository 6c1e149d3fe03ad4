"""What stays behind or looks in from below: crash files, a host below this system, microphones."""

from __future__ import annotations

import re

from facedouble.airgap.machine import Finding, Machine, some


def leaks(machine: Machine) -> list[Finding]:
    """What is not a network and not a disk."""
    return [_crashes(machine), _kept_crashes(machine), _host(machine), _senses(machine)]


def _crashes(machine: Machine) -> Finding:
    pattern = (machine.text("/proc/sys/kernel/core_pattern") or "").strip()
    limit = re.search(r"^Max core file size\s+(\S+)", machine.text("/proc/self/limits") or "", re.MULTILINE)
    ours = "facedouble leaves none itself"
    if pattern.startswith("|"):
        return Finding("crash files", None, f"a program collects those of all others; {ours}",
                       "`sysctl kernel.core_pattern=/dev/null`, and remove the collector")
    if limit is None or not pattern:
        return Finding("crash files", None, f"not known what others leave; {ours}", "`ulimit -c 0`")
    if limit[1] != "0" and not pattern.startswith("/dev/null"):
        return Finding("crash files", None, f"a program that crashes leaves its memory as a file; {ours}", "`ulimit -c 0`")
    return Finding("crash files", True, "none is written")


def _kept_crashes(machine: Machine) -> Finding:
    held = [place for place in ("/var/lib/systemd/coredump", "/var/crash", "/var/lib/apport/coredump", "/var/spool/abrt")
            if [name for name in machine.names(place) if not name.startswith(".")]]
    if held:
        return Finding("crash files of before", None, f"some lie in {some(held)}", "delete them; on an SSD that proves little")
    return Finding("crash files of before", True, "none found")


def _host(machine: Machine) -> Finding:
    flags = re.search(r"^flags\s*:.*\bhypervisor\b", machine.text("/proc/cpuinfo") or "", re.MULTILINE)
    kind = (machine.text("/sys/hypervisor/type") or "").strip()
    boxed = [name for name in ("/.dockerenv", "/run/.containerenv") if machine.there(name)]
    if flags or kind or boxed:
        return Finding("machine below this one", None, "this is a virtual machine or a container: whoever runs the one below "
                       "reads everything, and nothing here says whether that one is online", "work on a machine of its own")
    return Finding("machine below this one", True, "none is seen")


def _senses(machine: Machine) -> Finding:
    ears = bool(re.search(r"capture", machine.text("/proc/asound/pcm") or ""))
    found = (["a microphone"] if ears else []) + (["a camera"] if machine.names("/sys/class/video4linux") else [])
    if found:
        return Finding("microphone and camera", None, f"there is {' and '.join(found)}",
                       "cover the camera, unplug the microphone")
    return Finding("microphone and camera", True, "none")
