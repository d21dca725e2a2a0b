"""Hosts made of namespaces: each with its own network, mounts and name, with /run, /etc and /var/lib of its own, a real Open
vSwitch on the userspace datapath, and sshd. Needs root; all of it is gone when the test ends. A cloud out of a fixture's dumps can
be programmed into them, so that what is collected can be held against the fixture."""

import json
import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import time

sys.path.insert(0, os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
import harness  # noqa: E402

PATH = os.environ.get("PATH", os.defpath) + ":/usr/sbin:/sbin"
PROGRAMS = ("unshare", "nsenter", "ip", "iptables-restore", "iptables-save", "ipset", "ovsdb-tool", "ovsdb-server", "ovs-vswitchd",
            "ovs-vsctl", "ovs-ofctl", "sshd", "ssh", "ssh-keygen", "sudo", "hostname", "sysctl")
SCHEMA = "/usr/share/openvswitch/vswitch.ovsschema"
CLIENT = "client"


def missing():
    """Why this cannot run here; None when it can."""
    if os.geteuid() != 0:
        return "not root"
    for program in PROGRAMS:
        if shutil.which(program, path=PATH) is None:
            return f"{program} is not installed"
    for path in (SCHEMA, "/dev/net/tun"):
        if not os.path.exists(path):
            return f"no {path}"
    probe = "mount -t tmpfs tmpfs /run && mkdir -p /run/u /run/w && " \
            "mount -t overlay overlay -o lowerdir=/etc,upperdir=/run/u,workdir=/run/w /etc && ip link add va type veth peer name vb && " \
            "ip tuntap add dev tc mode tap"
    done = subprocess.run(["unshare", "--net", "--mount", "--uts", "--ipc", "--propagation", "private", "sh", "-c", probe],
                          capture_output=True, text=True, check=False)
    return None if done.returncode == 0 else f"no namespaces here: {done.stderr.strip()[:200]}"


class Failed(RuntimeError):
    pass


class Host:
    """One host; `number` tells its address on the network that the client reaches it by."""

    def __init__(self, folder, name, number, ovs=True):
        self.name, self.number, self.daemons, self.cables = name, number, [], set()
        self.folder = os.path.join(folder, name)
        os.mkdir(self.folder)
        self.process = subprocess.Popen(
            ["unshare", "--net", "--mount", "--uts", "--ipc", "--pid", "--fork", "--mount-proc", "--kill-child", "--propagation", "private",
             "sleep", "3600"], stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        self.pid = self.inner_pid()
        self.sh("mount -t tmpfs tmpfs /run && mkdir -p /run/netns /run/openvswitch /run/sshd /run/layers && "
                "for d in etc var/lib; do k=/run/layers/$(basename $d); mkdir -p $k/u $k/w && "
                "mount -t overlay overlay -o lowerdir=/$d,upperdir=$k/u,workdir=$k/w /$d; done && "
                f"hostname {name} && echo {name} >/etc/hostname && ip link set lo up && mkdir -p /var/lib/neutron && "
                "sysctl -qw net.ipv6.conf.default.accept_dad=0 && (test -d /sys/kernel || true)")
        if ovs:
            self.start_ovs()

    @property
    def address(self):
        return f"192.0.2.{4 * self.number + 2}"

    def inner_pid(self):
        for _ in range(200):
            with open(f"/proc/{self.process.pid}/task/{self.process.pid}/children", encoding="ascii") as file:
                children = file.read().split()
            if children:
                return int(children[0])
            time.sleep(0.02)
        raise Failed("unshare started nothing")

    def words(self, *words):
        return ["nsenter", "--target", str(self.pid), "--net", "--mount", "--uts", "--ipc", "--pid", "--", *words]

    def run(self, *words, text=None, check=True):
        done = subprocess.run(self.words(*words), input=text, text=True, capture_output=True, timeout=60, check=False,
                              env=dict(os.environ, PATH=PATH, LC_ALL="C"))
        if check and done.returncode != 0:
            raise Failed(f"{self.name}: {' '.join(words)[:300]}: {done.stderr[:600]}")
        return done.stdout

    def sh(self, line, text=None):
        return self.run("sh", "-ec", line, text=text)

    def start(self, *words):
        with open(f"{self.folder}/{os.path.basename(words[0])}.out", "ab") as out:
            self.daemons.append(subprocess.Popen(self.words(*words), stdin=subprocess.DEVNULL, stdout=out, stderr=out,
                                                 env=dict(os.environ, PATH=PATH)))

    def wait_for(self, path):
        for _ in range(400):
            if os.path.exists(f"/proc/{self.pid}/root{path}"):
                return
            time.sleep(0.05)
        raise Failed(f"{self.name}: {path} does not appear")

    def start_ovs(self):
        self.run("ovsdb-tool", "create", "/run/openvswitch/conf.db", SCHEMA)
        self.start("ovsdb-server", "--remote=punix:/run/openvswitch/db.sock", "--pidfile=/run/openvswitch/ovsdb-server.pid",
                   "--log-file=/run/openvswitch/ovsdb-server.log", "/run/openvswitch/conf.db")
        self.wait_for("/run/openvswitch/db.sock")
        self.run("ovs-vsctl", "--no-wait", "init")
        self.start("ovs-vswitchd", "--disable-system", "--pidfile=/run/openvswitch/ovs-vswitchd.pid",
                   "--log-file=/run/openvswitch/ovs-vswitchd.log", "unix:/run/openvswitch/db.sock")
        self.wait_for("/run/openvswitch/ovs-vswitchd.pid")

    def connect(self, client):
        """A link of its own to the client."""
        # By its pid the client is known outside only.
        subprocess.run(["nsenter", "--target", str(self.pid), "--net", "--", "ip", "link", "add", "mgmt0", "type", "veth", "peer", "name",
                        f"to{self.number}", "netns", str(client.pid)], check=True, env=dict(os.environ, PATH=PATH))
        self.sh(f"ip address add {self.address}/30 dev mgmt0 && ip link set mgmt0 up")
        client.sh(f"ip address add 192.0.2.{4 * self.number + 1}/30 dev to{self.number} && ip link set to{self.number} up")

    def plug_in(self, device, client, bridge):
        """A network card of that name, its cable in a port of a bridge on the client."""
        port = f"{device}-{self.number}"
        subprocess.run(["nsenter", "--target", str(self.pid), "--net", "--", "ip", "link", "add", device, "type", "veth", "peer", "name",
                        port, "netns", str(client.pid)], check=True, env=dict(os.environ, PATH=PATH))
        client.sh(f"sysctl -qw net.ipv6.conf.{port}.disable_ipv6=1; ip link set {port} up")
        client.run("ovs-vsctl", "add-port", bridge, port)
        self.cables.add(device)

    def start_sshd(self, key, user="root", command=None):
        """`command` is what every login runs instead of what it asks for."""
        self.run("ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", "/run/sshd/host_key")
        self.run("sh", "-ec", "cat >/run/sshd/keys && chmod 644 /run/sshd/keys", text=key)
        if user != "root":
            self.sh(f"echo '{user}:*:4242:4242::/:/bin/sh' >>/etc/passwd && echo '{user}:x:4242:' >>/etc/group && "
                    f"echo '{user}:*:19000:0:99999:7:::' >>/etc/shadow")
        config = ("HostKey /run/sshd/host_key\nAuthorizedKeysFile /run/sshd/keys\nStrictModes no\nUsePAM no\nPermitRootLogin yes\n"
                  "PasswordAuthentication no\nPidFile /run/sshd/pid\nUseDNS no\n" + (f"ForceCommand {command}\n" if command else ""))
        self.run("sh", "-ec", "cat >/run/sshd/config", text=config)
        self.start("/usr/sbin/sshd", "-D", "-e", "-f", "/run/sshd/config")
        self.wait_for("/run/sshd/pid")

    def end(self):
        for daemon in reversed(self.daemons):
            daemon.terminate()
        self.process.kill()  # and with it the first process of its pid namespace, and so all in it
        for process in self.daemons + [self.process]:
            try:
                process.wait(timeout=10)
            except subprocess.TimeoutExpired:
                process.kill()


class Hosts:
    """The client and its hosts; a context, so that nothing is left."""

    def __init__(self, ovs=False):
        """`ovs`: the client has a switch too, which cables can be plugged into."""
        self.folder = tempfile.mkdtemp(prefix="dvrtrace-hosts-")
        self.hosts, self.client, self.ovs = {}, None, ovs

    def __enter__(self):
        signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))
        try:
            self.client = Host(self.folder, CLIENT, 0, self.ovs)
            subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", f"{self.folder}/key"], check=True)
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_):
        for host in list(self.hosts.values()) + [self.client]:
            if host is not None:
                host.end()
        shutil.rmtree(self.folder, ignore_errors=True)

    def key(self):
        with open(f"{self.folder}/key.pub", encoding="ascii") as file:
            return file.read()

    def add(self, name, ovs=True, user="root", command=None):
        host = Host(self.folder, name, len(self.hosts) + 1, ovs)
        self.hosts[name] = host
        host.user = user
        host.connect(self.client)
        host.start_sshd(self.key(), user, command)
        return host

    def add_address(self, name, address):
        """A name at which nobody answers."""
        with open(f"{self.folder}/more", "a", encoding="ascii") as file:
            file.write(f"Host {name}\n HostName {address}\n")

    def ssh(self):
        """The value of --ssh."""
        lines = [f"Host *\n IdentityFile {self.folder}/key\n StrictHostKeyChecking no\n UserKnownHostsFile /dev/null\n LogLevel ERROR\n"]
        for name, host in self.hosts.items():
            lines.append(f"Host {name}\n HostName {host.address}\n User {host.user}\n")
        if os.path.exists(f"{self.folder}/more"):
            with open(f"{self.folder}/more", encoding="ascii") as file:
                lines.append(file.read())
        with open(f"{self.folder}/config", "w", encoding="ascii") as file:
            file.writelines(lines)
        return f"ssh -F {self.folder}/config"

    def dvrtrace(self, tool, *words, on=None, timeout=240):
        """The program on the client, or on one of the hosts."""
        host = self.client if on is None else self.hosts[on]
        env = harness.environment(tool)
        env["PATH"] += ":/usr/sbin:/sbin"
        return subprocess.run(host.words(os.path.abspath(tool), *words), text=True, capture_output=True, timeout=timeout, check=False,
                              stdin=subprocess.DEVNULL, cwd=self.folder, env=env, errors="backslashreplace")


# --- a fixture's dumps, programmed into a host ---------------------------------------------------------------------------------

def rows(folder, table):
    with open(f"{folder}/sos_commands/openvswitch/ovs-vsctl_-f_json_list_{table}", encoding="utf-8") as file:
        document = json.load(file)
    return [dict(zip(document["headings"], row)) for row in document["data"]]


def members(cell, kind):
    if isinstance(cell, list) and cell and cell[0] in ("set", "map"):
        return cell[1]
    return [] if kind == "map" else [cell]


def settings(table, column, pairs):
    return [f"{column}:{key}={json.dumps(value)}" for key, value in pairs]


def vsctl_words(folder):
    """What makes the database: bridges, ports, interfaces with the numbers that they had."""
    ports = {row["_uuid"][1]: row for row in rows(folder, "Port")}
    interfaces = {row["_uuid"][1]: row for row in rows(folder, "Interface")}
    words = []
    for bridge in rows(folder, "Bridge"):
        name = bridge["name"]
        words += ["--", "add-br", name, "--", "set", "Bridge", name, "datapath_type=netdev"]
        words += [f"{column}={','.join(members(bridge[column], 'set'))}" for column in ("fail_mode", "protocols") if members(bridge[column], "set")]
        words += settings("Bridge", "other_config", members(bridge["other_config"], "map"))
        for uuid in members(bridge["ports"], "set"):
            port = ports[uuid[1]]
            for number in members(port["interfaces"], "set"):
                interface = interfaces[number[1]]
                if port["name"] != name:
                    words += ["--", "add-port", name, port["name"]]
                    words += [f"tag={tag}" for tag in members(port["tag"], "set")]
                    words += ["--", "set", "Port", port["name"], "external_ids:test=yes"] + settings("Port", "other_config", members(port["other_config"], "map"))
                    words += ["--", "set", "Interface", interface["name"], f"type={interface['type'] or 'system'}", f"ofport_request={interface['ofport']}"]
                else:
                    words += ["--", "set", "Interface", interface["name"], "external_ids:test=yes"]
                words += settings("Interface", "options", members(interface["options"], "map"))
                words += settings("Interface", "external_ids", members(interface["external_ids"], "map"))
                words += ["mac=" + json.dumps(mac) for mac in members(interface["mac_in_use"], "set") if interface["type"] == "internal"]
    return words[1:]


def text_of(folder, name):
    path = f"{folder}/sos_commands/{name}"
    if not os.path.exists(path):
        return ""
    with open(path, encoding="utf-8") as file:
        return file.read()


def devices(text):
    """The devices of `ip addr`: name, MAC, whether it is up, MTU, addresses, where its peer is."""
    found = []
    for block in re.split(r"^(?=\d+: )", text, flags=re.M):
        head = re.match(r"\d+: ([^:@]+)(?:@\S+)?: <([^>]*)> mtu (\d+)", block)
        if not head:
            continue
        mac = re.search(r"link/ether (\S+)", block)
        peer = re.search(r"link-netns (\S+)", block)
        addresses = [m.group(1) for m in re.finditer(r"^ +inet (\S+)", block, re.M)]
        if mac:
            found.append({"name": head.group(1), "mac": mac.group(1), "up": "UP" in head.group(2).split(","), "mtu": head.group(3),
                          "addresses": addresses, "peer": peer.group(1) if peer else None})
    return found


def program(host, folder):
    """Makes `host` what the fixture's `folder` says of one. Gives the far ends of VMs' taps by the taps' names; they are in the namespace of
    the process in /run/vms, and may be given addresses there."""
    shutil.copytree(f"{folder}/etc/neutron", f"/proc/{host.pid}/root/etc/neutron", dirs_exist_ok=True)
    networking = sorted(os.listdir(f"{folder}/sos_commands/networking"))
    namespaces = text_of(folder, "networking/ip_netns").split("\n")
    namespaces = [line.split()[0] for line in namespaces if line.strip()]
    script = []
    for namespace in namespaces:
        script.append(f"ip netns add {namespace}; ip netns exec {namespace} ip link set lo up")
    # VMs' taps and network cards are one end of a pair; the other lies in a namespace without a name, as a VM's would.
    script.append("unshare --net sleep 3600 >/dev/null 2>&1 & m=$!; "
                  "while [ $(readlink /proc/$m/ns/net) = $(readlink /proc/self/ns/net) ]; do sleep 0.05; done\n"
                  # Silent: what such an end sends of itself would teach the switches a MAC that the fixture's cloud does not have.
                  "nsenter --target $m --net sysctl -qw net.ipv6.conf.all.disable_ipv6=1 net.ipv6.conf.default.disable_ipv6=1; echo $m >/run/vms")
    far_ends = {}
    root = devices(text_of(folder, "networking/ip_addr"))
    for number, device in enumerate(root):
        if re.match(r"tap|eth\d", device["name"]) and device["name"] != "eth0" and device["name"] not in host.cables:
            far_ends[device["name"]] = f"p{number}"
            script.append(f"ip link add {device['name']} address {device['mac']} mtu {device['mtu']} type veth peer name p{number} netns $m; "
                          f"ip link set {device['name']} up; nsenter --target $m --net ip link set p{number} up")
    host.sh("\n".join(script))
    host.run("ovs-vsctl", *vsctl_words(folder))
    script = []
    made = set()
    for namespace in [""] + namespaces:
        inside = f"ip netns exec {namespace} " if namespace else ""
        prefix = f"ip_netns_exec_{namespace}_" if namespace else ""
        for device in devices(text_of(folder, f"networking/{prefix}ip_addr")):
            name = device["name"]
            if not namespace and name == "eth0":
                continue
            if device["peer"] and name not in made:
                other = next(d for d in devices(text_of(folder, f"networking/ip_netns_exec_{device['peer']}_ip_addr")) if d["peer"] == namespace)
                script.append(f"ip link add {name} netns {namespace} type veth peer name {other['name']} netns {device['peer']}")
                made |= {name, other["name"]}
            elif namespace and not device["peer"]:
                script.append(f"ip link set {name} netns {namespace}")
            if name != "ovs-netdev":
                script.append(f"{inside}ip link set {name} address {device['mac']} mtu {device['mtu']} {'up' if device['up'] else 'down'}")
            script += [f"{inside}ip address add {address} dev {name}" for address in device["addresses"]]
    for namespace in namespaces:
        inside, prefix = f"ip netns exec {namespace} ", f"networking/ip_netns_exec_{namespace}_"
        for line in text_of(folder, prefix + "ip_rule").splitlines():
            priority, rule = line.split(":", 1)
            if priority not in ("0", "32766", "32767"):
                # `ip rule` prints a network with the host's bits
                script.append(f"{inside}ip rule add priority {priority} {rule.strip()}")
        for line in text_of(folder, prefix + "ip_route_show_table_all").splitlines():
            if not re.match(r"(local|broadcast|anycast|multicast|unreachable)\b", line) and "proto kernel" not in line and "::" not in line:
                script.append(f"{inside}ip route replace {line.strip()}")
        for line in text_of(folder, prefix + "ip_neigh").splitlines():
            found = re.match(r"(\S+) dev (\S+) lladdr (\S+) .*PERMANENT", line)
            if found and ":" not in found.group(1):
                script.append(f"{inside}ip neigh replace {found.group(1)} dev {found.group(2)} lladdr {found.group(3)} nud permanent")
        wanted = re.compile(r"net\.ipv4\.(ip_forward|conf\.[^ ]*\.(rp_filter|proxy_arp|arp_ignore|arp_announce|send_redirects)) = (\d+)$")
        for line in text_of(folder, prefix + "sysctl_-a").splitlines():
            if wanted.match(line):
                key, value = line.split(" = ")
                script.append(f"echo {value} | {inside}tee /proc/sys/{key.replace('.', '/')} >/dev/null")
    host.sh("\n".join(script))
    for name in networking:
        found = re.match(r"(?:ip_netns_exec_(.+)_)?(ip6?tables)-save_-c$", name)
        if found:
            inside = ["ip", "netns", "exec", found.group(1)] if found.group(1) else []
            host.run(*inside, found.group(2) + "-restore", "-c", text=text_of(folder, "networking/" + name))
    for bridge in rows(folder, "Bridge"):
        name = bridge["name"]
        flows = []
        for line in text_of(folder, f"openvswitch/ovs-ofctl_-O_OpenFlow13_dump-flows_{name}").splitlines():
            if " actions=" in line:
                flows.append(re.sub(r"\b(duration|n_packets|n_bytes|idle_age|hard_age)=[^, ]*, ", "", line).replace(" reset_counts", "").strip())
        host.run("ovs-ofctl", "-O", "OpenFlow13", "del-flows", name)
        host.run("ovs-ofctl", "-O", "OpenFlow13", "add-flows", name, "-", text="\n".join(flows) + "\n")
        for line in text_of(folder, f"openvswitch/ovs-appctl_fdb.show_{name}").splitlines()[1:]:
            port, vlan, mac, _ = line.split()
            host.run("ovs-appctl", "fdb/add", name, port_name(folder, name, port), vlan, mac, check=False)
    return far_ends


def port_name(folder, bridge, number):
    if number == "LOCAL":
        return bridge
    found = re.search(rf"^ {number}\((\S+)\):", text_of(folder, f"openvswitch/ovs-ofctl_show_{bridge}"), re.M)
    return found.group(1) if found else number
