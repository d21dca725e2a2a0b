// The cloud behind a viewer: the inputs, read once and asked any number of questions, also what would be
// without some of their rows.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "src/base/diagnostics.h"
#include "src/base/source.h"
#include "src/cli/failure.h"
#include "src/cli/opened_cloud.h"
#include "src/cli/options.h"
#include "src/model/network.h"
#include "src/report/trace_json.h"
#include "tracer/engine/ask.h"
#include "tracer/reference/plan.h"
#include "tui/subject.h"

namespace dvrtrace::cli {

class ViewedCloud {
 public:
  static tl::expected<std::unique_ptr<ViewedCloud>, Failure> open(const Options& options);

  // A subject that shows the ends to choose from.
  tui::Subject ends() const;
  // `asked`: as it was read from the command line; what the inquiry says takes its place.
  tl::expected<tui::Subject, Failure> trace(const Ask& asked, const tui::Inquiry& inquiry) const;
  // The same subject, with what is wrong on its hosts and what is expected there.
  tui::Subject judged(const Ask& asked, const tui::Subject& subject) const;

  const Network& network() const { return opened_->network(); }
  Sources& sources() const { return *sources_; }
  std::vector<JsonInput> inputs() const { return opened_->inputs(); }
  const Diagnostics& diagnostics() const { return diagnostics_; }

 private:
  explicit ViewedCloud(const Options& options) : numeric_(options.numeric) {}

  bool numeric_;
  std::shared_ptr<Sources> sources_ = std::make_shared<Sources>();
  Diagnostics diagnostics_;
  std::unique_ptr<const OpenedCloud> opened_;
  Glossary glossary_;
  std::vector<tui::End> ends_;
};

}  // namespace dvrtrace::cli
