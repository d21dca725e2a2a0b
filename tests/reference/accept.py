#!/usr/bin/env python3
"""Has the real tools take what the reference prints: `accept.py --tool reference_namespaces CLOUD...`.

Each namespace is programmed in a network namespace of its own: devices, then `ip -batch`, ipset and iptables-restore. What a tool refuses
fails the test. Skipped without the tools, or where namespaces cannot be made.
"""

import argparse
import re
import shutil
import subprocess
import sys

TOOLS = {"ip6": ["ip", "-6", "-batch", "-"], "ipset_save": ["ipset", "restore"],
         "iptables-save": ["iptables-restore"], "ip6tables-save": ["ip6tables-restore"]}


def sections(text):
    title, lines = None, []
    for line in text.splitlines():
        if line.startswith("## "):
            if title:
                yield title, lines
            title, lines = line[3:].split(), []
        else:
            lines.append(line)
    if title:
        yield title, lines


def run(namespace, command, text):
    return subprocess.run(["nsenter", f"--net=/proc/{namespace}/ns/net", *command], input=text, text=True,
                          capture_output=True, check=False)


def devices(commands):
    """A device for each that the commands set up; a master is a bridge."""
    names = [match[1] for match in (re.match(r"link set dev (\S+) mtu", line) for line in commands) if match]
    masters = {match[1] for line in commands if (match := re.search(r" master (\S+)", line))}
    for name in names:
        yield f"link add {name} type bridge" if name in masters else f"tuntap add dev {name} mode tap"


def program(namespace, tool, lines):
    text = "\n".join(lines) + "\n"
    if tool == "ip":
        for command in devices(lines):
            made = run(namespace, ["ip", *command.split()], "")
            if made.returncode:
                return made.stderr
        return run(namespace, ["ip", "-batch", "-"], text).stderr
    done = run(namespace, TOOLS[tool], text)
    return done.stderr if done.returncode else ""


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--tool", required=True)
    parser.add_argument("clouds", nargs="+")
    options = parser.parse_args()
    needed = ["ip", "unshare", "nsenter", "iptables-restore", "ip6tables-restore", "ipset"]
    if not all(map(shutil.which, needed)) or subprocess.run(["unshare", "-n", "true"], check=False, capture_output=True).returncode:
        print("skipped: needs root and " + ", ".join(needed))
        return 77
    printed = subprocess.run([options.tool, "--commands", *options.clouds], check=True, capture_output=True, text=True).stdout
    refused, namespaces, taken = [], {}, 0
    try:
        for (host, netns, tool), lines in sections(printed):
            if (host, netns) not in namespaces:
                holder = subprocess.Popen(["unshare", "-n", "sh", "-c", "echo; exec sleep 600"], stdout=subprocess.PIPE)
                holder.stdout.readline()
                namespaces[host, netns] = holder
            trouble = program(namespaces[host, netns].pid, tool, lines)
            taken += len(lines)
            if trouble:
                refused.append(f"{host} {netns} {tool}: {trouble.strip()}")
    finally:
        for holder in namespaces.values():
            holder.kill()
            holder.wait()
    print("\n".join(refused))
    print(f"{taken} lines of {len(namespaces)} namespaces given, {len(refused)} inputs refused")
    return 1 if refused or not taken else 0


if __name__ == "__main__":
    sys.exit(main())
