#!/usr/bin/env python3
"""`diff` over the recorded clouds of the shared data: each fault's change comes first, with the path that it changes.

usage: lab.py --tool BUILD/dvrtrace

Each faulty state is compared with its sound cloud, which was saved with other commands at another time; and each cloud with itself. The
first change must be what truth.json names, and the recorded path must be among the changed ones, with a changed verdict where the packets
fared otherwise. Skipped (status 77) where the shared data is not at hand.
"""
import argparse
import json
import os
import subprocess
import sys

# Packets fare otherwise, or go the same way, by what no question of `diff` has.
NO_PATH = {
    "39-rp-filter-rfp": "delivered all the same, by the same rows: no path changed",
}


def load(*parts):
    with open(os.path.join(*parts), encoding="utf-8") as file:
        return json.load(file)


def diff(tool, before, after, neutron, lab):
    run = subprocess.run([tool, "diff", "-o", "json", "-i", before, "--with", after, "--neutron", neutron], cwd=lab, capture_output=True,
                         text=True, check=False)
    if run.returncode not in (0, 1):
        sys.exit(f"diff {before} {after}: status {run.returncode}\n{run.stderr}")
    return run.returncode, json.loads(run.stdout)


def is_named(change, want):
    """By host, place and object, as compare_faults.py has it: a device that is a port as well may be named as either."""
    if change["host"] != want["host"]:
        return False
    kinds = {"tunnel": {"tunnel", "port"}, "link": {"link", "port"}}.get(want["object"]["kind"], {want["object"]["kind"]})
    place = change["place"] == {"kind": want["place"]["kind"], "name": want["place"]["name"]}
    if want["object"]["kind"] == "link" and want["place"]["name"] == "":
        place = place or change["place"]["kind"] in ("bridge", "host")
    table = "table" not in want["object"] or change["object"].get("table") == want["object"]["table"]
    return place and change["object"]["kind"] in kinds and table


def recorded_path(found, scenario, ports):
    """The changed path between the ends of the scenario, the gravest."""
    packet = f"tcp/{scenario['port']}" if scenario["proto"] == "tcp" else "icmp"
    ends = {scenario["dst"], ports.get(scenario["dst"], scenario["dst"])}
    return next((path for path in found["paths"]
                 if path["from"] == scenario["src"] and path["to"] in ends and path["packet"].startswith(packet)), None)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--tool", required=True)
    tool = os.path.abspath(parser.parse_args().tool)
    lab = os.path.join(os.environ.get("DVRTRACE_SHARED", ""), "data", "lab")
    if not os.environ.get("DVRTRACE_SHARED") or not os.path.exists(os.path.join(lab, "faults")):
        print("skipped: DVRTRACE_SHARED is not set, or holds no data/lab")
        return 77
    failed = 0
    for cloud in ("ovsfw", "hybrid", "ha6"):
        status, found = diff(tool, f"{cloud}/hosts", f"{cloud}/hosts", f"{cloud}/neutron", lab)
        sound = status == 0 and not found["changes"] and not found["paths"]
        failed += not sound
        print(f"{cloud:38} with itself: {'no change' if sound else 'CHANGES'}")
    faults = sorted(os.listdir(os.path.join(lab, "faults")))
    named = moved = 0
    for fault in faults:
        cloud = "hybrid" if int(fault[:2]) > 50 else "ovsfw"
        truth, scenario = load(lab, "faults", fault, "truth.json"), load(lab, "faults", fault, "scenario.json")["scenarios"][0]
        ports = {ip["ip_address"]: port["name"] for port in load(lab, cloud, "neutron", "ports.json")["ports"] for ip in port["fixed_ips"]
                 if port["name"].startswith("vm") and not port["name"].startswith("vmb")}
        status, found = diff(tool, f"{cloud}/hosts", f"faults/{fault}/hosts", f"{cloud}/neutron", lab)
        first = found["changes"][0] if found["changes"] else None
        is_first = status == 1 and first is not None and is_named(first, truth["finding"])
        path = recorded_path(found, scenario, ports)
        lost = truth["verdict"] != "delivered"
        has_path = fault in NO_PATH or (path is not None and (path["changed"] == "verdict" or not lost))
        named += is_first
        moved += has_path
        failed += not (is_first and has_path)
        what = f"{first['host']} {first['place']['name'][:16]} {first['object']['kind']} {first['change']}" if first else "nothing"
        way = NO_PATH.get(fault) or (f"{path['from']} to {path['to']} {path['packet']}: {path['changed']}" if path else "NO PATH")
        print(f"{fault:38} {'' if is_first else 'FIRST IS '}{what}, {len(found['changes'])} changes, {len(found['paths'])} of "
              f"{found['asked']} paths; {way}{'' if has_path else ' WRONG PATH'}")
    print(f"named first {named}, with the path {moved}, of {len(faults)} faults")
    return 1 if failed else 0


sys.exit(main())
