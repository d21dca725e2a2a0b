// The words that iptables' two spellings share: a rule is written in options by iptables-save and
// in columns and phrases by `iptables -L`, but a port, a mark or an ICMP type reads the same in
// both. All of these take a whole word and give none when it is not one of theirs.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <tl/expected.hpp>
#include <vector>

#include "src/base/diagnostics.h"
#include "src/base/source.h"
#include "src/kernel/iptables.h"

namespace dvrtrace::iptables {

// Why a line could not be read: the bad word (a view into the text) and what should stand there.
struct Fault {
  std::string_view word;
  std::string expected;
};
template <class T>
using Read = tl::expected<T, Fault>;

inline tl::unexpected<Fault> fault(std::string_view word, std::string expected) {
  return tl::unexpected<Fault>(Fault{word, std::move(expected)});
}

// Where `word`, a view into the bytes of `text`, stands in it.
Span span_of(const SourceText& text, std::string_view word);
// Reports a fault of `line` as "expected X, found 'Y'".
void report(const SourceText& text, Span line, const Fault& fault, std::string hint, ReadLog& log);

std::optional<std::uint8_t> protocol_number(std::string_view word);  // "all" is 0
std::optional<std::uint16_t> port_number(std::string_view word);     // or a common service's name
// "80", and with the separator "80:90", ":90", "80:".
std::optional<kernel::PortRange> port_range(std::string_view word, char separator);
std::optional<std::vector<kernel::PortRange>> port_list(std::string_view word);  // "1,2:3"
std::optional<std::uint16_t> ct_states(std::string_view word);                   // kernel::CtState bits
std::optional<std::uint8_t> tcp_flags(std::string_view word);  // "SYN,ACK", "ALL", "NONE"
std::optional<kernel::IcmpMatch> icmp_type(std::string_view word, Family family);  // "8", "3/1", a name, "any"
std::optional<kernel::RangeMatch> ip_range(std::string_view word);               // "a-b" or one address
std::optional<std::vector<bool>> set_dimensions(std::string_view word);          // "src,dst": is it the source?

struct MaskedValue {
  std::uint32_t value = 0, mask = 0xffffffff;
};
std::optional<MaskedValue> masked_value(std::string_view word);  // "0x1/0xffff"

// "10.0.0.1", "10.0.0.1-10.0.0.9:80-90", "[fd00::1]:80", ":80", "10.0.0.1:80-90/8080".
std::optional<kernel::NatTo> nat_to(std::string_view word, bool destination);
std::optional<kernel::PortRange> nat_ports(std::string_view word);  // "80", "80-90"

// An address as -s and the source column have it. Several addresses, a name, or a mask whose ones
// do not come first are not an AddressMatch but Unmodelled; no match when it is any address.
std::optional<kernel::Match> address_match(std::string_view word, bool source, bool inverted, Family family);

// A line by which iptables says that it does not show everything: rules of the legacy kernel
// interface beside those listed, or a table that only nft can list (which then is incomplete).
bool is_remark(std::string_view line);
LineState read_remark(const SourceText& text, std::string_view line, kernel::Iptables& result, ReadLog& log);

// What a target's name says alone.
enum class TargetKind {
  Chain,       // no extension of that name: a chain to jump to
  Verdict,     // ACCEPT, DROP, RETURN
  Modelled,    // REJECT, DNAT, MARK, ...
  Harmless,    // the packet goes on as it was, as far as a verdict is concerned
  Unmodelled,  // changes or takes the packet in a way that is not modelled
};
TargetKind target_kind(std::string_view name);
kernel::Target verdict_target(std::string_view name);  // of a Verdict

// Whether the rule holds anything that is kept only as text.
bool unmodelled(const kernel::IptablesRule& rule);
inline LineState state_of(const kernel::IptablesRule& rule) {
  return unmodelled(rule) ? LineState::Unmodelled : LineState::Modelled;
}

}  // namespace dvrtrace::iptables
