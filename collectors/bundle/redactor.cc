#include "collectors/bundle/redactor.h"

#include <fmt/format.h>
#include <openssl/hmac.h>
#include <openssl/rand.h>

#include <algorithm>
#include <numeric>
#include <set>
#include <stdexcept>
#include <utility>

#include "src/base/text.h"

namespace dvrtrace::redact {

namespace {

constexpr std::size_t kUuid = 36, kMacText = 17;
constexpr std::uint64_t kLeastNumber = 1U << 24;  // smaller ones are VLANs, ports, tables

bool is_hex(char c) { return is_digit(c) || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F'); }
bool is_word(char c) { return is_alpha(c) || is_digit(c) || c == '_'; }
char at_or_nul(std::string_view text, std::size_t at) { return at < text.size() ? text[at] : '\0'; }
bool is_dash_of_uuid(std::size_t at) { return at == 8 || at == 13 || at == 18 || at == 23; }

// Words that dumps and settings are made of: as the name of a VM they are left alone.
const std::set<std::string, std::less<>>& reserved() {
  static const std::set<std::string, std::less<>> words = [] {
    constexpr std::string_view kWords =
        "default local main all any none drop accept reject return normal flood controller output input "
        "forward prerouting postrouting "
        "ip ip6 ipv4 ipv6 tcp udp icmp icmp6 icmpv6 sctp arp rarp vlan vxlan gre geneve flat table priority "
        "actions cookie duration "
        "in_port reg5 reg6 load move learn resubmit group set_field dl_dst dl_src nw_src nw_dst tp_src "
        "tp_dst eth_dst eth_src metadata "
        "from to lookup via dev proto kernel scope link host global src static table unreachable blackhole "
        "prohibit permanent stale "
        "reachable failed noarp lladdr nat filter mangle raw mark snat dnat masquerade redirect true false "
        "null up down unknown "
        "int-br br-int br-tun br-ex br-phy br-vlan patch-int patch-tun lo eth0 eth1 eth2 eth3 internal patch "
        "system netdev secure "
        "standalone dvr dvr_snat legacy neutron nova openvswitch compute network router subnet port security "
        "agent ovs active "
        "standby backup primary master running enabled disabled yes no on off name id type interface bridge "
        "namespace address "
        "security-group port-security drop-flow table-miss mac uuid set map ingress egress allow deny admin "
        "root external provider physnet physnet1 data "
        "headings version options "
        "state flags mtu mode user group users project tenant domain service status error device driver "
        "data1 test key value tag";
    std::set<std::string, std::less<>> all;
    for (const std::string_view word : dvrtrace::words_of(kWords)) all.emplace(word);
    return all;
  }();
  return words;
}

std::string hex_of(std::uint64_t value, std::size_t width, bool upper) {
  return upper ? fmt::format("{:0{}X}", value, width) : fmt::format("{:0{}x}", value, width);
}

std::size_t end_of_word(std::string_view text, std::size_t at) {
  while (at < text.size() && is_word(text[at])) ++at;
  return at;
}

// How long the beginning of a UUID is that stands at `at`: with at least one digit after the first dash, and not in the
// middle of a longer run of digits. 0 when there is none.
std::size_t uuid_length(std::string_view text, std::size_t at) {
  std::size_t length = 0;
  while (length < kUuid && at + length < text.size()) {
    const char c = text[at + length];
    if (is_dash_of_uuid(length) ? c != '-' : !is_hex(c)) break;
    ++length;
  }
  constexpr std::size_t kShortest = 10;
  if (length < kShortest || is_hex(at_or_nul(text, at + length))) return 0;
  // A name may go on with letters only where a whole UUID ended.
  if (length < kUuid && is_word(at_or_nul(text, at + length))) return 0;
  return length;
}

}  // namespace

Key random_key() {
  Key key{};
  if (RAND_bytes(key.data(), static_cast<int>(key.size())) != 1)
    throw std::runtime_error("no random numbers");
  return key;
}

Redactor::Redactor(const Key& key) : key_(key) {
  // Public first octets change places among themselves.
  std::iota(first_octets_.begin(), first_octets_.end(), std::uint8_t{0});
  std::vector<std::uint8_t> open;
  for (unsigned octet = 1; octet < 224; ++octet) {
    if (octet != 10 && octet != 100 && octet != 127 && octet != 169 && octet != 172 && octet != 192)
      open.push_back(static_cast<std::uint8_t>(octet));
  }
  std::vector<std::uint8_t> mixed = open;
  std::ranges::sort(mixed, {}, [&](std::uint8_t octet) {
    return random_of("octet", std::string(1, static_cast<char>(octet)));
  });
  for (std::size_t i = 0; i < open.size(); ++i) first_octets_[open[i]] = mixed[i];
}

std::uint64_t Redactor::random_of(std::string_view kind, std::string_view text) const {
  const std::string message = fmt::format("{}:{}", kind, text);
  std::array<unsigned char, EVP_MAX_MD_SIZE> digest{};
  unsigned size = 0;
  HMAC(EVP_sha256(), key_.data(), static_cast<int>(key_.size()),
       reinterpret_cast<const unsigned char*>(message.data()), message.size(), digest.data(), &size);
  std::uint64_t value = 0;
  for (std::size_t i = 0; i < sizeof value; ++i) value = value << 8 | digest[i];
  return value;
}

void Redactor::note(std::string_view original, std::string_view image) {
  if (original != image) replaced_.try_emplace(std::string(original), image);
}

void Redactor::know(std::uint64_t value, std::uint64_t image) {
  if (value >= kLeastNumber) numbers_.try_emplace(value, image);
}

bool Redactor::add(std::string_view name, char kind) {
  if (!known_names_.emplace(name).second) return true;
  names_.emplace_back(name, fmt::format("{}{:08x}", kind, random_of("name", name) & 0xffffffff));
  names_sorted_ = false;
  return true;
}

bool Redactor::add_name(std::string_view name) {
  name = trim(name);
  const std::size_t dot = name.find('.');
  if (dot != std::string_view::npos && name.find(' ') == std::string_view::npos) {
    const std::string_view domain = name.substr(dot + 1);
    const bool first = add_name(name.substr(0, dot));
    return (domain.find_first_not_of("0123456789.") != std::string_view::npos && add(domain, 'd')) || first;
  }
  const bool number_alone = name.find_first_not_of("0123456789") == std::string_view::npos;
  if (name.size() < 2 || number_alone || reserved().contains(to_lower(name))) return false;
  return add(name, 'n');
}

void Redactor::sort_names() {
  if (names_sorted_) return;
  std::ranges::sort(names_, [](const auto& a, const auto& b) {
    return std::pair(b.first.size(), a.first) < std::pair(a.first.size(), b.first);
  });
  for (auto& list : names_by_first_) list.clear();
  for (std::size_t i = 0; i < names_.size(); ++i)
    names_by_first_[static_cast<unsigned char>(names_[i].first.front())].push_back(i);
  names_sorted_ = true;
}

// A permutation of 24 bits that keeps 0, all ones, and small numbers small.
std::uint32_t Redactor::of24(std::uint32_t value) {
  constexpr std::uint32_t kOnes = 0xffffff, kSmall = 0x10000;
  if (value == 0 || value == kOnes) return value;
  const auto found = low24_.find(value);
  if (found != low24_.end()) return found->second;
  const bool small = value < kSmall;
  const unsigned half = small ? 8 : 12;
  const std::uint32_t mask = (1U << half) - 1;
  std::uint32_t image = value;
  do {  // a Feistel network, walked until it comes back into the set
    std::uint32_t left = image >> half & mask, right = image & mask;
    for (int round = 0; round < 4; ++round) {
      const auto mixed =
          static_cast<std::uint32_t>(random_of("mac", fmt::format("{}.{}.{}", half, round, right))) & mask;
      left = std::exchange(right, left ^ mixed);
    }
    image = left << half | right;
  } while (image == 0 || image == kOnes || (image < kSmall) != small);
  low24_.emplace(value, image);
  return image;
}

Mac Redactor::of(Mac mac) {
  constexpr std::uint64_t kLow = 0xffffff, kNeighbours = 0x3333ff;
  const std::uint64_t head = mac.value >> 24;
  const auto low = static_cast<std::uint32_t>(mac.value & kLow);
  if (mac.multicast() && head != kNeighbours) return mac;
  if (head == kNeighbours && low < 0x10000)
    return mac;  // of an address such as fd00::5, which stays so at its end
  return {head << 24 | of24(low)};
}

Ip Redactor::of(const Ip& ip) {
  const auto found = ips_.find(ip);
  if (found != ips_.end()) return found->second;
  Ip image = ip;
  // From bit `from` on, each bit is turned or not by all that stand before it.
  const auto turn = [&](std::uint64_t value, unsigned width, unsigned from, unsigned to) {
    std::uint64_t turned = value;
    for (unsigned bit = from; bit < to; ++bit) {
      const std::uint64_t before = value >> (width - bit);
      if ((random_of("bit", fmt::format("{}.{}.{:x}", width, bit, before)) & 1) != 0)
        turned ^= 1ULL << (width - 1 - bit);
    }
    return turned;
  };
  if (ip.v4()) {
    const auto value = ip.v4_value();
    const std::uint32_t first = value >> 24, second = value >> 16 & 0xff;
    const bool kept = first == 0 || first == 127 || first >= 224 || (first == 169 && second == 254);
    if (!kept) {
      const unsigned from = first == 172 || first == 100 ? 12 : first == 192 || first == 169 ? 16 : 8;
      const auto turned = static_cast<std::uint32_t>(turn(value, 32, from, 24));
      image = ipv4(static_cast<std::uint32_t>(first_octets_[first]) << 24 | (turned & 0xffffff));
    }
  } else {
    constexpr std::uint64_t kLow = 0xffffff;
    const auto low = static_cast<std::uint32_t>(ip.low & kLow);
    const bool solicited = ip.high == 0xff02000000000000 && ip.low >> 24 == 0x1ff;
    if (ip.multicast()) {
      if (solicited && low >= 0x10000) image.low = (ip.low & ~kLow) | of24(low);
    } else if (ip.high == 0 && ip.low >> 32 == 0xffff) {
      image.low = 0xffff00000000 | of(ipv4(static_cast<std::uint32_t>(ip.low))).low;
    } else if (ip.high != 0) {
      if (!ip.link_local()) image.high = turn(ip.high, 64, 16, 64);
      if (ip.low >= 0x10000) image.low = (ip.low & ~kLow) | of24(low);
    }
  }
  ips_.emplace(ip, image);
  if (ip.v4()) {
    know(ip.low, image.low);
  } else {
    know(ip.high, image.high);
    know(ip.low, image.low);
  }
  note(to_string(ip), to_string(image));
  return image;
}

// The digits of a UUID, or of its beginning: each by all before it.
std::string Redactor::of_hex_digits(std::string_view digits) {
  constexpr std::string_view kDigits = "0123456789abcdef";
  std::string before, image;
  for (const char c : digits) {
    if (c == '-') {
      image += c;
      continue;
    }
    const bool upper = c >= 'A' && c <= 'F';
    const char lower = upper ? static_cast<char>(c - 'A' + 'a') : c;
    auto [found, is_new] = digits_.try_emplace(before + lower, '0');
    if (is_new) {
      const std::size_t turned = kDigits.find(lower) ^ (random_of("digit", before) & 0xf);
      found->second = kDigits[turned];
    }
    image += upper && is_alpha(found->second) ? static_cast<char>(found->second - 'a' + 'A') : found->second;
    before += lower;
  }
  return image;
}

std::size_t Redactor::take_name(std::string_view text, std::size_t at, std::string& out) {
  for (const std::size_t index : names_by_first_[static_cast<unsigned char>(text[at])]) {
    const auto& [name, image] = names_[index];
    if (!text.substr(at).starts_with(name) || is_word(at_or_nul(text, at + name.size()))) continue;
    out += image;
    note(name, image);
    return at + name.size();
  }
  return at;
}

std::size_t Redactor::take_uuid(std::string_view text, std::size_t at, std::string& out) {
  constexpr std::size_t kBare = 32;
  std::size_t length = uuid_length(text, at);
  if (length == 0) {
    const std::size_t end = end_of_word(text, at);
    const bool bare = end - at == kBare && std::ranges::all_of(text.substr(at, kBare), is_hex);
    if (!bare) return at;
    length = kBare;
  }
  const std::string image = of_hex_digits(text.substr(at, length));
  note(text.substr(at, length), image);
  out += image;
  return at + length;
}

// "tapf7ddce7f-66": a word that ends in the beginning of a UUID.
std::size_t Redactor::take_tail(std::string_view text, std::size_t at, std::size_t end, std::string& out) {
  constexpr std::size_t kFirstGroup = 8;
  if (end - at <= kFirstGroup || at_or_nul(text, end) != '-') return at;
  const std::size_t start = end - kFirstGroup;
  if (uuid_length(text, start) == 0) return at;
  out += text.substr(at, start - at);
  return take_uuid(text, start, out);
}

std::string Redactor::with_length(const Ip& ip, unsigned length) {
  // A network stays one: what the mask hides is not there.
  const Ip image = of(ip);
  const bool network = Prefix(ip, length).ip() == ip;
  const Ip shown = network ? Prefix(image, length).ip() : image;
  if (ip.v4() && network) know(ip.low, shown.low);
  if (shown != image)
    note(fmt::format("{}/{}", to_string(ip), length), fmt::format("{}/{}", to_string(shown), length));
  return to_string(shown);
}

std::size_t Redactor::take_ipv6(std::string_view text, std::size_t at, std::string& out) {
  std::size_t end = at, colons = 0;
  while (end < text.size() && (is_hex(text[end]) || text[end] == ':')) colons += text[end++] == ':' ? 1 : 0;
  std::string_view run = text.substr(at, end - at);
  if (run.find("::") == std::string_view::npos && colons != 7) return at;
  const std::size_t longest = end;
  if (at_or_nul(text, end) == '.') {  // ::ffff:10.0.0.1
    while (end < text.size() && (is_digit(text[end]) || text[end] == '.')) ++end;
    run = text.substr(at, end - at);
  }
  auto ip = parse_ip(run);
  if (!ip) {
    end = longest;
    if (is_word(at_or_nul(text, end))) return at;
    run = text.substr(at, end - at);
    if (run.ends_with(':') && !run.ends_with("::")) run.remove_suffix(1);
    ip = parse_ip(run);
    end = at + run.size();
  }
  if (!ip || !ip->v6() || is_word(at_or_nul(text, end))) return at;
  std::size_t digits = end + 1;
  if (at_or_nul(text, end) == '/') {
    while (digits < text.size() && is_digit(text[digits])) ++digits;
  }
  const auto length =
      at_or_nul(text, end) == '/' ? number<unsigned>(text.substr(end + 1, digits - end - 1)) : std::nullopt;
  out += with_length(*ip, length && *length <= 128 ? *length : 128);
  return end;
}

std::size_t Redactor::take_mac(std::string_view text, std::size_t at, std::string& out) {
  if (at + kMacText > text.size()) return at;
  const char separator = text[at + 2];
  if (separator != ':' && separator != '-') return at;
  std::uint64_t value = 0;
  bool upper = false;
  for (std::size_t i = 0; i < kMacText; ++i) {
    const char c = text[at + i];
    if (i % 3 == 2) {
      if (c != separator) return at;
      continue;
    }
    const auto digit = is_hex(c) ? hex_number(text.substr(at + i, 1)) : std::nullopt;
    if (!digit) return at;
    upper = upper || (c >= 'A' && c <= 'F');
    value = value << 4 | *digit;
  }
  const char next = at_or_nul(text, at + kMacText);
  if (is_word(next) || (next == separator && separator == ':' && is_hex(at_or_nul(text, at + kMacText + 1))))
    return at;
  const Mac mac{value}, image = of(mac);
  know(mac.value, image.value);
  std::string shown = to_string(image);
  if (upper)
    std::ranges::transform(shown, shown.begin(), [](char c) {
      return c >= 'a' && c <= 'f' ? static_cast<char>(c - 'a' + 'A') : c;
    });
  std::ranges::replace(shown, ':', separator);
  note(to_string(mac), to_string(image));
  out += shown;
  return at + kMacText;
}

std::size_t Redactor::take_ipv4(std::string_view text, std::size_t at, std::string& out) {
  std::size_t end = at, dots = 0;
  while (end < text.size() &&
         (is_digit(text[end]) || (text[end] == '.' && is_digit(at_or_nul(text, end + 1)))))
    dots += text[end++] == '.' ? 1 : 0;
  if (dots != 3 || is_word(at_or_nul(text, end))) return at;
  const auto ip = parse_ip(text.substr(at, end - at));
  if (!ip) return at;
  unsigned length = 32;
  if (at_or_nul(text, end) == '/') {
    std::size_t last = end + 1;
    while (last < text.size() && (is_digit(text[last]) || text[last] == '.')) ++last;
    const std::string_view mask = text.substr(end + 1, last - end - 1);
    if (const auto bits = number<unsigned>(mask); bits && *bits <= 32) {
      length = *bits;
    } else if (const auto dotted = parse_ip(mask); dotted && prefix_length_of(*dotted)) {
      length = *prefix_length_of(*dotted);
    }
  }
  out += with_length(*ip, length);
  return end;
}

std::size_t Redactor::take_number(std::string_view text, std::size_t at, std::size_t end, std::string& out) {
  const std::string_view word = text.substr(at, end - at);
  const auto known = [&](std::uint64_t value) { return numbers_.find(value); };
  if (word.starts_with("0x")) {
    const auto value = hex_number(word.substr(2));
    const auto found = value ? known(*value) : numbers_.end();
    if (found == numbers_.end()) return at;
    const bool padded = word.size() > 3 && word[2] == '0';
    out += "0x" + hex_of(found->second, padded ? word.size() - 2 : 1, false);
    return end;
  }
  const auto decimal = std::ranges::all_of(word, is_digit) ? number(word) : std::nullopt;
  if (decimal && known(*decimal) != numbers_.end()) {
    out += std::to_string(known(*decimal)->second);
    return end;
  }
  // An address in the name of a tunnel's port, a MAC in the number of a datapath.
  const bool address = word.size() == 8 && at > 0 && text[at - 1] == '-';
  const bool datapath = word.size() == 12 || word.size() == 16;
  if ((!address && !datapath) || !std::ranges::all_of(word, is_hex)) return at;
  const auto value = hex_number(word);
  const auto found = value ? known(*value) : numbers_.end();
  if (found == numbers_.end()) return at;
  out += hex_of(found->second, word.size(), false);
  return end;
}

std::string Redactor::pass(std::string_view text, Pass pass) {
  sort_names();
  std::string out;
  out.reserve(text.size() + text.size() / 8);
  const auto take = [&](std::size_t at) {
    const char c = text[at];
    for (const auto each : {&Redactor::take_name, &Redactor::take_uuid, &Redactor::take_ipv6,
                            &Redactor::take_mac, &Redactor::take_ipv4}) {
      if (!is_hex(c) && c != ':' && each != &Redactor::take_name) break;
      const std::size_t end = (this->*each)(text, at, out);
      if (end != at) return end;
    }
    if (!is_word(c)) return at;
    const std::size_t end = end_of_word(text, at);
    if (const std::size_t tail = take_tail(text, at, end, out); tail != at) return tail;
    if (is_hex(c)) return take_number(text, at, end, out);
    return at;
  };
  for (std::size_t at = 0; at < text.size();) {
    const std::size_t end = take(at);
    if (end != at) {
      at = end;
      continue;
    }
    const std::size_t next = std::max(end_of_word(text, at), at + 1);
    out += text.substr(at, next - at);
    at = next;
  }
  if (pass == Pass::Learn) out.clear();
  return out;
}

void Redactor::learn(std::string_view text) { pass(text, Pass::Learn); }
std::string Redactor::redact(std::string_view text) { return pass(text, Pass::Redact); }

}  // namespace dvrtrace::redact
