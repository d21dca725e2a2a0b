"""Writes the bug report that ovs-bugtool would make of a host: `bug_report.py HOST-FOLDER INTO`

Out of the host's dumps in the layout of a sos report, in the layout of ovs-bugtool: inventory.xml, conf.db, and the outputs for all bridges
in one file each; what is run twice stands twice."""

import os
import re
import sys

OPENVSWITCH = "sos_commands/openvswitch"


def text_of(folder, name):
    path = os.path.join(folder, OPENVSWITCH, name)
    if not os.path.exists(path):
        return ""
    with open(path, encoding="utf-8") as file:
        return file.read()


def sections(folder, bridges, head, file, times=1):
    nothing = "OFPST_GROUP_DESC reply (OF1.3) (xid=0x2):\n" if "groups" in file else ""
    one = "".join(f"{head.format(bridge)}\n{text_of(folder, file.format(bridge)) or nothing}\n" for bridge in bridges)
    return one * times


def main(folder, into):
    name = os.path.basename(folder.rstrip("/"))
    bridges = sorted(match.group(1) for match in (re.match(r"ovs-ofctl_show_(.+)$", file) for file in os.listdir(os.path.join(folder, OPENVSWITCH))) if match)
    os.makedirs(into)
    files = {
        "inventory.xml": f'<?xml version="1.0" ?>\n<system-status-inventory>\n\t<system-summary date="Sat Nov 21 21:20:36 2026" hostname="{name}" uname="Linux {name}"/>\n'
                         "</system-status-inventory>\n",
        "ovs-ofctl-dump-flows.out": sections(folder, bridges, "ovs-ofctl dump-flows -OOpenFlow13 {} ", "ovs-ofctl_-O_OpenFlow13_dump-flows_{}", 2),
        "ovs-ofctl-show.out": sections(folder, bridges, "ovs-ofctl show -OOpenFlow13 {} ", "ovs-ofctl_show_{}"),
        "ovs-ofctl-dump-groups.out": sections(folder, bridges, "ovs-ofctl dump-groups -OOpenFlow13 {} ", "ovs-ofctl_-O_OpenFlow13_dump-groups_{}"),
        "ovs-appctl-fdb-show.out": sections(folder, bridges, "ovs-appctl fdb/show {}", "ovs-appctl_fdb.show_{}"),
        "ovs-vsctl-show.out": text_of(folder, "ovs-vsctl_-t_5_show"),
        "ifconfig-a.out": "eth0: flags=4163<UP,BROADCAST,RUNNING,MULTICAST>  mtu 1500\n",
        "process-tree.out": "  PID TT\n",
    }
    for file, text in files.items():
        with open(os.path.join(into, file), "w", encoding="utf-8") as out:
            out.write(text)


if __name__ == "__main__":
    main(*sys.argv[1:])
