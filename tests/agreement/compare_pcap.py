#!/usr/bin/env python3
"""Do dvrtrace's predictions agree with the captures of a fixture?

    compare_pcap.py --tool build/ci/dvrtrace fixtures/two-computes [--only 04-] [--neutron yes|no|both]

For every scenario of FIXTURE/scenarios.json the question is put to the program, and the first request and its reply are
looked up in FIXTURE/pcap/<scenario>/HOST__NETNS__DEVICE.pcap ("root" is the root namespace). A direction agrees when

  verdict     it is Delivered
  crossings   the predicted (host, namespace, device) are, as a multiset, those where the packet was captured
  order       the predicted way can be walked through the captures without going back in time
  headers     MACs, VLAN, addresses, TTL and encapsulation of each crossing on the way are the captured ones

Nothing but the captures says where a packet was. Exit status: 0 all agree, 1 not, 2 could not run.
"""

import argparse
import collections
import json
import os
import shlex
import subprocess
import sys

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import pcap  # noqa: E402

FIELDS = ("eth_src", "eth_dst", "vlan", "ip_src", "ip_dst", "ttl", "proto")
ENCAP_FIELDS = ("type", "vni", "src", "dst")
ECHO_REPLY, ECHO_REQUEST = 0, 8
SYN, SYN_ACK = 0x02, 0x12

Sighting = collections.namedtuple("Sighting", "time place packet")


def sightings_of(folder):
    """Every packet of every capture in a folder, in the order of time."""
    found = []
    for name in sorted(os.listdir(folder)):
        stem, extension = os.path.splitext(name)
        if extension != ".pcap":
            continue
        host, netns, device = stem.split("__")
        place = (host, "" if netns == "root" else netns, device)
        for time, frame in pcap.frames(os.path.join(folder, name)):
            packet = pcap.decode(frame)
            if packet is not None:
                found.append(Sighting(time, place, packet))
    return sorted(found, key=lambda sighting: sighting.time)


def is_request(packet, scenario):
    if packet["ip_dst"] != scenario["dst"]:
        return False
    if scenario["proto"] == "icmp":
        return packet.get("icmp_type") == ECHO_REQUEST
    if scenario["proto"] == "tcp":
        return packet.get("flags") == SYN and packet.get("dport") == scenario["port"]
    return packet["proto"] == pcap.UDP and packet.get("dport") == scenario["port"]


def is_reply(packet, request):
    if packet["proto"] != request["proto"]:
        return False
    if packet["proto"] == pcap.ICMP:
        return packet["icmp_type"] == ECHO_REPLY and packet["icmp_seq"] == request["icmp_seq"]
    if packet["proto"] == pcap.TCP:
        return packet["flags"] == SYN_ACK and packet["ack"] == (request["seq"] + 1) & 0xFFFFFFFF
    return packet["sport"] == request["dport"]


def follow(sightings, wanted):
    """All sightings of the first packet that is wanted."""
    for first in sightings:
        if wanted(first.packet):
            return [s for s in sightings if s.packet.get("identity") == first.packet["identity"]]
    return []


def written(place):
    host, netns, device = place
    return "/".join((host, netns or "root", device))


def differences(predicted, captured):
    """What a predicted packet says otherwise than the captured one. What it does not mention is not compared."""
    found = []
    for field in FIELDS:
        if field in predicted and str(predicted[field]).lower() != str(captured[field]).lower():
            found.append(f"{field} {predicted[field]}, captured {captured[field]}")
    missing = [f for f in ("eth_src", "eth_dst", "ip_src", "ip_dst", "ttl") if predicted.get(f) is None]
    if missing:
        found.append("not stated: " + ", ".join(missing))
    encap, outside = predicted.get("encap"), captured["encap"]
    if (encap is None) != (outside is None):
        found.append(f"encap {encap}, captured {outside}")
    elif encap is not None:
        for field in ENCAP_FIELDS:
            if str(encap.get(field)).lower() != str(outside[field]).lower():
                found.append(f"encap.{field} {encap.get(field)}, captured {outside[field]}")
    return found


def judge(direction, sightings):
    """What in a predicted direction disagrees with the sightings of its packet, as lines of text."""
    bad = []
    if direction.get("verdict") != "Delivered":
        bad.append(f"verdict {direction.get('verdict')} ({direction.get('reason')}), the packet arrived")
    crossings = [((c["host"], c.get("netns") or "", c["device"]), c) for c in direction.get("crossings", [])]
    predicted = collections.Counter(place for place, _ in crossings)
    captured = collections.Counter(s.place for s in sightings)
    for place in (captured - predicted).elements():
        bad.append(f"captured, but not predicted: {written(place)}")
    for place in (predicted - captured).elements():
        bad.append(f"predicted, but not captured: {written(place)}")

    unused, now = list(sightings), 0
    for place, crossing in crossings:
        if not crossing.get("on_path"):
            continue
        here = [s for s in unused if s.place == place]
        if not here:
            continue  # said above
        later = [s for s in here if s.time >= now]
        if not later:
            bad.append(f"order: {written(place)} was captured before the crossing predicted in front of it")
        packet = crossing.get("packet") or {}
        chosen = min(later or here, key=lambda s: (len(differences(packet, s.packet)), s.time))
        bad += [f"at {written(place)}: {text}" for text in differences(packet, chosen.packet)]
        unused.remove(chosen)
        now = max(now, chosen.time)
    return bad


def question(scenario, fixture, neutron):
    """The command line's arguments. Without Neutron's objects a VM has no name; its port has."""
    source = scenario["src"] if neutron else scenario["src_port"]
    packet = scenario["proto"] + (f"/{scenario['port']}" if scenario["port"] else "")
    inputs = ["-i", os.path.join(fixture, "hosts"), "-i", os.path.join(fixture, "before", scenario["id"])]
    if neutron:
        inputs += ["--neutron", os.path.join(fixture, "neutron")]
    return ["from", source, "to", scenario["dst"], packet, "-o", "json"] + inputs


def compare(tool, fixture, scenario, neutron):
    sightings = sightings_of(os.path.join(fixture, "pcap", scenario["id"]))
    request = follow(sightings, lambda packet: is_request(packet, scenario))
    if not request:
        return ["the captures do not hold the request"]
    reply = follow(sightings, lambda packet: is_reply(packet, request[0].packet))
    if not reply:
        return ["the captures do not hold the reply"]

    command = tool + question(scenario, fixture, neutron)
    run = subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)
    try:
        document = json.loads(run.stdout)
    except ValueError:
        return [f"$ {shlex.join(command)}", f"status {run.returncode}, no JSON: {(run.stdout + run.stderr)[-800:]}"]
    bad = []
    if document.get("schema") != "dvrtrace.trace/1":
        bad.append(f"schema {document.get('schema')}")
    if run.returncode != 0:
        bad.append(f"exit status {run.returncode}, expected 0")
    directions = {d.get("direction"): d for d in document.get("directions", [])}
    for name, found in (("request", request), ("reply", reply)):
        bad += [f"{name}: {text}" for text in judge(directions.get(name, {}), found)]
    return ([f"$ {shlex.join(command)}"] + bad) if bad else []


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("fixture")
    parser.add_argument("--tool", required=True, help="the program, with arguments if need be")
    parser.add_argument("--only", default="", help="scenarios whose id begins so")
    parser.add_argument("--neutron", choices=("yes", "no", "both"), default="both")
    options = parser.parse_args()

    with open(os.path.join(options.fixture, "scenarios.json"), encoding="utf-8") as file:
        scenarios = [s for s in json.load(file)["scenarios"] if s["id"].startswith(options.only)]
    if not scenarios:
        sys.exit(f"compare_pcap.py: no scenario begins with '{options.only}'")  # status 1: a test must not pass so
    modes = {"yes": (True,), "no": (False,), "both": (True, False)}[options.neutron]
    failed = 0
    for scenario in scenarios:
        for neutron in modes:
            bad = compare(shlex.split(options.tool), options.fixture, scenario, neutron)
            failed += bool(bad)
            name = scenario["id"] + ("" if neutron else " without --neutron")
            print(f"{'DISAGREES' if bad else 'agrees   '} {name}")
            for line in bad:
                print("    " + line)
    sys.exit(1 if failed else 0)


if __name__ == "__main__":
    main()
