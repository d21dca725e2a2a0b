#include "tracer/reference/l3_found.h"

#include <fmt/format.h>

#include <algorithm>

#include "src/base/text.h"

namespace dvrtrace::reference {
namespace {

using kernel::Link;

const Link* find_link(const NamespaceSnapshot* netns, std::string_view device) {
  if (netns == nullptr) return nullptr;
  for (const Sourced<Link>& link : netns->links.value) {
    if (link.value.name == device) return &link.value;
  }
  return nullptr;
}

class Votes {
 public:
  void add(const Ip& ip) {
    if (ip.v4() && ip.link_local()) ++votes_[Prefix(ip, 31).ip()];
  }
  std::optional<Ip> most() const {
    const auto most = std::max_element(votes_.begin(), votes_.end(),
                                       [](const auto& a, const auto& b) { return a.second < b.second; });
    return most == votes_.end() ? std::nullopt : std::optional(most->first);
  }

 private:
  std::map<Ip, unsigned> votes_;
};

// "key,value" lines, as the agent keeps its allocations.
template <class Use>
void each_allocation(const std::string* file, Use use) {
  if (file == nullptr) return;
  for (std::string_view line : split(*file, '\n')) {
    line = trim(line);
    const std::string_view key = take_until(line, ',');
    if (!key.empty() && !line.empty()) use(key, line);
  }
}

bool is_metadata(const kernel::IptablesRule& rule) {
  static const Ip kV4 = ipv4(0xa9fea9fe);
  return std::ranges::any_of(rule.matches, [](const kernel::Match& match) {
    const auto* address = std::get_if<kernel::AddressMatch>(&match);
    return address != nullptr && !address->source && address->prefix == host_prefix(kV4);
  });
}

std::string_view in_device(const kernel::IptablesRule& rule) {
  for (const kernel::Match& match : rule.matches) {
    const auto* device = std::get_if<kernel::DeviceMatch>(&match);
    if (device != nullptr && device->in && !device->inverted) return device->device;
  }
  return {};
}

template <class Number>
void keep_most(const std::map<Number, unsigned>& votes, Number& number) {
  const auto most = std::max_element(votes.begin(), votes.end(),
                                     [](const auto& a, const auto& b) { return a.second < b.second; });
  if (most != votes.end()) number = most->first;
}

}  // namespace

std::optional<Mac> L3Found::mac_of(std::string_view name, std::string_view device) const {
  const Link* link = find_link(netns(name), device);
  return link == nullptr ? std::nullopt : link->mac;
}

std::optional<Ip> L3Found::link_address(const std::string& router_id, std::string_view router_netns,
                                        std::string_view fip_netns, std::string_view rfp,
                                        std::string_view fpr) const {
  Votes votes;
  const auto add_device = [&](std::string_view netns_name, std::string_view device) {
    const NamespaceSnapshot* where = netns(netns_name);
    const Link* link = find_link(where, device);
    if (link != nullptr) {
      for (const Sourced<kernel::Address>& address : link->addresses) {
        if (address.value.length == 31) votes.add(address.value.ip);
      }
    }
    if (where == nullptr) return;
    for (const Sourced<kernel::Route>& route : where->routes4.value) {
      for (const kernel::Nexthop& hop : route.value.nexthops) {
        if (hop.device == device && hop.via) votes.add(*hop.via);
      }
    }
    for (const Sourced<kernel::PolicyRule>& rule : where->rules4.value) {
      if (rule.value.iif == device) votes.add(ipv4(rule.value.table));
    }
  };
  add_device(router_netns, rfp);
  add_device(fip_netns, fpr);
  each_allocation(state_file("fip-linklocal-networks"), [&](std::string_view key, std::string_view value) {
    const auto pair = parse_prefix(value);
    if (key == router_id && pair) votes.add(pair->ip());
  });
  return votes.most();
}

std::optional<std::uint32_t> L3Found::floating_priority(std::string_view name, const Ip& fixed,
                                                        const Ip& floating) const {
  if (const NamespaceSnapshot* where = netns(name)) {
    for (const Sourced<kernel::PolicyRule>& rule : where->rules4.value) {
      if (rule.value.table == 16 && rule.value.from == host_prefix(fixed)) return rule.value.priority;
    }
  }
  std::optional<std::uint32_t> priority;
  each_allocation(state_file("fip-priorities"), [&](std::string_view key, std::string_view value) {
    if (parse_ip(key) == floating) priority = number<std::uint32_t>(value);
  });
  return priority;
}

bool L3Found::has_rule(std::string_view name, std::uint32_t priority, const Prefix& from) const {
  const NamespaceSnapshot* where = netns(name);
  return where != nullptr &&
         std::ranges::any_of(where->rules4.value, [&](const Sourced<kernel::PolicyRule>& rule) {
           return rule.value.priority == priority && rule.value.from == from;
         });
}

std::optional<std::uint32_t> L3Found::scope_mark(std::string_view name, std::string_view device) const {
  const NamespaceSnapshot* where = netns(name);
  const kernel::IptablesTable* table = where == nullptr ? nullptr : where->iptables4.value.find("mangle");
  if (table == nullptr) return std::nullopt;
  for (const kernel::Chain& chain : table->chains) {
    if (!chain.name.ends_with("-scope")) continue;
    for (const Sourced<kernel::IptablesRule>& rule : chain.rules) {
      const auto* mark = std::get_if<kernel::SetMark>(&rule.value.target);
      if (mark != nullptr && in_device(rule.value) == device) return mark->flip & 0xffff0000;
    }
  }
  return std::nullopt;
}

L3Numbers L3Found::numbers() const {
  L3Numbers numbers;
  if (host_ == nullptr) return numbers;
  std::map<std::uint32_t, unsigned> metadata, ingress;
  std::map<std::uint16_t, unsigned> ports;
  for (const NamespaceSnapshot& where : host_->namespaces) {
    const bool router = where.name.starts_with("qrouter-"), snat = where.name.starts_with("snat-");
    if (!router && !snat) continue;
    for (const kernel::IptablesTable& table : where.iptables4.value.tables) {
      for (const kernel::Chain& chain : table.chains) {
        for (const Sourced<kernel::IptablesRule>& rule : chain.rules) {
          const auto* mark = std::get_if<kernel::SetMark>(&rule.value.target);
          const auto* redirect = std::get_if<kernel::Redirect>(&rule.value.target);
          if (router && is_metadata(rule.value)) {
            if (mark != nullptr) ++metadata[mark->flip & 0xffff];
            if (redirect != nullptr && redirect->ports) ++ports[redirect->ports->first];
          } else if (snat && mark != nullptr && chain.name.ends_with("-mark")) {
            ++ingress[mark->flip & 0xffff];
          }
        }
      }
    }
  }
  keep_most(metadata, numbers.metadata_mark);
  keep_most(ingress, numbers.ingress_mark);
  const auto configured = host_->config.values.find("DEFAULT.metadata_port");
  if (configured != host_->config.values.end()) {
    numbers.metadata_port = number<std::uint16_t>(configured->second.value).value_or(numbers.metadata_port);
  } else {
    keep_most(ports, numbers.metadata_port);
  }
  return numbers;
}

std::optional<std::string> L3Found::chain_prefix(std::string_view kind) const {
  constexpr std::string_view kChain = "-PREROUTING";
  if (host_ == nullptr) return std::nullopt;
  for (const NamespaceSnapshot& where : host_->namespaces) {
    if (kind.empty() ? !where.name.empty() : !where.name.starts_with(kind)) continue;
    for (const kernel::IptablesTable& table : where.iptables4.value.tables) {
      for (const kernel::Chain& chain : table.chains) {
        if (chain.name.starts_with("neutron-") && chain.name.ends_with(kChain))
          return chain.name.substr(0, chain.name.size() - kChain.size());
      }
    }
  }
  return std::nullopt;
}

std::optional<bool> L3Found::active(const std::string& router_id) const {
  const std::string* state = state_file(fmt::format("ha_confs/{}/state", router_id));
  if (state == nullptr) return std::nullopt;
  return *state == "primary" || *state == "master";
}

const std::string* L3Found::state_file(std::string_view name) const {
  if (host_ == nullptr) return nullptr;
  for (const auto& [path, text] : host_->state_files) {
    if (path.ends_with(name)) return &text;
  }
  return nullptr;
}

}  // namespace dvrtrace::reference
