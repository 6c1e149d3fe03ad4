"""Where bytes come to lie: is the device below a folder, and below the swap, encrypted?"""

from __future__ import annotations

import os
import re
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Final

from facedouble.airgap.machine import UNTOLD, Finding, Machine, some

IN_MEMORY: Final = ("tmpfs", "ramfs")
ENCRYPTED: Final = ("ecryptfs", "fuse.gocryptfs", "fuse.encfs", "fuse.cryfs", "fuse.veracrypt")
FAR: Final = ("nfs", "nfs4", "cifs", "smb3", "smbfs", "fuse.sshfs", "fuse.rclone", "fuse.gvfsd-fuse", "davfs", "fuse.davfs2",
              "afs", "ceph", "glusterfs", "fuse.glusterfs", "9p", "fuse.s3fs", "lustre", "virtiofs")
CRYPTS: Final = tuple(f"CRYPT-{kind}" for kind in ("LUKS", "PLAIN", "TCRYPT", "BITLK", "FVAULT2", "LOOPAES"))
LUKS: Final = "put the machine on an encrypted disk (LUKS) when it is installed: docs/machine.md"
MASKED: Final = "`systemctl mask hibernate.target hybrid-sleep.target suspend-then-hibernate.target`"


@dataclass(frozen=True)
class Mount:
    """One line of mountinfo: what is mounted where, from which device."""

    device: str
    point: PurePosixPath
    kind: str
    source: str
    options: str


def disks(machine: Machine, folder: Path) -> list[Finding]:
    """The folder's own disk, the swap, and what sleeping writes."""
    swap = swaps(machine)
    return [_below(machine, folder), _temporary(machine), _swap(swap), _hibernation(machine, swap)]


def mount_of(machine: Machine, folder: str | PurePosixPath) -> Mount | None:
    """What is mounted where the folder is; the last of those that have the longest name."""
    best: Mount | None = None
    for line in (machine.text("/proc/self/mountinfo") or "").splitlines():
        head, _, tail = line.partition(" - ")
        fields, rest = head.split(), tail.split()
        if len(fields) < 5 or len(rest) < 3:
            continue
        mount = Mount(fields[2], PurePosixPath(_spelt(fields[4])), rest[0], _spelt(rest[1]), rest[2])
        inside = mount.point == PurePosixPath(folder) or mount.point in PurePosixPath(folder).parents
        if inside and (best is None or len(mount.point.parts) >= len(best.point.parts)):
            best = mount
    return best


def encrypted(machine: Machine, folder: str | PurePosixPath, deep: int = 8) -> bool | None:
    """Whether what is written there is encrypted before it lies on a disk; None where that cannot be told."""
    mount = mount_of(machine, folder)
    if mount is None or deep == 0:
        return None
    if mount.kind in (*IN_MEMORY, *ENCRYPTED):
        return True
    if mount.kind == "overlay":
        upper = re.search(r"(?:^|,)upperdir=([^,]+)", mount.options)
        return encrypted(machine, _spelt(upper[1]), deep - 1) if upper and _spelt(upper[1]) != str(folder) else None
    if mount.kind == "zfs" or mount.kind.startswith("fuse"):
        return None
    if machine.there(f"/sys/dev/block/{mount.device}"):
        return block(machine, f"/sys/dev/block/{mount.device}", deep)
    name = PurePosixPath(mount.source).name
    return block(machine, _named(machine, name), deep) if name else None


def block(machine: Machine, device: str, deep: int = 8) -> bool | None:
    """Follow a block device down to what it is made of: encrypted, if all of that is."""
    if deep == 0 or not machine.there(device):
        return None
    if (machine.text(f"{device}/dm/uuid") or "").startswith(CRYPTS):  # not of INTEGRITY and VERITY, which hide nothing
        return True
    if machine.text(f"{device}/partition") is not None and not machine.names(f"{device}/slaves"):
        whole = os.path.relpath(machine.at(device).resolve().parent, machine.root.resolve())
        return block(machine, f"/{whole}", deep - 1) if machine.there(f"{whole}/dev") else False
    kept = machine.text(f"{device}/loop/backing_file")
    if kept:
        return encrypted(machine, kept, deep - 1)
    below = [block(machine, f"{device}/slaves/{name}", deep - 1) for name in machine.names(f"{device}/slaves")]
    if not below:
        return False
    return None if None in below and False not in below else all(below)


def swaps(machine: Machine) -> dict[str, bool | None] | None:
    """The places that memory is written to when it gets short, and whether they are encrypted; None if nobody says."""
    said = machine.text("/proc/swaps")
    if said is None:
        return None
    found: dict[str, bool | None] = {}
    for line in said.splitlines()[1:]:
        fields = line.split()
        if len(fields) < 2:
            continue
        place, name = _spelt(fields[0]), PurePosixPath(fields[0]).name
        if fields[1] == "file":
            found[place] = encrypted(machine, place)
        elif name.startswith("zram"):
            behind = machine.text(f"/sys/block/{name}/backing_dev") or "none"
            found[place] = True if behind == "none" else block(machine, _named(machine, PurePosixPath(behind).name))
        else:
            found[place] = block(machine, _named(machine, name))
    return found


def _spelt(path: str) -> str:
    """The kernel writes a space as \\040."""
    return re.sub(r"\\([0-7]{3})", lambda code: chr(int(code[1], 8)), path)


def _named(machine: Machine, name: str) -> str:
    """A block device by its own name, or by the one that the mapper gave it."""
    for device in machine.names("/sys/class/block"):
        if machine.text(f"/sys/class/block/{device}/dm/name") == name:
            return f"/sys/class/block/{device}"
    return f"/sys/class/block/{name}"


def _below(machine: Machine, folder: Path) -> Finding:
    what, mount = "disk below the project", mount_of(machine, PurePosixPath(folder))
    if mount is not None and mount.kind in FAR:
        return Finding(what, False, f"it is on another machine ({mount.kind})", "keep the project on a disk of this machine",
                       network=True)
    if mount is not None and mount.kind in IN_MEMORY:
        return Finding(what, None, "it is in memory, and gone with the power", "keep a copy on an encrypted disk")
    fit = encrypted(machine, PurePosixPath(folder))
    if fit:
        return Finding(what, True, "encrypted")
    if fit is None:
        return Finding(what, None, "cannot be told; a disk that encrypts itself, and folders that the file system encrypts, "
                       "look like this or like a bare one", LUKS)
    return Finding(what, False, "not encrypted: the project itself is, its size, its times, and everything beside it are not",
                   LUKS)


def _temporary(machine: Machine) -> Finding:
    bare = [place for place in ("/tmp", "/var/tmp") if machine.there(place) and not encrypted(machine, place)]
    if bare:
        return Finding("temporary files", None, f"{some(bare)} of other programs lie on a disk that is not known to be encrypted",
                       LUKS)
    return Finding("temporary files", True, "in memory, or encrypted")


def _swap(found: dict[str, bool | None] | None) -> Finding:
    if found is None:
        return Finding("swap", None, UNTOLD, "`swapoff -a`")
    bare = [place for place, fit in found.items() if not fit]
    if bare:
        return Finding("swap", False, f"{some(bare)}: memory is written there, and not known to be encrypted",
                       "`swapoff -a` and take it out of /etc/fstab, or encrypt it")
    return Finding("swap", True, f"encrypted or in memory: {some(list(found))}" if found else "none")


def _hibernation(machine: Machine, found: dict[str, bool | None] | None) -> Finding:
    states, way = machine.text("/sys/power/state"), machine.text("/sys/power/disk") or ""
    if states is not None and ("disk" not in states.split() or "[disabled]" in way):
        return Finding("hibernation", True, "the kernel will not")
    if states is None or found is None:
        return Finding("hibernation", None, UNTOLD, MASKED)
    lasting = {place: fit for place, fit in found.items() if not PurePosixPath(place).name.startswith("zram")}
    if not lasting:
        return Finding("hibernation", True, "there is no swap to write the memory to")
    if all(lasting.values()):
        return Finding("hibernation", None, "the memory would be written to encrypted swap",
                       "power off; do not let it sleep with the project unlocked")
    return Finding("hibernation", False, "the memory, keys and pictures, would be written to bare swap", MASKED)
