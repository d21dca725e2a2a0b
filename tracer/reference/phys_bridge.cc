#include "tracer/reference/bridges.h"
#include "tracer/reference/flow_writer.h"
#include "tracer/reference/router_interface.h"

namespace dvrtrace::reference {

namespace {

constexpr InterfaceRules kInterfaceRules = {"PHY-20", "PHY-21", "PHY-22", "PHY-23", "PHY-24", "PHY-25"};

class PhysBridge {
 public:
  PhysBridge(const Plan& plan, const PhysicalBridge& bridge, FlowSieve* sieve)
      : plan_(plan), is_(plan.practice), bridge_(bridge), flows_(plan, bridge.name, sieve) {}

  Dump write() {
    const bool dvr = plan_.options.dvr && is_.dvr_vlan;
    const std::string in = fmt::format("in_port={}", bridge_.phy_port.value);
    if (is_.cookies) flows_.add("PHY-01", 0, 0, "", "NORMAL");
    if (!is_.cookies && !dvr) flows_.add("PHY-02", 0, 1, "", "NORMAL");
    if (!dvr) {
      flows_.add("PHY-03", 0, 2, in, "drop");
    } else {
      write_dvr(in);
    }
    for (const PlannedNetwork& network : plan_.networks) {
      if (network.bridge && &plan_.bridges[*network.bridge] == &bridge_) write_network(network, dvr, in);
    }
    return flows_.take();
  }

 private:
  void write_dvr(const std::string& in) {
    flows_.add("PHY-10", 0, 2, in, "resubmit(,1)");
    flows_.add("PHY-11", 0, 1, "", "resubmit(,3)");
    flows_.add("PHY-12", 1, 0, "", "resubmit(,2)");
    flows_.add("PHY-13", 2, 2, in, "drop");
    flows_.add("PHY-14", 3, 1, "", "NORMAL");
    for (const RemoteHost& other : plan_.others)
      flows_.add("PHY-15", 3, 2, fmt::format("dl_src={}", to_string(other.mac)),
                 fmt::format("output:{}", bridge_.phy_port.value));
  }

  void write_network(const PlannedNetwork& network, bool dvr, const std::string& in) {
    const bool flat = network.type == Segmentation::Flat;
    // Kilo's DVR knows VLAN networks; flat ones it translates as without DVR.
    const bool in_2 = dvr && (plan_.release > kKilo || !flat);
    auto line = flows_.add(
        in_2 ? "PHY-16" : "PHY-17", in_2 ? 2 : 0, 4, fmt::format("{},dl_vlan={}", in, network.vlan.value),
        flat ? std::string("strip_vlan,NORMAL") : fmt::format("mod_vlan_vid:{},NORMAL", network.segment));
    for (const std::size_t port : network.ports) line.concerns(plan_.ports[port].port);
    if (!dvr || !plan_.dvr_mac || (flat && !is_.dvr_flat)) return;
    for (const std::size_t index : network.ports) {
      const WiredPort& port = plan_.ports[index];
      if (port.role == Role::DistributedRouter)
        write_router_interface(plan_, port, network.vlan.value, kInterfaceRules, flows_);
    }
  }

  const Plan& plan_;
  const Practice& is_;
  const PhysicalBridge& bridge_;
  FlowWriter flows_;
};

}  // namespace

Dump phys_bridge(const Plan& plan, const PhysicalBridge& bridge, FlowSieve* sieve) {
  return PhysBridge(plan, bridge, sieve).write();
}

}  // namespace dvrtrace::reference
