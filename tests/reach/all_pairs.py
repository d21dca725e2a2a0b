#!/usr/bin/env python3
"""One pair of each two classes stands for all of them: `all_pairs.py --tool BUILD/dvrtrace [--lab]`

What `dvrtrace reach` says of each cell is held against the answer to every single pair in it, asked one by one. Over the fixture, and a
planned cloud in which many are alike; with --lab over the recorded clouds beside the project, where they are."""

import argparse
import collections
import json
import os
import re
import subprocess
import sys
import tempfile

sys.path.insert(0, os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
import harness  # noqa: E402

PACKETS = ("icmp", "tcp/22", "udp/53")
LABS = os.path.join(harness.ROOT, "..", "shared", "data", "lab")
SERVICES = {"metadata": "169.254.169.254 tcp/80", "dhcp": "255.255.255.255 dhcp", "outside": "outside"}


def run(tool, words, cloud):
    done = subprocess.run([os.path.abspath(tool), *words, "-i", f"{cloud}/hosts", "--neutron", f"{cloud}/neutron"], text=True,
                          capture_output=True, check=False, env=harness.environment(tool), timeout=1100)
    if done.returncode == 2 and not done.stdout:
        sys.exit(f"{' '.join(words)}: status {done.returncode}\n{done.stderr[-2000:]}")
    return done.stdout


def pairs_of(source, target, owners):
    """The questions that a cell is about: nobody asks itself, nor its own floating IP."""
    for sender in source["members"] or ["outside"]:
        for receiver in target["members"] or [SERVICES[target["kind"]]]:
            if sender != receiver and owners.get(receiver) != sender:
                yield f"{sender} to {receiver}"


def wrong_cells(tool, cloud):
    reach = json.loads(run(tool, ["reach", *PACKETS, "-o", "json"], cloud))
    inventory = json.loads(run(tool, ["inventory", "-o", "json"], cloud))
    owners = {floating["ip"]: floating["vm"] for floating in inventory["floating_ips"]}
    cells = []
    for table in reach["tables"]:
        for cell in table["cells"]:
            source, target = reach["ends"][cell["from"]], reach["ends"][cell["to"]]
            packet = table["packet"] or ""
            cells.append((packet, cell, source, target, [f"{pair} {packet}".strip() for pair in pairs_of(source, target, owners)]))
    with tempfile.NamedTemporaryFile("w", suffix=".questions", encoding="utf-8") as file:
        file.write("".join(line + "\n" for cell in cells for line in cell[4]))
        file.flush()
        # What cannot be asked, as of an outside that no dump tells of, is not known.
        answers = {a["asked"]: (a.get("verdict", "Unknown"), a.get("reason", "hidden-state")) for a in
                   map(json.loads, run(tool, ["from", "-q", "--questions", file.name, "-o", "json"], cloud).splitlines())}
    wrong = 0
    for packet, cell, source, target, asked in cells:
        said = collections.Counter({(a["verdict"], a["reason"]): a["pairs"] for a in cell["answers"]})
        found = collections.Counter(answers[line] for line in asked)
        if said != found:
            wrong += 1
            print(f"FAILED {source['label']} to {target['label']} {packet}: reach says {dict(said)}, one by one {dict(found)}")
    vms = sum(len(end["members"]) for end in reach["ends"] if end["kind"] == "vms")
    print(f"{os.path.basename(cloud)}: {len(cells)} cells, {sum(len(c[4]) for c in cells)} pairs, {reach['traced']} traced, {vms} VMs, {wrong} wrong")
    return wrong + alike(reach, vms)


def alike(reach, vms):
    """Where more than twenty VMs are in a handful of groups, few pairs are traced; each of the recorded ones is unlike the others."""
    if vms > 20 and reach["traced"] * 5 > reach["pairs"]:
        print(f"FAILED {reach['traced']} of {reach['pairs']} pairs were traced: the classes are too small")
        return 1
    return 0


def planned(tool, folder, *shape):
    """A cloud of 24 VMs on three hosts, made by the reference."""
    subprocess.run([sys.executable, os.path.join(harness.ROOT, "bench", "make_cloud.py"), "3", "8", f"{folder}/neutron", *shape], check=True)
    subprocess.run([os.path.abspath(tool), "reference", "--neutron", f"{folder}/neutron", "--release", "zed", "--to", f"{folder}/hosts"],
                   check=True, stdout=subprocess.DEVNULL, env=harness.environment(tool))
    return folder


def put_down(cloud):
    """Of the first VMs of a host one device each is down: they are unlike the others, and unlike each other where the frame stops."""
    path = f"{cloud}/hosts/cmp0000/sos_commands/networking/ip_addr"
    with open(path, encoding="utf-8") as file:
        text = file.read()
    ids = re.findall(r"^\d+: qvb(\S{11})@", text, re.MULTILINE)
    for prefix, port in zip(("qvb", "qvo", "qbr"), ids):
        text, changed = re.subn(rf"^(\d+: {prefix}{port}[@:].*?)<BROADCAST,MULTICAST,UP,LOWER_UP>(.*) state \w+", r"\1<BROADCAST,MULTICAST>\2 state DOWN",
                                text, flags=re.MULTILINE)
        if changed != 1:
            sys.exit(f"no device {prefix}{port} in {path}")
    with open(path, "w", encoding="utf-8") as file:
        file.write(text)
    return cloud


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--tool", required=True)
    parser.add_argument("--lab", action="store_true")
    options = parser.parse_args()
    clouds = [os.path.join(harness.ROOT, "fixtures", "two-computes")]
    if options.lab:
        clouds = [os.path.join(LABS, name) for name in ("ovsfw", "hybrid", "ha6") if os.path.isdir(os.path.join(LABS, name))]
        if not clouds:
            print("skipped: no recorded clouds beside the project")
            return harness.SKIPPED
        return 1 if sum(wrong_cells(options.tool, cloud) for cloud in clouds) else 0
    with tempfile.TemporaryDirectory(prefix="dvrtrace-reach-") as folder:
        clouds.append(planned(options.tool, f"{folder}/alike"))
        clouds.append(put_down(planned(options.tool, f"{folder}/hybrid", "--hybrid")))
        return 1 if sum(wrong_cells(options.tool, cloud) for cloud in clouds) else 0


if __name__ == "__main__":
    sys.exit(main())
