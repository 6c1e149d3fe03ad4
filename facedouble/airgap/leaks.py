"""What stays behind or looks in from below: crash files, a host below this system, microphones."""

from __future__ import annotations

import re
from typing import Final

from facedouble.airgap.machine import UNTOLD, Finding, Machine, some

VIRTUAL: Final = re.compile(r"virtual|vmware|qemu|kvm|bochs|\bxen\b|parallels|bhyve|domU|openstack|amazon ec2|google compute|"
                            "nutanix", re.IGNORECASE)  # what makers of machines that are none call them
BOXED: Final = ("/.dockerenv", "/run/.containerenv", "/run/systemd/container", "/run/host/container-manager",
                "/proc/device-tree/hypervisor")


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
    flags = re.search(r"^flags\s*:.*", machine.text("/proc/cpuinfo") or "", re.MULTILINE)
    kind = (machine.text("/sys/hypervisor/type") or "").strip()
    named = " ".join(machine.text(f"/sys/class/dmi/id/{kind}_{what}") or ""
                     for kind, what in (("sys", "vendor"), ("product", "name"), ("board", "vendor"), ("bios", "vendor")))
    virtual = VIRTUAL.search(named) or (flags and re.search(r"\bhypervisor\b", flags[0]))
    if virtual or kind or machine.inside("pid") or any(machine.there(name) for name in BOXED):
        return Finding("machine below this one", None, "this is a virtual machine or a container: whoever runs the one below "
                       "reads everything, and nothing here says whether that one is online", "work on a machine of its own")
    if machine.text("/proc/cpuinfo") is None or not (flags or named.strip() or machine.shown("/proc/device-tree")):
        return Finding("machine below this one", None, UNTOLD, "work on a machine of its own")
    return Finding("machine below this one", True, "none is seen")


def _senses(machine: Machine) -> Finding:
    sounds = machine.text("/proc/asound/pcm")
    ears = "capture" in (sounds or "")
    found = (["a microphone"] if ears else []) + (["a camera"] if machine.names("/sys/class/video4linux") else [])
    if found:
        return Finding("microphone and camera", None, f"there is {' and '.join(found)}",
                       "cover the camera, unplug the microphone")
    if not machine.shown("/sys/class") or (sounds is None and machine.shown("/sys/class/sound")):
        return Finding("microphone and camera", None, UNTOLD, "cover the camera, unplug the microphone")
    return Finding("microphone and camera", True, "none")
