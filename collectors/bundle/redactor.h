// Redactor: addresses, MACs, identifiers and names replaced by others, the same everywhere, so that dumps still mean what
// they meant and no longer say of whom.
//
//   Redactor redactor(key);
//   redactor.add_name("vm1");
//   for (text of every file) redactor.learn(text);      // what is written as a number elsewhere must be known before
//   for (text of every file) redactor.redact(text);
//
// What keeps its meaning
//   IPv4      two addresses share as many leading bits as before, from the eighth on. Private ranges stay private; the
//             last octet stays; 0, 127, 169.254, multicast and netmasks stay as they are
//   IPv6      the same up to the 64th bit, from the sixteenth on; of the interface's half the last 24 bits change,
//             together with the MAC that they come from. ::, ::1 and multicast stay, but for solicited nodes
//   MACs      the first three octets stay, so that a tap (fe:16:3e) still fits its VM (fa:16:3e)
//   UUIDs     digit by digit, so that what is cut off (tapf7ddce7f-66, rfp-13c6faff-a, NIPv4...) is cut off the new one
//   numbers   one that equals an address or a MAC that was seen (0xa00010b, table 167772417, vxlan-ac1f000c) is
//             replaced by the number of its new one
//   names     whole words
// VLANs, VNIs, port numbers, cookies and counters stay.
#pragma once

#include <array>
#include <cstdint>
#include <map>
#include <set>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "src/net/ip.h"
#include "src/net/mac.h"

namespace dvrtrace::redact {

using Key = std::array<std::uint8_t, 32>;
Key random_key();

class Redactor {
 public:
  explicit Redactor(const Key& key);

  // Of a host, a VM, a network. A name with dots is taken as its parts before and after the first. One that is a word of
  // the dumps' own languages ("default", "local"), or a single letter or number, is kept: gives false.
  bool add_name(std::string_view name);

  void learn(std::string_view text);
  std::string redact(std::string_view text);

  Ip of(const Ip& ip);
  Mac of(Mac mac);

  // From the original to what stands for it, of all that was met. Identifiers as they were written.
  const std::map<std::string, std::string>& replaced() const { return replaced_; }

 private:
  enum class Pass { Learn, Redact };
  std::string pass(std::string_view text, Pass pass);
  bool add(std::string_view name, char kind);
  void sort_names();
  std::size_t take_name(std::string_view text, std::size_t at, std::string& out);
  std::size_t take_uuid(std::string_view text, std::size_t at, std::string& out);
  std::size_t take_tail(std::string_view text, std::size_t at, std::size_t end, std::string& out);
  std::size_t take_ipv6(std::string_view text, std::size_t at, std::string& out);
  std::size_t take_mac(std::string_view text, std::size_t at, std::string& out);
  std::size_t take_ipv4(std::string_view text, std::size_t at, std::string& out);
  std::size_t take_number(std::string_view text, std::size_t at, std::size_t end, std::string& out);

  std::uint64_t random_of(std::string_view kind, std::string_view text) const;
  std::uint32_t of24(std::uint32_t value);
  std::string of_hex_digits(std::string_view digits);
  std::string with_length(const Ip& ip, unsigned length);
  void know(std::uint64_t value, std::uint64_t image);
  void note(std::string_view original, std::string_view image);

  Key key_;
  std::array<std::uint8_t, 256> first_octets_{};
  std::vector<std::pair<std::string, std::string>> names_;  // the longest first
  std::set<std::string, std::less<>> known_names_;
  std::array<std::vector<std::size_t>, 256> names_by_first_;
  bool names_sorted_ = true;
  std::unordered_map<Ip, Ip> ips_;
  std::unordered_map<std::uint32_t, std::uint32_t> low24_;
  std::unordered_map<std::string, char> digits_;
  std::unordered_map<std::uint64_t, std::uint64_t> numbers_;
  std::map<std::string, std::string> replaced_;
};

}  // namespace dvrtrace::redact
