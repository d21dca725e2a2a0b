#include "collectors/neutron_json.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <unordered_map>

#include "collectors/json_reader.h"
#include "collectors/json_tree.h"
#include "collectors/line_marks.h"
#include "collectors/neutron_row.h"
#include "collectors/words.h"
#include "src/base/text.h"

namespace dvrtrace {

namespace {

using namespace logical;

constexpr std::string_view kHint =
    "Neutron's view of this object is not known; what depends on it is not compared";

enum class Kind {
  Network,
  Subnet,
  Port,
  Router,
  FloatingIp,
  SecurityGroup,
  Rule,
  Agent,
  AddressGroup,
  DvrMac,
  Binding,
  RouterAgent,
  RouterExtra
};

// What an API answer calls one object; its list adds an 's'.
struct KindName {
  std::string_view name;
  Kind kind;
};
constexpr KindName kKindNames[] = {{"security_group_rule", Kind::Rule},
                                   {"security_group", Kind::SecurityGroup},
                                   {"network", Kind::Network},
                                   {"subnet", Kind::Subnet},
                                   {"port", Kind::Port},
                                   {"router", Kind::Router},
                                   {"floatingip", Kind::FloatingIp},
                                   {"agent", Kind::Agent},
                                   {"address_group", Kind::AddressGroup},
                                   {"dvr_host_mac", Kind::DvrMac}};

std::optional<Kind> kind_named(std::string_view member) {
  for (const KindName& known : kKindNames) {
    std::string_view rest = member;
    if (consume(rest, known.name) && (rest.empty() || rest == "s")) return known.kind;
  }
  return std::nullopt;
}

// Rows of the database's tables, which have no id of their own.
std::optional<Kind> kind_of_table(const NeutronRow& row) {
  if (row.has("host") && row.has("mac_address")) return Kind::DvrMac;
  if (!row.has("router_id")) return std::nullopt;
  if (row.has("l3_agent_id")) return Kind::RouterAgent;
  if (row.has("port_id") && row.has("host")) return Kind::Binding;
  if (row.has("ha_vr_id")) return Kind::RouterExtra;
  return std::nullopt;
}

// By the columns that objects of one kind alone have.
std::optional<Kind> kind_of(const NeutronRow& row) {
  if (!row.has("id")) return kind_of_table(row);
  if (row.has("mac_address")) return Kind::Port;
  if (row.has("floating_ip_address")) return Kind::FloatingIp;
  if (row.has("cidr") || (row.has("subnet") && row.has("network"))) return Kind::Subnet;
  if (row.has("agent_type")) return Kind::Agent;
  if (row.has("ethertype") || row.has("ip_protocol") || row.has("direction")) return Kind::Rule;
  if (row.has("external_gateway_info") || row.has("distributed")) return Kind::Router;
  if (row.has("subnets") || row.has("provider_network_type") || row.has("router_external"))
    return Kind::Network;
  if (row.has("addresses")) return Kind::AddressGroup;
  if (row.has("security_group_rules") || row.has("stateful") || row.has("rules")) return Kind::SecurityGroup;
  return std::nullopt;
}

// By a file name such as "openstack_router_list_-f_json" or "security-groups.json". Only the last part
// of a path counts, and not the folders.
std::optional<Kind> kind_of_file(std::string_view name) {
  std::string file(name.substr(name.rfind('/') + 1));
  for (char& c : file) c = c == '-' || c == ' ' ? '_' : c;
  if (file.starts_with("db_")) return std::nullopt;
  if (file.find("floating_ip") != std::string::npos) return Kind::FloatingIp;
  if (file.find("agent") != std::string::npos) return Kind::Agent;
  for (const KindName& known : kKindNames) {
    if (file.find(known.name) != std::string::npos) return known.kind;
  }
  return std::nullopt;
}

// --- one object of each kind ----------------------------------------------------------------------------

std::vector<FixedIp> fixed_ips(const std::vector<JsonValue>& objects) {
  std::vector<FixedIp> ips;
  for (const JsonValue object : objects) {
    const NeutronRow row(object);
    if (const auto ip = row.ip({"ip_address"})) ips.push_back({row.text({"subnet_id"}), *ip});
  }
  return ips;
}

std::vector<HostRoute> host_routes(const std::vector<JsonValue>& objects) {
  std::vector<HostRoute> routes;
  for (const JsonValue object : objects) {
    const NeutronRow row(object);
    const auto destination = row.prefix({"destination"});
    const auto nexthop = row.ip({"nexthop", "gateway"});
    if (destination && nexthop) routes.push_back({*destination, *nexthop});
  }
  return routes;
}

void fill(const NeutronRow& row, Network& network) {
  row.get(network.name, {"name"});
  row.get(network.type, {"provider_network_type", "network_type"});
  row.get(network.physical_network, {"provider_physical_network"});
  row.get(network.segmentation_id, {"provider_segmentation_id"});
  row.get(network.mtu, {"mtu"});
  row.get(network.external, {"router_external", "router_type"});
}

void fill(const NeutronRow& row, Subnet& subnet) {
  row.get(subnet.name, {"name"});
  row.get(subnet.network_id, {"network_id", "network"});
  if (const auto cidr = row.prefix({"cidr", "subnet"})) subnet.cidr = *cidr;
  row.get(subnet.gateway, {"gateway_ip", "gateway"});
  row.get(subnet.ipv6_address_mode, {"ipv6_address_mode"});
  row.get(subnet.ipv6_ra_mode, {"ipv6_ra_mode"});
  row.get(subnet.dhcp, {"enable_dhcp", "dhcp"});
  if (const auto routes = row.objects({"host_routes"})) subnet.host_routes = host_routes(*routes);
}

void fill(const NeutronRow& row, Port& port) {
  row.get(port.name, {"name"});
  row.get(port.network_id, {"network_id"});
  if (const auto mac = row.mac({"mac_address"})) port.mac = *mac;
  if (const auto ips = row.objects({"fixed_ips", "fixed_ip_addresses"})) port.fixed_ips = fixed_ips(*ips);
  row.get(port.device_id, {"device_id"});
  row.get(port.device_owner, {"device_owner"});
  row.get(port.host, {"binding_host_id"});
  row.get(port.vif_type, {"binding_vif_type"});
  row.get(port.vnic_type, {"binding_vnic_type"});
  row.get(port.status, {"status"});
  row.get(port.admin_up, {"admin_state_up"});
  row.get(port.port_security, {"port_security_enabled"});
  if (auto groups = row.words({"security_groups", "security_group_ids"}))
    port.security_groups = std::move(*groups);
  if (const auto details = row.objects({"binding_vif_details"}); details && !details->empty())
    NeutronRow(details->front()).get(port.hybrid_plug, {"ovs_hybrid_plug"});
  const auto pairs = row.objects({"allowed_address_pairs"});
  if (!pairs) return;
  port.allowed_pairs.clear();
  for (const JsonValue object : *pairs) {
    const NeutronRow pair(object);
    if (const auto ip = pair.prefix({"ip_address"}))
      port.allowed_pairs.push_back({pair.mac({"mac_address"}), *ip});
  }
}

void fill(const NeutronRow& row, Router& router) {
  row.get(router.name, {"name"});
  row.get(router.distributed, {"distributed"});
  row.get(router.ha, {"ha"});
  if (const auto routes = row.objects({"routes"})) router.routes = host_routes(*routes);
  const auto gateways = row.objects({"external_gateway_info"});
  if (!gateways) return;
  // None: the gateway was cleared.
  const NeutronRow info = gateways->empty() ? NeutronRow() : NeutronRow(gateways->front());
  router.external_network_id = info.text({"network_id"});
  router.enable_snat.reset();
  info.get(router.enable_snat, {"enable_snat"});
  router.external_ips.clear();
  if (const auto ips = info.objects({"external_fixed_ips"})) router.external_ips = fixed_ips(*ips);
}

void fill(const NeutronRow& row, FloatingIp& floating) {
  row.get(floating.network_id, {"floating_network_id", "floating_network"});
  row.get(floating.port_id, {"port_id", "port"});
  row.get(floating.router_id, {"router_id", "router"});
  if (const auto ip = row.ip({"floating_ip_address"})) floating.floating_ip = *ip;
  row.get(floating.fixed_ip, {"fixed_ip_address"});
}

// The client's "80:80", "type=8:code=0" and "".
void fill_port_range(const NeutronRow& row, SecurityGroupRule& rule) {
  row.get(rule.port_min, {"port_range_min"});
  row.get(rule.port_max, {"port_range_max"});
  const std::string range = row.text({"port_range"});
  std::string_view last = range, first = take_until(last, ':');
  consume(first, "type=");
  consume(last, "code=");
  if (const auto min = number<std::uint16_t>(first)) rule.port_min = *min;
  if (const auto max = number<std::uint16_t>(last)) rule.port_max = *max;
}

void fill(const NeutronRow& row, SecurityGroupRule& rule) {
  row.get(rule.group_id, {"security_group_id", "security_group"});
  row.get(rule.direction, {"direction"});
  row.get(rule.ethertype, {"ethertype", "ether_type"});
  row.get(rule.protocol, {"protocol", "ip_protocol"});
  if (rule.protocol == "any") rule.protocol.clear();
  fill_port_range(row, rule);
  row.get(rule.remote_ip, {"remote_ip_prefix", "ip_range"});
  row.get(rule.remote_group_id, {"remote_group_id", "remote_security_group"});
  row.get(rule.remote_address_group_id, {"remote_address_group_id", "remote_address_group"});
}

void fill(const NeutronRow& row, AddressGroup& group) {
  row.get(group.name, {"name"});
  const auto addresses = row.words({"addresses"});
  if (!addresses) return;
  group.addresses.clear();
  for (const std::string& address : *addresses) {
    if (const auto prefix = parse_prefix(address)) group.addresses.push_back(*prefix);
  }
}

// Of an object in the order of their names, the later of two with one name.
std::vector<JsonValue> members_by_name(JsonValue value) {
  std::vector<JsonValue> members;
  for (const JsonValue member : value) members.push_back(member);
  if (!value.is(JsonValue::Kind::Object)) return members;
  std::ranges::stable_sort(members, {}, &JsonValue::key);
  std::vector<JsonValue> last;
  for (const JsonValue member : members) {
    if (!last.empty() && last.back().key() == member.key()) last.pop_back();
    last.push_back(member);
  }
  return last;
}

// A value of an agent's configuration as one text: a list "a,b", a map "a:b,c:d". None when it goes deeper.
std::optional<std::string> flat_text(JsonValue value) {
  if (value.is(JsonValue::Kind::Null)) return std::nullopt;
  if (!value.is_structured()) return std::string(value.text());
  std::string text;
  for (const JsonValue part : members_by_name(value)) {
    if (part.is_structured()) return std::nullopt;
    if (!text.empty()) text += ',';
    if (value.is(JsonValue::Kind::Object)) text.append(part.key()) += ':';
    text += part.text();
  }
  return text;
}

void fill(const NeutronRow& row, Agent& agent) {
  row.get(agent.type, {"agent_type"});
  row.get(agent.binary, {"binary"});
  row.get(agent.host, {"host"});
  row.get(agent.alive, {"alive", "is_alive"});
  const auto configurations = row.objects({"configurations", "configuration"});
  if (!configurations || configurations->empty()) return;
  for (const JsonValue member : members_by_name(configurations->front())) {
    if (auto value = flat_text(member)) agent.configuration[std::string(member.key())] = std::move(*value);
  }
}

// --- a text ---------------------------------------------------------------------------------------------

class NeutronReader {
 public:
  NeutronReader(const SourceText& text, Model& model, ReadLog& log)
      : text_(text), model_(model), log_(log), json_(text.bytes) {}

  void read() {
    if (json_.peek() == '{') {
      read_object();
    } else if (json_.peek() == '[') {
      read_list(std::nullopt);
    }
    if (json_.failed() || json_.at() < text_.bytes.size()) {
      const Span span = rest_of(text_, json_.at());
      marks_.mark(span, report_fault(text_, span, "Neutron's objects as JSON", kHint, log_));
    }
    if (!taken_ && foreign_) {
      log_.diagnostics.note(text_.provenance(*foreign_), "Neutron objects of a kind that is not read");
    }
    marks_.count(text_, log_.lines);
  }

 private:
  // A port has "security_groups" of its own; what has an id is the object itself.
  bool is_shown_object() const {
    JsonReader json = json_;
    json.enter('{');
    while (json.next('}')) {
      if (to_lower(json.key()) == "id") return true;
      json.skip();
    }
    return false;
  }

  // {"networks": [...]}, {"network": {...}}, or one object as the client shows it.
  void read_object() {
    if (is_shown_object()) return read_row(json_.skip_span(), std::nullopt);
    const std::size_t begin = json_.at();
    bool wrapped = false;
    json_.enter('{');
    while (json_.next('}')) {
      const std::string member = json_.key();
      const auto kind = kind_named(member);
      const char value = json_.peek();
      if (kind && value == '[') {
        wrapped = true;
        read_list(kind);
      } else if (kind && value == '{') {
        wrapped = true;
        read_row(json_.skip_span(), kind);
      } else {
        json_.skip();
      }
    }
    if (!wrapped) read_row(span_between(begin, json_.at()), std::nullopt);
  }

  void read_list(std::optional<Kind> kind) {
    json_.enter('[');
    while (json_.next(']')) {
      const Span span = json_.skip_span();
      read_row(span, kind);
    }
    taken_ = taken_ || kind;
  }

  void read_row(Span span, std::optional<Kind> kind) {
    if (json_.failed()) return;
    if (!tree_.read(text_.at(span)))
      return marks_.mark(span, report_fault(text_, span, "well-formed JSON", kHint, log_));
    const NeutronRow row(tree_.root());
    if (!kind) kind = kind_of(row);
    if (!kind && row.has("id")) kind = kind_of_file(text_.name);
    if (!kind) {
      if (!foreign_) foreign_ = span;
      return;
    }
    taken_ = true;
    marks_.mark(span, add(*kind, row, text_.provenance(span)) ? LineState::Modelled : reject(span));
  }

  LineState reject(Span span) { return report_fault(text_, span, "an object with its id", kHint, log_); }

  bool add(Kind kind, const NeutronRow& row, Provenance at) {
    if (kind == Kind::DvrMac) return add_dvr_mac(row, at);
    if (kind == Kind::Binding) return add_binding(row, at);
    if (kind == Kind::RouterAgent) return add_router_agent(row, at);
    if (kind == Kind::RouterExtra) return add_router_extra(row);
    const std::string id = row.text({"id"});
    if (id.empty()) return false;
    switch (kind) {
      case Kind::Network:
        fill(row, object_of(kind, model_.networks, id, at));
        break;
      case Kind::Subnet:
        fill(row, object_of(kind, model_.subnets, id, at));
        break;
      case Kind::Port:
        fill(row, object_of(kind, model_.ports, id, at));
        break;
      case Kind::Router:
        fill(row, object_of(kind, model_.routers, id, at));
        break;
      case Kind::FloatingIp:
        fill(row, object_of(kind, model_.floating_ips, id, at));
        break;
      case Kind::Agent:
        fill(row, object_of(kind, model_.agents, id, at));
        break;
      case Kind::SecurityGroup:
        add_group(row, id, at);
        break;
      case Kind::Rule:
        add_rule(row, id, "", at);
        break;
      case Kind::AddressGroup:
        fill(row, object_of(kind, model_.address_groups, id, at));
        break;
      case Kind::DvrMac:
      case Kind::Binding:
      case Kind::RouterAgent:
      case Kind::RouterExtra:
        break;
    }
    return true;
  }

  bool add_dvr_mac(const NeutronRow& row, Provenance at) {
    const auto mac = row.mac({"mac_address"});
    const std::string host = row.text({"host"});
    if (!mac || host.empty()) return false;
    for (DvrHostMac& known : model_.dvr_macs) {
      if (known.host == host) return known = {host, *mac, at}, true;
    }
    model_.dvr_macs.push_back({host, *mac, at});
    return true;
  }

  bool add_binding(const NeutronRow& row, Provenance at) {
    DistributedBinding binding{row.text({"port_id"}), row.text({"host"}), row.text({"router_id"}),
                               row.text({"status"}), at};
    if (binding.port_id.empty() || binding.host.empty()) return false;
    model_.distributed_bindings.push_back(std::move(binding));
    return true;
  }

  bool add_router_agent(const NeutronRow& row, Provenance at) {
    RouterAgent bound{row.text({"router_id"}), row.text({"l3_agent_id"}), row.text({"port_id"}),
                      row.text({"state"}), at};
    if (bound.router_id.empty() || bound.agent_id.empty()) return false;
    model_.router_agents.push_back(std::move(bound));
    return true;
  }

  // The router's id of VRRP; 0 where it is not HA.
  bool add_router_extra(const NeutronRow& row) {
    const std::string id = row.text({"router_id"});
    if (id.empty()) return false;
    Router& router = object_of(Kind::Router, model_.routers, id, Provenance{});
    if (const auto vr_id = number<std::uint32_t>(row.text({"ha_vr_id"})); vr_id && *vr_id != 0)
      router.ha_vr_id = vr_id;
    return true;
  }

  void add_group(const NeutronRow& row, const std::string& id, Provenance at) {
    SecurityGroup& group = object_of(Kind::SecurityGroup, model_.security_groups, id, at);
    row.get(group.name, {"name"});
    row.get(group.stateful, {"stateful"});
    const auto rules = row.objects({"security_group_rules", "rules"});
    if (!rules) return;
    for (const JsonValue object : *rules) {
      const NeutronRow rule(object);
      if (const std::string rule_id = rule.text({"id"}); !rule_id.empty()) add_rule(rule, rule_id, id, at);
    }
  }

  // A rule's place is in its group, which need not have been read yet.
  void add_rule(const NeutronRow& row, const std::string& id, std::string_view group_id, Provenance at) {
    const auto [known, added] = rules_known().try_emplace(id, std::string{});
    if (SecurityGroupRule* earlier = added ? nullptr : find_rule(known->second, id))
      return fill(row, *earlier);
    SecurityGroupRule rule;
    rule.id = id;
    fill(row, rule);
    if (rule.group_id.empty()) rule.group_id = group_id;
    known->second = rule.group_id;
    rule.at = at;
    SecurityGroup& group =
        object_of(Kind::SecurityGroup, model_.security_groups, rule.group_id, Provenance{});
    group.rules.push_back(std::move(rule));
  }

  SecurityGroupRule* find_rule(const std::string& group_id, const std::string& id) {
    for (SecurityGroupRule& rule :
         object_of(Kind::SecurityGroup, model_.security_groups, group_id, Provenance{}).rules) {
      if (rule.id == id) return &rule;
    }
    return nullptr;
  }

  // --- finding objects by id: an index each, made of the model when the first is asked for ---

  using Index = std::unordered_map<std::string, std::size_t>;

  template <class T>
  Index& index_of(Kind kind, const std::vector<T>& objects) {
    auto& index = indexes_[static_cast<std::size_t>(kind)];
    if (!index) {
      index.emplace();
      for (std::size_t i = 0; i < objects.size(); ++i) index->emplace(objects[i].id, i);
    }
    return *index;
  }

  template <class T>
  T& object_of(Kind kind, std::vector<T>& objects, const std::string& id, Provenance at) {
    const auto [found, added] = index_of(kind, objects).try_emplace(id, objects.size());
    if (added) objects.emplace_back().id = id;
    T& object = objects[found->second];
    if (at.known()) object.at = at;
    return object;
  }

  std::unordered_map<std::string, std::string>& rules_known() {
    if (!rule_groups_) {
      rule_groups_.emplace();
      for (const SecurityGroup& group : model_.security_groups) {
        for (const SecurityGroupRule& rule : group.rules) rule_groups_->emplace(rule.id, group.id);
      }
    }
    return *rule_groups_;
  }

  const SourceText& text_;
  Model& model_;
  ReadLog& log_;
  JsonReader json_;
  JsonTree tree_;  // of the row at hand
  LineMarks marks_;
  bool taken_ = false;           // something of the text was of a kind that is read
  std::optional<Span> foreign_;  // the first object that was not
  std::array<std::optional<Index>, 13> indexes_;
  std::optional<std::unordered_map<std::string, std::string>> rule_groups_;  // of each rule the group
};

}  // namespace

void read_neutron_json(const SourceText& text, logical::Model& model, ReadLog& log) {
  NeutronReader(text, model, log).read();
}

}  // namespace dvrtrace
