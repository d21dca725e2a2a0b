#include "tracer/reference/bridges.h"
#include "tracer/reference/flow_writer.h"
#include "tracer/reference/router_interface.h"

namespace dvrtrace::reference {

namespace {

constexpr InterfaceRules kInterfaceRules = {"TUN-50", "TUN-51", "TUN-52", "TUN-53", "TUN-54", "TUN-55"};

constexpr unsigned kDefaultOfPriority = 32768;

unsigned table_of(std::string_view type) { return type == "gre" ? 3 : type == "geneve" ? 6 : 4; }
unsigned table_of(Segmentation type) {
  return type == Segmentation::Gre ? 3 : type == Segmentation::Geneve ? 6 : 4;
}

class TunBridge {
 public:
  TunBridge(const Plan& plan, FlowSieve* sieve)
      : plan_(plan), is_(plan.practice), flows_(plan, plan.options.tunnel_bridge, sieve) {}

  Dump write() {
    write_entry();
    write_learning();
    if (plan_.options.dvr) write_macs();
    for (const PlannedNetwork& network : plan_.networks) {
      if (network.tunnelled()) write_network(network);
    }
    if (plan_.options.dvr && plan_.dvr_mac) write_interfaces();
    return flows_.take();
  }

 private:
  void write_entry() {
    const bool dvr = plan_.options.dvr;
    flows_.add(dvr ? "TUN-02" : "TUN-01", 0, 1, fmt::format("in_port={}", plan_.patch_int.value),
               dvr ? "resubmit(,1)" : "resubmit(,2)");
    flows_.add("TUN-03", 0, 0, "", "drop");
    if (dvr) flows_.add("TUN-04", 1, 0, "", "resubmit(,2)");
    flows_.add("TUN-05", 2, 0, "dl_dst=00:00:00:00:00:00/01:00:00:00:00:00", "resubmit(,20)");
    flows_.add("TUN-06", 2, 0, "dl_dst=01:00:00:00:00:00/01:00:00:00:00:00", "resubmit(,22)");
    if (plan_.options.arp_responder) {
      flows_.add("TUN-07", 2, 1, "arp,dl_dst=ff:ff:ff:ff:ff:ff", "resubmit(,21)");
      flows_.add("TUN-15", 21, 0, "", "resubmit(,22)");
    }
    for (const unsigned table : {3U, 4U, 6U}) {
      if (table != 6 || is_.geneve) flows_.add("TUN-08", table, 0, "", "drop");
    }
    flows_.add("TUN-14", 20, 0, "", "resubmit(,22)");
    flows_.add("TUN-16", 22, 0, "", "drop");
    // A tunnel that no network needs any more may not have been taken down yet.
    for (const Tunnel& tunnel : plan_.tunnels)
      flows_
          .add("TUN-20", 0, 1, fmt::format("in_port={}", tunnel.ofport.value),
               fmt::format("resubmit(,{})", table_of(tunnel.type)))
          .optional(!tunnel.needed);
  }

  void write_learning() {
    if (plan_.options.dvr) flows_.add("TUN-09", 9, 0, "", "resubmit(,10)");
    const std::string cookie = is_.cookies ? fmt::format("cookie={:#x},", flows_.cookie()) : "";
    const std::string learn = fmt::format(
        "learn(table=20,hard_timeout=300,priority=1,{}{},NXM_OF_ETH_DST[]=NXM_OF_ETH_SRC[],{},load:NXM_NX_"
        "TUN_ID[]->NXM_NX_TUN_ID[],"
        "output:{}),output:{}",
        cookie, is_.learn_bits12 ? "OXM_OF_VLAN_VID[0..11]" : "NXM_OF_VLAN_TCI[0..11]",
        is_.learn_bits12 ? "load:0->OXM_OF_VLAN_VID[0..11]" : "load:0->NXM_OF_VLAN_TCI[]",
        is_.native ? "OXM_OF_IN_PORT[]" : "NXM_OF_IN_PORT[]", plan_.patch_int.value);
    flows_.add("TUN-10", 10, 1, "", learn);
    if (!is_.learn_extra) return;
    flows_.add("TUN-11", 10, 2, "arp,arp_tha=ff:ff:ff:ff:ff:ff", learn);
    flows_.add("TUN-12", 10, 2, "icmp6,icmp_type=134", learn);
    flows_.add("TUN-13", 10, 2, "icmp6,icmp_type=136", learn);
  }

  void write_macs() {
    for (const RemoteHost& other : plan_.others)
      flows_.add("TUN-40", 9, 1, fmt::format("dl_src={}", to_string(other.mac)),
                 fmt::format("output:{}", plan_.patch_int.value));
  }

  std::string set_tunnel(const PlannedNetwork& network) const {
    return is_.native ? fmt::format("load:{:#x}->NXM_NX_TUN_ID[]", network.segment)
                      : fmt::format("set_tunnel:{:#x}", network.segment);
  }

  void write_network(const PlannedNetwork& network) {
    auto in = flows_.add(
        "TUN-30", table_of(network.type), 1, fmt::format("tun_id={:#x}", network.segment),
        fmt::format("mod_vlan_vid:{},resubmit(,{})", network.vlan.value, plan_.options.dvr ? 9 : 10));
    for (const std::size_t port : network.ports) in.concerns(plan_.ports[port].port);
    write_flood(network);
    const std::string tunnel_id = set_tunnel(network);
    for (const RemotePort& remote : network.remote) write_remote(network, tunnel_id, remote);
  }

  void write_flood(const PlannedNetwork& network) {
    if (network.flood.empty()) return;
    std::string outputs;
    for (const std::size_t tunnel : network.flood)
      outputs += fmt::format(",output:{}", plan_.tunnels[tunnel].ofport.value);
    auto line = flows_.add("TUN-31", 22, is_.native ? 1 : kDefaultOfPriority,
                           fmt::format("dl_vlan={}", network.vlan.value),
                           fmt::format("strip_vlan,{}{}", set_tunnel(network), outputs));
    for (const std::size_t port : network.ports) line.concerns(plan_.ports[port].port);
  }

  // Most of the bridge's flows: two for each port of a network that is on another host.
  void write_remote(const PlannedNetwork& network, const std::string& tunnel_id, const RemotePort& remote) {
    const logical::Port& port = plan_.cloud->port(remote.port);
    const unsigned vlan = network.vlan.value;
    const std::string mac = to_string(port.mac);
    set(match_, FMT_COMPILE("dl_vlan={},dl_dst={}"), vlan, mac);
    set(actions_, FMT_COMPILE("strip_vlan,{},output:{}"), tunnel_id,
        plan_.tunnels[remote.tunnel].ofport.value);
    flows_.add("TUN-60", 20, 2, text(match_), text(actions_)).concerns(remote.port);
    if (!plan_.options.arp_responder) return;
    for (const logical::FixedIp& fixed : port.fixed_ips) {
      if (!fixed.ip.v4()) continue;
      set(match_, FMT_COMPILE("arp,dl_vlan={},arp_tpa={}"), vlan, to_string(fixed.ip));
      set_arp_reply(port.mac.value, mac, fixed.ip);
      flows_.add("TUN-61", 21, 1, text(match_), text(actions_)).concerns(remote.port);
    }
  }

  void set_arp_reply(std::uint64_t number, std::string_view mac, const Ip& ip) {
    constexpr std::string_view kReply =
        "load:0x2->NXM_OF_ARP_OP[],move:NXM_NX_ARP_SHA[]->NXM_NX_ARP_THA[],move:NXM_OF_ARP_SPA[]->NXM_OF_ARP_"
        "TPA[]";
    constexpr std::string_view kBack = "move:NXM_OF_ETH_SRC[]->NXM_OF_ETH_DST[],mod_dl_src:";
    const auto add = [&](const auto& format, const auto&... values) {
      fmt::format_to(std::back_inserter(actions_), format, values...);
    };
    const auto add_fields = [&] {
      add(FMT_COMPILE("{},load:{:#x}->NXM_NX_ARP_SHA[],load:{:#x}->NXM_OF_ARP_SPA[]"), kReply, number,
          ip.v4_value());
    };
    actions_.clear();
    if (!is_.native) add(FMT_COMPILE("{}{},"), kBack, mac);
    add_fields();
    if (is_.native && is_.arp_reply_ethernet) add(FMT_COMPILE(",{}{}"), kBack, mac);
    add(FMT_COMPILE(",IN_PORT"));
  }

  template <class Format, class... Values>
  static void set(fmt::memory_buffer& text, const Format& format, const Values&... values) {
    text.clear();
    fmt::format_to(std::back_inserter(text), format, values...);
  }
  static std::string_view text(const fmt::memory_buffer& text) { return {text.data(), text.size()}; }

  void write_interfaces() {
    for (const WiredPort& port : plan_.ports) {
      const PlannedNetwork& network = plan_.networks[port.network];
      if (port.role == Role::DistributedRouter && network.tunnelled())
        write_router_interface(plan_, port, network.vlan.value, kInterfaceRules, flows_);
    }
  }

  const Plan& plan_;
  const Practice& is_;
  FlowWriter flows_;
  fmt::memory_buffer match_, actions_;  // of the flow that is being written, one after the other
};

}  // namespace

Dump tun_bridge(const Plan& plan, FlowSieve* sieve) { return TunBridge(plan, sieve).write(); }

}  // namespace dvrtrace::reference
