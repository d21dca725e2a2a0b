// Marks: from a row that was read out of a reference's dump back to the line that the reference wrote, with its rule and need.
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <span>
#include <vector>

#include "src/base/source.h"
#include "tracer/check/compare_bridges.h"
#include "tracer/check/comparison.h"
#include "tracer/reference/expected.h"

namespace dvrtrace::check {

class Marks {
 public:
  // `source` is what `dump` was read as. The dump must outlive the marks.
  void add(SourceId source, const reference::Dump& dump);
  const reference::Line* line(const Provenance& at) const;
  std::size_t alternatives(SourceId source, std::uint32_t either) const;  // how many lines have this number

 private:
  struct Text {
    const reference::Dump* dump = nullptr;
    std::vector<std::uint32_t> begins;  // of each line
  };
  std::map<SourceId, Text> texts_;
};

// Without what is missing and need not be there: optional lines, and alternatives of which one is there.
std::vector<Difference> unexplained(std::span<const Difference> differences, const Marks& marks);
std::vector<BridgeDifference> unexplained(std::span<const BridgeDifference> differences, const Marks& marks);

}  // namespace dvrtrace::check
