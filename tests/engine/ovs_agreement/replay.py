#!/usr/bin/env python3
"""The cases of tests/data/ofproto, asked of a real Open vSwitch: does it still say what they expect?

    replay.py [FILE...]

tests/engine/pipeline_test.cc asks dvrtrace the same and says how the files are written. Differences that agree.py
found became cases there. Not asked: what dvrtrace leaves open, and texts that are no packets. Status 77 where Open
vSwitch is not installed.
"""

import glob
import os
import re
import sys

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import private_ovs  # noqa: E402
import trace_text  # noqa: E402

SKIPPED = 77
MAX_STEPS = 21  # as many as the other test records
ROOT = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..", "..")


def cases(path):
    """[(word, rest, [expectation])] of a file."""
    found = []
    with open(path, encoding="utf-8") as file:
        for line in file.read().splitlines():
            if line.startswith("    "):
                found[-1][2].append(line.strip())
            elif line and not line.startswith("#"):
                word, _, rest = line.partition(" ")
                found.append((word, rest, []))
    return found


class Switch:
    def __init__(self, ovs):
        self.ovs, self.bridges, self.pending = ovs, [], {}

    def clear(self):
        for bridge in self.bridges:
            self.ovs.vsctl("del-br", bridge)
        self.bridges = []

    def bridge(self, name):
        self.bridges.append(name)
        self.pending[name] = {"flow": [], "group": [], "fdb": [], "mirror": []}
        self.ovs.vsctl("add-br", name, "--", "set", "bridge", name, "datapath_type=dummy", "fail_mode=secure",
                       "protocols=OpenFlow10,OpenFlow11,OpenFlow12,OpenFlow13,OpenFlow14,OpenFlow15")

    def port(self, text):
        name, number, *settings = text.split()
        kind = "dummy"
        words = []
        for setting in settings:
            key, _, value = setting.partition("=")
            if key == "peer":
                kind, words = "patch", words + ["--", "set", "interface", name, f"options:peer={value}"]
            else:
                words += ["--", "set", "port", name, f"{key}={value.replace(';', ',')}"]
        self.ovs.vsctl("add-port", self.bridges[-1], name, "--", "set", "interface", name, f"type={kind}", f"ofport_request={number}", *words)

    def mirror(self, bridge, text):
        name, *settings = text.split()
        columns = {"select_src": "select_src_port", "select_dst": "select_dst_port", "output_port": "output_port"}
        ports, words = set(), []
        for setting in settings:
            key, _, value = setting.partition("=")
            if key in columns:
                ports.update(value.split(";"))
                value = ";".join(f"@{port}" for port in value.split(";"))
            words.append(f"{columns.get(key, key)}={value.replace(';', ',')}")
        rows = [word for port in sorted(ports) for word in (f"--id=@{port}", "get", "port", port, "--")]
        self.ovs.vsctl(*rows, "--id=@m", "create", "mirror", f"name={name}", *words, "--", "add", "bridge", bridge, "mirrors", "@m")

    def load(self):
        for bridge, rows in self.pending.items():
            for group in rows["group"]:
                self.ovs.ofctl("add-group", bridge, group)
            for flow in rows["flow"]:
                self.ovs.ofctl("add-flow", bridge, flow)
            for entry in rows["fdb"]:
                port, vlan, mac = entry.split()
                self.ovs.ask("fdb/add", bridge, self.ovs.vsctl("--bare", "--columns=name", "find", "interface", f"ofport={port}").split()[0], vlan, mac)
            for mirror in rows["mirror"]:
                self.mirror(bridge, mirror)
        self.pending = {}

    def trace(self, text):
        self.load()
        states = []
        if ": " in text:
            head, text = text.split(": ", 1)
            states = [word for state in head.split() for word in ("--ct-next", state)]
        answer = self.ovs.ask("ofproto/trace", self.bridges[0], text, *states)
        names = trace_text.port_names(self.ovs.ask("dpif/show"))
        said = []
        for section in re.split(r"(?m)^(?=Flow: )", answer)[1:]:
            trace = trace_text.Trace(section, names)
            said += [f"{table} miss" if priority is None else f"{table} priority {priority}" for table, priority in trace.steps]
            said = said[:MAX_STEPS]
            failed = re.search(r"Translation failed \(([^)]*)\)", section)
            if failed:
                said.append("failed: " + failed[1])
            said += [f"out {port}" + (f" vlan {vlan}" if vlan else "") for port, vlan, _, _ in trace.outputs]
        if not any(line.startswith("out ") for line in said) and "userspace(" not in answer:
            said.append("dropped")
        return said


def main():
    lacking = private_ovs.missing()
    if lacking:
        print(f"skipped: {lacking} is not installed (Debian's openvswitch-switch)")
        return SKIPPED
    files = sys.argv[1:] or sorted(glob.glob(os.path.join(ROOT, "tests", "data", "ofproto", "*.txt")))
    ovs = private_ovs.PrivateOvs()
    asked = different = 0
    try:
        for path in files:
            switch = Switch(ovs)
            for word, rest, expected in cases(path):
                if word == "clear":
                    switch.clear()
                elif word in ("bridge", "port"):
                    getattr(switch, word)(rest)
                elif word != "trace":
                    switch.pending[switch.bridges[-1]][word].append(rest)
                elif not any(line.startswith(("unknown:", "error:")) for line in expected):
                    asked += 1
                    said = switch.trace(rest)
                    if sorted(said) != sorted(expected):  # FLOOD and ALL have no order
                        different += 1
                        print(f"{os.path.relpath(path, ROOT)}: {rest}\n    expected {expected}\n    the switch says {said}")
            switch.clear()
    finally:
        ovs.kill()
    print(f"{asked} cases, {different} different")
    return 1 if different else 0


if __name__ == "__main__":
    sys.exit(main())
