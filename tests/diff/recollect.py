#!/usr/bin/env python3
"""A copy of a cloud's dumps as they would be after all agents and switches were started anew: recollect.py HOSTS COPY [--seed N]

Of each host ofports, local VLANs and conjunctions' ids are given out otherwise, cookies, counters, ages and ids of groups of rows too; lines
stand in another order; learnt flows, MACs and neighbours are partly forgotten. Nothing changes in meaning.
"""
import argparse
import json
import os
import random
import re
import shutil


def shuffled(numbers, dice, pool):
    """Another number of the pool for each, none kept where that can be."""
    numbers = sorted(numbers)
    while True:
        new = dice.sample(pool, len(numbers))
        if len(numbers) < 2 or all(a != b for a, b in zip(numbers, new)):
            return dict(zip(numbers, new))


class Host:
    def __init__(self, folder, dice):
        self.folder, self.dice = folder, dice
        self.ovs = os.path.join(folder, "sos_commands", "openvswitch")
        self.database()

    def path(self, name):
        return os.path.join(self.ovs, name)

    def table(self, name):
        with open(self.path(f"ovs-vsctl_-f_json_list_{name}"), encoding="utf-8") as file:
            return json.load(file)

    def store(self, name, table):
        self.dice.shuffle(table["data"])
        with open(self.path(f"ovs-vsctl_-f_json_list_{name}"), "w", encoding="utf-8") as file:
            json.dump(table, file)

    def database(self):
        bridges, ports, interfaces = self.table("Bridge"), self.table("Port"), self.table("Interface")
        column = {"B": bridges["headings"].index, "P": ports["headings"].index, "I": interfaces["headings"].index}

        def members(value):
            return [uuid for _, uuid in value[1]] if value[0] == "set" else [value[1]]

        interface_at = {row[column["I"]("_uuid")][1]: row for row in interfaces["data"]}
        port_at = {row[column["P"]("_uuid")][1]: row for row in ports["data"]}
        self.ports, tags = {}, set()
        for bridge in bridges["data"]:
            rows = [interface_at[i] for p in members(bridge[column["B"]("ports")]) for i in members(port_at[p][column["P"]("interfaces")])]
            number = column["I"]("ofport")
            numbered = [row for row in rows if isinstance(row[number], int) and 0 < row[number] < 0xff00]
            name = bridge[column["B"]("name")]
            self.ports[name] = shuffled([row[number] for row in numbered], self.dice, range(1, 200))
            for row in numbered:
                row[number] = self.ports[name][row[number]]
        tag, config = column["P"]("tag"), column["P"]("other_config")
        for row in ports["data"]:
            if isinstance(row[tag], int) and row[tag] != 4095 and "net_uuid" in dict(row[config][1]):
                tags.add(row[tag])
        self.vlans = shuffled(tags, self.dice, range(1, 100))
        for row in ports["data"]:
            if isinstance(row[tag], int):
                row[tag] = self.vlans.get(row[tag], row[tag])
            row[config][1] = [[k, str(self.vlans.get(int(v), v)) if k == "tag" else v] for k, v in row[config][1]]
        for name, table in (("Port", ports), ("Interface", interfaces)):
            self.store(name, table)

    # --- flows ---

    def flow(self, bridge, line, conjunctions, cookie):
        ports, vlans = self.ports[bridge], self.vlans if bridge in ("br-int", "br-tun", "br-ex", "br-vlan") else {}

        def number(pattern, numbers, base=0, form=str):
            def new(found):
                value = int(found[2], 0)
                return found[1] + form(numbers[value - base] + base) if value - base in numbers else found[0]
            return lambda text: re.sub(pattern, new, text)

        changes = [number(r"(in_port=)(\d+)", ports), number(r"(output:)(\d+)", ports), number(r"(dl_vlan=)(\d+)", vlans),
                   number(r"(mod_vlan_vid:)(\d+)", vlans), number(r"(set_field:)(\d+)(?=->vlan_vid)", vlans, 4096),
                   number(r"(conj_id=)(\d+)", conjunctions), number(r"(conjunction\()(\d+)", conjunctions)]
        if bridge == "br-int":
            changes += [number(r"(ct_zone=)(\d+)", vlans), number(r"(ct_zone=)(0x[0-9a-f]+)", vlans, form=hex),
                        number(r"(reg5=)(0x[0-9a-f]+)", ports, form=hex), number(r"(set_field:)(0x[0-9a-f]+)(?=->reg5)", ports, form=hex),
                        number(r"(reg6=)(0x[0-9a-f]+)", vlans, form=hex), number(r"(set_field:)(0x[0-9a-f]+)(?=->reg6)", vlans, form=hex)]
        for change in changes:
            line = change(line)
        line = re.sub(r"cookie=0x[0-9a-f]+", f"cookie={cookie}", line)
        line = re.sub(r"(n_packets|n_bytes)=\d+", lambda found: f"{found[1]}={self.dice.randrange(10000)}", line)
        return re.sub(r"duration=[\d.]+s", f"duration={self.dice.randrange(1, 90000)}.5s", line)

    def flows(self, name):
        bridge = name.rsplit("_", 1)[1]
        with open(self.path(name), encoding="utf-8") as file:
            lines = file.read().splitlines()
        ids = {int(found) for line in lines for found in re.findall(r"(?:conj_id=|conjunction\()(\d+)", line)}
        conjunctions = shuffled(ids, self.dice, range(1, 1000))
        cookie = hex(self.dice.getrandbits(63))
        rows = [self.flow(bridge, line, conjunctions, cookie) for line in lines if "actions=" in line]
        rows = [row for row in rows if "_timeout=" not in row.split(" actions=")[0]]
        self.dice.shuffle(rows)
        self.write(self.path(name), [line for line in lines if "actions=" not in line] + rows)

    # --- what names ports by their numbers ---

    def numbered(self, name):
        with open(self.path(name), encoding="utf-8") as file:
            lines = file.read().splitlines()
        if name.startswith("ovs-ofctl_show_"):
            ports = self.ports[name.rsplit("_", 1)[1]]
            lines = [re.sub(r"^ (\d+)(?=\()", lambda found: f" {ports.get(int(found[1]), found[1])}", line) for line in lines]
        elif name == "ovs-appctl_dpif.show":
            bridge = ""
            for i, line in enumerate(lines):
                if found := re.match(r"  (\S+):$", line):
                    bridge = found[1]
                if found := re.match(r"(    \S+ )(\d+)(/.*)", line):
                    lines[i] = found[1] + str(self.ports[bridge].get(int(found[2]), found[2])) + found[3]
        else:  # fdb/show: half of it is forgotten
            bridge = name.rsplit("_", 1)[1]
            kept = [line.split() for line in lines[1:] if self.dice.random() < 0.5]
            ports, vlans = self.ports[bridge], self.vlans if bridge == "br-int" else {}
            lines = lines[:1] + [" ".join([str(ports.get(int(row[0]), row[0])) if row[0].isdigit() else row[0],
                                           str(vlans.get(int(row[1]), row[1]))] + row[2:]) for row in kept]
        self.write(self.path(name), lines)

    @staticmethod
    def write(path, lines):
        with open(path, "w", encoding="utf-8") as file:
            file.write("".join(line + "\n" for line in lines))

    def kernel(self):
        folder = os.path.join(self.folder, "sos_commands", "networking")
        for name in os.listdir(folder):
            path = os.path.join(folder, name)
            with open(path, encoding="utf-8") as file:
                lines = file.read().splitlines()
            if name.endswith("_ip_neigh") or name == "ip_neigh":
                lines = [line for line in lines if "PERMANENT" in line or self.dice.random() < 0.5]
                self.dice.shuffle(lines)
            elif "ip_route_show_table_all" in name:
                self.dice.shuffle(lines)
            elif name.endswith("tables-save_-c"):
                lines = [re.sub(r"\[\d+:\d+\]", f"[{self.dice.randrange(999)}:{self.dice.randrange(99999)}]", line) for line in lines]
            self.write(path, lines)

    def run(self):
        for name in sorted(os.listdir(self.ovs)):
            if "dump-flows" in name:
                self.flows(name)
            elif name.startswith(("ovs-ofctl_show_", "ovs-appctl_fdb.show_")) or name == "ovs-appctl_dpif.show":
                self.numbered(name)
            elif name == "ovs-vsctl_-t_5_show":
                os.remove(self.path(name))
        self.kernel()


def recollect(hosts, copy, seed):
    shutil.copytree(hosts, copy)
    for name in sorted(os.listdir(copy)):
        Host(os.path.join(copy, name), random.Random(f"{seed} {name}")).run()


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("hosts")
    parser.add_argument("copy")
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    recollect(options.hosts, options.copy, options.seed)
