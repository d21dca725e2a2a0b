"""Reads the text of ofproto/trace: steps, final flows, and what the datapath's actions send where."""

import re

ALIASES = {"eth_src": "dl_src", "eth_dst": "dl_dst", "eth_type": "dl_type", "icmpv6_type": "icmp_type", "icmpv6_code": "icmp_code",
           "ip_dscp": "nw_tos", "udp_src": "tp_src", "udp_dst": "tp_dst", "tcp_src": "tp_src", "tcp_dst": "tp_dst",
           "sctp_src": "tp_src", "sctp_dst": "tp_dst", "ipv6_label": "ipv6_label"}
IGNORED = ("recirc_id", "actset_output", "eth", "dp_hash")


def split(text):
    """At the commas outside parentheses."""
    parts, depth, begin = [], 0, 0
    for at, char in enumerate(text):
        depth += (char == "(") - (char == ")")
        if char == "," and depth == 0:
            parts.append(text[begin:at])
            begin = at + 1
    return [part.strip() for part in parts + [text[begin:]] if part.strip()]


def fields(flow):
    """{field: value} of a flow; fields that are 0 and fields that are left out are the same."""
    out = {}
    for part in split(flow):
        name, _, value = part.partition("=")
        name = ALIASES.get(name, name)
        if name in IGNORED:
            continue
        if name == "vlan_tci" and value and int(value, 0) & 0x1000:
            tci = int(value, 0)
            out.update({"dl_vlan": tci & 0xfff, "dl_vlan_pcp": tci >> 13})
            continue
        if not value:
            out["protocol"] = name
            continue
        if name == "in_port":
            value = {"LOCAL": "65534", "ANY": "65535"}.get(value, value)
        try:
            value = int(value, 0)
        except ValueError:
            value = value.lower()
        if name == "dl_vlan" or value not in (0, "0.0.0.0", "::", "00:00:00:00:00:00", "no"):
            out[name] = value
    if out.get("dl_vlan_pcp") == 0:
        del out["dl_vlan_pcp"]
    return out


def port_names(dpif_show):
    """Number in the datapath to name."""
    return {match[2]: match[1] for match in re.finditer(r"^ {4}(\S+) \d+/(\d+):", dpif_show, re.M)}


def send(actions, packet, names, outputs):
    """Plays the datapath's actions; packet: {"vlans": [...], "src", "dst"}."""
    for action in actions:
        if re.fullmatch(r"\d+", action):
            vlans = packet["vlans"]
            outputs.append((names.get(action, action), vlans[-1] if vlans else 0, packet["src"], packet["dst"]))
        elif action.startswith("push_vlan("):
            packet["vlans"].append(int(re.search(r"vid=(\d+)", action)[1]))
        elif action == "pop_vlan":
            del packet["vlans"][-1:]  # bits of a tag that is not there are popped too
        elif action.startswith("set(eth("):
            for key, value in re.findall(r"(src|dst)=([0-9a-f:]{17})", action):
                packet[key] = value
        elif action.startswith("clone("):
            send(split(action[6:-1]), {**packet, "vlans": list(packet["vlans"])}, names, outputs)
        elif action.startswith("check_pkt_len("):
            for branch in split(action[14:-1])[1:]:  # "gt(...)", "le(...)"
                send(split(branch[3:-1]), {**packet, "vlans": list(packet["vlans"])}, names, outputs)


class Trace:
    def __init__(self, text, names):
        self.steps, self.final_flows, self.outputs = [], [], []
        self.error = "Translation failed" in text
        self.floods = bool(re.search(r"flooding|\bFLOOD\b|\bALL\b", text))
        flow = ""
        for line in text.splitlines():
            step = re.match(r" *(\d+)\. (.*)", line)
            if line.startswith("Flow: "):
                flow = line[6:]
            elif line.startswith("Final flow: "):
                final = line[12:]
                self.final_flows.append(flow if final == "unchanged" else final)
            elif line.startswith("Datapath actions: "):
                packet = fields(flow)
                vlans = [packet[name] for name in ("dl_vlan1", "dl_vlan") if name in packet]
                zero = "00:00:00:00:00:00"
                send(split(line[18:]), {"vlans": vlans, "src": packet.get("dl_src", zero), "dst": packet.get("dl_dst", zero)},
                     names, self.outputs)
            elif step:
                self.step(int(step[1]), step[2])

    def step(self, table, rest):
        # A miss behind a patch port shows the switch's hidden flow.
        hidden = re.match(r"reg0=0x[123], priority 0$", rest)
        priority = re.search(r"(?:^|, )priority (\d+)", rest)
        self.steps.append((table, None if hidden or priority is None else int(priority[1])))
