#!/usr/bin/env python3
"""One trace through a Neutron bridge: dvrtrace beside `ovs-appctl ofproto/trace`, in one run on one machine.

    bench/ofproto_socket.py [BUILD]      BUILD: a release build with bench_ofproto and bench_flow_dump

The switch is a private one with the dummy datapath. It is asked over its control socket, as ovs-appctl does it but
without a process of its own for each question; what is timed is from the request's first byte to the answer's last.
"""

import glob
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
sys.path.insert(0, os.path.join(ROOT, "tests", "engine", "ovs_agreement"))
import private_ovs  # noqa: E402

PACKET = ("tcp,in_port=5,dl_src=fa:16:3e:00:00:05,dl_dst=fa:16:3e:00:00:06,nw_src=10.0.0.5,nw_dst=10.0.0.6,"
          "tcp_src=40000,tcp_dst=80")
SIZES = (1000, 200000)
PORTS = 40
ROUNDS = 500


def program(build, name):
    return glob.glob(os.path.join(build, "**", name), recursive=True)[0]


def ours(build):
    """{benchmark/flows: microseconds}"""
    out = subprocess.run([program(build, "bench_ofproto"), "--benchmark_format=json", "--benchmark_repetitions=5",
                          "--benchmark_report_aggregates_only=true"], stdout=subprocess.PIPE, check=True)
    return {row["run_name"]: row["cpu_time"] for row in json.loads(out.stdout)["benchmarks"] if row["aggregate_name"] == "median"}


def request(ovs):
    """One question over the socket; the answer is looked at no closer than to find its end."""
    ovs.socket.sendall(json.dumps({"id": 0, "method": "ofproto/trace", "params": ["br-int", PACKET]}).encode())
    answer = b""
    while not answer.endswith(b"}"):
        answer += ovs.socket.recv(1 << 20)
    return answer


def theirs(ovs, build, flows):
    with tempfile.TemporaryDirectory() as folder:
        dump = os.path.join(folder, "dump")
        subprocess.run([program(build, "bench_flow_dump"), "--write", dump, str(flows)], check=True, stdout=subprocess.DEVNULL)
        with open(dump, encoding="utf-8") as file:
            text = file.read().split("\n", 1)[1]
    ovs.ofctl("del-flows", "br-int")
    ovs.run("ovs-ofctl", "-O", "OpenFlow15", "add-flows", f"unix:{ovs.dir}/br-int.mgmt", "-", text=text)
    times = []
    for _ in range(ROUNDS):
        begin = time.perf_counter_ns()
        answer = request(ovs)
        times.append(time.perf_counter_ns() - begin)
    if b"Datapath actions" not in answer:
        sys.exit(answer.decode()[:500])
    return statistics.median(times) / 1000


def main():
    build = sys.argv[1] if len(sys.argv) > 1 else os.path.join(ROOT, "build", "bench")
    for name, microseconds in ours(build).items():
        print(f"dvrtrace {name:26} {microseconds:10.2f} us")
    if private_ovs.missing():
        print("ovs-vswitchd is not installed: nothing to compare with")
        return
    ovs = private_ovs.PrivateOvs(600)
    try:
        words = ["add-br", "br-int", "--", "set", "bridge", "br-int", "datapath_type=dummy", "fail_mode=secure",
                 "protocols=OpenFlow10,OpenFlow15"]
        for number in range(1, PORTS + 1):
            words += ["--", "add-port", "br-int", f"tap{number}", "--", "set", "interface", f"tap{number}", "type=dummy", f"ofport_request={number}"]
        ovs.vsctl(*words)
        for flows in SIZES:
            print(f"ofproto/trace over its socket/{flows:<6} {theirs(ovs, build, flows):9.2f} us")
    finally:
        ovs.kill()


if __name__ == "__main__":
    main()
