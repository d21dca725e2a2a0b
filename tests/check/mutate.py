#!/usr/bin/env python3
"""Breaks one thing in a sound cloud, over and over, and expects that very thing as the first finding of `check`.

usage: mutate.py --tool BUILD/dvrtrace [--every] [--host NAME] [CLOUD]

For every dump of every host one row of each kind is deleted (with --every: each row), laid over the cloud as a later input.
What must be found is told by the row itself: host, place, kind, and for flows the table. Rows that an agent may have or not are in
unnoticed.txt, with the reason; a row there that is found after all is an error too.
"""
import argparse
import concurrent.futures
import json
import os
import re
import subprocess
import sys
import tempfile

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), ".."))
import harness  # noqa: E402

HERE = os.path.dirname(os.path.abspath(__file__))


def flow_rows(name, lines):
    bridge = re.search(r"dump-flows_(\S+)$", name).group(1)
    for number, line in enumerate(lines):
        table = re.search(r"table=(\d+)", line)
        if not table or "hard_timeout" in line.split("actions=")[0]:
            continue
        priority = re.search(r"priority=(\d+)", line)
        kind = (bridge, table.group(1), priority.group(1) if priority else "")
        yield number, kind, {"place": ("bridge", bridge), "kind": "flow", "table": int(table.group(1))}


def netns_of(name):
    found = re.match(r"ip_netns_exec_((?:qrouter|fip|snat)-[0-9a-f-]{36})_", name)
    return found.group(1) if found else None


def namespace_rows(name, lines, kind, wanted, group):
    netns = netns_of(name)
    if netns is None:
        return
    for number, line in enumerate(lines):
        if wanted(line):
            yield number, (netns[:4], kind, group(line)), {"place": ("namespace", netns), "kind": kind}


def iptables_rows(name, lines):
    netns, table = netns_of(name), ""
    for number, line in enumerate(lines):
        if line.startswith("*"):
            table = line[1:].strip()
        rule = re.search(r"-A (\S+) (.*)", line)
        agents = rule and (netns or rule.group(1).startswith("neutron-openvswi"))
        if agents:
            shape = re.sub(r"[0-9a-f:.]{4,}\S*", "#", rule.group(2))
            yield number, (netns and netns[:4], table, rule.group(1), shape), {"place": ("namespace", netns or ""), "kind": "iptables-rule"}


def rows_of(name, lines):
    if re.search(r"dump-flows_br-(int|tun|ex|vlan|phy)$", name):
        return flow_rows(name, lines)
    if name.endswith("_ip_rule"):
        return namespace_rows(name, lines, "ip-rule", lambda l: not re.match(r"(0|32766|32767):", l), lambda l: re.sub(r"[\d.]+", "#", l))
    if "_ip_route_show_table_all" in name:
        return namespace_rows(name, lines, "route", lambda l: "proto static" in l, lambda l: re.sub(r"[\d.]+|-\S+", "#", l))
    if name.endswith("_ip_neigh"):
        return namespace_rows(name, lines, "neighbour", lambda l: "PERMANENT" in l, lambda l: re.sub(r"dev (\w+)-.*", r"\1", l).split()[-1])
    if name.endswith("iptables-save_-c"):
        return iptables_rows(name, lines)
    return ()


def mutations(cloud, every):
    for host in sorted(os.listdir(os.path.join(cloud, "hosts"))):
        seen = set()
        for plugin in ("networking", "openvswitch"):
            folder = os.path.join("hosts", host, "sos_commands", plugin)
            if not os.path.isdir(os.path.join(cloud, folder)):
                continue
            names = sorted(os.listdir(os.path.join(cloud, folder)))
            for name in names:
                with open(os.path.join(cloud, folder, name), encoding="utf-8", errors="surrogateescape") as file:
                    lines = file.read().splitlines(keepends=True)
                for number, kind, expected in rows_of(name, lines):
                    if not every and (kind in seen):
                        continue
                    seen.add(kind)
                    yield {"host": host, "path": os.path.join(folder, name), "number": number, "lines": lines,
                           "text": lines[number].strip(), **expected}


def first_finding(tool, cloud, mutation):
    with tempfile.TemporaryDirectory(prefix="dvrtrace-mutated-") as overlay:
        path = os.path.join(overlay, mutation["path"])
        os.makedirs(os.path.dirname(path))
        with open(path, "w", encoding="utf-8", errors="surrogateescape") as file:
            file.writelines(mutation["lines"][:mutation["number"]] + mutation["lines"][mutation["number"] + 1:])
        command = [os.path.abspath(tool), "check", "--json", "-i", os.path.join(cloud, "hosts"), "-i", os.path.join(overlay, "hosts"),
                   "--neutron", os.path.join(cloud, "neutron")]
        run = subprocess.run(command, capture_output=True, text=True, timeout=120, env=harness.environment(tool), check=False)
        try:
            findings = json.loads(run.stdout)["findings"]
        except (ValueError, KeyError):
            return {"code": "no answer: " + run.stderr[-200:], "host": "", "place": {}, "object": {}}, 0
        grave = [finding for finding in findings if finding["severity"] != "note"]
        return (grave[0] if grave else None), len(grave)


def fits(finding, mutation):
    if finding is None or finding["host"] != mutation["host"]:
        return False
    place = (finding["place"].get("kind"), finding["place"].get("name"))
    return (place == mutation["place"] and finding["object"].get("kind") == mutation["kind"] and
            finding["object"].get("table") == mutation.get("table"))


def unnoticed():
    with open(os.path.join(HERE, "unnoticed.txt"), encoding="utf-8") as file:
        rows = [line.strip() for line in file if line.strip() and not line.startswith("#")]
    return [re.compile(row.split("  # ")[0]) for row in rows]


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("cloud", nargs="?", default=os.path.join(harness.ROOT, "fixtures", "two-computes"))
    parser.add_argument("--tool", required=True)
    parser.add_argument("--host")
    parser.add_argument("--every", action="store_true")
    options = parser.parse_args()
    optional = unnoticed()
    wrong = right = silent = 0
    todo = [m for m in mutations(options.cloud, options.every) if options.host in (None, m["host"])]
    with concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as pool:
        answers = pool.map(lambda m: first_finding(options.tool, options.cloud, m), todo)
        for mutation, (finding, count) in zip(todo, answers):
            may_miss = any(row.search(os.path.basename(mutation["path"]) + ": " + mutation["text"]) for row in optional)
            if finding is None and may_miss:
                silent += 1
            elif fits(finding, mutation):
                right += 1
                if count > 1 and os.environ.get("VERBOSE"):
                    print(f"{count} findings: {mutation['path']}:{mutation['number'] + 1}: {mutation['text'][:150]}")
            else:
                wrong += 1
                found = "nothing" if finding is None else f"{finding['code']} {finding['host']} {finding['place'].get('name')} {finding['object'].get('text')}"
                print(f"{mutation['path']}:{mutation['number'] + 1}: deleted: {mutation['text'][:160]}\n    found: {found}")
    print(f"{len(todo)} rows deleted, one at a time: {right} named first, {silent} that may be missing, {wrong} wrong")
    return 1 if wrong or not right else 0


if __name__ == "__main__":
    sys.exit(main())
