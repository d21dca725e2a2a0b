#!/usr/bin/env python3
"""Holds `dvrtrace verify` against the shared data's recorded clouds and faults: lab.py --tool BUILD/dvrtrace [--only TEXT]

Skipped (status 77) where the shared data is not at hand. Of a sound cloud every scenario must agree: each device of the recorded list
is a crossing that was seen as predicted, and none is invented. Of a fault the stop must be the recorded one, with the prediction of the
broken cloud, which then agrees, and with that of the sound one, which then does not.
"""

import argparse
import collections
import json
import os
import subprocess
import sys

CLOUDS = ("ovsfw", "hybrid", "ha6")
OPTIONS = {"90-large-packets": ["--size", "1428", "--df"], "35-ttl1-local-router": ["--ttl", "1"]}

# What a dump cannot show.
EXPLAINED = {
    ("35-rfp-fpr-veth-down", "broken"): "the host outside still knew the MAC of the floating IP; the prediction has it ask first",
}


def load(*parts):
    with open(os.path.join(*parts), encoding="utf-8") as file:
        return json.load(file)


def place(name):
    host, netns, device = name.removesuffix(".pcap").split("__")
    return host, "" if netns == "root" else netns, device


def judged(name):
    """Inside VMs, and on the host outside, nothing is predicted."""
    host, netns, _ = place(name)
    return host != "outside" and not netns.startswith("vm-")


def verify(tool, scenario, hosts, before, neutron, captures):
    packet = scenario["proto"] + (f"/{scenario['port']}" if scenario["proto"] in ("tcp", "udp") else "")
    command = [tool, "verify", "from", scenario["src"], "to", scenario["dst"], packet.replace("icmp6", "icmp"), "-o", "json",
               "-i", hosts, "--neutron", neutron, "-r", captures] + OPTIONS.get(scenario["id"], [])
    if os.path.isdir(before):
        command += ["-i", before]
    if scenario.get("srcip"):
        command += ["--src-ip", scenario["srcip"]]
    run = subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)
    try:
        return run.returncode, json.loads(run.stdout), command
    except ValueError:
        return run.returncode, {"error": run.stderr[-600:]}, command


def compare_hops(direction, hops):
    seen = collections.Counter()
    for crossing in direction["crossings"]:
        if crossing["state"] == "seen":
            seen[(crossing["host"], crossing["netns"], crossing["device"])] += 1
        elif crossing["on_path"]:
            yield f"{crossing['host']}/{crossing['device']} is {crossing['state']} {crossing['altered']}"
    recorded = collections.Counter(place(hop["file"]) for hop in hops if judged(hop["file"]))
    for where in (recorded - seen).elements():
        yield f"recorded, and not agreed: {where}"
    for where in (seen - recorded).elements():
        yield f"agreed, and not recorded: {where}"
    for sighting in direction["unpredicted"]:
        yield f"invented: {sighting['point']} {sighting['packet']}"


def cloud(tool, lab, name, only):
    failed = 0
    for scenario in load(lab, name, "scenarios.json")["scenarios"]:
        if only not in f"{name}/{scenario['id']}":
            continue
        base = os.path.join(lab, name)
        status, answer, command = verify(tool, scenario, os.path.join(base, "hosts"), os.path.join(base, "before", scenario["id"]),
                                         os.path.join(base, "neutron"), os.path.join(base, "pcap", scenario["id"]))
        bad = [] if status == 0 else [f"status {status}: {answer.get('text', answer)}"]
        for direction in answer.get("directions", []):
            hops = scenario["request_hops"] if direction["direction"] == "request" else scenario.get("reply_hops") or []
            bad += [f"{direction['direction']}: {line}" for line in compare_hops(direction, hops)]
        failed += report(f"{name}/{scenario['id']}", bad, command)
    return failed


def last_of(hops):
    return next((hop["file"].removesuffix(".pcap") for hop in reversed(hops or []) if judged(hop["file"])), None)


def stops_of(answer):
    for direction in answer.get("directions", []):
        if direction["stop"]:
            yield direction["direction"], "__".join((direction["stop"]["after"]["host"], direction["stop"]["after"]["netns"] or "root",
                                                     direction["stop"]["after"]["device"]))


def fault(tool, lab, name):
    folder = os.path.join(lab, "faults", name)
    truth, scenario = load(folder, "truth.json"), load(folder, "scenario.json")["scenarios"][0]
    sound = os.path.join(lab, truth["variant"])
    captures = os.path.join(folder, "pcap", scenario["id"])
    arrived = truth["request_reached_destination"] and truth["reply_arrived"]
    hops = scenario["reply_hops"] if truth["request_reached_destination"] and scenario.get("reply_hops") else scenario["request_hops"]
    failed = 0
    for state, base, wanted in (("broken", folder, 0), ("sound", sound, 1)):
        if (name, state) in EXPLAINED:
            continue
        status, answer, command = verify(tool, scenario, os.path.join(base, "hosts"), os.path.join(base, "before", scenario["id"]),
                                         os.path.join(sound, "neutron"), captures)
        stops = dict(stops_of(answer))
        unknown = any(d["predicted"]["verdict"] == "Unknown" for d in answer.get("directions", []))
        bad = []
        if status != wanted and not (arrived and status == 0) and not (unknown and status == 3):
            bad.append(f"status {status}, expected {wanted}: {answer.get('text', answer)}")
        if not arrived and "an answer came" not in truth["verdict"] and last_of(hops) not in stops.values():
            bad.append(f"stops {stops}, recorded {last_of(hops)} (truth: {truth['stops_after']})")
        if bad:
            bad.append(f"truth: {truth['verdict']}")
        failed += report(f"{name} ({state})", bad, command)
    return failed


def report(name, bad, command):
    print(f"{'FAILED' if bad else 'passed'} {name}")
    for line in bad:
        print("    " + line[:400])
    if bad:
        print("    $ " + " ".join(command))
    return bool(bad)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--tool", required=True)
    parser.add_argument("--only", default="")
    options = parser.parse_args()
    tool = os.path.abspath(options.tool)
    lab = os.path.join(os.environ.get("DVRTRACE_SHARED", ""), "data", "lab")
    if not os.environ.get("DVRTRACE_SHARED") or not os.path.isdir(lab):
        print("skipped: DVRTRACE_SHARED is not set, or holds no data/lab")
        sys.exit(77)
    failed = sum(cloud(tool, lab, name, options.only) for name in CLOUDS)
    for name in sorted(os.listdir(os.path.join(lab, "faults"))):
        if options.only in name:
            failed += fault(tool, lab, name)
    sys.exit(1 if failed else 0)


main()
