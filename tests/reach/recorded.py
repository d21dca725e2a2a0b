#!/usr/bin/env python3
"""What reach says against what was recorded: `recorded.py --tool BUILD/dvrtrace`

Each recorded scenario between ends that reach knows (VMs, floating IPs, the outside, metadata, DHCP) has its cell in the matrix of the
recorded cloud; whether packets arrive there must be as it was observed. Gateways, ARP and packets made unusual by hand have none."""

import argparse
import json
import os
import subprocess
import sys

sys.path.insert(0, os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
import harness  # noqa: E402

LABS = os.path.join(harness.ROOT, "..", "shared", "data", "lab")
ARRIVES = ("Delivered", "LeftTheCloud")
SERVICES = {"169.254.169.254": "metadata", "255.255.255.255": "dhcp"}
BY_HAND = ("35-ttl1-local-router",)


def asked(tool, words, cloud):
    done = subprocess.run([os.path.abspath(tool), *words, "-o", "json", "-i", f"{cloud}/hosts", "--neutron", f"{cloud}/neutron"], text=True,
                          capture_output=True, check=False, env=harness.environment(tool), timeout=600)
    return json.loads(done.stdout)


def packet_of(scenario):
    protocol = {"icmp6": "icmp"}.get(scenario["proto"], scenario["proto"])
    return f"{protocol}/{scenario['port']}" if scenario["port"] else protocol


class Matrix:
    def __init__(self, reach):
        self.ends = reach["ends"]
        self.cells = {(table["packet"], cell["from"], cell["to"]): cell for table in reach["tables"] for cell in table["cells"]}

    def end(self, name):
        for number, end in enumerate(self.ends):
            if name in end["members"] or (not end["members"] and end["kind"] == name):
                return number
        return None

    def arrives(self, packet, source, target):
        """None: the matrix has no such cell, or its members do not all fare alike."""
        service = self.ends[target]["kind"] in SERVICES.values()
        cell = next((self.cells[key] for key in ((packet, source, target), ("", source, target), (None, source, target))
                     if key in self.cells and (service or key[0] == packet)), None)
        if cell is None or len(cell["answers"]) != 1:
            return None
        return cell["answers"][0]["verdict"] in ARRIVES


def compare(tool, cloud):
    with open(f"{cloud}/scenarios.json", encoding="utf-8") as file:
        scenarios = [s for s in json.load(file)["scenarios"] if s["proto"] != "arp" and not s["srcip"] and s["id"] not in BY_HAND]
    inventory = asked(tool, ["inventory"], cloud)
    names = {}  # tenants may have the same addresses: then a sender reaches the one of its own
    for vm in inventory["vms"]:
        for address in vm["ips"]:
            names.setdefault(address, []).append(vm["name"])
    floating = {address["ip"] for address in inventory["floating_ips"]}
    packets = sorted({packet_of(s) for s in scenarios if s["dst"] not in SERVICES})
    matrix = Matrix(asked(tool, ["reach", *packets], cloud))
    held = wrong = 0
    for scenario in scenarios:
        address = scenario["dst"]
        named = SERVICES.get(address) or ("outside" if address == "8.8.8.8" else address if address in floating else "")
        targets = [matrix.end(name) for name in names.get(address, [named])]
        source = matrix.end(scenario["src"])
        if source is None or None in targets:
            continue
        held += 1
        said = [matrix.arrives(packet_of(scenario), source, target) for target in targets]
        if None in said or any(said) != scenario["app_ok"]:
            wrong += 1
            print(f"FAILED {os.path.basename(cloud)} {scenario['id']}: observed {scenario['app_ok']}, reach says {said}")
    print(f"{os.path.basename(cloud)}: {held} recorded scenarios in the matrix, {wrong} wrong")
    return wrong + (held == 0)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--tool", required=True)
    options = parser.parse_args()
    clouds = [os.path.join(LABS, name) for name in ("ovsfw", "hybrid", "ha6") if os.path.isdir(os.path.join(LABS, name))]
    if not clouds:
        print("skipped: no recorded clouds beside the project")
        return harness.SKIPPED
    return 1 if sum(compare(options.tool, cloud) for cloud in clouds) else 0


if __name__ == "__main__":
    sys.exit(main())
