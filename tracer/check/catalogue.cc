#include "tracer/check/catalogue.h"

#include <algorithm>
#include <array>

namespace dvrtrace::check {
namespace {

constexpr Severity kError = Severity::Error, kWarning = Severity::Warning, kNote = Severity::Note;

// Ranks: what a whole host needs is below 10, a network 20, a router 30, one port 40, one rule of a group 60, what only costs
// comfort 80. Rows are in the order of the pipeline.
// clang-format off
constexpr std::array kPurposes{
    // br-int
    Purpose{"INT-01", "CANARY", "tells the agent that the switch was not restarted", "the agent programs everything anew", kNote, 80},
    Purpose{"INT-0", "DEFAULT-FLOW", "leads what no other flow of the table wants to the next table",
            "such packets are dropped on this host", kError, 2},
    Purpose{"INT-1", "DEFAULT-FLOW", "is the last flow of its table", "what falls through the table takes another way", kError, 4},
    Purpose{"INT-12", "DEAD-VLAN-FLOW", "drops what ports without service send", "unserved ports reach others", kWarning, 70},
    Purpose{"INT-2", "ROUTED-DEFAULT-FLOW", "drops routed frames for nobody on this host", "such frames go on through the switch", kWarning, 30},
    Purpose{"INT-30", "PROVIDER-DROP-FLOW", "drops what comes from the provider bridge in VLANs of no network here",
            "foreign VLANs leak into the integration bridge", kWarning, 40},
    Purpose{"INT-31", "ROUTED-MAC-PROVIDER", "recognises frames that another host has routed, by that host's DVR MAC, from the provider network",
            "they are taken for bridged ones: their source MAC is not changed to the gateway's, and switches learn it", kError, 12},
    Purpose{"INT-32", "ARP-TO-DVR-MAC", "leads answers to the DVR MAC of this host to their router", "routers here do not get the answer", kError, 32},
    Purpose{"INT-33", "PROVIDER-VLAN-IN", "turns the segment of a provider network into its local VLAN",
            "nothing of that network comes in to this host", kError, 20},
    Purpose{"INT-40", "ROUTED-MAC-TUNNEL", "recognises frames that another host has routed, by that host's DVR MAC, from the tunnels",
            "they are taken for bridged ones: their source MAC is not changed to the gateway's, and switches learn it", kError, 12},
    Purpose{"INT-41", "ARP-TO-DVR-MAC", "leads answers to the DVR MAC of this host to their router", "routers here do not get the answer", kError, 32},
    Purpose{"INT-53", "ROUTED-TO-PORT", "gives routed frames for a port the MAC of its gateway and leads them to it",
            "routed packets from other hosts do not reach the port", kError, 40},
    Purpose{"INT-54", "ROUTED-OUTPUT", "sends routed frames to the port",
            "NORMAL delivers them instead, and learns the gateway's MAC at the tunnel, where answers are then sent", kError, 42},
    Purpose{"INT-5", "ROUTED-TO-PORT", "gives routed frames for a port the MAC of its gateway and sends them to it",
            "routed packets from other hosts do not reach the port", kError, 40},
    Purpose{"INT-6", "ARP-TO-ROUTER", "leads ARP and ND answers to the router that asked", "a router here cannot resolve addresses on other hosts", kError, 34},
    Purpose{"INT-70", "ARP-SPOOF-ENTRY", "has the ARP of a port checked", "the port may claim any address", kWarning, 60},
    Purpose{"INT-71", "ND-SPOOF-ENTRY", "has the neighbour advertisements of a port checked", "the port may claim any address", kWarning, 60},
    Purpose{"INT-72", "MAC-SPOOF-ENTRY", "has the source MAC of a port checked", "the port may send from any MAC", kWarning, 60},
    Purpose{"INT-73", "ARP-SPOOF", "lets ARP with the port's own address pass", "the port's ARP is dropped: it reaches nobody", kError, 41},
    Purpose{"INT-74", "ND-SPOOF", "lets neighbour advertisements of the port's own address pass", "nobody can resolve the port's address", kError, 41},
    Purpose{"INT-75", "MAC-SPOOF", "lets frames with the port's own MAC pass", "what the port sends is dropped", kError, 41},
    Purpose{"INT-80", "DEAD-PORT", "drops what a port that is not served sends", "the port sends, though it must not", kWarning, 60},
    Purpose{"INT-9", "DIRECT-OUTPUT", "sends to the port or bridge without NORMAL", "frames are flooded or lost", kError, 44},
    // the firewall of Open vSwitch
    Purpose{"FW-0", "FIREWALL-DEFAULT", "is the last flow of a table of the firewall", "packets of all filtered ports take another way", kError, 3},
    Purpose{"FW-10", "FIREWALL-EGRESS-ENTRY", "leads what a port sends to the firewall", "what the port sends is not filtered as asked", kError, 41},
    Purpose{"FW-1", "FIREWALL-INGRESS-ENTRY", "leads what is for a port to the firewall", "what is for the port does not reach it", kError, 41},
    Purpose{"FW-20", "ANTI-SPOOF-ARP", "lets ARP with the port's own MAC and address pass", "the port's ARP is dropped: it reaches nobody", kError, 41},
    Purpose{"FW-21", "ANTI-SPOOF-RARP", "lets reverse ARP of the port pass", "switches do not learn the port after a migration", kWarning, 60},
    Purpose{"FW-22", "ANTI-SPOOF-ND", "lets solicitations with the port's own address pass", "the port cannot resolve IPv6 addresses", kError, 41},
    Purpose{"FW-23", "ANTI-SPOOF-ND", "lets advertisements of the port's own address pass", "nobody can resolve the port's IPv6 address", kError, 41},
    Purpose{"FW-24", "DHCP-OUT", "lets DHCP requests of the port pass", "the port gets no address", kError, 43},
    Purpose{"FW-25", "DHCP-OUT", "lets DHCPv6 requests of the port pass", "the port gets no IPv6 address", kError, 43},
    Purpose{"FW-26", "DHCP-SERVER-DROP", "keeps the port from being a DHCP server", "the port can hand out addresses", kWarning, 60},
    Purpose{"FW-27", "RA-DROP", "keeps the port from being an IPv6 router", "the port can send router advertisements", kWarning, 60},
    Purpose{"FW-28", "ANTI-SPOOF", "lets IPv4 with the port's own MAC and address pass", "all IPv4 that the port sends from it is dropped", kError, 41},
    Purpose{"FW-29", "ANTI-SPOOF", "lets IPv6 with the port's own MAC and address pass", "all IPv6 that the port sends from it is dropped", kError, 41},
    Purpose{"FW-30", "ANTI-SPOOF-DROP", "drops what the port sends from addresses that are not its own", "it is dropped by the table's last flow", kWarning, 70},
    Purpose{"FW-40", "SECURITY-GROUP-EGRESS", "is a rule of a security group, for what the port sends", "packets that the rule permits are dropped", kError, 60},
    Purpose{"FW-4", "FIREWALL-EGRESS-STATE", "judges connections of what the port sends", "answers, or connections whose permission is gone, are judged wrongly", kError, 45},
    Purpose{"FW-5", "FIREWALL-LOCAL", "finds out whether the destination is a port of this host", "packets between ports of this host take another way", kError, 44},
    Purpose{"FW-60", "FIREWALL-INGRESS-ARP", "lets ARP to the port", "the port cannot be resolved, and cannot resolve", kError, 41},
    Purpose{"FW-61", "FIREWALL-INGRESS-ND", "lets neighbour discovery to the port", "IPv6 of the port does not work", kError, 41},
    Purpose{"FW-62", "DHCP-IN", "lets answers of DHCP servers to the port", "the port gets no address", kError, 43},
    Purpose{"FW-6", "FIREWALL-INGRESS-BASE", "has what is for the port tracked and judged", "what is for the port is dropped", kError, 41},
    Purpose{"FW-70", "SECURITY-GROUP-INGRESS", "is a rule of a security group, for what is sent to the port", "packets that the rule permits are dropped", kError, 60},
    Purpose{"FW-7", "FIREWALL-INGRESS-STATE", "judges connections of what is sent to the port", "answers, or connections whose permission is gone, are judged wrongly", kError, 45},
    Purpose{"FW-8", "TRUSTED-PORT", "lets a port that is not filtered pass the firewall", "what the port sends is dropped or tracked", kError, 42},
    Purpose{"FW-9", "DIRECT-OUTPUT", "sends to the port or bridge without NORMAL", "frames are flooded or lost", kError, 44},
    // br-tun
    Purpose{"TUN-0", "TUNNEL-DEFAULT-FLOW", "leads frames from table to table of the tunnel bridge", "frames to or from all tunnels are lost", kError, 3},
    Purpose{"TUN-1", "TUNNEL-DEFAULT-FLOW", "leads frames from table to table of the tunnel bridge", "frames to or from all tunnels are lost", kError, 5},
    Purpose{"TUN-10", "TUNNEL-LEARNING", "learns where remote MACs are, and hands frames to br-int", "nothing that is bridged comes in from the tunnels", kError, 3},
    Purpose{"TUN-20", "TUNNEL-IN", "accepts what comes from a tunnel", "nothing comes in from that host", kError, 10},
    Purpose{"TUN-30", "VNI-IN", "turns the VNI of a network into its local VLAN", "nothing of that network comes in from the tunnels", kError, 20},
    Purpose{"TUN-31", "FLOOD-LIST", "floods broadcasts of a network to the hosts that have ports of it", "broadcasts, and MACs that are not known, do not leave this host", kError, 21},
    Purpose{"TUN-40", "ROUTED-MAC-UNLEARNED", "hands frames that another host has routed to br-int, without learning their MAC",
            "they are learned: table 20 sends what is for that host's DVR MAC into the tunnel", kError, 12},
    Purpose{"TUN-50", "ROUTED-GATEWAY-DROP", "keeps what is for a router's MAC on this host", "such frames leak into the tunnels", kWarning, 50},
    Purpose{"TUN-51", "ROUTED-SOURCE-MAC", "gives routed frames the DVR MAC of this host", "they leave with the gateway's MAC, which other hosts then learn here", kError, 30},
    Purpose{"TUN-5", "ROUTED-ARP-DROP", "keeps ARP and advertisements for the gateway on this host", "other hosts' routers answer too", kWarning, 50},
    Purpose{"TUN-60", "L2POP-UNICAST", "sends what is for a port on another host into the tunnel to that host",
            "frames for it are flooded, or sent where a learned flow says", kError, 40},
    Purpose{"TUN-61", "ARP-RESPONDER", "answers ARP for a port on another host", "ARP for it is flooded, and answered by the port itself", kWarning, 48},
    // provider bridges
    Purpose{"PHY-15", "ROUTED-MAC-PROVIDER-OUT", "hands frames that another host has routed to br-int, without learning their MAC", "the bridge learns their MAC", kError, 12},
    Purpose{"PHY-16", "PROVIDER-VLAN-OUT", "turns the local VLAN of a provider network into its segment", "nothing of that network leaves this host", kError, 20},
    Purpose{"PHY-17", "PROVIDER-VLAN-OUT", "turns the local VLAN of a provider network into its segment", "nothing of that network leaves this host", kError, 20},
    Purpose{"PHY-20", "ROUTED-GATEWAY-DROP", "keeps what is for a router's MAC on this host", "such frames leak into the provider network", kWarning, 50},
    Purpose{"PHY-21", "ROUTED-SOURCE-MAC", "gives routed frames the DVR MAC of this host", "they leave with the gateway's MAC, which switches then learn here", kError, 30},
    Purpose{"PHY-2", "ROUTED-ARP-DROP", "keeps ARP and advertisements for the gateway on this host", "other hosts' routers answer too", kWarning, 50},
    Purpose{"PHY-", "PROVIDER-DEFAULT-FLOW", "leads frames from table to table of the provider bridge", "frames to or from the provider network are lost", kError, 4},
    // namespaces: qrouter
    Purpose{"QR-NETNS", "ROUTER-NAMESPACE", "is the router on this host", "VMs here have no gateway", kError, 25},
    Purpose{"QR-DEVICE", "ROUTER-DEVICE", "is the router's port on a subnet", "the subnet has no gateway on this host", kError, 26},
    Purpose{"QR-ADDRESS", "ROUTER-ADDRESS", "is the gateway's address", "the subnet has no gateway on this host", kError, 27},
    Purpose{"QR-RFP-", "ROUTER-LINK", "joins the router with the fip namespace", "floating IPs of this host do not work", kError, 28},
    Purpose{"QR-RFP", "ROUTER-LINK-DEVICE", "is the router's end of the pair to the fip namespace", "floating IPs of this host do not work", kError, 24},
    Purpose{"QR-SNAT-RULE", "SNAT-RULE", "sends what a subnet has for outside to the snat namespace",
            "VMs of the subnet without a floating IP reach nothing outside", kError, 30},
    Purpose{"QR-SNAT-ROUTE", "SNAT-ROUTE", "leads to the subnet's port of the snat namespace",
            "VMs of the subnet without a floating IP reach nothing outside", kError, 30},
    Purpose{"QR-SNAT-NEIGH", "SNAT-NEIGHBOUR", "is the MAC of the subnet's port of the snat namespace", "the router has to ask for it, and may get no answer", kError, 32},
    Purpose{"QR-FIP-RULE", "FIP-RULE", "sends what a floating IP's VM has for outside to the fip namespace",
            "the VM leaves through the snat namespace, with another address than its floating IP", kError, 40},
    Purpose{"QR-FIP-ROUTE", "FIP-ROUTE-OUT", "leads out through the fip namespace", "floating IPs of this router do not get out", kError, 30},
    Purpose{"QR-FIP-DNAT", "FIP-DNAT", "turns the floating IP into the VM's address", "the VM cannot be reached by its floating IP", kError, 40},
    Purpose{"QR-FIP-SNAT", "FIP-SNAT", "turns the VM's address into its floating IP", "the VM's packets leave with an address that nobody outside can answer", kError, 40},
    Purpose{"QR-FIP-ACCEPT", "FIP-NO-NAT", "leaves what stays within the cloud untranslated", "traffic between VMs gets the floating IP's address", kError, 38},
    Purpose{"QR-FIP-", "FIP-MARK", "marks the traffic of a floating IP", "address scopes drop it", kError, 42},
    Purpose{"QR-FAST-EXIT", "FAST-EXIT-RULE", "lets a subnet of the external network's address scope out without NAT", "its VMs take the way through the snat namespace", kError, 42},
    Purpose{"QR-NEIGH", "NEIGHBOUR", "is the MAC of a port, which the agent keeps", "the router has to ask for it, and over tunnels nobody may answer", kError, 41},
    Purpose{"QR-PEER-NEIGH", "LINK-NEIGHBOUR", "is the MAC of the other end of the pair", "the namespace asks for it, which normally works", kWarning, 70},
    Purpose{"QR-METADATA", "METADATA-REDIRECT", "hands metadata requests to the proxy", "VMs here get no metadata from it", kError, 36},
    Purpose{"QR-SCOPE", "SCOPE", "keeps address scopes apart", "packets of the subnet are dropped, or leak into another scope", kError, 44},
    Purpose{"QR-REDIRECTS", "SEND-REDIRECTS", "keeps the router from sending VMs elsewhere", "VMs may be told of a way that does not work", kWarning, 72},
    Purpose{"QR-EXTRA-ROUTE", "EXTRA-ROUTE", "is a route that was added to the router", "what it is for goes elsewhere", kError, 40},
    Purpose{"QR-HA-LINK-LOCAL", "HA-LINK-LOCAL", "keeps link-local addresses off this network node", "two nodes answer neighbour discovery", kWarning, 72},
    // fip
    Purpose{"FIP-NETNS", "FIP-NAMESPACE", "is the way of floating IPs on this host", "no floating IP of this host works", kError, 20},
    Purpose{"FIP-FG", "FIP-GATEWAY-DEVICE", "joins the fip namespace with the external network", "no floating IP of this host works", kError, 20},
    Purpose{"FIP-FPR", "FIP-LINK", "joins the fip namespace with a router", "floating IPs of the router do not work on this host", kError, 24},
    Purpose{"FIP-PROXY-ARP", "FIP-PROXY-ARP", "has the host answer ARP for its floating IPs", "nobody outside can reach them", kError, 22},
    Purpose{"FIP-PROXY-DELAY", "FIP-PROXY-DELAY", "has ARP for floating IPs answered at once", "the first packet takes up to 0.8 seconds", kWarning, 80},
    Purpose{"FIP-RULE", "FIP-NAMESPACE-RULE", "leads what a router sends out to its table", "floating IPs of the router do not get out", kError, 30},
    Purpose{"FIP-DEFAULT", "FIP-DEFAULT-ROUTE", "leads to the external network's gateway", "floating IPs of the router do not get out", kError, 30},
    Purpose{"FIP-ROUTE", "FIP-ROUTE-IN", "leads a floating IP to its router", "the floating IP cannot be reached", kError, 40},
    Purpose{"FIP-PEER-NEIGH", "LINK-NEIGHBOUR", "is the MAC of the other end of the pair", "the namespace asks for it, which normally works", kWarning, 70},
    Purpose{"FIP-NOTRACK", "FIP-NOTRACK", "keeps the namespace from tracking connections", "large numbers of connections fill its table", kWarning, 72},
    Purpose{"FIP-NONLOCAL", "FIP-NONLOCAL-BIND", "lets the agent announce floating IPs", "after a move others keep the old MAC", kWarning, 60},
    Purpose{"FIP-", "FIP-ROUTING", "is part of the fip namespace's routing", "some of its traffic goes elsewhere", kError, 42},
    // snat
    Purpose{"SNAT-NETNS", "SNAT-NAMESPACE", "is the way out of VMs without a floating IP", "they reach nothing outside", kError, 21},
    Purpose{"SNAT-QG", "SNAT-GATEWAY-DEVICE", "joins the router with the external network", "VMs without a floating IP reach nothing outside", kError, 22},
    Purpose{"SNAT-SG", "SNAT-DEVICE", "joins the snat namespace with a subnet", "VMs of the subnet without a floating IP reach nothing outside", kError, 23},
    Purpose{"SNAT-ADDRESS", "SNAT-ADDRESS", "is an address of the snat namespace", "VMs without a floating IP reach nothing outside", kError, 23},
    Purpose{"SNAT-DEFAULT", "SNAT-DEFAULT-ROUTE", "leads to the external network's gateway", "VMs without a floating IP reach nothing outside", kError, 24},
    Purpose{"SNAT-SOURCE", "SNAT-TRANSLATION", "turns VMs' addresses into the router's", "their packets leave with addresses that nobody outside can answer", kError, 24},
    Purpose{"SNAT-FIP", "CENTRAL-FIP", "serves a floating IP on the network node", "the floating IP does not work", kError, 40},
    Purpose{"SNAT-ACCEPT", "SNAT-NO-NAT", "leaves what does not leave the cloud untranslated", "it gets the router's address", kError, 38},
    Purpose{"SNAT-STRICT-TCP", "SNAT-STRICT-TCP", "keeps the namespace from taking over connections midway", "floating IPs' connections may be translated twice", kWarning, 60},
    Purpose{"SNAT-", "SNAT-ROUTING", "is part of the snat namespace", "some of what passes it goes elsewhere", kError, 42},
    // all of them
    Purpose{"NS-FORWARD6", "FORWARDING6", "lets the namespace forward IPv6", "routed IPv6 is dropped", kError, 20},
    Purpose{"NS-FORWARD", "FORWARDING", "lets the namespace forward packets", "everything routed is dropped", kError, 9},
    Purpose{"NS-ARP", "ARP-SETTING", "keeps ARP to the device that has the address", "a host may answer for addresses of another device", kWarning, 60},
    Purpose{"NS-SCOPE", "SCOPE", "keeps address scopes apart", "packets are dropped, or leak into another scope", kError, 44},
    Purpose{"NS-PROMOTE", "PROMOTE-SECONDARIES", "keeps other addresses when one is deleted", "they go with it", kNote, 88},
    Purpose{"NS-", "NAMESPACE-SETTING", "is a setting of the agent's namespaces", "long connections may stall", kWarning, 70},
    Purpose{"IPT-SKELETON", "IPTABLES-CHAIN", "leads to the agent's own chain", "the agent's rules there are never asked", kError, 15},
    Purpose{"DHCP-NETNS", "DHCP-NAMESPACE", "is the network's DHCP server on this host", "VMs of the network may get no address", kError, 26},
    Purpose{"DHCP-METADATA", "DHCP-METADATA-ADDRESS", "is the metadata server's address", "VMs that ask the DHCP server for metadata get none", kError, 46},
    Purpose{"DHCP-", "DHCP-SERVER", "is part of the network's DHCP server", "VMs of the network may get no address", kError, 30},
    // the hybrid firewall
    Purpose{"HYB-BRIDGE-CALL", "BRIDGE-NETFILTER", "has frames of Linux bridges filtered", "security groups do nothing on this host", kError, 10},
    Purpose{"HYB-BRIDGE", "PORT-BRIDGE", "joins a VM's tap with its veth to br-int", "nothing passes between the VM and br-int", kError, 8},
    Purpose{"HYB-VETH", "PORT-VETH", "joins a port's bridge with br-int", "nothing passes between the VM and br-int", kError, 8},
    Purpose{"HYB-SOURCE", "ANTI-SPOOF", "lets packets with the port's own MAC and address pass", "all that the port sends from it is dropped", kError, 41},
    Purpose{"HYB-TO-", "FIREWALL-CHAIN", "leads to a port's chain", "what the port sends or gets is not judged by its groups", kError, 41},
    Purpose{"HYB-RULE", "SECURITY-GROUP-RULE", "is a rule of a security group", "packets that the rule permits are dropped", kError, 60},
    Purpose{"HYB-SET", "SECURITY-GROUP-MEMBERS", "lists the members of a security group", "what is permitted to members is dropped", kError, 58},
    Purpose{"HYB-KNOWN", "FIREWALL-STATE", "lets packets of known connections pass", "answers are dropped", kError, 45},
    Purpose{"HYB-DHCP-SPOOF", "DHCP-SERVER-DROP", "keeps the port from being a DHCP server", "the port can hand out addresses", kWarning, 62},
    Purpose{"HYB-RA-SPOOF", "RA-DROP", "keeps the port from being an IPv6 router", "the port can send router advertisements", kWarning, 62},
    Purpose{"HYB-DHCP", "DHCP-OUT", "lets DHCP of the port pass", "the port gets no address", kError, 43},
    Purpose{"HYB-ZONE", "CONNTRACK-ZONE", "keeps connections of networks apart", "connections of equal addresses are mixed up", kError, 46},
    Purpose{"HYB-", "FIREWALL-RULE", "is part of a port's filter", "what the port sends or gets is judged wrongly", kError, 47},
    // ports and tunnels of Open vSwitch
    Purpose{"OVS-TAG", "PORT-TAG", "puts the port into the VLAN of its network on this host", "what the port sends stays in another VLAN", kError, 8},
    Purpose{"OVS-PORT", "PORT", "plugs the port into the integration bridge", "the port is not connected", kError, 8},
    Purpose{"OVS-TUNNEL", "TUNNEL", "is the tunnel to another host", "nothing reaches that host through it", kError, 6},
    Purpose{"OVS-PATCH", "PATCH-PORT", "joins two bridges", "nothing passes between them", kError, 1},
};

constexpr Purpose kGeneral{"", "ROW", "is programmed by Neutron's agents", "packets that need it take another way", kError, 55};

constexpr std::array kInvariants{
    Invariant{"DVR-DEVICE-DOWN", kError, "a device that packets pass is down: routes through it are gone with it", 1},
    Invariant{"DVR-MTU-BELOW-TUNNEL", kError, "packets of the network's full size do not fit into the underlay once they are encapsulated", 7},
    Invariant{"DVR-RP-FILTER-STRICT", kWarning,
              "strict reverse path filtering drops packets that come in by another device than their answers would leave by; with DVR the two differ", 45},
    Invariant{"DVR-STALE-FIP-RULE", kWarning, "a rule sends a fixed address to the floating IP table, but nothing translates it: its packets leave with an address that nobody outside can answer", 40},
    Invariant{"DVR-FIP-ON-TWO-HOSTS", kError, "a floating IP is routed to a router on two hosts: packets from outside reach the one that answers ARP first", 38},
    Invariant{"DVR-MAC-UNKNOWN", kError, "a host's DVR MAC is not known here: what it routes is taken for bridged", 13},
    Invariant{"DVR-OUTPUT-TO-NOWHERE", kError, "the flow sends to a port that the bridge does not have", 42},
    Invariant{"DVR-BRIDGE-EMPTY", kError, "a bridge without flows drops everything: its controller never programmed it, or somebody deleted them", 1},
    Invariant{"DVR-DUPLICATE-RULE", kNote, "the same policy rule stands twice", 87},
    Invariant{"DVR-DEFAULT-IN-MAIN", kWarning, "a default route in the main table is asked before the floating IP table and the way to the snat namespace", 43},
    Invariant{"DVR-GATEWAY-DIFFERS", kError, "the router's port has another MAC or address on another host", 31},
    Invariant{"DVR-TWO-SNAT-NAMESPACES", kError, "two hosts have the addresses of one router's snat namespace: their ARP answers alternate", 22},
    Invariant{"DVR-NO-ACTIVE-SNAT", kError, "no host has the addresses of the router's snat namespace: VMs without a floating IP reach nothing outside", 22},
    Invariant{"DVR-VTEP-UNKNOWN", kWarning, "a tunnel ends at an address that no host of the snapshot has", 47},
};
// clang-format on

}  // namespace

const Purpose& purpose_of(std::string_view rule) {
  const Purpose* best = &kGeneral;
  for (const Purpose& purpose : kPurposes) {
    if (rule.starts_with(purpose.rule) && purpose.rule.size() > best->rule.size()) best = &purpose;
  }
  return *best;
}

std::span<const Purpose> purposes() { return kPurposes; }

const Invariant& invariant(std::string_view code) {
  const auto found = std::ranges::find(kInvariants, code, &Invariant::code);
  return found == kInvariants.end() ? kInvariants.front() : *found;
}

std::span<const Invariant> invariants() { return kInvariants; }

Finding finding_of(std::string_view code, std::string_view host, std::string_view place_kind,
                   std::string_view place, std::string_view object_kind, std::string object, Provenance at) {
  const Invariant& known = invariant(code);
  Finding finding;
  finding.code = code;
  finding.severity = known.severity;
  finding.cause = known.cause;
  finding.host = host;
  finding.place_kind = place_kind;
  finding.place = place;
  finding.object_kind = object_kind;
  finding.object = std::move(object);
  finding.at = at;
  return finding;
}

}  // namespace dvrtrace::check
