// IptablesWriter: the tables of one namespace and family, with the skeleton that every agent of Neutron makes.
//
//   IptablesWriter tables(Family::V4, "neutron-l3-agent");
//   tables.add_skeleton(IptablesWriter::kNat);
//   tables.add("QR-FIP-DNAT", "nat", "PREROUTING", "-d {}/32 -i {} -j DNAT --to-destination {}", ...).concerns(port);
//   tables.write(dump);
//
// A chain that the agent wraps is named without its prefix: "PREROUTING" above is neutron-l3-agent-PREROUTING.
#pragma once

#include <fmt/format.h>

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "src/net/ip.h"
#include "tracer/reference/writer.h"

namespace dvrtrace::reference {

class IptablesWriter {
 public:
  IptablesWriter(Family family, std::string prefix) : family_(family), prefix_(std::move(prefix)) {}

  // A skeleton for `table`, of the L3 agent's, the DHCP agent's and the firewall's kind. `optional`: none of it is missed.
  void add_skeleton(std::string_view table, bool optional = false);
  void add_chain(std::string_view table, std::string_view chain);  // wrapped
  // Takes a jump between two wrapped chains out again.
  void remove(std::string_view table, std::string_view chain, std::string_view to);
  // A number for rules that are alternatives.
  std::uint32_t new_either() { return ++last_either_; }

  // The chain is a wrapped one, and made where it is new.
  template <class... Args>
  Writer::Added add(std::string_view rule, std::string_view table, std::string_view chain,
                    fmt::format_string<Args...> format, Args&&... args) {
    return add_text(rule, table, wrapped(chain), fmt::format(format, std::forward<Args>(args)...));
  }
  Writer::Added add_text(std::string_view rule, std::string_view table, std::string_view chain,
                         std::string text);
  Writer::Added jump(std::string_view rule, std::string_view table, std::string_view chain,
                     std::string_view to) {
    return add(rule, table, chain, "-j {}", wrapped(to));
  }

  // "neutron-l3-agent-" and the first 11 characters.
  std::string wrapped(std::string_view chain) const {
    return fmt::format("{}-{}", prefix_, chain.substr(0, 11));
  }
  Family family() const { return family_; }
  void write(Writer& dump) const;

 private:
  struct Chain {
    std::string name;
    bool built_in = false;
    std::vector<Line> rules;
  };
  struct Table {
    std::string name;
    std::vector<Chain> chains;
  };
  Table& table(std::string_view name);
  Chain& chain(std::string_view table, std::string_view name);

  Family family_;
  std::string prefix_;
  std::vector<Table> tables_;
  std::uint32_t last_either_ = 0;
};

}  // namespace dvrtrace::reference
