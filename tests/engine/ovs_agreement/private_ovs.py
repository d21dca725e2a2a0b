"""A private Open vSwitch: its own run directory, the dummy datapath, no root."""

import json
import os
import resource
import shutil
import socket
import subprocess
import tempfile
import time

SCHEMA = "/usr/share/openvswitch/vswitch.ovsschema"
MEMORY = 4 << 30  # a trace may multiply without end
PATH = os.environ.get("PATH", os.defpath) + ":/usr/sbin:/sbin"


def missing():
    """What is not installed here; None when all is."""
    for program in ("ovsdb-server", "ovs-vswitchd", "ovsdb-tool", "ovs-vsctl", "ovs-ofctl"):
        if shutil.which(program, path=PATH) is None:
            return program
    return None if os.path.exists(SCHEMA) else SCHEMA


def limit_memory():
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))


class PrivateOvs:
    def __init__(self, seconds=60):
        self.dir = tempfile.mkdtemp(prefix="dvrtrace-ovs-")
        self.env = dict(os.environ, PATH=PATH, OVS_RUNDIR=self.dir, OVS_DBDIR=self.dir, OVS_LOGDIR=self.dir, OVS_SYSCONFDIR=self.dir)
        self.db = f"unix:{self.dir}/db.sock"
        self.daemons = []
        self.run("ovsdb-tool", "create", f"{self.dir}/conf.db", SCHEMA)
        self.start("ovsdb-server", f"--remote=punix:{self.dir}/db.sock", f"{self.dir}/conf.db")
        self.wait_for(f"{self.dir}/db.sock")
        self.run("ovs-vsctl", f"--db={self.db}", "--no-wait", "init")
        self.start("ovs-vswitchd", "--enable-dummy=override", "--disable-system", f"--unixctl={self.dir}/ctl", "--pidfile", self.db)
        self.wait_for(f"{self.dir}/ctl")
        self.socket = socket.socket(socket.AF_UNIX)
        self.socket.settimeout(seconds)
        self.socket.connect(f"{self.dir}/ctl")
        self.buffer = ""

    def start(self, *words):
        with open(f"{self.dir}/{words[0]}.out", "wb") as out:
            self.daemons.append(subprocess.Popen(words, env=self.env, cwd=self.dir, stdout=out, stderr=out, stdin=subprocess.DEVNULL,
                                                 preexec_fn=limit_memory))

    @staticmethod
    def wait_for(path):
        for _ in range(200):
            if os.path.exists(path):
                return
            time.sleep(0.05)
        raise RuntimeError(f"{path} does not appear")

    def run(self, *words, text=None):
        done = subprocess.run(words, env=self.env, input=text, text=True, capture_output=True, timeout=60, check=False)
        if done.returncode != 0:
            raise RuntimeError(f"{' '.join(words)[:200]}: {done.stderr[:500]}")
        return done.stdout

    def vsctl(self, *words):
        return self.run("ovs-vsctl", f"--db={self.db}", *words)

    def ofctl(self, command, bridge, *words, text=None):
        return self.run("ovs-ofctl", "-O", "OpenFlow15", command, f"unix:{self.dir}/{bridge}.mgmt", *words, text=text)

    def ask(self, method, *arguments):
        """One request over the control socket, as ovs-appctl makes it, without a process."""
        self.socket.sendall(json.dumps({"id": 0, "method": method, "params": list(arguments)}).encode())
        decoder = json.JSONDecoder()
        while True:
            try:
                answer, end = decoder.raw_decode(self.buffer.lstrip())
                self.buffer = self.buffer.lstrip()[end:]
                break
            except ValueError:
                more = self.socket.recv(1 << 20)
                if not more:
                    raise ConnectionError("ovs-vswitchd is gone") from None
                self.buffer += more.decode("utf-8", "replace")
        if answer.get("error") is not None:
            raise ValueError(str(answer["error"]))
        return answer["result"]

    def dump(self, folder, bridges):
        """Everything that a trace needs, under the names that dvrtrace knows."""
        def save(name, text):
            with open(os.path.join(folder, name), "w", encoding="utf-8") as file:
                file.write(text)
        save("ovsdb.json", self.run("ovsdb-client", "-f", "json", "dump", self.db))
        save("dpif-show.txt", self.ask("dpif/show"))
        for bridge in bridges:
            save(f"dump-flows-{bridge}.txt", self.ofctl("dump-flows", bridge))
            save(f"dump-groups-{bridge}.txt", self.ofctl("dump-groups", bridge))
            save(f"show-{bridge}.txt", self.ofctl("show", bridge) + self.ofctl("dump-ports-desc", bridge))
            save(f"fdb-{bridge}.txt", self.ask("fdb/show", bridge))

    def kill(self):
        """Also a daemon that is busy for ever."""
        for daemon in reversed(self.daemons):
            daemon.kill()
        for daemon in self.daemons:
            daemon.wait(timeout=20)
        shutil.rmtree(self.dir, ignore_errors=True)
