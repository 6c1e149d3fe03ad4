"""Machines in many states; and this one, from which nothing may be sent to find out."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from facedouble.airgap.machine import Finding
from facedouble.airgap.verdict import LIMIT, Verdict, examine
from facedouble.errors import ExitCode
from tests.airgap.states import CLEAN, FILM, FLAGS, HEAD, LIMITS, ROOT_ON, ROUTES, SWAPS, TRIE, build, device, row

ROOT = Path(__file__).resolve().parents[2]
SIX_ROUTE, ZERO = "/proc/self/net/ipv6_route", "0" * 32
NET, SIX, LIST = "/proc/self/net/dev", "/proc/self/net/if_inet6", "/proc/self/mountinfo"


@dataclass(frozen=True)
class State:
    """What is different from a clean laptop, and what has to be said of it; every other line stays as on a clean one."""

    files: dict[str, str]
    networked: set[str] = field(default_factory=set)
    unfit: set[str] = field(default_factory=set)
    noted: set[str] = field(default_factory=set)
    folder: str = FILM
    without: tuple[str, ...] = ()


def switch(kind: str, number: int = 0, soft: str = "0", hard: str = "0") -> dict[str, str]:
    folder = f"/sys/class/rfkill/rfkill{number}"
    return {f"{folder}/type": kind, f"{folder}/soft": soft, f"{folder}/hard": hard}


ETH = {NET: HEAD + row("lo") + row("eth0"), "/proc/1/net/dev": HEAD + row("lo") + row("eth0")}
STATES = {
    "clean laptop": State({}),
    "cable in": State({**ETH, **device("eth0"), "/proc/self/net/fib_trie": TRIE + "     |-- 192.0.2.7\n        /32 host LOCAL\n",
                       "/proc/self/net/route": ROUTES + "eth0\t00000000\t010200C0\t0003\t0\t0\t0\t00000000\n"},
                      {"network interfaces", "network addresses", "routes"}),
    "cable out": State({**ETH, **device("eth0", carrier="0", operstate="down")}, noted={"network interfaces"}),
    "card switched off": State({**ETH, **device("eth0", flags="0x1002")}, noted={"network interfaces"}),
    "a tunnel that does not say how it is": State({NET: HEAD + row("wg0"), "/proc/1/net/dev": HEAD,
                                                   **device("wg0", "0x1", "", "")}, {"network interfaces"}),
    "a card that sysfs does not show": State({**ETH}, {"network interfaces"}),
    "a link-local address": State({SIX: "fe80000000000000021122fffe334455 02 40 20 80 eth0\n"}, {"network addresses"}),
    "a route of IPv6": State({SIX_ROUTE: f"{ZERO} 00 {ZERO} 00 {'fd' + '0' * 30} 00000400 00000002 00000000 00000003 usb0\n"},
                             {"routes"}),
    "a route that rejects": State({SIX_ROUTE: f"{ZERO} 00 {ZERO} 00 {ZERO} ffffffff 00000001 00000000 00200200 eth0\n"}),
    "nothing is said": State({}, {"network interfaces"}, without=(NET, "/proc/1/net/dev", "/proc/self/limits", LIST),
                             noted={"seen from", "crash files", "disk below the project", "temporary files"}),
    "a namespace hides the machine's card": State({"/proc/1/net/dev": HEAD + row("lo") + row("eth0", 12, 34)},
                                                  {"seen from"}),
    "a namespace hides the machine's card from /proc": State(device("eth0"), {"seen from"}),
    "a namespace hides a card without a cable": State({"/proc/1/net/dev": HEAD + row("lo") + row("eth0"),
                                                       "/sys/class/net/bonding_masters": "",
                                                       **device("eth0", carrier="0", operstate="down")}, noted={"seen from"}),
    "a container that shows itself only": State({"/proc/self/ns/pid": "-> pid:[4026532300]", "/proc/1/comm": "sh"}, {"seen from"},
                                                noted={"programs that connect", "programs that listen",
                                                       "programs that copy folders away", "machine below this one"}),
    "a namespace whose first process hides": State({"/proc/self/ns/user": "-> user:[4026532301]"}, {"seen from"},
                                                   without=("/proc/1/net/dev",)),
    "other users' programs are hidden": State({}, without=("/proc/1/net/dev", "/proc/1/comm"),
                                              noted={"seen from", "programs that connect", "programs that listen",
                                                     "programs that copy folders away"}),
    "other users' programs are hidden, one of our own connects": State(
        {"/proc/90/comm": "openvpn"}, {"programs that connect"}, without=("/proc/1/net/dev", "/proc/1/comm"),
        noted={"seen from", "programs that listen", "programs that copy folders away"}),
    "a kernel without IPv6": State({}, without=(SIX, SIX_ROUTE)),
    "IPv6 says nothing": State({"/proc/sys/net/ipv6/": ""}, without=(SIX, SIX_ROUTE),
                               noted={"network addresses", "routes"}),
    "no devices are shown": State({}, without=tuple(path for path in CLEAN if path.startswith("/sys/")),
                                  noted={"radios", "tethered telephone or modem", "disk below the project", "hibernation",
                                         "microphone and camera"}),
    "Wi-Fi on": State({"/sys/class/ieee80211/phy0/rfkill0/soft": "0", "/sys/class/ieee80211/phy0/rfkill0/hard": "0",
                       **switch("wlan")}, {"radios"}),
    "Wi-Fi switched off by software": State({"/sys/class/ieee80211/phy0/rfkill0/soft": "1", **switch("wlan", soft="1")},
                                            noted={"radios"}),
    "Wi-Fi that no switch reaches": State({"/sys/class/ieee80211/phy0/": ""}, {"radios"}),
    "Bluetooth on, with one connected": State({"/sys/class/bluetooth/hci0/rfkill1/soft": "0", "/sys/class/bluetooth/hci0:12/": "",
                                               "/proc/77/comm": "bluetoothd\n"}, {"radios", "programs that connect"}),
    "a modem": State({"/dev/cdc-wdm0": ""}, {"radios"}),
    "a receiver for satellites sends nothing": State(switch("gps")),
    "an unknown radio": State(switch("thz"), {"radios"}),
    "a telephone that shares its network": State({"/sys/bus/usb/drivers/rndis_host/1-2:1.0/": "",
                                                  "/sys/bus/usb/drivers/cdc_ether/bind": ""}, {"tethered telephone or modem"}),
    "a driver with nothing on it": State({"/sys/bus/usb/drivers/ipheth/bind": "", "/sys/bus/usb/drivers/ipheth/module": ""}),
    "a desktop's services": State({"/proc/70/comm": "NetworkManager\n", "/proc/71/comm": "wpa_supplicant\n",
                                   "/proc/72/comm": "cupsd\n"}, {"programs that connect"}, noted={"programs that listen"}),
    "was online: a profile, a lease, a browser": State(
        {"/etc/NetworkManager/system-connections/Home of Noor.nmconnection": "", "/var/lib/dhcp/dhclient.leases": "lease {}",
         "/home/noor/.mozilla/": ""}, noted={"online before"}),
    "was online since it was switched on": State({NET: HEAD + row("eth0", 5000, 6000), "/proc/1/net/dev": HEAD + row("eth0"),
                                                  **device("eth0", "0x1002")}, noted={"online before", "network interfaces"}),
    "a name server": State({"/etc/resolv.conf": "nameserver 192.0.2.53\n"}, noted={"name servers"}),
    "a program that syncs runs": State({"/proc/80/comm": "syncthing\n"}, {"programs that copy folders away"}),
    "a program that syncs was set up": State({"/home/noor/.config/Nextcloud/": ""}, noted={"programs that copy folders away"}),
    "in a folder of Dropbox": State({}, {"copied away"}, folder="/home/noor/Dropbox (Team)/film"),
    "in a folder of OneDrive": State({}, {"copied away"}, folder="/home/noor/OneDrive - Paper/film"),
    "in a folder that Syncthing marked": State({"/home/noor/work/.stfolder/": ""}, {"copied away"},
                                               folder="/home/noor/work/film"),
    "in a folder of Nextcloud with another name": State({"/home/noor/work/._sync_0a1b.db": ""}, {"copied away"},
                                                        folder="/home/noor/work/film"),
    "Dropbox is there, the project is elsewhere": State({"/home/noor/.dropbox/info.json": ""},
                                                        noted={"programs that copy folders away"}),
    "bare disk": State({LIST: ROOT_ON.format("8:2", "/dev/sda2"), "/sys/dev/block/8:2/dev": "8:2",
                        "/sys/dev/block/8:2/partition": "2"}, unfit={"disk below the project"}),
    "volumes on an encrypted disk": State({LIST: ROOT_ON.format("253:3", "/dev/mapper/vg-root"),
                                           "/sys/dev/block/253:3/dm/uuid": "LVM-abcdef",
                                           "/sys/dev/block/253:3/slaves/dm-0/dm/uuid": "CRYPT-LUKS1-00-x"}),
    "a disk that is only checked": State({"/sys/dev/block/253:0/dm/uuid": "CRYPT-INTEGRITY-0-x",
                                          "/sys/dev/block/253:0/slaves/sda2/dev": "8:2"}, unfit={"disk below the project"}),
    "a disk that is checked, on an encrypted one": State({"/sys/dev/block/253:0/dm/uuid": "CRYPT-VERITY-0-x",
                                                          "/sys/dev/block/253:0/slaves/dm-0/dm/uuid": "CRYPT-LUKS2-0-x"}),
    "half of a pair is encrypted": State({LIST: ROOT_ON.format("9:0", "/dev/md0"),
                                          "/sys/dev/block/9:0/slaves/dm-0/dm/uuid": "CRYPT-LUKS2-00-x",
                                          "/sys/dev/block/9:0/slaves/sdb1/dev": "8:17"}, unfit={"disk below the project"}),
    "btrfs names its device only": State({LIST: ROOT_ON.format("0:31", "/dev/mapper/root").replace("ext4", "btrfs")}),
    "a live system on a bare stick": State(
        {LIST: "27 1 0:30 / / rw - overlay overlay rw,lowerdir=/lower,upperdir=/run/rw/upper,workdir=/run/rw/work\n"
               "28 27 0:31 / /run/rw rw - tmpfs tmpfs rw\n"}),
    "a disk of another machine": State({LIST: ROOT_ON.format("0:40", "server:/x").replace("ext4", "nfs4")},
                                       {"disk below the project"}),
    "file system of its own encryption": State({LIST: ROOT_ON.format("0:41", "tank/home").replace("ext4", "zfs")},
                                               noted={"disk below the project"}),
    "in memory": State({LIST: ROOT_ON.format("0:42", "tmpfs").replace("ext4", "tmpfs")}, noted={"disk below the project"}),
    "bare swap, and it may hibernate": State({"/proc/swaps": SWAPS + "/dev/sda3 partition 8388604 0 -2\n", "/sys/power/disk":
                                              "[platform] shutdown", "/sys/power/state": "freeze mem disk",
                                              "/sys/class/block/sda3/dev": "8:3"}, unfit={"swap", "hibernation"}),
    "encrypted swap, and it may hibernate": State({"/proc/swaps": SWAPS + "/dev/dm-1 partition 8388604 0 -2\n",
                                                   "/sys/power/state": "freeze mem disk", "/sys/power/disk": "[platform]",
                                                   "/sys/class/block/dm-1/dm/uuid": "CRYPT-PLAIN-swap"}, noted={"hibernation"}),
    "swap that is only checked": State({"/proc/swaps": SWAPS + "/dev/dm-1 partition 8388604 0 -2\n",
                                        "/sys/class/block/dm-1/dm/uuid": "CRYPT-INTEGRITY-swap"}, unfit={"swap"}),
    "nobody says where memory is written": State({}, without=("/proc/swaps", "/sys/power/state"), noted={"swap", "hibernation"}),
    "it may sleep, and nobody says where memory is written": State(
        {"/sys/power/state": "freeze mem disk", "/sys/power/disk": "[platform]"}, without=("/proc/swaps",),
        noted={"swap", "hibernation"}),
    "swap in a file on the encrypted disk": State({"/proc/swaps": SWAPS + "/swap\\040file file 8388604 0 -2\n"}),
    "swap in compressed memory": State({"/proc/swaps": SWAPS + "/dev/zram0 partition 8388604 0 100\n",
                                        "/sys/block/zram0/backing_dev": "none"}),
    "compressed memory with a bare disk behind": State({"/proc/swaps": SWAPS + "/dev/zram0 partition 8388604 0 100\n",
                                                        "/sys/block/zram0/backing_dev": "/dev/sdb1",
                                                        "/sys/class/block/sdb1/dev": "8:17"}, unfit={"swap"}),
    "crashes are collected": State({"/proc/sys/kernel/core_pattern": "|/usr/share/apport/apport %p", "/var/crash/x.crash": ""},
                                   noted={"crash files", "crash files of before"}),
    "crashes leave files": State({"/proc/self/limits": LIMITS.replace("size        0  ", "size        unlimited  ")},
                                 noted={"crash files"}),
    "virtual machine": State({"/proc/cpuinfo": FLAGS.replace("aes", "aes hypervisor")}, noted={"machine below this one"}),
    "virtual machine of ARM": State({"/proc/cpuinfo": "Features\t: fp asimd\n", "/sys/class/dmi/id/sys_vendor": "QEMU",
                                     "/sys/class/dmi/id/product_name": "KVM Virtual Machine"}, noted={"machine below this one"}),
    "virtual machine of ARM without DMI": State({"/proc/cpuinfo": "Features\t: fp asimd\n", "/proc/device-tree/hypervisor/": ""},
                                                noted={"machine below this one"}),
    "board of ARM": State({"/proc/cpuinfo": "Features\t: fp asimd\n", "/proc/device-tree/model": "Board"}),
    "laptop of ARM": State({"/proc/cpuinfo": "Features\t: fp asimd\n", "/sys/class/dmi/id/sys_vendor": "LENOVO"}),
    "a processor that says nothing": State({"/proc/cpuinfo": "Features\t: fp asimd\n"}, noted={"machine below this one"}),
    "no processor is shown": State({"/sys/class/dmi/id/sys_vendor": "LENOVO"}, without=("/proc/cpuinfo",),
                                   noted={"machine below this one"}),
    "a container of systemd": State({"/run/systemd/container": "lxc"}, noted={"machine below this one"}),
    "sound is masked": State({"/sys/class/sound/": ""}, noted={"microphone and camera"}),
    "microphone and camera": State({"/proc/asound/pcm": "00-00: ALC257 : playback 1 : capture 1\n",
                                    "/sys/class/video4linux/video0/name": "cam"}, noted={"microphone and camera"}),
}


@pytest.mark.parametrize("name", STATES)
def test_states(name: str, tmp_path: Path) -> None:
    state = STATES[name]
    root = build(tmp_path, {path: said for path, said in CLEAN.items() if path not in state.without}, state.files)
    verdict = examine(Path(state.folder), root)
    bad = {(f.what, f.network) for f in verdict.findings if f.ok is False}
    assert bad == {(what, True) for what in state.networked} | {(what, False) for what in state.unfit}
    assert {f.what for f in verdict.findings if f.ok is None} == state.noted
    assert len({f.what for f in verdict.findings}) == len(verdict.findings)
    for finding in verdict.findings:
        assert finding.detail and "\n" not in finding.detail + finding.remedy
        assert finding.ok is not False or finding.remedy
    assert (len(verdict.networked), len(verdict.unfit)) == (len(state.networked), len(state.unfit))
    assert ("NOT cut off" in verdict.words) == bool(state.networked)
    assert verdict.words.endswith(LIMIT) and "cannot prove that a machine was never online" in LIMIT


def test_a_machine_that_shows_nothing_is_not_clean(tmp_path: Path) -> None:
    found = {f.what: f.ok for f in examine(Path(FILM), build(tmp_path, {NET: HEAD + row("lo")})).findings}
    assert {what for what, ok in found.items() if ok} == {"network interfaces", "online before", "name servers", "copied away",
                                                          "temporary files", "crash files of before"}


def test_no_name_of_a_network_or_person_is_said(tmp_path: Path) -> None:
    state = STATES["was online: a profile, a lease, a browser"]
    verdict = examine(Path(FILM), build(tmp_path, CLEAN, state.files))
    said = json.dumps([verdict.networked, verdict.unfit, verdict.words, [f.detail for f in verdict.findings]])
    assert "Home of" not in said and "oor" not in said
    assert "1 stored networks; 1 leases" in said


def test_places_that_only_root_may_read_are_owned_up_to(tmp_path: Path) -> None:
    """Root may read everything, so it is asked as somebody else."""
    build(tmp_path, CLEAN, {"/etc/NetworkManager/system-connections/x": ""})
    (tmp_path / "etc/NetworkManager/system-connections").chmod(0)
    tmp_path.chmod(0o755)
    code = "import os; from pathlib import Path; from facedouble.airgap.verdict import examine\n" \
           "os.geteuid() or os.setuid(65534)\n" \
           "found = {f.what: f for f in examine(Path('/home/noor/film'), Path('.')).findings}['online before']\n" \
           "print(found.ok, found.detail)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, cwd=tmp_path,
                          env={**os.environ, "PYTHONPATH": str(ROOT)})
    assert done.stdout.startswith("None no trace found; 1 places may only be read as root"), done.stdout + done.stderr


def test_a_partition_of_an_encrypted_disk(tmp_path: Path) -> None:
    """The links of /sys: the partition lies inside its disk, and the disk says what it is made of."""
    build(tmp_path, CLEAN, {LIST: ROOT_ON.format("259:1", "/dev/md0p1"), "/sys/devices/md0/dev": "9:0",
                            "/sys/devices/md0/md0p1/partition": "1", "/sys/devices/md0/slaves/dm-0/dm/uuid": "CRYPT-LUKS2-0-x"})
    (tmp_path / "sys/dev/block/259:1").symlink_to("../../devices/md0/md0p1")
    assert _line(examine(Path(FILM), tmp_path), "disk below the project").ok is True
    (tmp_path / "sys/devices/md0/slaves/dm-0/dm/uuid").write_text("LVM-x")
    assert _line(examine(Path(FILM), tmp_path), "disk below the project").ok is False


def test_a_container_file_is_as_good_as_the_disk_it_lies_on(tmp_path: Path) -> None:
    mounts = ROOT_ON.format("253:0", "/dev/mapper/root") + "40 27 7:0 / /home/noor/film rw - ext4 /dev/loop0 rw\n"
    build(tmp_path, CLEAN, {LIST: mounts, "/sys/dev/block/7:0/loop/backing_file": "/home/noor/film.img",
                            "/sys/dev/block/7:0/dev": "7:0"})
    assert _line(examine(Path(FILM), tmp_path), "disk below the project").ok is True
    (tmp_path / "sys/dev/block/253:0/dm/uuid").write_text("LVM-x")
    assert _line(examine(Path(FILM), tmp_path), "disk below the project").ok is False


PROBE = "import json; from pathlib import Path; from facedouble.airgap.verdict import examine\n" \
        "print(json.dumps({f.what: f.ok for f in examine(Path('.')).findings}))"


def test_nothing_is_sent_or_started_to_find_out(tmp_path: Path) -> None:
    if shutil.which("strace") is None:
        pytest.skip("strace is not installed")
    trace = tmp_path / "trace"
    calls = "trace=network,execve,fork,vfork,clone,clone3,unlink,rename,mkdir,openat,open,creat"
    done = subprocess.run(["strace", "-f", "-o", str(trace), "-e", calls, sys.executable, "-B", "-c", PROBE], capture_output=True,
                          text=True, cwd=tmp_path, env={**os.environ, "PYTHONPATH": str(ROOT)})
    if "ptrace" in done.stderr.lower():
        pytest.skip("this machine lets nobody trace")
    assert done.returncode == 0, done.stderr
    lines = [line.split(maxsplit=1)[1] for line in trace.read_text().splitlines()]
    assert [line for line in lines if line.startswith("execve(")] == lines[:1]  # and no other
    assert any("/proc/self/net/dev" in line for line in lines)
    writes = [line for line in lines if not line.startswith(("execve(", "openat(", "open(", "+++"))
              or re.search(r"O_(WRONLY|RDWR|CREAT)", line)]
    assert writes == []


@pytest.mark.parametrize("apart", [["-rn"], ["-rnpf", "--mount-proc"]])
def test_no_network_is_seen_in_a_namespace_and_that_is_not_clean(apart: list[str], tmp_path: Path) -> None:
    """What is outside of it may be online: said where it can be seen, and where the namespace is closed."""
    if shutil.which("unshare") is None or subprocess.run(["unshare", *apart, "true"], capture_output=True).returncode:
        pytest.skip("this machine gives no network namespace")
    done = subprocess.run(["unshare", *apart, sys.executable, "-c", PROBE], capture_output=True, text=True, cwd=tmp_path,
                          env={**os.environ, "PYTHONPATH": str(ROOT)})
    assert done.returncode == 0, done.stderr
    found = json.loads(done.stdout)
    assert all(found[what] for what in ("network interfaces", "network addresses", "routes"))
    outside = {f.what: f.ok for f in examine(tmp_path).findings}
    closed = "--mount-proc" in apart or outside["seen from"] is False
    assert found["seen from"] is (False if closed else outside["network interfaces"])


def test_the_command_line_says_it_and_exits_so(tmp_path: Path) -> None:
    env = {**os.environ, "PYTHONPATH": str(ROOT), "COLUMNS": "400"}
    words = [sys.executable, "-m", "facedouble", "doctor", "--air-gap", str(tmp_path)]
    done = subprocess.run(words, capture_output=True, text=True, env=env)
    verdict = examine(tmp_path)
    assert done.returncode == (ExitCode.MACHINE if verdict.networked or verdict.unfit else ExitCode.DONE)
    assert "cannot prove that a machine was never online" in done.stdout
    assert done.stdout.count("\n") >= len(verdict.findings)
    done = subprocess.run([sys.executable, "-m", "facedouble", "doctor", str(tmp_path)], capture_output=True, text=True, env=env)
    assert done.returncode == ExitCode.USAGE and "--air-gap" in done.stderr


def _line(verdict: Verdict, what: str) -> Finding:
    return next(finding for finding in verdict.findings if finding.what == what)
