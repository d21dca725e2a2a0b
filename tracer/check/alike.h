// Alike: flows that the reference and a dump have word for word.
//
// Of a bridge as Neutron's agents leave it that is nearly all of them. They need neither be written nor be read
// a second time to be found equal, so what is written, read and compared by meaning is the rest.
#pragma once

#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "src/base/source.h"
#include "src/snapshot/host.h"
#include "tracer/reference/expected.h"

namespace dvrtrace::check {

// Settles the flows of one host that were found as they are expected, each found flow once. Table, priority, match
// and actions count. Flows that learn() made have no equal.
class Alike : public reference::FlowSieve {
 public:
  // `found`, at Depth::Full, and `sources`, which has its texts, must outlive this.
  Alike(const HostSnapshot& found, const Sources& sources) : found_(found), sources_(sources) {}

  bool settles(std::string_view bridge, const reference::FlowWords& flow) override;
  // By bridge: of each found flow, whether it was one of a pair.
  std::map<std::string, std::vector<bool>> take();

 private:
  // The flows of one bridge by their words' hash, in an open table.
  class Found {
   public:
    Found(const openflow::FlowTable& table, std::string_view text);
    bool take_equal(const reference::FlowWords& flow);
    std::vector<bool> taken() { return std::move(taken_); }

   private:
    struct Slot {
      std::uint32_t hash = 0, row = 0;  // the row's number, from 1; 0: nothing
    };
    const openflow::FlowTable& table_;
    std::string_view text_;
    std::vector<bool> taken_;
    std::vector<Slot> slots_;
  };

  Found* find(std::string_view bridge);

  const HostSnapshot& found_;
  const Sources& sources_;
  std::map<std::string, Found, std::less<>> bridges_;
  std::string last_;  // the bridge that was asked for last, and its flows: mostly it is the same
  Found* last_found_ = nullptr;
};

}  // namespace dvrtrace::check
