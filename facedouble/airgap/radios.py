"""Radios, and telephones that a computer takes for a network card."""

from __future__ import annotations

from typing import Final

from facedouble.airgap.machine import UNTOLD, Finding, Machine, some

CLASSES: Final = {"ieee80211": "Wi-Fi", "bluetooth": "Bluetooth", "wwan": "mobile network", "nfc": "NFC"}
KINDS: Final = {"wlan": "Wi-Fi", "bluetooth": "Bluetooth", "wwan": "mobile network", "nfc": "NFC", "wimax": "WiMAX",
                "uwb": "ultra-wideband"}  # what rfkill calls them; it also switches receivers (GPS, FM), which send nothing
TETHERS: Final = ("rndis_host", "cdc_ether", "cdc_ncm", "cdc_mbim", "cdc_eem", "cdc_subset", "qmi_wwan", "ipheth", "sierra_net",
                  "huawei_cdc_ncm", "hso", "option", "cdc_phonet")


def radios(machine: Machine) -> list[Finding]:
    """What can send without a cable, and what is tethered by one."""
    return [_radios(machine), _tethered(machine)]


def _radios(machine: Machine) -> Finding:
    on: set[str] = set()
    off: set[str] = set()
    for kind, spoken in CLASSES.items():
        for name in machine.names(f"/sys/class/{kind}"):
            if ":" not in name:  # hci0:12 is a connection, not a radio
                (off if _blocked(machine, f"/sys/class/{kind}/{name}") else on).add(f"{spoken} ({name})")
    for name in machine.names("/sys/class/rfkill"):
        kind = machine.text(f"/sys/class/rfkill/{name}/type") or "unknown"
        if kind in ("gps", "fm"):
            continue
        spoken = KINDS.get(kind, kind)
        if not any(spoken in known for known in on | off):
            (off if _switched_off(machine, f"/sys/class/rfkill/{name}") else on).add(f"{spoken} ({name})")
    modems = [name for name in machine.names("/dev") if name.startswith("cdc-wdm")]
    if modems and not any("mobile network" in known for known in on | off):
        on.add(f"mobile network ({some(modems)})")
    if on:
        return Finding("radios", False, f"{some(on)} can send", "take the card out; until then switch it off in the firmware, or "
                       "by `rfkill block all`", network=True)
    if off:
        return Finding("radios", None, f"{some(off)} switched off by software that can switch it on",
                       "take the card out, or switch it off in the firmware", network=True)
    if not machine.shown("/sys/class"):
        return Finding("radios", None, UNTOLD, "examine the machine from outside", network=True)
    return Finding("radios", True, "none", network=True)


def _blocked(machine: Machine, folder: str) -> bool:
    """A switch hangs below the radio itself, and it is off."""
    switches = [name for name in machine.names(folder) if name.startswith("rfkill")]
    return bool(switches) and all(_switched_off(machine, f"{folder}/{name}") for name in switches)


def _switched_off(machine: Machine, folder: str) -> bool:
    return "1" in (machine.text(f"{folder}/soft"), machine.text(f"{folder}/hard"))


def _tethered(machine: Machine) -> Finding:
    held = {driver for driver in TETHERS if any(":" in name for name in machine.names(f"/sys/bus/usb/drivers/{driver}"))}
    if held:
        return Finding("tethered telephone or modem", False, f"something on USB is driven by {some(held)}", "unplug it",
                       network=True)
    if not machine.shown("/sys/bus"):
        return Finding("tethered telephone or modem", None, UNTOLD, "examine the machine from outside", network=True)
    return Finding("tethered telephone or modem", True, "none on USB", network=True)
