#!/usr/bin/env python3
"""What a question leaves closed does not change its answer: `few_hosts.py --tool BUILD/dvrtrace`

In a cloud of many hosts one question opens those that it concerns, and all of them where that does not do. `from` is held against
`from --questions`, which always opens all: over a planned cloud, sound and damaged."""

import argparse
import json
import os
import shutil
import subprocess
import sys
import tempfile

sys.path.insert(0, os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
import harness  # noqa: E402

HOSTS, PORTS = 30, 2
COMPARED = ("question", "verdict", "reason", "directions", "assumptions", "findings")


def run(tool, words, cloud, given=None):
    done = subprocess.run([os.path.abspath(tool), *words, "-o", "json", "-i", f"{cloud}/hosts", "--neutron", f"{cloud}/neutron"], text=True,
                          capture_output=True, check=False, env=harness.environment(tool), input=given, timeout=600)
    if not done.stdout:
        sys.exit(f"{' '.join(words)}: status {done.returncode}\n{done.stderr[-2000:]}")
    return [json.loads(line) for line in done.stdout.splitlines()] if given else json.loads(done.stdout)


def plan(tool, cloud):
    subprocess.run([sys.executable, os.path.join(harness.ROOT, "bench", "make_cloud.py"), str(HOSTS), str(PORTS), f"{cloud}/neutron",
                    "--ports-per-network", "6"], check=True)
    subprocess.run([os.path.abspath(tool), "reference", "--neutron", f"{cloud}/neutron", "--release", "zed", "--to", f"{cloud}/hosts"],
                   check=True, stdout=subprocess.DEVNULL, env=harness.environment(tool))


def questions(cloud):
    """(words, how many hosts are enough; None: all are needed)"""
    with open(f"{cloud}/neutron/ports.json", encoding="utf-8") as file:
        vms = [port for port in json.load(file)["ports"] if port["device_owner"] == "compute:nova"]
    one = vms[0]
    beside = next(v for v in vms[1:] if v["network_id"] == one["network_id"])
    routed = next(v for v in vms if v["network_id"] != one["network_id"] and v["security_groups"] == one["security_groups"])
    foreign = next(v for v in vms if v["security_groups"] != one["security_groups"])
    address = lambda port: port["fixed_ips"][0]["ip_address"]  # noqa: E731
    yield f"{one['id']} to {beside['id']}", 2
    yield f"{one['id']} to {routed['id']}", 2
    yield f"{one['mac_address']} to {address(routed)} tcp/22", 2
    yield f"tap{one['id'][:11]} to {routed['id']} udp/53", 2
    yield f"{one['id']} to {foreign['id']}", 2
    yield f"{one['id']} to {address(foreign)} tcp/22", None
    yield f"{one['id']} to 203.0.113.9", None
    yield f"{one['id']} to {address(one).rsplit('.', 1)[0]}.250", None
    yield f"{one['device_id']} to {beside['device_id']}", 2
    yield f"n0/{address(one)} to {beside['id']}", 2


def damage(cloud, kind):
    """Changes something on every host, which the answers must tell alike."""
    for host in next(os.walk(f"{cloud}/hosts"))[1]:
        folder = f"{cloud}/hosts/{host}/sos_commands"
        if kind == "no flows":
            for name in ("br-int", "br-tun")[sum(host.encode()) % 2:][:1]:
                os.remove(f"{folder}/openvswitch/ovs-ofctl_dump-flows_{name}")
        elif kind == "reports of sos":
            report = f"{cloud}/hosts/sosreport-{host}-2026-11-22-abcdefg"
            os.rename(f"{cloud}/hosts/{host}", report)
            with open(f"{report}/etc/hostname", "w", encoding="utf-8") as file:
                file.write(host + "\n")
        elif kind == "no address answers":
            path = f"{folder}/openvswitch/ovs-ofctl_dump-flows_br-tun"
            with open(path, encoding="utf-8") as file:
                rows = [row for row in file if "table=21," not in row]
            with open(path, "w", encoding="utf-8") as file:
                file.writelines(rows)


def wrong_answers(tool, cloud, state):
    asked = list(questions(cloud))
    whole = run(tool, ["from", "--questions", "-"], cloud, "".join(words + "\n" for words, _ in asked))
    wrong = 0
    for (words, enough), all_hosts in zip(asked, whole):
        answer = run(tool, ["from", *words.split()], cloud)
        unlike = [key for key in COMPARED if key != "findings" and answer.get(key) != all_hosts.get(key)]
        opened = len(answer["inputs"])
        if enough is not None and opened > enough and state in ("sound", "reports of sos"):
            unlike.append(f"{opened} hosts opened")
        if unlike:
            wrong += 1
            print(f"FAILED {state}: {words}: {', '.join(unlike)}: {answer.get('verdict')} {answer.get('reason')}, of all hosts "
                  f"{all_hosts.get('verdict')} {all_hosts.get('reason')}")
    few = sum(enough is not None for _, enough in asked)
    print(f"{state}: {len(asked)} questions, {few} of which concern few hosts, {wrong} wrong")
    return wrong


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--tool", required=True)
    options = parser.parse_args()
    wrong = 0
    with tempfile.TemporaryDirectory(prefix="dvrtrace-few-") as cloud:
        plan(options.tool, cloud)
        with open(f"{cloud}/hosts/README", "w", encoding="utf-8") as file:  # belongs to no host
            file.write("taken before the upgrade\n")
        wrong += wrong_answers(options.tool, cloud, "sound")
        for state in ("reports of sos", "no flows", "no address answers"):
            broken = f"{cloud}-broken"
            shutil.rmtree(broken, ignore_errors=True)
            shutil.copytree(cloud, broken)
            damage(broken, state)
            wrong += wrong_answers(options.tool, broken, state)
            shutil.rmtree(broken)
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
