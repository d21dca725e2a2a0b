#!/usr/bin/env python3
"""Captures on hosts made of namespaces, over ssh, while real packets pass: `capture.py --tool BUILD/dvrtrace`

The fixture's cloud is programmed into three hosts whose cards hang on one switch; VMs' far ends have addresses and answer. Nothing hangs on how
quick the machine is: packets pass all the time, or a probe is sent when all captures listen."""

import argparse
import glob
import json
import os
import shutil
import struct
import subprocess
import sys
import time

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import hosts  # noqa: E402
from fleet import CLOUD, Checks  # noqa: E402
from hosts import harness  # noqa: E402

WIRE = "wire"
VMS = {"vm1": ("cmp1", "tapf7ddce7f-66", "fa:16:3e:52:4d:2c", "10.0.1.11"), "vm2": ("cmp2", "tapaab467d0-9c", "fa:16:3e:dd:e5:18", "10.0.2.12")}
QDHCP = "qdhcp-8449643a-e2d6-4bf3-83e2-42413d61c7dc"  # of net1, which vm1 is on


def inside_vms(host):
    return ["nsenter", "--target", host.run("cat", "/run/vms").strip(), "--net", "--"]


def make_cloud(made):
    made.client.run("ovs-vsctl", "add-br", WIRE, "--", "set", "Bridge", WIRE, "datapath_type=netdev")
    for name in ("cmp1", "cmp2", "net1"):
        host = made.add(name)
        host.plug_in("eth1", made.client, WIRE)
        host.far_ends = hosts.program(host, f"{CLOUD}/hosts/{name}")
    for name, tap, mac, ip in VMS.values():
        host = made.hosts[name]
        end = host.far_ends[tap]
        gateway = ip.rsplit(".", 1)[0] + ".1"
        host.run(*inside_vms(host), "sh", "-ec",
                 f"sysctl -qw net.ipv4.conf.all.arp_ignore=1; ip link set lo up; ip link set {end} address {mac} mtu 1450 up; "
                 f"ip address add {ip}/24 dev {end}; ip route add default via {gateway}")


def can_ping(host, words, tries=60):
    """Until the switches know what they have to learn."""
    for _ in range(tries):
        done = subprocess.run(host.words(*words, "ping", "-n", "-c", "1", "-W", "1", VMS["vm2"][3]), capture_output=True, text=True, check=False,
                              env=dict(os.environ, PATH=hosts.PATH))
        if done.returncode == 0:
            return True
        time.sleep(0.2)
    print(done.stdout, done.stderr)
    return False


def packets_in(path):
    with open(path, "rb") as file:
        data = file.read()
    order = "<" if data[:4] in (b"\x4d\x3c\xb2\xa1", b"\xd4\xc3\xb2\xa1") else ">"
    found, at = [], 24
    while at + 16 <= len(data):
        kept = struct.unpack_from(order + "IIII", data, at)[2]
        found.append(data[at + 16:at + 16 + kept])
        at += 16 + kept
    return found


def capture(made, tool, folder, *words, timeout=240):
    inputs = ["-i", f"{made.folder}/fleet", "--neutron", f"{CLOUD}/neutron"]
    return made.dvrtrace(tool, "capture", *words, "--run", "--to", folder, "--ssh", made.ssh(), *inputs, timeout=timeout)


def shown(done):
    return f"{done.returncode}\n{done.stdout}{done.stderr}"


def files_in(folder):
    return sorted(os.path.basename(path) for path in glob.glob(f"{folder}/*"))


def left_over(host):
    """Programs that capture, on a host."""
    return host.sh("for p in /proc/[0-9]*; do tr '\\0' ' ' <$p/cmdline 2>/dev/null; echo; done | grep '^timeout .*tcpdump\\|^tcpdump' || true")


def ended(host):
    for _ in range(100):
        if not left_over(host).strip():
            return True
        time.sleep(0.1)
    return False


def test_traffic(check, tool, made):
    """What others send is captured: vm1 pings vm2 all the time."""
    cmp1, folder = made.hosts["cmp1"], f"{made.folder}/traffic"
    ping = subprocess.Popen(cmp1.words(*inside_vms(cmp1), "ping", "-n", "-i", "0.3", VMS["vm2"][3]), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        done = capture(made, tool, folder, "from", "vm1", "to", "vm2", "--seconds", "6", "-o", "json")
    finally:
        ping.terminate()
        ping.wait()
    check.that("the planned points are captured", files_in(folder) == ["cmp1__root__eth1.pcap", "cmp1__root__tapf7ddce7f-66.pcap", "cmp2__root__eth1.pcap",
                                                                       "cmp2__root__tapaab467d0-9c.pcap"], shown(done))
    check.that("each has packets", all(packets_in(f"{folder}/{name}") for name in files_in(folder)), shown(done))
    check.that("and the real packets agree with the prediction", done.returncode == 0 and json.loads(done.stdout)["agreement"] == "Agrees", shown(done)[-3000:])
    check.that("nothing goes on capturing", all(ended(host) for host in made.hosts.values()), [left_over(host) for host in made.hosts.values()])
    again = capture(made, tool, folder, "from", "vm1", "to", "vm2")
    check.that("captures that are there are not written over", again.returncode == 2 and "something in it already" in again.stderr, shown(again))
    verified = made.dvrtrace(tool, "verify", "from", "vm1", "to", "vm2", "-r", folder, "-i", f"{made.folder}/fleet", "--neutron", f"{CLOUD}/neutron")
    check.that("what was kept can be verified again", verified.returncode == 0, shown(verified)[-2000:])


def test_probe(check, tool, made):
    folder = f"{made.folder}/probe"
    done = capture(made, tool, folder, "from", "vm1", "to", "vm2", "--probe", "-d", "full")
    check.that("for a VM the probe comes from its network's DHCP namespace", f"probe from net1:{QDHCP} to 10.0.2.12, marked 64767274" in done.stderr, shown(done))
    check.that("all of it is answered", "5 packets transmitted, 5 received" in done.stderr, shown(done))
    check.that("and agrees with the prediction at every device", done.returncode == 0, shown(done)[-3000:])
    packets = [packet for name in files_in(folder) for packet in packets_in(f"{folder}/{name}")]
    check.that("the packets bear the mark", packets and sum(b"dvrtrace"[:4] in packet for packet in packets) == len(packets), len(packets))
    done = capture(made, tool, f"{folder}2", "from", f"net1:{QDHCP}", "to", "vm2", "--probe", "-o", "json")
    check.that("from a namespace it is its own", done.returncode == 0 and json.loads(done.stdout)["trace"]["question"]["from"]["kind"] == "namespace", shown(done)[-2000:])
    done = capture(made, tool, f"{folder}3", "from", "vm1", "to", "vm2", "tcp/80", "--probe")
    check.that("only pings are sent", done.returncode == 2 and "ask for icmp" in done.stderr, shown(done))


def test_broken(check, tool, made):
    """A flow is gone since the dumps: captures tell that the probe stops, and between which devices."""
    cmp2, folder = made.hosts["cmp2"], f"{made.folder}/broken"
    cmp2.run("ovs-ofctl", "-O", "OpenFlow13", "add-flow", "br-tun", "table=4,priority=9,tun_id=0xe5be,actions=drop")
    done = capture(made, tool, folder, "from", "vm1", "to", "vm2", "--probe")
    cmp2.run("ovs-ofctl", "-O", "OpenFlow13", "--strict", "del-flows", "br-tun", "table=4,priority=9,tun_id=0xe5be")
    check.that("what stops disagrees with the prediction", done.returncode == 1, shown(done))
    check.that("the last device that saw it is named", "eth1" in done.stdout and "cmp2" in done.stdout, shown(done))
    check.that("nothing came behind it", not packets_in(f"{folder}/cmp2__root__tapaab467d0-9c.pcap"), shown(done))


def test_faults(check, tool, made):
    cmp2, folder = made.hosts["cmp2"], f"{made.folder}/faults"
    cmp2.run("mount", "--bind", "/dev/null", shutil.which("tcpdump", path=hosts.PATH))
    done = capture(made, tool, folder, "from", "vm1", "to", "vm2", "--probe")
    check.that("a host without tcpdump is named", "cmp2/root/eth1: " in done.stderr and "tcpdump" in done.stderr, shown(done))
    check.that("the rest is captured", all(packets_in(f"{folder}/{name}") for name in files_in(folder)) and len(files_in(folder)) > 1, files_in(folder))
    check.that("no file is made for what never listened", not any(name.startswith("cmp2") for name in files_in(folder)), files_in(folder))
    check.that("captures cannot tell then, or agree as far as they go", done.returncode in (0, 3), shown(done))
    cmp2.run("umount", shutil.which("tcpdump", path=hosts.PATH))
    cmp2.sh("echo 'operator:*:4242:4242::/:/bin/sh' >>/etc/passwd && echo 'operator:x:4242:' >>/etc/group && echo 'operator:*:19000:0:99999:7:::' >>/etc/shadow")
    cmp2.user = "operator"
    done = capture(made, tool, f"{folder}-sudo", "from", "vm1", "to", "vm2", "--probe")
    check.that("one where sudo asks is named", "cmp2/root/eth1: " in done.stderr, shown(done))
    cmp2.user = "root"
    cmp2.sh("ip link set mgmt0 down")
    done = capture(made, tool, f"{folder}-down", "from", "vm1", "to", "vm2", "--probe", "--connect-timeout", "3")
    check.that("a host that is down is named", "cmp2/root/eth1: " in done.stderr, shown(done))
    check.that("and what was captured elsewhere is kept", files_in(f"{folder}-down") and all(packets_in(f"{folder}-down/{name}") for name in files_in(f"{folder}-down")),
               shown(done))
    check.that("nothing goes on capturing", all(ended(host) for host in made.hosts.values()), [left_over(host) for host in made.hosts.values()])
    for name in ("cmp1", "net1"):
        made.hosts[name].sh("ip link set mgmt0 down")
    done = capture(made, tool, f"{folder}-none", "from", "vm1", "to", "vm2", "--connect-timeout", "2")
    check.that("no capture at all is status 2", done.returncode == 2 and "nothing could be captured" in done.stderr, shown(done))


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--tool", required=True)
    options = parser.parse_args()
    reason = hosts.missing()
    for program in ("tcpdump", "ping"):
        if not reason and shutil.which(program, path=hosts.PATH) is None:
            reason = f"{program} is not installed"
    if reason:
        print(f"skipped: {reason}")
        return harness.SKIPPED
    check = Checks()
    with hosts.Hosts(ovs=True) as made:
        make_cloud(made)
        done = made.dvrtrace(options.tool, "collect", "cmp1", "cmp2", "net1", "--to", f"{made.folder}/fleet", "--ssh", made.ssh())
        check.that("the cloud is collected", done.returncode == 0, shown(done))
        cmp1 = made.hosts["cmp1"]
        check.that("vm1 reaches vm2", can_ping(cmp1, inside_vms(cmp1)))
        check.that("and so does the DHCP namespace", can_ping(made.hosts["net1"], ["ip", "netns", "exec", QDHCP]))
        if not check.failed:
            test_traffic(check, options.tool, made)
            test_probe(check, options.tool, made)
            test_broken(check, options.tool, made)
            test_faults(check, options.tool, made)
    return 1 if check.failed else 0


if __name__ == "__main__":
    sys.exit(main())
