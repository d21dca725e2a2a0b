#include "tracer/reference/database.h"

#include <fmt/format.h>

#include "tracer/reference/planned.h"
#include "tracer/reference/writer.h"

namespace dvrtrace::reference {

namespace {

constexpr std::string_view kFolder = "sos_commands/openvswitch/ovs-vsctl_list_";

std::string_view network_type(Segmentation type) {
  switch (type) {
    case Segmentation::Vxlan:
      return "vxlan";
    case Segmentation::Gre:
      return "gre";
    case Segmentation::Geneve:
      return "geneve";
    case Segmentation::Vlan:
      return "vlan";
    case Segmentation::Flat:
      return "flat";
    case Segmentation::Local:
      return "local";
  }
  return "vxlan";
}

// One port of a bridge, with its only interface.
struct Row {
  std::string name, type, options, external_ids, other_config;
  std::optional<std::uint16_t> tag;
  Ofport ofport;
  std::optional<Mac> mac;
  std::string_view rule;
  std::optional<std::size_t> concerns;
};

class Database {
 public:
  explicit Database(const Plan& plan)
      : plan_(plan),
        bridges_(std::string(kFolder) + "Bridge", {}),
        ports_(std::string(kFolder) + "Port", {}),
        interfaces_(std::string(kFolder) + "Interface", {}) {}

  std::vector<Dump> write() {
    write_integration();
    if (plan_.tunnelling()) write_tunnels();
    for (std::size_t index = 0; index < plan_.bridges.size(); ++index) {
      const PhysicalBridge& bridge = plan_.bridges[index];
      begin();
      add(patch(bridge.phy_device, bridge.int_device, bridge.phy_port));
      if (plan_.found == nullptr) add(card(index, Ofport{bridge.phy_port.value + 1}));
      end(bridge.name);
    }
    std::vector<Dump> dumps;
    for (Writer* writer : {&bridges_, &ports_, &interfaces_}) dumps.push_back(writer->take());
    return dumps;
  }

 private:
  // Numbers of rows are the database's own; any that differ do.
  std::string new_id() { return fmt::format("00000000-0000-4000-8000-{:012x}", ++last_id_); }

  static Row patch(const std::string& name, const std::string& peer, Ofport ofport) {
    Row row;
    row.name = name;
    row.type = "patch";
    row.options = fmt::format("peer={}", peer);
    row.ofport = ofport;
    row.rule = "OVS-PATCH";
    return row;
  }

  static Row card(std::size_t bridge, Ofport ofport) {
    Row row;
    row.name = card_name(bridge);
    row.ofport = ofport;
    row.rule = "OVS-CARD";
    return row;
  }

  void write_integration() {
    begin();
    for (const WiredPort& port : plan_.ports) add(row_of(port));
    for (const PhysicalBridge& bridge : plan_.bridges)
      add(patch(bridge.int_device, bridge.phy_device, bridge.int_port));
    if (plan_.tunnelling()) add(patch("patch-tun", "patch-int", plan_.patch_tun));
    end(plan_.options.integration_bridge);
  }

  Row row_of(const WiredPort& port) const {
    const logical::Port& logical = plan_.logical_port(port);
    const PlannedNetwork& planned = plan_.networks[port.network];
    const logical::Network& network = plan_.logical_network(planned);
    Row row;
    row.name = port.device;
    row.type = plugged_from_outside(port.role) ? "" : port.role == Role::Subport ? "patch" : "internal";
    row.tag = port.dead ? kDeadVlan.value : planned.vlan.value;
    row.external_ids = fmt::format("attached-mac=\"{}\", iface-id=\"{}\", iface-status=active",
                                   to_string(logical.mac), logical.id);
    if (port.role == Role::Compute && !logical.device_id.empty())
      row.external_ids += fmt::format(", vm-uuid=\"{}\"", logical.device_id);
    row.other_config = fmt::format("net_uuid=\"{}\", network_type={}, physical_network={}", network.id,
                                   network_type(planned.type),
                                   network.physical_network.empty() ? "None" : network.physical_network);
    if (planned.segment != 0) row.other_config += fmt::format(", segmentation_id=\"{}\"", planned.segment);
    row.other_config += fmt::format(", tag=\"{}\"", planned.vlan.value);
    row.ofport = port.ofport;
    row.mac = logical.mac;
    row.rule = "OVS-PORT";
    row.concerns = port.port;
    return row;
  }

  void write_tunnels() {
    begin();
    add(patch("patch-int", "patch-tun", plan_.patch_int));
    for (const Tunnel& tunnel : plan_.tunnels) {
      Row row;
      row.name = tunnel.device;
      row.type = tunnel.type;
      row.options = "in_key=flow, out_key=flow, df_default=\"true\"";
      if (plan_.options.local_ip)
        row.options += fmt::format(", local_ip=\"{}\"", to_string(*plan_.options.local_ip));
      row.options += fmt::format(", remote_ip=\"{}\"", to_string(tunnel.remote_ip));
      row.ofport = tunnel.ofport;
      row.rule = "OVS-TUNNEL";
      add(row);
    }
    end(plan_.options.tunnel_bridge);
  }

  void begin() { members_.clear(); }

  void add(const Row& row) {
    const std::string port = new_id(), interface = new_id();
    members_ += fmt::format("{}{}", members_.empty() ? "" : ", ", port);
    record(interfaces_, row, interface,
           {{"name", row.name},
            {"external_ids", "{" + row.external_ids + "}"},
            {"mac_in_use", row.mac ? fmt::format("\"{}\"", to_string(*row.mac)) : "[]"},
            {"ofport", fmt::format("{}", row.ofport.value)},
            {"options", "{" + row.options + "}"},
            {"type", row.type.empty() ? "\"\"" : row.type}});
    record(ports_, row, port,
           {{"name", row.name},
            {"interfaces", "[" + interface + "]"},
            {"other_config", "{" + row.other_config + "}"},
            {"tag", row.tag ? fmt::format("{}", *row.tag) : "[]"}});
  }

  // The bridge itself, with the port of its own name.
  void end(const std::string& name) {
    Row own;
    own.name = name;
    own.type = "internal";
    own.ofport = kPortLocal;
    own.rule = "OVS-BRIDGE";
    add(own);
    record(bridges_, own, new_id(),
           {{"name", name}, {"fail_mode", "secure"}, {"ports", "[" + members_ + "]"}});
  }

  struct Column {
    std::string_view name;
    std::string value;
  };

  static void record(Writer& table, const Row& row, const std::string& id,
                     const std::vector<Column>& columns) {
    const auto line = [&](std::string_view column, const std::string& value) {
      auto added = table.add(row.rule, "{:<20}: {}", column, value);
      if (row.concerns) added.concerns(*row.concerns);
    };
    line("_uuid", id);
    for (const Column& column : columns) line(column.name, column.value);
    table.header("");
  }

  const Plan& plan_;
  Writer bridges_, ports_, interfaces_;
  std::string members_;  // of the bridge that is being written
  std::uint64_t last_id_ = 0;
};

}  // namespace

std::vector<Dump> database(const Plan& plan) { return Database(plan).write(); }

}  // namespace dvrtrace::reference
