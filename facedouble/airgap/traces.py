"""Signs that a machine was online before, and programs that carry files away. Names of networks are counted, never said."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Final

from facedouble.airgap.machine import UNSEEN, Finding, Machine, some
from facedouble.airgap.network import interfaces

PROFILES: Final = {  # folder -> which of its files
    "/etc/NetworkManager/system-connections": r".", "/run/NetworkManager/system-connections": r".",
    "/var/lib/iwd": r"\.(psk|open|8021x)$", "/var/lib/connman": r"^(wifi|ethernet|cellular)_", "/etc/wireguard": r"\.conf$",
}
LEASES: Final = {
    "/var/lib/NetworkManager": r"\.lease$|^timestamps$|^seen-bssids$", "/var/lib/dhcp": r"\.leases?$",
    "/var/lib/dhclient": r"\.leases?$", "/var/lib/dhcpcd": r"\.lease6?$", "/var/lib/dhcpcd5": r"\.lease6?$",
    "/run/systemd/netif/leases": r".", "/var/lib/systemd/network": r"\.lease$",
}
PACKAGES: Final = {"/var/lib/apt/lists": r"_(In)?Release$", "/var/cache/dnf": r"\.solvx?$", "/var/lib/snapd/snaps": r"\.snap$"}
AT_HOME: Final = (".cache/pip", ".mozilla", ".cache/mozilla", ".thunderbird", ".config/google-chrome", ".config/chromium",
                  ".config/BraveSoftware", ".config/Signal", ".config/Slack", ".config/discord", ".ssh/known_hosts",
                  ".wget-hsts", ".cache/huggingface", ".npm", ".docker", ".local/share/TelegramDesktop")
CLIENTS: Final = {
    "dropbox", "onedrive", "nextcloud", "owncloud", "syncthing", "insync", "megasync", "rclone", "pcloud", "seaf-daemon",
    "seafile-applet", "google-drive-oc", "goa-daemon", "resilio-sync", "rslsync", "spideroakone", "gvfsd-google", "yandex-disk",
    "duplicati",
}
CLIENTS_AT_HOME: Final = (
    ".dropbox", ".dropbox-dist", ".config/onedrive", ".config/Nextcloud", ".config/ownCloud", ".config/syncthing",
    ".local/state/syncthing", ".config/Insync", ".config/rclone", ".local/share/data/Mega Limited", ".pcloud", ".ccnet",
    ".config/yandex-disk",
)
MARKS: Final = re.compile(r"\.stfolder|\.stignore|\.dropbox|\.dropbox\.cache|\._?sync_\w*\.db|"
                          r"\.(nextcloud|owncloud)sync\.log|\.csync_journal\.db|\.849C9593-D756-4E56-8D6E-42412F2A707B|"
                          r"\.seafile-data|\.megaignore|\.sync")
FOLDERS: Final = re.compile(r"dropbox( \(.*\))?|onedrive( - .*)?|nextcloud|owncloud|icloud ?drive|mobile documents|"
                            r"google ?drive|my drive|mega(sync)?|pclouddrive|insync|seafile|cloudstorage|syncthing",
                            re.IGNORECASE)


def traces(machine: Machine, folder: Path) -> list[Finding]:
    """What was, and what would carry the project away."""
    return [_before(machine), _resolver(machine), _clients(machine), _synced(machine, folder)]


def _homes(machine: Machine) -> list[str]:
    return ["/root", *(f"/home/{name}" for name in machine.names("/home"))]


def _count(machine: Machine, places: dict[str, str]) -> int:
    return sum(bool(re.search(form, name)) for place, form in places.items() for name in machine.names(place))


def _before(machine: Machine) -> Finding:
    """Whether the machine has been online: what says yes is certain, what says nothing is not."""
    moved = {name: n for name, n in (interfaces(machine) or {}).items() if n}
    profiles = _count(machine, PROFILES) + sum(
        "network={" in (machine.text(f"/etc/wpa_supplicant/{name}") or "") for name in machine.names("/etc/wpa_supplicant"))
    kept = {name for home in _homes(machine) for name in AT_HOME if machine.there(f"{home}/{name}")}
    said = ([f"{sum(moved.values()):,} bytes went through {some(set(moved))} since it was switched on"] if moved else [])
    for number, kind in ((profiles, "stored networks"), (_count(machine, LEASES), "leases of addresses"),
                         (_count(machine, PACKAGES), "package lists or packages of a distributor")):
        said += [f"{number} {kind}"] if number else []
    said += [f"left by programs that go online: {some(kept)}"] if kept else []
    shut = [place for place in (*PROFILES, *LEASES, *_homes(machine)) if machine.closed(place)]
    unseen = f"; {len(shut)} places may only be read as root" if shut else ""
    if said:
        return Finding("online before", None, "; ".join(said) + unseen,
                       "install the machine anew, from a stick, and never connect it", network=True)
    return Finding("online before", None if shut else True, f"no trace found{unseen}",
                   "run this once as root" if shut else "", network=True)


def _resolver(machine: Machine) -> Finding:
    named = re.findall(r"^\s*nameserver\s+(\S+)", machine.text("/etc/resolv.conf") or "", re.MULTILINE)
    out = {address for address in named if not address.startswith("127.") and address != "::1"}
    if out:
        return Finding("name servers", None, f"{len(out)} set", "empty /etc/resolv.conf", network=True)
    return Finding("name servers", True, "none set", network=True)


def _clients(machine: Machine) -> Finding:
    running = {name for name in machine.running() if name.lower() in CLIENTS}
    kept = {name for home in _homes(machine) for name in CLIENTS_AT_HOME if machine.there(f"{home}/{name}")}
    if running:
        return Finding("programs that copy folders away", False, f"{some(running)} runs", "end it and remove it", network=True)
    if kept:
        return Finding("programs that copy folders away", None, f"none runs; set up once: {some(kept)}", "remove them",
                       network=True)
    if not machine.all_running():
        return Finding("programs that copy folders away", None, UNSEEN, network=True)
    return Finding("programs that copy folders away", True, "none runs", network=True)


def _synced(machine: Machine, folder: Path) -> Finding:
    """Below a folder that a program copies away whenever it can."""
    for place in (folder, *folder.parents):
        marked = any(MARKS.fullmatch(name) for name in machine.names(place)) and place != Path("/")
        if marked and _is_home(machine, place):  # there ~/.dropbox says that the program is there, not that it copies home
            marked = any(name == ".stfolder" for name in machine.names(place))
        if FOLDERS.fullmatch(place.name) or marked:
            return Finding("copied away", False, f"the project is in {place}, a folder that a program copies to other machines",
                           "move the project out of it", network=True)
    return Finding("copied away", True, "the project is in no folder that is known to be copied away", network=True)


def _is_home(machine: Machine, place: Path) -> bool:
    return str(place) in _homes(machine)
