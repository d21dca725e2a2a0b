#!/usr/bin/env python3
"""Runs the Ansible role over hosts made of namespaces: `ansible_role.py --tool BUILD/dvrtrace`

Two hosts of the fixture's cloud, one of them with a flow missing, and one that is down. Skipped where Ansible is not installed."""

import argparse
import json
import os
import shutil
import subprocess
import sys

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import hosts  # noqa: E402
from fleet import CLOUD, Checks, files_below, trace, way  # noqa: E402
from hosts import harness  # noqa: E402

PLAYBOOKS = os.path.join(harness.ROOT, "ansible")
NAMES = ("cmp1", "cmp2", "down")


def inventory(made):
    path = f"{made.folder}/inventory.ini"
    ssh = made.ssh().split(" ", 1)[1]
    with open(path, "w", encoding="ascii") as file:
        file.write("\n".join(NAMES) + "\n[all:vars]\nansible_user=root\nansible_python_interpreter=/usr/bin/python3\n"
                   f"ansible_ssh_common_args={ssh} -o ConnectTimeout=5\nansible_remote_tmp=/run/ansible\nansible_async_dir=/run/ansible-async\n")
    return path


def play(made, tool, name, dest, *words, **settings):
    """A playbook on the client, as a user would run it."""
    env = harness.environment(tool)
    env.update({"PATH": env["PATH"] + ":/usr/sbin:/sbin", "HOME": made.folder, "ANSIBLE_NOCOLOR": "1", "ANSIBLE_LOCALHOST_WARNING": "false",
                "ANSIBLE_RETRY_FILES_ENABLED": "false", "ANSIBLE_SSH_CONTROL_PATH_DIR": f"{made.folder}/cp", "ANSIBLE_LOCAL_TEMP": f"{made.folder}/local"})
    variables = dict({"dvrtrace_binary": os.path.abspath(tool), "dvrtrace_dest": dest}, **settings)
    words = ["ansible-playbook", "-i", inventory(made), f"{PLAYBOOKS}/{name}.yml", "-e", json.dumps(variables), *words]
    return subprocess.run(made.client.words(*words), text=True, capture_output=True, timeout=900, check=False, stdin=subprocess.DEVNULL,
                          cwd=made.folder, env=env, errors="backslashreplace")


def shown(done):
    return f"{done.returncode}\n{done.stdout[-3500:]}{done.stderr}"


def left_on(host):
    """What the role left on a host, whose temporary folders are its own."""
    return host.sh("ls -A /tmp /run/ansible-async 2>/dev/null | grep -e dvrtrace -e '^j' || true").split()


def test_collect(check, tool, made):
    dest = f"{made.folder}/snapshot"
    done = play(made, tool, "collect", dest, "--check")
    check.that("check mode collects nothing", not os.path.exists(dest), shown(done))
    check.that("and tells the host that is down", done.returncode != 0 and "not whole: down" in done.stdout, shown(done))
    done = play(made, tool, "collect", dest, dvrtrace_throttle=1)
    check.that("a host that is down fails the run in the end", done.returncode != 0 and "not whole: down" in done.stdout, shown(done))
    check.that("and is named with the reason", "down  cannot be reached" in done.stdout, shown(done))
    check.that("the others are whole", "cmp1  whole" in done.stdout and "cmp2  whole" in done.stdout, shown(done))
    check.that("nothing else is in the folder", sorted(os.listdir(dest)) == ["cmp1", "cmp2"], os.listdir(dest))
    fleet = f"{made.folder}/fleet"
    made.dvrtrace(tool, "collect", "cmp1", "cmp2", "--to", fleet, "--ssh", made.ssh())
    for name in ("cmp1", "cmp2"):
        check.that(f"{name}: the files that dvrtrace collect gives", files_below(f"{dest}/{name}") == files_below(f"{fleet}/{name}"),
                   files_below(f"{dest}/{name}") ^ files_below(f"{fleet}/{name}"))
        check.that(f"{name}: nothing is left there", not left_on(made.hosts[name]), left_on(made.hosts[name]))
    question = ("vm1", "vm4", "tcp/80")
    check.that("it traces as what dvrtrace collect gives", way(trace(tool, dest, question)) == way(trace(tool, fleet, question)))
    done = play(made, tool, "collect", dest, dvrtrace_hosts="cmp*", dvrtrace_fail_on_missing=True)
    check.that("again, of those that are up: it takes the older one's place", done.returncode == 0 and sorted(os.listdir(dest)) == ["cmp1", "cmp2"], shown(done))


def test_check(check, tool, made):
    dest = f"{made.folder}/findings"
    made.hosts["cmp1"].run("ovs-ofctl", "-O", "OpenFlow13", "del-flows", "br-tun", "table=4,tun_id=0xe5be")
    neutron = f"{CLOUD}/neutron"
    done = play(made, tool, "check", dest, dvrtrace_neutron=neutron, dvrtrace_serial=1)
    check.that("what was found fails the run", done.returncode != 0 and "findings of severity error or worse" in done.stdout, shown(done))
    with open(f"{dest}/findings.json", encoding="utf-8") as file:
        merged = json.load(file)
    found = {(finding["code"], finding["host"]) for finding in merged["findings"]}
    check.that("the flow that is missing is found", ("DVR-VNI-IN-MISSING", "cmp1") in found, found)
    check.that("the findings of all are in one document", [host["host"] for host in merged["hosts"]] == list(NAMES), merged["hosts"])
    down = merged["hosts"][2]
    check.that("the host that is down is in it, with the reason", "cannot be reached" in (down["failure"] or "") and not down["whole"], down)
    single = json.loads(harness.contents(f"{dest}/cmp1.findings.json"))
    check.that("no dump has travelled", sorted(os.listdir(dest)) == ["cmp1.findings.json", "cmp2.findings.json", "findings.json", "summary.txt"],
               os.listdir(dest))
    check.that("a host's own findings are all in it", all(finding in merged["findings"] for finding in single["findings"]))
    summary = harness.contents(f"{dest}/summary.txt")
    check.that("the summary names finding and hosts", "DVR-VNI-IN-MISSING  cmp1" in summary and "down  cannot be reached" in summary, summary)
    for name in ("cmp1", "cmp2"):
        check.that(f"{name}: nothing is left there", not left_on(made.hosts[name]), left_on(made.hosts[name]))
    done = play(made, tool, "check", f"{dest}2", dvrtrace_hosts="cmp*", dvrtrace_neutron=neutron, dvrtrace_fail_on="never")
    check.that("findings need not fail the run", done.returncode == 0, shown(done))
    hangs = f"{made.folder}/hangs"
    with open(hangs, "w", encoding="ascii") as file:
        file.write("#!/bin/sh\nexec sleep 600\n")
    os.chmod(hangs, 0o755)
    done = play(made, tool, "check", f"{dest}3", dvrtrace_hosts="cmp2", dvrtrace_timeout=2, dvrtrace_poll=1, dvrtrace_binary=hangs)
    check.that("what does not end costs its time limit, and is named", done.returncode != 0 and "not whole: cmp2" in done.stdout, shown(done))
    check.that("and leaves nothing", not left_on(made.hosts["cmp2"]), left_on(made.hosts["cmp2"]))


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--tool", required=True)
    parser.add_argument("--only", choices=("collect", "check"), help="one of the playbooks")
    options = parser.parse_args()
    reason = hosts.missing() or (None if shutil.which("ansible-playbook") else "ansible-playbook is not installed")
    if reason:
        print(f"skipped: {reason}")
        return harness.SKIPPED
    check = Checks()
    with hosts.Hosts() as made:
        for name in ("cmp1", "cmp2"):
            hosts.program(made.add(name), f"{CLOUD}/hosts/{name}")
            made.hosts[name].sh("mount -t tmpfs tmpfs /tmp")
        made.add("down", ovs=False).sh("ip link set mgmt0 down")
        if options.only != "check":
            test_collect(check, options.tool, made)
        if options.only != "collect":
            test_check(check, options.tool, made)
    return 1 if check.failed else 0


if __name__ == "__main__":
    sys.exit(main())
