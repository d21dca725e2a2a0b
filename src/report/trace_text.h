// A trace as text, at three levels of one tree; each leaves things out of the next and none computes
// anything.
//
//   brief  the verdict, and the places
//   path   the hops: what decided there, what changed in the packet, and where that was read
//   full   every step with its line; the copies of floods that led elsewhere
#pragma once

#include <string>
#include <vector>

#include "src/base/source.h"
#include "src/report/glossary.h"
#include "src/report/page.h"
#include "src/report/step_text.h"
#include "src/report/style.h"
#include "src/trace/finding.h"
#include "src/trace/trace.h"

namespace dvrtrace {

struct TextContext {
  const Sources& sources;
  const Glossary& glossary;
  Style style;
  Detail detail = Detail::Path;
  std::vector<Finding> findings = {};  // what explains the trace first
};

std::string print_text(const Trace& trace, const TextContext& context);

// The verdict of the whole, with its reason in words.
Pieces verdict_pieces(const Trace& trace, const Glossary& glossary);

// An end of the question, with what is known of it: name, address, MAC, network, host, port.
std::string endpoint_text(const EndpointName& end);

// The packet of the question.
std::string asked_text(const Question& question);

// How a direction ends, and where: "request: Dropped (security-group) in br-int on cmp1: ..., 11 hops".
Pieces direction_pieces(const Direction& direction, const Glossary& glossary);

// What would settle the directions that end Unknown, each once.
std::vector<std::string> needs_of(const Trace& trace);

// Only the line with the verdict of the whole.
std::string print_verdict(const Trace& trace, const TextContext& context);

}  // namespace dvrtrace
