// Targets as options write them: the name after -j and what follows it, "DNAT --to-destination
// 10.0.0.5:80 --random". A target with an option that is not understood is Unmodelled as a whole.
#pragma once

#include <optional>
#include <string_view>
#include <vector>

#include "collectors/iptables_words.h"
#include "src/kernel/iptables.h"

namespace dvrtrace::iptables {

struct TargetOption {
  std::string_view name;   // "--to-destination"
  std::string_view value;  // "" for a flag
};

struct TargetText {
  std::string_view name;
  std::vector<TargetOption> options;
  std::string_view whole;  // from the name to the last option
  bool go = false;         // "-g"
};

Read<kernel::Target> make_target(const TargetText& text, Family family);

// One change of a mark: `operation` is "set", "xset", "and", "or" or "xor".
struct MarkChange {
  std::uint32_t clear = 0xffffffff, flip = 0;
};
std::optional<MarkChange> mark_change(std::string_view operation, std::string_view value);

// What REJECT answers when the rule does not say.
std::string_view default_reject(Family family);

}  // namespace dvrtrace::iptables
