"""Tables and packets at random, from a seed: shapes of Neutron's and wild ones."""

import re

BRIDGES = ("br-int", "br-tun")
TABLES = 6
MACS = [f"02:00:00:00:00:0{i}" for i in range(1, 7)]
IPS = [f"10.0.{i // 4}.{i % 4 + 1}" for i in range(8)]
IP6S = [f"fd00::{i}" for i in range(1, 5)]
PORTS = {"br-int": (1, 2, 3, 4, 5, 6, 7, 8, 9), "br-tun": (1, 2, 9)}  # 9: the patch port
NAMES = {"br-int": {1: "a1", 2: "a2", 3: "b1", 4: "t4", 5: "n5", 6: "g6", 7: "q7", 8: "p8", 9: "patch-tun"},
         "br-tun": {1: "u1", 2: "u2", 9: "patch-int"}}
GROUPS = (1, 2, 3)


def build(ovs):
    """The bridges: a port of each VLAN mode, and a pair of patch ports."""
    words = []
    for bridge in BRIDGES:
        words += ["--", "add-br", bridge, "--", "set", "bridge", bridge, "datapath_type=dummy", "fail_mode=secure",
                  "protocols=OpenFlow10,OpenFlow11,OpenFlow12,OpenFlow13,OpenFlow14,OpenFlow15"]

    def port(bridge, name, number, kind, *settings):
        words.extend(["--", "add-port", bridge, name, *settings, "--", "set", "interface", name, f"type={kind}", f"ofport_request={number}"])

    port("br-int", "a1", 1, "dummy", "tag=1")
    port("br-int", "a2", 2, "dummy", "tag=2")
    port("br-int", "b1", 3, "dummy", "tag=1")
    port("br-int", "t4", 4, "dummy", "trunks=1,2,3")
    port("br-int", "n5", 5, "dummy", "tag=2", "vlan_mode=native-untagged")
    port("br-int", "g6", 6, "dummy", "tag=1", "trunks=1,3", "vlan_mode=native-tagged")
    port("br-int", "q7", 7, "dummy", "tag=3", "vlan_mode=dot1q-tunnel")
    port("br-int", "p8", 8, "dummy", "tag=2", "other_config:priority-tags=true")
    port("br-int", "patch-tun", 9, "patch")
    port("br-tun", "u1", 1, "dummy")
    port("br-tun", "u2", 2, "dummy", "tag=3")
    port("br-tun", "patch-int", 9, "patch")
    words += ["--", "set", "interface", "patch-tun", "options:peer=patch-int", "--", "set", "interface", "patch-int", "options:peer=patch-tun"]
    # vswitchd fills in what such a datapath can do.
    words += ["--", "--id=@dp", "create", "datapath", "datapath_version=0", "--", "set", "open_vswitch", ".", "datapaths:dummy=@dp"]
    ovs.vsctl(*words[1:])


class Setup:
    """One set of tables, groups and MACs."""

    def __init__(self, rng):
        self.rng = rng
        self.flows = {bridge: self.some_flows(bridge) for bridge in BRIDGES}
        self.groups = {bridge: [self.group(bridge, number) for number in GROUPS] for bridge in BRIDGES}
        self.mirrors = {bridge: self.some_mirrors(bridge) for bridge in BRIDGES}
        self.fdb = [(bridge, rng.choice(PORTS[bridge]), rng.randint(0, 3), mac) for bridge in BRIDGES for mac in rng.sample(MACS, 3)]

    def load(self, ovs):
        for bridge in BRIDGES:
            ovs.ofctl("del-flows", bridge)
            ovs.ofctl("del-groups", bridge)
            for group in self.groups[bridge]:
                ovs.ofctl("add-group", bridge, group)
            self.add_flows(ovs, bridge)
            ovs.ask("fdb/flush", bridge)
        for bridge, port, vlan, mac in self.fdb:
            ovs.ask("fdb/add", bridge, NAMES[bridge][port], str(vlan), mac)
        ovs.vsctl(*self.mirror_words())
        return sum(map(len, self.flows.values()))

    def add_flows(self, ovs, bridge):
        """Without those that ovs-ofctl refuses: an action may take away what a later one needs."""
        # set_vlan_vid and mod_vlan_vid are of different versions of OpenFlow: no file may have both.
        for picked in (False, True):
            flows = [flow for flow in self.flows[bridge] if ("set_vlan" in flow) == picked]
            while flows:
                try:
                    ovs.ofctl("add-flows", bridge, "-", text="\n".join(flows) + "\n")
                    break
                except RuntimeError as error:
                    line = re.search(r"ovs-ofctl: -:(\d+): ", str(error))
                    del flows[int(line[1]) - 1 if line else 0]

    # --- mirrors ---

    def some_mirrors(self, bridge):
        rng, ports = self.rng, list(NAMES[bridge].values())[:-1]
        mirrors = []
        for _ in range(rng.choice((0, 0, 0, 1, 2))):
            mirror = {"select_all": "true"} if rng.random() < 0.3 else {}
            if rng.random() < 0.6:
                mirror["select_src_port"] = rng.sample(ports, 2)
            if rng.random() < 0.6:
                mirror["select_dst_port"] = rng.sample(ports, 2)
            if rng.random() < 0.3:
                mirror["select_vlan"] = rng.choice(("1", "2,3", "0"))
            if rng.random() < 0.7:
                mirror["output_port"] = [rng.choice(ports)]
            else:
                mirror["output_vlan"] = rng.choice("123")
            mirrors.append(mirror)
        return mirrors

    def mirror_words(self):
        words = []
        for bridge, mirrors in self.mirrors.items():
            words += ["--", "clear", "bridge", bridge, "mirrors"]
            for number, mirror in enumerate(mirrors):
                names = sorted({name for value in mirror.values() if isinstance(value, list) for name in value})
                for name in names:
                    words += ["--", f"--id=@{name}{number}", "get", "port", name]
                settings = [f"{key}={','.join(f'@{name}{number}' for name in value) if isinstance(value, list) else value}"
                            for key, value in mirror.items()]
                words += ["--", f"--id=@{bridge}m{number}", "create", "mirror", f"name=m{number}", *settings,
                          "--", "add", "bridge", bridge, "mirrors", f"@{bridge}m{number}"]
        return words[1:]

    # --- flows ---

    def some_flows(self, bridge):
        flows = []
        for table in range(TABLES):
            for _ in range(self.rng.randint(3, 14)):
                match, kind, tagged = self.match(bridge)
                actions = self.actions(bridge, table, kind, tagged)
                flows.append(f"table={table},priority={self.priority()}{match},actions={actions}")
            if self.rng.random() < 0.7:
                flows.append(f"table={table},priority=0,actions={self.actions(bridge, table, '', False)}")
            if self.rng.random() < 0.3:
                flows += self.conjunction(bridge, table)
        return flows

    def priority(self):
        return self.rng.randint(1, 20) if self.rng.random() < 0.1 else self.rng.randint(21, 60000)

    def conjunction(self, bridge, table):
        number, priority = self.rng.randint(1, 99), self.priority()
        head = f"table={table},priority={priority},ip,"
        sources = self.rng.sample(IPS, 3)
        flows = [f"{head}nw_src={ip},actions=conjunction({number},1/2)" for ip in sources]
        flows += [f"{head}nw_dst={ip},actions=conjunction({number},2/2)" for ip in self.rng.sample(IPS, 3)]
        return flows + [f"{head}conj_id={number},actions={self.actions(bridge, table, 'ip', False)}"]

    def match(self, bridge):
        rng, parts, ip, tagged = self.rng, [], False, False
        protocol = rng.choice(("", "", "ip", "tcp", "udp", "icmp", "arp", "ipv6", "tcp6", "mpls"))
        if protocol:
            parts.append(protocol)
            ip = protocol in ("ip", "tcp", "udp", "icmp")
        if protocol in ("ipv6", "tcp6") and rng.random() < 0.5:
            parts.append(f"ipv6_dst={rng.choice(IP6S)}" + rng.choice(("", "/64", "/ffff::1")))
        if protocol == "mpls" and rng.random() < 0.5:
            parts.append(rng.choice(("mpls_label=5", "mpls_bos=1", "mpls_bos=0", "mpls_tc=2")))
        if rng.random() < 0.4:
            parts.append(f"in_port={rng.choice(PORTS[bridge])}")
        vlan = rng.random()
        if vlan < 0.15:
            parts.append(f"dl_vlan={rng.randint(1, 3)}")
            tagged = True
        elif vlan < 0.25:
            parts.append("vlan_tci=0x0000/0x1000")
        elif vlan < 0.3:
            parts.append("vlan_tci=0x1000/0x1000")
            tagged = True
        if rng.random() < 0.25:
            parts.append(f"dl_dst={rng.choice(MACS + ['01:00:00:00:00:00/01:00:00:00:00:00'])}")
        if rng.random() < 0.15:
            parts.append(f"dl_src={rng.choice(MACS)}")
        if ip and rng.random() < 0.4:
            parts.append(f"nw_dst={rng.choice(IPS)}" + rng.choice(("", "", "/24", "/31", "/255.255.0.1")))
        if ip and rng.random() < 0.2:
            parts.append(f"nw_src={rng.choice(IPS)}" + rng.choice(("", "/24")))
        if protocol in ("tcp", "udp", "tcp6") and rng.random() < 0.4:
            parts.append(f"tp_dst={rng.choice(('80', '22', '0x50/0xfff0'))}")
        if protocol == "arp" and rng.random() < 0.5:
            parts.append(f"arp_op={rng.randint(1, 2)}")
        if rng.random() < 0.25:
            parts.append(f"reg{rng.randint(0, 3)}={rng.choice(('0', '1', '2', '0x1/0x1', '0x10/0xf0'))}")
        if rng.random() < 0.1:
            parts.append(f"metadata={rng.choice(('0', '5', '0x4/0xc'))}")
        if ip and rng.random() < 0.12:
            parts.append("ct_state=" + rng.choice(("-trk", "+trk", "+trk+new", "+trk+est", "+est-rpl", "+trk-inv")))
        if ip and rng.random() < 0.05:
            parts.append(f"ct_mark={rng.choice(('0', '1'))}")
        return "".join("," + part for part in parts), protocol, tagged

    # --- actions ---

    def actions(self, bridge, table, kind, tagged):
        rng = self.rng
        if rng.random() < 0.06:
            return "drop"
        actions = [self.action(bridge, table, kind, tagged) for _ in range(rng.randint(1, 4))]
        # Instructions come once each, in OpenFlow's order, behind the actions.
        clear = [action for action in actions if action == "clear_actions"][:1]
        written = [action for action in actions if action.startswith("write_actions")][:1]
        actions = [action for action in actions if action != "clear_actions" and not action.startswith("write_actions")]
        actions += clear + written
        if table + 1 < TABLES and rng.random() < 0.25:
            actions.append(f"goto_table:{rng.randint(table + 1, TABLES - 1)}")
        return ",".join(actions)

    def action(self, bridge, table, kind, tagged):
        rng = self.rng
        register, port, mac = rng.randint(0, 3), rng.choice(PORTS[bridge]), rng.choice(MACS)
        forward = rng.randint(table + 1, TABLES) if table + 1 < TABLES else TABLES
        choices = [
            (8, f"output:{port}"), (6, "NORMAL"), (14, f"resubmit(,{forward})"), (2, f"resubmit({port},{forward})"),
            (1, f"resubmit(,{rng.randint(0, table)})"), (2, "IN_PORT"), (1, "FLOOD"), (1, "LOCAL"), (1, "ALL"),
            (4, f"load:{rng.randint(0, 20)}->NXM_NX_REG{register}[]"), (2, f"load:{rng.randint(0, 3)}->NXM_NX_REG{register}[4..7]"),
            (2, f"move:NXM_OF_IN_PORT[]->NXM_NX_REG{register}[0..15]"), (2, f"output:NXM_NX_REG{register}[]"),
            (2, f"mod_dl_dst:{mac}"), (2, f"mod_dl_src:{mac}"), (3, f"mod_vlan_vid:{rng.randint(1, 3)}"), (2, "load:0->NXM_OF_VLAN_TCI[]"),
            (1, f"set_field:{rng.randint(0, 9)}->metadata"), (1, "load:0->NXM_OF_IN_PORT[]"),
            (1, f"set_tunnel:{rng.randint(1, 9)}"), (1, f"mod_vlan_pcp:{rng.randint(0, 7)}"),
            (2, f"group:{rng.choice(GROUPS)}"), (1, "exit"), (1, f"push:NXM_NX_REG{register}[]"), (1, f"pop:NXM_NX_REG{rng.randint(0, 3)}[]"),
            (2, f"clone(mod_dl_src:{mac},output:{port})"), (1, f"write_actions(output:{port})"), (1, "note:01.02"),
            (1, f"write_actions(mod_dl_dst:{mac},output:{port})"), (1, "clear_actions"),
            (1, f"write_actions(push_vlan:0x8100,mod_vlan_vid:{rng.randint(1, 3)},group:{rng.choice(GROUPS)})"),
            (1, f"write_actions(set_field:{register}->reg{register},pop_vlan,resubmit(,{forward}))"),
            (1, "push_vlan:0x8100"), (1, "pop_vlan"), (1, f"set_field:{mac}/ff:ff:00:00:00:0f->eth_src"),
            (1, f"clone(resubmit(,{forward}),output:{port})"), (1, f"clone(output:{port},exit)"), (1, f"clone(ct(commit),output:{port})"),
            (1, f"check_pkt_larger({rng.choice((60, 200, 1500))})->NXM_NX_REG{register}[0]"),
            (1, f"bundle(eth_src,0,active_backup,ofport,members:{port},{rng.choice(PORTS[bridge])})"),
            (1, f"bundle_load(eth_src,0,active_backup,ofport,NXM_NX_REG{register}[],members:77,{port})"),
            (1, f"multipath(eth_src,50,modulo_n,1,0,NXM_NX_REG{register}[0..11])"), (1, f"output(port={port},max_len=100)"),
            (1, "push_mpls:0x8847"), (1, "controller"),
            (1, "set_queue:3"), (1, "output:TABLE"), (1, "fin_timeout(idle_timeout=5)"),
            (1, "move:NXM_OF_ETH_SRC[]->NXM_OF_ETH_DST[]"), (1, f"move:NXM_NX_REG{register}[0..3]->NXM_OF_VLAN_TCI[0..3]"),
            (1, f"learn(table=4,priority=7,delete_learned,load:1->NXM_NX_REG{register}[],NXM_OF_ETH_SRC[])"),
            (1, "learn(table=5,hard_timeout=300,NXM_OF_VLAN_TCI[0..11],NXM_OF_ETH_DST[]=NXM_OF_ETH_SRC[],output:NXM_OF_IN_PORT[])"),
        ]
        if tagged:
            choices += [(4, f"set_vlan_vid:{rng.randint(1, 3)}"), (2, f"set_vlan_pcp:{rng.randint(0, 7)}"), (3, f"set_field:{rng.randint(0, 3)}->vlan_vid"), (4, "pop_vlan")]
        if kind == "mpls":
            choices += [(5, "pop_mpls:0x8847"), (5, "set_mpls_label:5"), (5, "dec_mpls_ttl"), (5, "push_mpls:0x8847"), (3, "set_mpls_ttl:1")]
        if kind in ("ipv6", "tcp6"):
            choices += [(5, "dec_ttl"), (3, f"set_field:{rng.choice(IP6S)}->ipv6_src"), (3, f"ct(table={forward},zone=1)"), (2, "mod_tp_src:99")]
        if kind in ("ip", "tcp", "udp", "icmp"):
            choices += [(3, f"ct(table={forward},zone={rng.randint(0, 2)})"), (2, "ct(commit,zone=1,exec(set_field:0x1->ct_mark))"),
                        (1, f"ct(commit,table={forward},exec(set_field:0x1->ct_mark))"), (1, "ct_clear"), (2, "dec_ttl"),
                        (1, f"ct(commit,table={forward},nat(src={rng.choice(IPS)}))"),
                        (1, f"ct(commit,table={forward},zone=NXM_NX_REG{register}[0..15],nat(dst={rng.choice(IPS)}:8080))"),
                        (1, f"ct(commit,table={forward},exec(move:NXM_NX_REG{register}[]->NXM_NX_CT_MARK[],set_field:0x5/0xf->ct_label))"),
                        (1, f"resubmit(,{forward},ct)"), (1, "mod_tp_dst:8080"), (1, f"set_field:{rng.choice(IPS)}/255.255.0.255->ip_dst"),
                        (1, "mod_nw_ttl:1"), (1, "mod_nw_ecn:3"),
                        (1, f"mod_nw_dst:{rng.choice(IPS)}"), (1, f"mod_nw_tos:{rng.choice((4, 184))}"),
                        (1, f"move:NXM_OF_IP_SRC[0..15]->NXM_NX_REG{register}[16..31]")]
        return rng.choices([text for _, text in choices], [weight for weight, _ in choices])[0]

    def group(self, bridge, number):
        rng = self.rng
        kind = rng.choice(("all", "indirect", "ff"))
        buckets = []
        for _ in range(1 if kind == "indirect" else rng.randint(1, 3)):
            port = rng.choice(PORTS[bridge])
            watch = f"watch_port:{port}," if kind == "ff" else ""
            change = rng.choice(("", "", f"mod_dl_dst:{rng.choice(MACS)},", f"mod_vlan_vid:{rng.randint(1, 3)},", "push_mpls:0x8847,"))
            end = rng.choice((f"output:{port}", f"output:{port}", f"resubmit(,{rng.randint(1, TABLES)})", "ct(commit,table=5)"))
            buckets.append(f"bucket={watch}actions={change}{end}")
        return f"group_id={number},type={kind}," + ",".join(buckets)

    # --- packets ---

    def packet(self):
        rng = self.rng
        bridge = rng.choices(BRIDGES, (3, 1))[0]
        protocol = rng.choice(("icmp", "tcp", "udp", "arp", "icmp", "tcp", "udp", "arp", "tcp6", "mpls"))
        parts = [protocol, f"in_port={rng.choice(PORTS[bridge])}", f"dl_src={rng.choice(MACS)}",
                 f"dl_dst={rng.choice(MACS + ['ff:ff:ff:ff:ff:ff', '01:00:5e:00:00:05'])}"]
        if rng.random() < 0.35:
            parts += [f"dl_vlan={rng.randint(0, 3)}", f"dl_vlan_pcp={rng.choice((0, 0, 5))}"]
        source, target = rng.choice(IPS), rng.choice(IPS)
        if protocol == "arp":
            parts += [f"arp_spa={source}", f"arp_tpa={target}", f"arp_op={rng.randint(1, 2)}"]
        elif protocol == "tcp6":
            parts += [f"ipv6_src={rng.choice(IP6S)}", f"ipv6_dst={rng.choice(IP6S)}", f"nw_ttl={rng.choice((64, 1))}", "tcp_src=5000", "tcp_dst=80"]
        elif protocol == "mpls":
            parts += [f"mpls_label={rng.choice((5, 6))}", f"mpls_bos={rng.randint(0, 1)}", f"mpls_ttl={rng.choice((64, 1))}"]
        else:
            parts += [f"nw_src={source}", f"nw_dst={target}", f"nw_ttl={rng.choice((64, 64, 1))}"]
        if protocol in ("tcp", "udp"):
            parts += [f"{protocol}_src={rng.randint(1, 65535)}", f"{protocol}_dst={rng.choice((80, 22, 81, 443))}"]
        if protocol == "icmp":
            parts += ["icmp_type=8", "icmp_code=0"]
        states = rng.sample(("trk,est", "trk,new", "trk,est,rpl", "trk,inv"), rng.choice((0, 0, 1, 2)))
        return bridge, ",".join(parts), states
