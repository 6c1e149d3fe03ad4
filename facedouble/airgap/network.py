"""What could reach a network now: interfaces, addresses, routes, and the programs that make connections."""

from __future__ import annotations

import re
from typing import Final

from facedouble.airgap.machine import UNSEEN, UNTOLD, Finding, Machine, some

UP: Final = 0x1  # IFF_UP
REJECTS: Final = 0x200  # RTF_REJECT: a route that leads nowhere
DARK: Final = ("down", "lowerlayerdown", "notpresent", "dormant")
CONNECTS: Final = {  # they bring a network up when they see one; 15 letters are what the kernel keeps
    "NetworkManager", "wpa_supplicant", "iwd", "connmand", "wicd", "ModemManager", "dhclient", "dhcpcd", "udhcpc", "dhcp6c",
    "systemd-network", "bluetoothd", "pppd", "openvpn", "tailscaled", "tinc", "tincd", "zerotier-one", "nordvpnd",
    "wg-quick", "tor", "netbird", "hostapd",
}
LISTENS: Final = {  # they answer, or ask, once there is a network
    "sshd", "avahi-daemon", "cupsd", "cups-browsed", "smbd", "nmbd", "rpcbind", "systemd-resolve", "systemd-timesyn", "chronyd",
    "ntpd", "snapd", "packagekitd", "dockerd", "containerd", "teamviewerd", "anydesk", "vncserver", "xrdp", "dnsmasq", "named",
    "nginx", "apache2", "transmission-da", "kdeconnectd", "fwupd", "unattended-upgr",
}
QUIET: Final = "unplug it, and take its driver away: docs/machine.md"


def network(machine: Machine) -> list[Finding]:
    """Everything that says whether this machine is on a network now."""
    return [_interfaces(machine), _addresses(machine), _routes(machine), _beyond(machine), *_services(machine)]


def interfaces(machine: Machine, process: str = "self") -> dict[str, int] | None:
    """Interfaces as a process sees them, and how many bytes went through each since it came; None if nobody says."""
    said = machine.text(f"/proc/{process}/net/dev")
    if said is None:
        return None
    rows = (line.partition(":") for line in said.splitlines() if ":" in line)
    counted = ((name.strip(), rest.split()) for name, _, rest in rows)
    return {name: sum(int(n) for n in (*numbers[:1], *numbers[8:9])) for name, numbers in counted if name != "lo"}


def state(machine: Machine, name: str) -> str:
    """"on" (it may carry something now), "idle" (switched on, with nothing at its end) or "off"."""
    folder = f"/sys/class/net/{name}"
    flags, carrier = machine.text(f"{folder}/flags"), machine.text(f"{folder}/carrier")
    if flags is not None and not int(flags, 16) & UP:
        return "off"
    if carrier == "0" or machine.text(f"{folder}/operstate") in DARK:
        return "idle"
    return "on"  # also where nothing is said: not known is not safe


def _interfaces(machine: Machine) -> Finding:
    what = "network interfaces"
    found = interfaces(machine)
    if found is None:
        return Finding(what, False, "this system does not say which there are, so none can be ruled out",
                       "examine the machine from Linux", network=True)
    states = {name: state(machine, name) for name in found}
    on = [name for name in found if states[name] == "on"]
    rest = [f"{name} ({states[name]})" for name in found if name not in on]
    if on:
        return Finding(what, False, f"{some(on)} can carry data now", QUIET, network=True)
    if rest:
        return Finding(what, None, f"none carries anything, but there are {some(rest)}",
                       "take the card out, or forbid its driver: docs/machine.md", network=True)
    return Finding(what, True, "only the loopback", network=True)


def _addresses(machine: Machine) -> Finding:
    trie, table = machine.text("/proc/self/net/fib_trie"), _six(machine, "if_inet6")
    four = set(re.findall(r"\|-- ([\d.]+)\n\s+/32 host LOCAL", trie or ""))
    own = {a for a in four if not a.startswith("127.")}
    rows = [line.split() for line in (table or "").splitlines()]
    own |= {_spoken(row[0]) for row in rows if len(row) == 6 and row[5] != "lo"}
    if own:
        return Finding("network addresses", False, f"{len(own)} besides the loopback: {some(own)}",
                       "switch the interface off: `ip link set NAME down`", network=True)
    if trie is None or table is None:
        return Finding("network addresses", None, UNTOLD, "examine the machine from outside", network=True)
    return Finding("network addresses", True, "none besides the loopback", network=True)


def _six(machine: Machine, name: str) -> str | None:
    """A table of IPv6: empty where the kernel has none, None where it is kept from us."""
    said = machine.text(f"/proc/self/net/{name}")
    return said if said is not None or machine.there("/proc/sys/net/ipv6") else ""


def _spoken(address: str) -> str:
    """An IPv6 address of 32 digits as people write it, with one run of zeros left out."""
    groups = ":".join(address[i:i + 4].lstrip("0") or "0" for i in range(0, 32, 4))
    return re.sub(r"(?:^|:)0(?::0)+(?::|$)", "::", groups, count=1)


def _routes(machine: Machine) -> Finding:
    old, new = machine.text("/proc/self/net/route"), _six(machine, "ipv6_route")
    four = [line.split() for line in (old or "").splitlines()[1:]]
    out = {row[0] for row in four if len(row) > 3 and row[0] != "lo" and not int(row[3], 16) & REJECTS}
    six = [line.split() for line in (new or "").splitlines()]
    out |= {row[9] for row in six if len(row) == 10 and row[9] != "lo" and not int(row[8], 16) & REJECTS}
    if out:
        return Finding("routes", False, f"lead out through {some(out)}", "switch the interface off: `ip link set NAME down`",
                       network=True)
    if old is None or new is None:
        return Finding("routes", None, UNTOLD, "examine the machine from outside", network=True)
    return Finding("routes", True, "none leads out", network=True)


def _beyond(machine: Machine) -> Finding:
    """A namespace shows this process less than the machine has: /sys may still show all, or nothing from outside does."""
    what, first = "seen from", interfaces(machine, "1")
    cards = {*(first or ()), *machine.names("/sys/class/net")} - {"lo", "bonding_masters"}
    hidden = cards - set(interfaces(machine) or ())
    on = {name for name in hidden if state(machine, name) == "on"}
    if on:
        return Finding(what, False, f"a network namespace: this program cannot reach {some(on)}, but other programs on "
                       "this machine can", "unplug the machine itself", network=True)
    if machine.inside("pid") or (first is None and machine.inside("user")):
        return Finding(what, False, "a container or sandbox: nothing here shows whether the machine around it is on a network",
                       "run facedouble on the machine itself", network=True)
    if hidden:
        return Finding(what, None, f"a network namespace: outside of it there are {some(hidden)}, which carry nothing now",
                       "take the card out, or forbid its driver: docs/machine.md", network=True)
    if first is None or machine.inside("pid") is None:
        return Finding(what, None, "here; the machine's first process does not say what it sees", network=True)
    return Finding(what, True, "where the machine's first process sees it", network=True)


def _services(machine: Machine) -> list[Finding]:
    running = machine.running()
    connects, listens = running & CONNECTS, running & LISTENS
    fit, none = (True, "none runs") if machine.all_running() else (None, UNSEEN)
    return [Finding("programs that connect", False if connects else fit, some(connects) or none,
                    "`systemctl disable --now` each of them" if connects else "", network=True),
            Finding("programs that listen", None if listens else fit, some(listens) or none,
                    "remove what is not needed" if listens else "", network=True)]
