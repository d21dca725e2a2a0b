#include "src/report/inventory_json.h"

#include "src/report/json_parts.h"

namespace dvrtrace {
namespace {

Json lines_json(const LineCounts& lines) {
  return {{"total", lines.total()},
          {"modelled", lines.of(LineState::Modelled)},
          {"ignored", lines.of(LineState::Ignored)},
          {"unmodelled", lines.of(LineState::Unmodelled)},
          {"unrecognised", lines.of(LineState::Unrecognised)}};
}

template <class Items, class Print>
Json list(const Items& items, Print print) {
  Json all = Json::array();
  for (const auto& item : items) all.push_back(print(item));
  return all;
}

Json host_json(const HostItem& item) {
  Json json{{"host", item.name},
            {"roles", item.roles},
            {"agent_mode", or_null(item.agent_mode)},
            {"firewall_driver", or_null(item.firewall_driver)},
            {"ovs_version", or_null(item.ovs_version)},
            {"collected_at", or_null(item.collected_at)},
            {"inputs", item.inputs},
            {"bridges", item.bridges},
            {"namespaces", item.namespaces},
            {"vms", item.vms},
            {"cleaned", or_null(item.cleaned)},
            {"files", item.files},
            {"failed_files", item.failed_files},
            {"lines", lines_json(item.lines)},
            {"unrecognised", list(item.unrecognised, [](const FileCount& f) {
               return Json{{"file", f.file}, {"lines", f.lines}};
             })}};
  if (item.taken) json["taken"] = taken_json(*item.taken);
  return json;
}

Json network_json(const NetworkItem& item) {
  Json vlans = Json::object();
  for (const auto& [host, vlan] : item.local_vlans) vlans[host] = vlan;
  return {{"id", item.id},
          {"name", or_null(item.name)},
          {"type", or_null(item.type)},
          {"physical_network", or_null(item.physical_network)},
          {"segmentation_id", or_null(item.segmentation_id)},
          {"external", item.external},
          {"subnets", item.subnets},
          {"local_vlans", vlans}};
}

Json router_json(const RouterItem& item) {
  return {{"id", item.id},
          {"name", or_null(item.name)},
          {"kind", or_null(item.kind)},
          {"hosts", item.hosts},
          {"snat_hosts", item.snat_hosts}};
}

Json vm_json(const VmItem& item) {
  return {{"name", item.name},
          {"port", item.port},
          {"device", or_null(item.device)},
          {"host", or_null(item.host)},
          {"network", or_null(item.network)},
          {"ips", item.ips},
          {"mac", item.mac ? Json(to_string(*item.mac)) : Json(nullptr)}};
}

Json floating_ip_json(const FloatingIpItem& item) {
  return {{"ip", to_string(item.ip)},
          {"fixed_ip", item.fixed ? Json(to_string(*item.fixed)) : Json(nullptr)},
          {"vm", or_null(item.vm)},
          {"router", or_null(item.router)},
          {"hosts", item.hosts}};
}

Json missing_json(const MissingDump& item) {
  return {{"host", item.host},           {"netns", item.netns},
          {"command", item.command},     {"failure", or_null(item.failure)},
          {"truncated", item.truncated}, {"collected_by", or_null(item.collected_by)},
          {"cost", or_null(item.cost)}};
}

}  // namespace

std::string print_json(const Inventory& inventory, const Sources& sources, const std::string& tool) {
  Json json{{"schema", "dvrtrace.inventory/1"},
            {"tool", tool},
            {"neutron", inventory.neutron},
            {"hosts", list(inventory.hosts, host_json)},
            {"networks", list(inventory.networks, network_json)},
            {"routers", list(inventory.routers, router_json)},
            {"vms", list(inventory.vms, vm_json)},
            {"floating_ips", list(inventory.floating_ips, floating_ip_json)},
            {"missing", list(inventory.missing, missing_json)},
            {"lines", lines_json(inventory.lines)},
            {"diagnostics", diagnostics_json(inventory.contradictions, sources)}};
  if (inventory.taken) json["taken"] = taken_json(*inventory.taken);
  return document(json);
}

}  // namespace dvrtrace
