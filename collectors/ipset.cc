#include "collectors/ipset.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <bit>
#include <optional>
#include <string_view>

#include "collectors/iptables_words.h"
#include "src/base/text.h"

namespace dvrtrace {
namespace {

using iptables::Fault;

constexpr unsigned bits_of(Family family) { return family == Family::V4 ? 32 : 128; }

// How many low bits of the address are zero.
unsigned trailing_zeros(const Ip& ip) {
  const int zeros = ip.low != 0 ? std::countr_zero(ip.low) : 64 + std::countr_zero(ip.high);
  return std::min(static_cast<unsigned>(zeros), bits_of(ip.family));
}

// The last address of a network.
Ip last_of(const Prefix& prefix) {
  Ip ip = prefix.ip();
  const unsigned host = bits_of(ip.family) - prefix.length();
  const auto ones = [](unsigned count) {
    return count >= 64 ? ~std::uint64_t{0} : (std::uint64_t{1} << count) - 1;
  };
  ip.low |= ones(host);
  if (host > 64) ip.high |= ones(host - 64);
  return ip;
}

Ip next_after(Ip ip) {
  if (++ip.low == 0) ++ip.high;
  return ip;
}

// A range of addresses as the fewest networks, in order.
std::vector<Prefix> networks_of(Ip first, const Ip& last) {
  std::vector<Prefix> networks;
  while (true) {
    unsigned length = bits_of(first.family) - trailing_zeros(first);
    while (last < last_of(Prefix(first, length))) ++length;
    const Prefix network(first, length);
    networks.push_back(network);
    if (last_of(network) == last) return networks;
    first = next_after(last_of(network));
  }
}

// "10.0.0.1", "10.0.0.0/24", "10.0.0.1-10.0.0.9"
std::vector<Prefix> read_networks(std::string_view word, Family family) {
  if (word.find('-') != std::string_view::npos) {
    const auto range = iptables::ip_range(word);
    if (!range || range->first.family != family) return {};
    return networks_of(range->first, range->last);
  }
  const auto prefix = parse_prefix(word);
  if (!prefix || prefix->ip().family != family) return {};
  return {*prefix};
}

bool holds_addresses(std::string_view type) {
  return type == "hash:ip" || type == "hash:net" || type == "bitmap:ip";
}

// Whether "nomatch" stands among the options of a member. In a comment, which is quoted, the word
// means nothing.
bool is_exception(std::string_view options) {
  const std::string_view before = options.substr(0, options.find('"'));
  const std::size_t quote = options.rfind('"');
  const std::string_view after = options.substr(quote == std::string_view::npos ? options.size() : quote + 1);
  const auto has_it = [](std::string_view part) {
    const auto words = words_of(part);
    return std::ranges::find(words, "nomatch") != words.end();
  };
  return has_it(before) || has_it(after);
}

class IpsetReader {
 public:
  IpsetReader(const SourceText& text, ReadLog& log) : text_(text), log_(log) {}
  std::vector<kernel::Ipset> read();

 private:
  using State = tl::expected<LineState, Fault>;

  // A set as it is being read, with what Ipset does not keep.
  struct Open {
    kernel::Ipset set;
    std::optional<unsigned> netmask;  // hash:ip and bitmap:ip: members stand for networks this long
    bool members_shown = false;
  };

  State read_line(std::string_view line);
  State field(std::string_view name, std::string_view value);
  State create(std::string_view words);
  State add(std::string_view words);
  State member(std::string_view line, Open& open);
  Open& begin(std::string_view name);
  State header(std::string_view words, Open& open);
  Open* find(std::string_view name);
  void finish(const State& state);

  const SourceText& text_;
  ReadLog& log_;
  std::vector<Open> sets_;
  Span line_;
};

std::vector<kernel::Ipset> IpsetReader::read() {
  for (const Span line : lines_of(text_.bytes)) {
    line_ = line;
    finish(read_line(trim(text_.at(line))));
  }
  std::vector<kernel::Ipset> shown;
  for (Open& open : sets_) {
    if (open.members_shown) {
      shown.push_back(std::move(open.set));
    } else {
      log_.diagnostics.warning(open.set.at,
                               fmt::format("set {} is listed without its members", printable(open.set.name)),
                               "the set is left out; what a rule with it would decide ends \"unknown\"");
    }
  }
  return shown;
}

void IpsetReader::finish(const State& state) {
  log_.lines.count(state.value_or(LineState::Unrecognised));
  if (!state) {
    iptables::report(text_, line_, state.error(), "a set may hold members that are not seen", log_);
  }
}

IpsetReader::State IpsetReader::read_line(std::string_view line) {
  if (line.empty() || line.starts_with('#') || line == "COMMIT") return LineState::Ignored;
  std::string_view words = line;
  const std::string_view command = take_word(words);
  if (command == "create" || command == "-N") return create(words);
  if (command == "add" || command == "-A") return add(words);
  // Members come after all fields, and an IPv6 member has colons as well.
  if (!sets_.empty() && sets_.back().members_shown && command != "Name:") return member(line, sets_.back());
  const std::size_t colon = line.find(':');
  if (colon == std::string_view::npos) return iptables::fault(line, "a field of a set, create or add");
  return field(line.substr(0, colon), trim(line.substr(colon + 1)));
}

IpsetReader::State IpsetReader::field(std::string_view name, std::string_view value) {
  if (name == "Name") {
    if (value.empty()) return iptables::fault(value, "the name of a set");
    begin(value);
    return LineState::Modelled;
  }
  constexpr std::array kIgnored = {std::string_view("Revision"), std::string_view("Size in memory"),
                                   std::string_view("References"), std::string_view("Number of entries"),
                                   std::string_view("Default")};
  if (std::ranges::find(kIgnored, name) != kIgnored.end()) return LineState::Ignored;
  if (sets_.empty()) return iptables::fault(name, "'Name:' before the fields of a set");
  Open& open = sets_.back();
  if (name == "Type") {
    open.set.type = value;
    return LineState::Modelled;
  }
  if (name == "Header") return header(value, open);
  if (name != "Members") return iptables::fault(name, "a field of a set");
  open.members_shown = true;
  return LineState::Ignored;
}

IpsetReader::Open& IpsetReader::begin(std::string_view name) {
  Open& open = sets_.emplace_back();
  open.set.name = name;
  open.set.at = text_.provenance(line_);
  return open;
}

// "family inet hashsize 1024 maxelem 65536 bucketsize 12 initval 0x..."; without a family it is
// IPv4.
IpsetReader::State IpsetReader::header(std::string_view words, Open& open) {
  while (true) {
    const std::string_view word = take_word(words);
    if (word.empty()) return LineState::Modelled;
    if (word == "family") {
      const std::string_view family = take_word(words);
      if (family != "inet" && family != "inet6") return iptables::fault(family, "inet or inet6");
      open.set.family = family == "inet" ? Family::V4 : Family::V6;
    } else if (word == "netmask") {
      const std::string_view length = take_word(words);
      open.netmask = number<unsigned>(length);
      if (!open.netmask) return iptables::fault(length, "the length of a netmask");
    }
  }
}

IpsetReader::State IpsetReader::create(std::string_view words) {
  const std::string_view name = take_word(words), type = take_word(words);
  if (type.empty()) return iptables::fault(type, "the name and type of a set");
  Open& open = begin(name);
  open.set.type = type;
  open.members_shown = true;
  return header(words, open);
}

IpsetReader::State IpsetReader::add(std::string_view words) {
  const std::string_view name = take_word(words);
  Open* open = find(name);
  if (open == nullptr) return iptables::fault(name, "the name of a set created before");
  return member(trim(words), *open);
}

IpsetReader::Open* IpsetReader::find(std::string_view name) {
  if (!sets_.empty() && sets_.back().set.name == name) return &sets_.back();
  const auto found = std::ranges::find_if(sets_, [&](const Open& open) { return open.set.name == name; });
  return found == sets_.end() ? nullptr : &*found;
}

// "10.0.0.5 timeout 299 comment "a b" nomatch packets 0 bytes 0"
IpsetReader::State IpsetReader::member(std::string_view line, Open& open) {
  kernel::Ipset& set = open.set;
  if (!holds_addresses(set.type)) {
    set.others.emplace_back(line);
    return LineState::Unmodelled;
  }
  std::string_view options = line;
  const std::string_view word = take_word(options);
  const std::vector<Prefix> networks = read_networks(word, set.family);
  if (networks.empty()) {
    set.others.emplace_back(line);
    return iptables::fault(word, set.family == Family::V4 ? "an IPv4 address, network or range"
                                                          : "an IPv6 address, network or range");
  }
  for (const Prefix& network : networks) {
    const Prefix stored = open.netmask && network.host() ? Prefix(network.ip(), *open.netmask) : network;
    (is_exception(options) ? set.exceptions : set.prefixes).push_back({stored, text_.provenance(line_)});
  }
  return LineState::Modelled;
}

}  // namespace

std::vector<kernel::Ipset> read_ipset(const SourceText& text, ReadLog& log) {
  return IpsetReader(text, log).read();
}

}  // namespace dvrtrace
