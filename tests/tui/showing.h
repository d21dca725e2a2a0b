// A viewer over the trace of tests/report/sample.h, and keys pressed in it.
#pragma once

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "tests/report/sample.h"
#include "tui/model.h"
#include "tui/parts.h"

namespace dvrtrace::tui {

struct Showing {
  std::shared_ptr<Sources> sources = std::make_shared<Sources>();
  sample::Cited at{*sources};
  std::vector<Request> requests;       // in the order in which they came
  Event answer = Told{"done", false};  // to each

  Subject subject() const {
    Subject subject;
    subject.sources = sources;
    subject.trace = sample::trace(at);
    subject.glossary = sample::glossary();
    subject.inquiry = Inquiry{"vm1", "vm2", "icmp", {}};
    return subject;
  }

  static Model showing(Subject subject, std::size_t columns = 80, std::size_t rows = 24,
                       bool unicode = true) {
    return open(prepare(std::move(subject)), Style{false, unicode, columns}, columns, rows);
  }

  Model press(Model model, std::string_view keys) {
    const Backend backend = [this](const Request& request, const Model&) {
      requests.push_back(request);
      return answer;
    };
    for (const Key& key : read_keys(keys)) model = run(std::move(model), KeyPressed{key}, backend);
    return model;
  }
};

inline std::string screen(const Model& model) { return drawn(model).text(); }

}  // namespace dvrtrace::tui
