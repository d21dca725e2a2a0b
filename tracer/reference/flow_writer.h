// FlowWriter: the lines of one bridge's `ovs-ofctl dump-flows`.
#pragma once

#include <fmt/compile.h>
#include <fmt/format.h>

#include <iterator>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include "tracer/reference/plan.h"
#include "tracer/reference/writer.h"

namespace dvrtrace::reference {

class FlowWriter {
 public:
  // `sieve` may be null: every line is written then.
  FlowWriter(const Plan& plan, const std::string& bridge, FlowSieve* sieve)
      : writer_(fmt::format("sos_commands/openvswitch/ovs-ofctl_dump-flows_{}", bridge), bridge),
        bridge_(bridge),
        sieve_(sieve),
        cookie_(plan.cookie(bridge)) {}

  // `match` "": everything.
  Writer::Added add(std::string_view rule, unsigned table, unsigned priority, std::string_view match, std::string_view actions) {
    if (sieve_ != nullptr && sieve_->settles(bridge_, {table, priority, match, actions})) {
      left_out_.concerns.clear();
      return Writer::Added(left_out_);
    }
    const std::string_view comma = match.empty() ? "" : ",";
    return writer_.add_text(rule, fmt::format(FMT_COMPILE(" cookie=0x{:x}, table={}, priority={}{}{} actions={}"), cookie_,
                                              table, priority, comma, match, actions));
  }
  // To another table, or what stood there before there were tables to go to.
  static std::string go(std::optional<std::uint8_t> table) {
    return table ? fmt::format("resubmit(,{})", *table) : std::string("NORMAL");
  }
  std::uint64_t cookie() const { return cookie_; }
  Dump take() { return writer_.take(); }

 private:
  Writer writer_;
  const std::string bridge_;
  FlowSieve* sieve_;
  Line left_out_;  // takes what is said of a line that is not written
  std::uint64_t cookie_;
};

inline constexpr std::string_view kUntagged = "vlan_tci=0x0000/0x1fff";

}  // namespace dvrtrace::reference
