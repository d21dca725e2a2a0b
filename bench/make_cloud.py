#!/usr/bin/env python3
"""Makes Neutron's objects of a cloud of any size, from which `dvrtrace reference` makes its dumps.

usage: make_cloud.py HOSTS PORTS-PER-HOST CLOUD/neutron [--ports-per-network N] [--networks-per-router N] [--groups-per-tenant N]
                     [--hosts-per-network N] [--hybrid]
       dvrtrace reference --neutron CLOUD/neutron --release zed --to CLOUD/hosts

A tenant is one router with its networks. The ports of a network are spread over --hosts-per-network hosts (as many as it has ports),
and every host has its PORTS-PER-HOST of them. The last host is the network node. --hybrid: security groups by iptables on Linux bridges.
"""
import argparse
import json
import math
import os
import uuid


def identity(kind, number):
    return str(uuid.uuid5(uuid.NAMESPACE_OID, f"{kind}-{number}"))


def mac(prefix, number):
    return f"{prefix}:{number >> 16 & 255:02x}:{number >> 8 & 255:02x}:{number & 255:02x}"


def places_of(hosts, total, per_network, together):
    """The host of each port: those of a network on `together` hosts, and on every host alike many."""
    step = next(step for step in range(max(1, int(hosts * 0.618)), 2 * hosts + 1) if math.gcd(step, hosts) == 1)
    seat = 0
    free = [math.ceil(total / hosts)] * hosts
    for first in range(0, total, per_network):
        size = min(per_network, total - first)
        own = []
        while len(own) < min(together, hosts) and any(free[h] for h in range(hosts) if h not in own):
            host = seat * step % hosts
            seat += 1
            if free[host] and host not in own:
                own.append(host)
        for k in range(size):
            host = next((h for h in own[k % len(own):] + own if free[h]), None)
            if host is None:
                host = next(h for h in range(hosts) if free[h])
            free[host] -= 1
            yield host


def main(args):
    hosts, per_host, folder = args.hosts, args.ports, args.folder
    networks, subnets, ports, routers, groups = [], [], [], [], []
    agents, macs = [], []
    names = [f"cmp{i:04}" for i in range(hosts)] + ["net0000"]
    for i, name in enumerate(names):
        number = i + 1  # two hosts with one address would be a fault
        vtep = f"172.{16 + (number >> 16)}.{number >> 8 & 255}.{number & 255}"
        macs.append({"host": name, "mac_address": mac("fa:16:3f", i + 1)})
        agents.append({"id": identity("ovs", i), "agent_type": "Open vSwitch agent", "binary": "neutron-openvswitch-agent", "host": name,
                       "alive": True, "admin_state_up": True,
                       "configurations": {"tunnel_types": ["vxlan"], "tunneling_ip": vtep, "l2_population": True,
                                          "arp_responder_enabled": True, "enable_distributed_routing": True, "bridge_mappings": {}}})
        agents.append({"id": identity("l3", i), "agent_type": "L3 agent", "binary": "neutron-l3-agent", "host": name, "alive": True,
                       "admin_state_up": True, "configurations": {"agent_mode": "dvr_snat" if name == "net0000" else "dvr"}})
    total = hosts * per_host
    number = 0

    def port(network, subnet, address, owner, device, host, group=None, security=True):
        nonlocal number
        number += 1
        ports.append({"id": identity("port", number), "name": "", "network_id": network, "mac_address": mac("fa:16:3e", number),
                      "fixed_ips": [{"subnet_id": subnet, "ip_address": address}], "device_owner": owner, "device_id": device,
                      "binding:host_id": host, "binding:vif_type": "ovs", "binding:vnic_type": "normal", "status": "ACTIVE",
                      "binding:vif_details": {"ovs_hybrid_plug": args.hybrid},
                      "admin_state_up": True, "port_security_enabled": security, "security_groups": [group] if group else [],
                      "allowed_address_pairs": []})

    places = list(places_of(hosts, total, args.ports_per_network, args.hosts_per_network or args.ports_per_network))
    of_tenant = args.networks_per_router * args.ports_per_network
    for tenant in range(math.ceil(total / of_tenant)):
        router = identity("router", tenant)
        own_groups = [identity("group", f"{tenant}-{g}") for g in range(args.groups_per_tenant)]
        routers.append({"id": router, "name": f"r{tenant}", "distributed": True, "ha": False, "external_gateway_info": None, "routes": []})
        for g, group in enumerate(own_groups):
            rules = [{"id": identity("rule", f"{tenant}-{g}-{n}"), "security_group_id": group, "direction": d, "ethertype": "IPv4",
                      "protocol": p, "port_range_min": port, "port_range_max": port, "remote_ip_prefix": None, "remote_group_id": remote}
                     for n, (d, p, port, remote) in enumerate([("egress", None, None, None), ("ingress", "tcp", 22, None),
                                                              ("ingress", "icmp", None, None), ("ingress", None, None, group)])]
            groups.append({"id": group, "name": f"sg{tenant}-{g}", "stateful": True, "security_group_rules": rules})
        for side in range(args.networks_per_router):
            n = args.networks_per_router * tenant + side
            # Tenants do not know of each other: their addresses may be the same.
            network, subnet, prefix = identity("network", n), identity("subnet", n), f"10.{n >> 6 & 255}.{(n & 63) * 4}"
            networks.append({"id": network, "name": f"n{n}", "provider:network_type": "vxlan", "provider:segmentation_id": 1000 + n,
                             "provider:physical_network": None, "mtu": 1450, "router:external": False})
            subnets.append({"id": subnet, "name": f"s{n}", "network_id": network, "cidr": f"{prefix}.0/22", "gateway_ip": f"{prefix}.1",
                            "ip_version": 4, "enable_dhcp": False, "host_routes": []})
            port(network, subnet, f"{prefix}.1", "network:router_interface_distributed", router, "", security=False)
            for k in range(args.ports_per_network):
                index = n * args.ports_per_network + k
                if index < total:
                    third, last = divmod(k + 10, 256)
                    address = f"10.{n >> 6 & 255}.{(n & 63) * 4 + third}.{last}"
                    port(network, subnet, address, "compute:nova", identity("vm", index), names[places[index]],
                         own_groups[k % args.groups_per_tenant])
    os.makedirs(folder, exist_ok=True)
    for name, rows in (("networks", networks), ("subnets", subnets), ("ports", ports), ("routers", routers),
                       ("security_groups", groups), ("agents", agents), ("floatingips", [])):
        with open(os.path.join(folder, name.replace("_", "-") + ".json"), "w", encoding="utf-8") as file:
            json.dump({name: rows}, file)
    with open(os.path.join(folder, "db-dvr_host_macs.json"), "w", encoding="utf-8") as file:
        json.dump(macs, file)


parser = argparse.ArgumentParser(usage=__doc__.split("usage: ")[1])
parser.add_argument("hosts", type=int)
parser.add_argument("ports", type=int)
parser.add_argument("folder")
parser.add_argument("--ports-per-network", type=int, default=20)
parser.add_argument("--networks-per-router", type=int, default=2)
parser.add_argument("--groups-per-tenant", type=int, default=1)
parser.add_argument("--hosts-per-network", type=int, default=0)
parser.add_argument("--hybrid", action="store_true")
main(parser.parse_args())
