#include "collectors/iptables_target.h"

#include <algorithm>
#include <initializer_list>

#include "src/base/text.h"

namespace dvrtrace::iptables {
namespace {

using kernel::Target;
using Names = std::initializer_list<std::string_view>;

Target unmodelled_target(const TargetText& text) { return kernel::UnmodelledTarget{std::string(text.whole)}; }

bool only(const TargetText& text, Names known) {
  return std::ranges::all_of(text.options, [&](const TargetOption& option) {
    return std::ranges::find(known, option.name) != known.end();
  });
}

const TargetOption* find(const TargetText& text, std::string_view name) {
  const auto found = std::ranges::find(text.options, name, &TargetOption::name);
  return found == text.options.end() ? nullptr : &*found;
}

Read<Target> reject(const TargetText& text, Family family) {
  if (!only(text, {"--reject-with"})) return unmodelled_target(text);
  const TargetOption* with = find(text, "--reject-with");
  return kernel::Reject{std::string(with != nullptr ? with->value : default_reject(family))};
}

// --random, --random-fully and --persistent choose among addresses and ports; which one it will be
// is not known before either way.
Read<Target> nat(const TargetText& text, Family) {
  if (!only(text, {"--to-destination", "--to-source", "--random", "--random-fully", "--persistent"})) {
    return unmodelled_target(text);
  }
  const bool destination = text.name == "DNAT";
  const TargetOption* to = find(text, destination ? "--to-destination" : "--to-source");
  if (to == nullptr) return fault(text.name, destination ? "--to-destination" : "--to-source");
  const auto nat = nat_to(to->value, destination);
  if (!nat) return fault(to->value, "an address, a range or ports");
  return *nat;
}

template <class T>
Read<Target> port_nat(const TargetText& text, Family) {
  if (!only(text, {"--to-ports", "--random", "--random-fully"})) return unmodelled_target(text);
  const TargetOption* to = find(text, "--to-ports");
  if (to == nullptr) return T{};
  const auto ports = nat_ports(to->value);
  if (!ports) return fault(to->value, "a port or a range of ports");
  return T{*ports};
}

Read<Target> netmap(const TargetText& text, Family) {
  const TargetOption* to = find(text, "--to");
  if (!only(text, {"--to"}) || to == nullptr) return unmodelled_target(text);
  const auto prefix = parse_prefix(to->value);
  if (!prefix) return fault(to->value, "a network");
  return kernel::Netmap{*prefix};
}

// "--set-xmark" -> "xset"; "" when the option changes no mark.
std::string_view operation_of(std::string_view option) {
  if (option == "--set-xmark") return "xset";
  if (option == "--set-mark") return "set";
  if (option == "--and-mark") return "and";
  if (option == "--or-mark") return "or";
  if (option == "--xor-mark") return "xor";
  return {};
}

Read<Target> mark(const TargetText& text, Family) {
  if (text.options.size() != 1 || operation_of(text.options[0].name).empty()) return unmodelled_target(text);
  const TargetOption& option = text.options[0];
  const auto change = mark_change(operation_of(option.name), option.value);
  if (!change) return fault(option.value, "a mark");
  return kernel::SetMark{change->clear, change->flip};
}

Read<Target> set_connection_mark(const TargetText& text) {
  if (text.options.size() != 1) return unmodelled_target(text);
  const TargetOption& option = text.options[0];
  const auto change = mark_change(operation_of(option.name), option.value);
  if (!change) return fault(option.value, "a mark");
  return kernel::ConnMark{.clear = change->clear, .flip = change->flip};
}

Read<Target> copy_connection_mark(const TargetText& text, kernel::ConnMark::Operation operation) {
  if (!only(text, {"--save-mark", "--restore-mark", "--nfmask", "--ctmask", "--mask"})) {
    return unmodelled_target(text);
  }
  kernel::ConnMark copy{.operation = operation};
  for (const TargetOption& option : text.options) {
    if (option.name == "--save-mark" || option.name == "--restore-mark") continue;
    const auto mask = number<std::uint32_t>(option.value);
    if (!mask) return fault(option.value, "a mask");
    if (option.name != "--ctmask") copy.nfmask = *mask;
    if (option.name != "--nfmask") copy.ctmask = *mask;
  }
  return copy;
}

Read<Target> connection_mark(const TargetText& text, Family) {
  using enum kernel::ConnMark::Operation;
  if (find(text, "--save-mark") != nullptr) return copy_connection_mark(text, Save);
  if (find(text, "--restore-mark") != nullptr) return copy_connection_mark(text, Restore);
  if (text.options.empty() || operation_of(text.options[0].name).empty()) return unmodelled_target(text);
  return set_connection_mark(text);
}

// Events and timeouts do not bear on a verdict; a zone for one direction only does, and a zone
// taken from the mark too.
Read<Target> connection_tracking(const TargetText& text, Family) {
  if (!only(text, {"--zone", "--notrack", "--helper", "--ctevents", "--expevents", "--timeout"})) {
    return unmodelled_target(text);
  }
  kernel::Ct ct;
  ct.notrack = find(text, "--notrack") != nullptr;
  if (const TargetOption* helper = find(text, "--helper")) ct.helper = helper->value;
  const TargetOption* zone = find(text, "--zone");
  if (zone == nullptr) return ct;
  if (zone->value == "mark") return unmodelled_target(text);
  ct.zone = number<std::uint16_t>(zone->value);
  if (!ct.zone) return fault(zone->value, "a zone");
  return ct;
}

Read<Target> notrack(const TargetText& text, Family) {
  if (!text.options.empty()) return unmodelled_target(text);
  kernel::Ct ct;
  ct.notrack = true;
  return ct;
}

struct TargetReader {
  std::string_view name;
  Read<Target> (*read)(const TargetText&, Family);
};

constexpr TargetReader kReaders[] = {
    {"REJECT", reject},
    {"DNAT", nat},
    {"SNAT", nat},
    {"REDIRECT", port_nat<kernel::Redirect>},
    {"MASQUERADE", port_nat<kernel::Masquerade>},
    {"NETMAP", netmap},
    {"MARK", mark},
    {"CONNMARK", connection_mark},
    {"CT", connection_tracking},
    {"NOTRACK", notrack},
};

Read<Target> modelled(const TargetText& text, Family family) {
  const auto reader = std::ranges::find(kReaders, text.name, &TargetReader::name);
  return reader == std::end(kReaders) ? unmodelled_target(text) : reader->read(text, family);
}

}  // namespace

std::string_view default_reject(Family family) {
  return family == Family::V4 ? "icmp-port-unreachable" : "icmp6-port-unreachable";
}

// --set-mark writes the bits of its value besides those of its mask; --set-xmark flips them.
std::optional<MarkChange> mark_change(std::string_view operation, std::string_view value) {
  const auto mark = masked_value(value);
  if (!mark) return std::nullopt;
  if (operation == "set") return MarkChange{mark->mask | mark->value, mark->value};
  if (operation == "xset") return MarkChange{mark->mask, mark->value};
  if (operation == "and") return MarkChange{~mark->value, 0};
  if (operation == "or") return MarkChange{mark->value, mark->value};
  if (operation == "xor") return MarkChange{0, mark->value};
  return std::nullopt;
}

Read<Target> make_target(const TargetText& text, Family family) {
  if (text.name.empty()) return kernel::NoTarget{};
  if (text.go) return kernel::Jump{std::string(text.name), true};
  switch (target_kind(text.name)) {
    case TargetKind::Chain:
      if (!text.options.empty()) return unmodelled_target(text);
      return kernel::Jump{std::string(text.name)};
    case TargetKind::Verdict:
      if (!text.options.empty()) return unmodelled_target(text);
      return verdict_target(text.name);
    case TargetKind::Modelled:
      return modelled(text, family);
    case TargetKind::Harmless:
      return kernel::Harmless{std::string(text.name)};
    case TargetKind::Unmodelled:
      break;
  }
  return unmodelled_target(text);
}

}  // namespace dvrtrace::iptables
