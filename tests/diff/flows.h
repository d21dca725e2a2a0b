// What the tests of numbers share: flows as text.
#pragma once

#include <gtest/gtest.h>

#include <string>
#include <string_view>
#include <vector>

#include "src/base/text.h"
#include "src/openflow/flow.h"

namespace dvrtrace::diff {

inline openflow::FlowTable flows_of(std::string_view lines) {
  openflow::FlowTable table;
  for (const std::string_view line : split(lines, '\n')) {
    if (line.empty()) continue;
    openflow::FlowLine read = openflow::read_flow_line(line, 0, table.names);
    EXPECT_EQ(read.kind, openflow::FlowLine::Kind::Flow) << line;
    table.flows.push_back(std::move(read.row));
  }
  return table;
}

inline std::vector<std::string> texts_of(const openflow::FlowTable& table) {
  std::vector<std::string> texts;
  for (const openflow::FlowRow& row : table.flows) texts.push_back(to_string(row.flow));
  return texts;
}

}  // namespace dvrtrace::diff
