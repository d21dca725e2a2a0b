#!/usr/bin/env python3
"""Collects hosts made of namespaces, here and over ssh, and traces over what came: `fleet.py --tool BUILD/dvrtrace [--keep DIR]`

The fixture's cloud is programmed into three of them; one is down, one hangs, one has no Open vSwitch, one asks for a password."""

import argparse
import json
import os
import shutil
import subprocess
import sys

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import hosts  # noqa: E402
from hosts import harness  # noqa: E402

CLOUD = os.path.join(harness.ROOT, "fixtures", "two-computes")
QUESTIONS = (("vm1", "vm2"), ("vm1", "8.8.8.8"), ("vm3", "8.8.8.8"), ("vm1", "vm4", "tcp/80"))


class Checks:
    def __init__(self):
        self.failed = 0

    def that(self, what, holds, shown=""):
        print(f"{'passed' if holds else 'FAILED'} {what}")
        if not holds:
            self.failed += 1
            print(harness.indented(str(shown)[:4000]))


def trace(tool, folder, question):
    words = [os.path.abspath(tool), "from", question[0], "to", *question[1:], "-i", folder, "--neutron", f"{CLOUD}/neutron", "-o", "json"]
    done = subprocess.run(words, capture_output=True, text=True, check=False, env=harness.environment(tool), timeout=120)
    return json.loads(done.stdout)


def way(answer):
    """What a trace says of the packet's way: each device with the packet there. What a flood copies elsewhere depends on MAC tables,
    which change between one collection and the next."""
    return [answer["verdict"], answer["reason"],
            [[d["direction"], d["verdict"], d["reason"], [c for c in d["crossings"] if c["on_path"]]] for d in answer["directions"]]]


def devices(answer):
    """The way without what a flood copies elsewhere: that depends on MAC tables, which age."""
    return [[(c["host"], c["netns"], c["device"]) for c in d["crossings"] if c["on_path"]] for d in answer["directions"]]


def files_below(folder):
    return {os.path.relpath(os.path.join(path, name), folder) for path, _, names in os.walk(folder) for name in names}


def test_cloud(check, tool, made, keep):
    for name in ("cmp1", "cmp2", "net1"):
        hosts.program(made.add(name), f"{CLOUD}/hosts/{name}")
    fleet, here = f"{made.folder}/fleet", f"{made.folder}/here"
    done = made.dvrtrace(tool, "collect", "cmp1", "cmp2", "net1", "--to", fleet, "--ssh", made.ssh())
    check.that("three hosts are collected in one command", done.returncode == 0, done.stdout + done.stderr)
    check.that("and each is whole", "3 of 3 hosts whole" in done.stdout, done.stdout + done.stderr)
    print(harness.indented(done.stdout))
    for name in ("cmp1", "cmp2", "net1"):
        done = made.dvrtrace(tool, "collect", "--to", here, "-o", "json", on=name)
        check.that(f"{name} collects itself", done.returncode == 0, done.stdout + done.stderr)
        report = json.loads(done.stdout)["hosts"][0]
        print(f"  {report['commands']} commands, {report['seconds']:.2f} s; their own time {report['command_seconds']:.2f} s")
        check.that(f"{name} gives the same files both ways", files_below(f"{fleet}/{name}") == files_below(f"{here}/{name}"),
                   files_below(f"{fleet}/{name}") ^ files_below(f"{here}/{name}"))
    for question in QUESTIONS:
        over_fleet, over_here, fixture = (trace(tool, folder, question) for folder in (fleet, here, f"{CLOUD}/hosts"))
        asked = " ".join(question)
        check.that(f"{asked}: the same over ssh and here", way(over_fleet) == way(over_here), json.dumps(way(over_fleet)))
        check.that(f"{asked}: the verdict of the fixture", over_fleet["verdict"] == fixture["verdict"] and over_fleet["reason"] == fixture["reason"],
                   f"{over_fleet['verdict']} {over_fleet['reason']} {over_fleet['directions'][-1].get('stopped_at')}")
        check.that(f"{asked}: by the devices of the fixture", devices(over_fleet) == devices(fixture), devices(over_fleet))
    inventory = subprocess.run([os.path.abspath(tool), "inventory", "-i", fleet, "-o", "json"], capture_output=True, text=True,
                               check=False, env=harness.environment(tool))
    unread = [host["name"] for host in json.loads(inventory.stdout)["hosts"] if host.get("unrecognised")]
    check.that("every line that was collected is understood", not unread, unread)
    with open(f"{fleet}/cmp1/sos_reports/manifest.json", encoding="utf-8") as file:
        manifest = json.load(file)
    flows = [c for c in manifest["components"]["report"]["plugins"]["openvswitch"]["commands"] if c["exec"] == "ovs-ofctl -O OpenFlow13 dump-flows br-int"]
    check.that("the manifest tells when each command ran and how it ended",
               len(flows) == 1 and flows[0]["return_code"] == 0 and flows[0]["end_time"] >= flows[0]["start_time"] > 1e9, flows)
    over_fleet = trace(tool, fleet, ("vm1", "vm2"))
    taken = {host["host"]: host.get("taken") for host in over_fleet["inputs"]}
    check.that("a trace says within what time its dumps were taken",
               over_fleet.get("spread_seconds", -1) >= 0 and all(taken[host]["last"] >= taken[host]["first"] > 1e9 for host in ("cmp1", "cmp2")), taken)
    again = made.dvrtrace(tool, "collect", "cmp1", "--to", fleet, "--ssh", made.ssh())
    check.that("nothing is written over", again.returncode == 2 and "File exists" in again.stdout, again.stdout + again.stderr)
    if keep:
        shutil.copytree(fleet, keep, dirs_exist_ok=True)


def test_faults(check, tool, made):
    made.add("bare", ovs=False).run("mount", "--bind", "/dev/null", "/usr/bin/ovs-vsctl")
    made.add("asks", user="operator")
    trusting = made.add("trusts", user="operator")
    trusting.sh("echo 'operator ALL=(ALL) NOPASSWD: ALL' >/etc/sudoers.d/operator && chmod 440 /etc/sudoers.d/operator")
    made.add("hangs", command="sleep 600")
    down = made.add("down")
    down.sh("ip link set mgmt0 down")
    folder = f"{made.folder}/faults"
    listing = f"{made.folder}/hosts.ini"
    with open(listing, "w", encoding="ascii") as file:
        file.write("[compute]\ncmp1\nbare\nasks\ntrusts ansible_user=operator\n[broken]\nhangs\ndown\n[all:vars]\nansible_become=true\n")
    done = made.dvrtrace(tool, "collect", "--inventory", listing, "--to", folder, "--ssh", made.ssh(), "--timeout", "20", "--connect-timeout", "3",
                         "-o", "json", "-v")
    check.that("some hosts missing is status 1", done.returncode == 1, f"{done.returncode}\n{done.stdout}{done.stderr}")
    reports = {host["host"]: host for host in json.loads(done.stdout)["hosts"]}

    def lacks(name, text):
        return any(text in lack for lack in reports[name]["lacks"])
    check.that("all are accounted for", list(reports) == ["cmp1", "bare", "asks", "trusts", "hangs", "down"], list(reports))
    check.that("those that work are unharmed", reports["cmp1"]["whole"], reports["cmp1"])
    check.that("sudo that asks for no password is used", reports["trusts"]["whole"], reports["trusts"])
    check.that("sudo that asks is named", lacks("asks", "sudo asks for a password") and not reports["asks"]["whole"], reports["asks"])
    check.that("a host without Open vSwitch is named", lacks("bare", "Open vSwitch: not installed"), reports["bare"])
    check.that("and the rest of it is collected", os.path.exists(f"{folder}/bare/sos_commands/networking/ip_-d_address_show"))
    check.that("a host that hangs costs its time limit", lacks("hangs", "no end within 20 s") and reports["hangs"]["folder"] is None, reports["hangs"])
    check.that("a host that is down is named", not reports["down"]["whole"] and reports["down"]["folder"] is None and reports["down"]["lacks"], reports["down"])
    check.that("no folder is left of hosts that gave nothing", sorted(os.listdir(folder)) == ["asks", "bare", "cmp1", "trusts"], os.listdir(folder))
    done = made.dvrtrace(tool, "collect", "compute", "--inventory", listing, "--to", folder + "2", "--ssh", made.ssh(), "-o", "json")
    check.that("a group can be named", [h["host"] for h in json.loads(done.stdout)["hosts"]] == ["cmp1", "bare", "asks", "trusts"], done.stdout)
    done = made.dvrtrace(tool, "collect", "down", "--to", folder + "3", "--ssh", made.ssh(), "--connect-timeout", "2")
    check.that("no host at all is status 2", done.returncode == 2, f"{done.returncode}\n{done.stdout}{done.stderr}")


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--tool", required=True)
    parser.add_argument("--keep", help="copy what was collected of the cloud to this folder")
    options = parser.parse_args()
    reason = hosts.missing()
    if reason:
        print(f"skipped: {reason}")
        return harness.SKIPPED
    check = Checks()
    with hosts.Hosts() as made:
        test_cloud(check, options.tool, made, options.keep)
        test_faults(check, options.tool, made)
    return 1 if check.failed else 0


if __name__ == "__main__":
    sys.exit(main())
