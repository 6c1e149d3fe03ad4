"""Machines made of a few files: what the kernel of a laptop would say in this state or that."""

from __future__ import annotations

from pathlib import Path

HEAD = "Inter-|   Receive\n face |bytes packets errs drop fifo frame compressed multicast|bytes packets errs drop fifo colls\n"
FILM = "/home/noor/film"
FLAGS = "flags\t\t: fpu vme sse2 aes\n"


def row(name: str, received: int = 0, sent: int = 0) -> str:
    return f"  {name}: {received} 0 0 0 0 0 0 0 {sent} 0 0 0 0 0 0 0\n"


TRIE = """Main:
  +-- 0.0.0.0/0 3 0 5
     |-- 127.0.0.1
        /32 host LOCAL
"""
ROUTES = "Iface\tDestination\tGateway\tFlags\tRefCnt\tUse\tMetric\tMask\n"
SWAPS = "Filename\t\t\t\tType\t\tSize\t\tUsed\t\tPriority\n"
LIMITS = "Limit                     Soft Limit           Hard Limit           Units     \n" \
         "Max core file size        0                    unlimited            bytes     \n"
ROOT_ON = "27 1 {0} / / rw,relatime - ext4 {1} rw\n" \
          "29 27 0:25 / /tmp rw - tmpfs tmpfs rw\n30 27 0:26 / /var/tmp rw - tmpfs tmpfs rw\n"
CLEAN = {
    "/proc/self/net/dev": HEAD + row("lo", 3193, 3193),
    "/proc/1/net/dev": HEAD + row("lo", 3193, 3193),
    "/proc/1/comm": "systemd",
    "/proc/self/ns/pid": "-> pid:[4026531836]",
    "/proc/self/ns/user": "-> user:[4026531837]",
    "/proc/self/net/route": ROUTES,
    "/proc/self/net/ipv6_route": f"{'0' * 31}1 80 {'0' * 32} 00 {'0' * 32} 00000000 00000002 00000000 80200001       lo\n",
    "/proc/self/net/fib_trie": TRIE,
    "/proc/self/net/if_inet6": f"{'0' * 31}1 01 80 10 80       lo\n",
    "/proc/self/limits": LIMITS,
    "/proc/self/mountinfo": ROOT_ON.format("253:0", "/dev/mapper/root"),
    "/proc/swaps": SWAPS,
    "/proc/sys/kernel/core_pattern": "core",
    "/proc/cpuinfo": FLAGS,
    "/sys/dev/block/253:0/dm/uuid": "CRYPT-LUKS2-0123456789abcdef-root",
    "/sys/dev/block/253:0/dev": "253:0",
    "/sys/class/block/dm-0/dm/uuid": "CRYPT-LUKS2-0123456789abcdef-root",
    "/sys/class/block/dm-0/dm/name": "root",
    "/sys/class/net/lo/flags": "0x9",
    "/sys/bus/": "",
    "/sys/power/state": "freeze mem",
    "/etc/resolv.conf": "nameserver 127.0.0.53\n",
    "/tmp/": "",
    "/var/tmp/": "",
    f"{FILM}/facedouble.toml": "format = 1\n",
}


def device(name: str, flags: str = "0x1003", carrier: str = "1", operstate: str = "up") -> dict[str, str]:
    """A network card below /sys; add its line to /proc/net/dev."""
    folder = f"/sys/class/net/{name}"
    return {f"{folder}/flags": flags, f"{folder}/carrier": carrier, f"{folder}/operstate": operstate}


def build(root: Path, *files: dict[str, str]) -> Path:
    """Write the files of a state; a later one replaces an earlier. A path that ends in / is an empty folder, a text
    that begins with -> is where a link leads."""
    for path, text in {name: said for group in files for name, said in group.items()}.items():
        place = root / path.lstrip("/")
        if path.endswith("/"):
            place.mkdir(parents=True, exist_ok=True)
            continue
        place.parent.mkdir(parents=True, exist_ok=True)
        if text.startswith("-> "):
            place.symlink_to(text[3:])
        else:
            place.write_text(text)
    return root
