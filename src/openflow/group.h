// Group: one row of `ovs-ofctl dump-groups`.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "src/openflow/action.h"

namespace dvrtrace::openflow {

enum class GroupType { All, Indirect, Select, FastFailover };

struct Bucket {
  std::optional<std::uint32_t> id;
  std::uint32_t weight = 1;
  std::optional<Ofport> watch_port;
  std::optional<std::uint32_t> watch_group;
  Actions actions;
  bool operator==(const Bucket&) const = default;
};

struct Group {
  std::uint32_t id = 0;
  GroupType type = GroupType::All;
  std::string selection_method, fields;   // as written
  std::vector<Bucket> buckets;
  bool operator==(const Group&) const = default;
};

}  // namespace dvrtrace::openflow
