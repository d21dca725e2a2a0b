#!/usr/bin/env python3
"""Random tables, random packets: Open vSwitch and dvrtrace must say the same.

    agree.py --serve BUILD/ofproto_serve [--cases N] [--seed S] [--keep DIR]

Starts a private Open vSwitch, loads tables that a seeded generator makes (Neutron's shapes and wild ones), and
traces packets on both. Compared: tables and priorities in their order, the final flow of each pass, and each copy
that leaves, with its port, VLAN and MACs. Status 77 where Open vSwitch is not installed.
"""

import argparse
import collections
import json
import os
import random
import shutil
import subprocess
import sys
import tempfile
import threading

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import generate  # noqa: E402
import private_ovs  # noqa: E402
import trace_text  # noqa: E402

SKIPPED = 77
PACKETS_PER_SETUP = 100
# Where the switch does as it likes; dvrtrace says so.
UNDEFINED = ("ASSUME_FIRST_OF_EQUAL_PRIORITY", "ASSUME_FLOOD_ORDER")
TRACE_SECONDS = 30  # resubmits and connection tracking may multiply without end


class Dvrtrace:
    """The program under test, with the dumps of one set-up loaded."""

    def __init__(self, serve, folder):
        self.process = subprocess.Popen([serve, folder], stdin=subprocess.PIPE, stdout=subprocess.PIPE)

    def ask(self, bridge, flow, states):
        self.process.stdin.write(f"{bridge}\t{flow}\t{' '.join(states)}\n".encode())
        self.process.stdin.flush()
        watch = threading.Timer(TRACE_SECONDS, self.process.kill)
        watch.start()
        try:
            length = self.process.stdout.readline()
            if not length:
                raise TimeoutError(f"no answer within {TRACE_SECONDS} s, or the program died")
            return json.loads(self.process.stdout.read(int(length)))
        finally:
            watch.cancel()

    def stop(self):
        self.process.stdin.close()
        self.process.wait(timeout=20)


def differences(real, ours):
    """What the two do not agree on, in words."""
    said = []
    steps = [(s["table"], s["priority"]) for s in ours["steps"]]
    want = real.steps
    if real.error:
        steps, want = steps[:20], want[:20]
    if real.floods:
        steps, want = sorted(steps, key=str), sorted(want, key=str)
    if steps != want:
        said.append(f"steps: {want} there, {steps} here")
    if not real.error:
        for there, here in zip(real.final_flows, ours["final_flow"]):
            there, here = trace_text.fields(there), trace_text.fields(here)
            if there != here:
                said.append(f"final flow: {sorted(there.items() ^ here.items(), key=str)}")
        if len(real.final_flows) != len(ours["final_flow"]):
            said.append(f"{len(real.final_flows)} passes there, {len(ours['final_flow'])} here")
    there = collections.Counter(real.outputs)
    here = collections.Counter((o["port"], o["vlan"] or 0, o["eth_src"], o["eth_dst"]) for o in ours["outputs"])
    if there != here:
        said.append(f"outputs: {sorted((there - here).elements())} only there, {sorted((here - there).elements())} only here")
    return said


def keep(folder, dumps, number, question, text):
    """Saves a difference so that it can become a case of its own."""
    target = os.path.join(folder, str(number))
    shutil.copytree(dumps, target, dirs_exist_ok=True)
    with open(os.path.join(target, "case.json"), "w", encoding="utf-8") as file:
        json.dump(dict(zip(("bridge", "flow", "ct_next"), question), trace=text), file, indent=1)


class Comparison:
    def __init__(self, args):
        self.args = args
        self.count = collections.Counter()
        self.ovs = None

    def start(self):
        """A switch of its own; anew when a trace in it does not end, for then it answers nothing any more."""
        if self.ovs is not None:
            self.ovs.kill()
        self.ovs = private_ovs.PrivateOvs(TRACE_SECONDS)
        generate.build(self.ovs)

    def run(self):
        rng = random.Random(self.args.seed)
        self.start()
        while self.count["cases"] < self.args.cases:
            setup = generate.Setup(rng)
            self.count["flows"] += setup.load(self.ovs)
            with tempfile.TemporaryDirectory(prefix="dvrtrace-dumps-") as folder:
                self.packets(setup, folder)
            if self.args.progress:
                print(dict(self.count), flush=True)
        count = self.count
        print(f"seed {self.args.seed}: {count['cases']} cases over {count['flows']} flows; {count['different']} different, "
              f"{count['ambiguous']} ambiguous, {count['unknown']} that dvrtrace leaves open, {count['endless']} that the switch does not end, "
              f"{count['gone']} that end the switch")
        return 1 if count["different"] else 0

    def packets(self, setup, folder):
        self.ovs.dump(folder, generate.BRIDGES)
        ours = Dvrtrace(self.args.serve, folder)
        for _ in range(min(PACKETS_PER_SETUP, self.args.cases - self.count["cases"])):
            self.count["cases"] += 1
            question = setup.packet()
            try:
                answer = ours.ask(*question)
            except TimeoutError as error:
                self.different(folder, question, "", [str(error)])
                ours = Dvrtrace(self.args.serve, folder)
                continue
            try:
                text = self.real(question)
            except TimeoutError:
                self.count["endless"] += 1
                self.start()
                setup.load(self.ovs)
                if "unsupported" not in answer:
                    self.different(folder, question, "", ["the switch does not end, dvrtrace says it knows"])
                continue
            except ConnectionError:
                # Out of memory, or an assertion of its own: there is nothing to compare with.
                self.count["gone"] += 1
                self.start()
                setup.load(self.ovs)
                continue
            if "error" in answer:
                said = [answer["error"]]
            elif "unsupported" in answer:
                self.count["unknown"] += 1
                continue
            elif any(a["code"] in UNDEFINED for a in answer["assumptions"]):
                self.count["ambiguous"] += 1
                continue
            else:
                said = differences(trace_text.Trace(text, trace_text.port_names(self.ovs.ask("dpif/show"))), answer)
            if said:
                self.different(folder, question, text, said)
        ours.stop()

    def real(self, question):
        bridge, flow, states = question
        try:
            return self.ovs.ask("ofproto/trace", bridge, flow, *[word for state in states for word in ("--ct-next", state)])
        except ValueError as error:
            sys.exit(f"the generator made a packet that is none: {flow}: {error}")

    def different(self, folder, question, text, said):
        self.count["different"] += 1
        if self.count["different"] <= self.args.show:
            print(f"DIFFERENT {' '.join(map(str, question))}")
            print("".join(f"    {line[:2000]}\n" for line in said), end="", flush=True)
        if self.args.keep:
            keep(self.args.keep, folder, self.count["different"], question, text)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--serve", required=True)
    parser.add_argument("--cases", type=int, default=400)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--show", type=int, default=10)
    parser.add_argument("--progress", action="store_true", help="say how far it is")
    parser.add_argument("--keep", metavar="DIR", help="save the dumps of each difference here")
    args = parser.parse_args()
    lacking = private_ovs.missing()
    if lacking:
        print(f"skipped: {lacking} is not installed (Debian's openvswitch-switch)")
        return SKIPPED
    comparison = Comparison(args)
    try:
        return comparison.run()
    finally:
        comparison.ovs.kill()


if __name__ == "__main__":
    sys.exit(main())
