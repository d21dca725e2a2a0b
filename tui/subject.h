// Subject: what a viewer shows: a trace, or findings, with what there is to say about them. A value: once
// made it does not change, so the model shares it; another question makes another subject.
#pragma once

#include <cstddef>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "src/base/source.h"
#include "src/report/glossary.h"
#include "src/report/trace_view.h"
#include "src/trace/finding.h"
#include "src/trace/trace.h"

namespace dvrtrace::tui {

// A question as it could be typed: `from A to B [PACKET]`, and the rows that are to be taken for absent.
struct Removed {
  Place place;
  Step step;         // whose row it is
  std::string text;  // in words
};
struct Inquiry {
  std::string from, to, packet;
  std::vector<Removed> without;
};

// Expected against found, of one place.
struct PlaceReference {
  std::string host, kind, place;  // as a finding names it: "bridge", "namespace" ("" is the root namespace)
  std::vector<Finding> differences;
};
// What the reference says of the hosts that the packet visited.
struct Comparison {
  std::string reference;               // "Neutron zed"
  std::string not_compared;            // why there is nothing to compare; "" it was compared
  std::vector<PlaceReference> places;  // those with differences
};

// What captures show at a crossing of the path.
struct Sighting {
  // Missed: the packet went on, so a capture lost it. CannotTell: the capture is damaged, or of another time.
  enum class State { NotCaptured, Seen, NotSeen, Altered, Missed, CannotTell };
  State state = State::NotCaptured;
  std::string altered;            // the fields that differ
  std::optional<double> latency;  // milliseconds since the crossing before that was seen
  std::size_t packets = 0;
};
struct Sightings {
  std::string direction;            // "request"
  std::string verdict;              // in words
  std::vector<Sighting> crossings;  // one for each Direction::crossings, in their order
};

// Something that a question can start from or lead to.
struct End {
  std::string word;  // as a question takes it
  std::string name, kind, host, network, address;
};

struct Subject {
  std::string title;           // "trace.json", "check"; "" a question asked here
  std::optional<Trace> trace;  // none: findings or ends alone
  Glossary glossary;
  std::shared_ptr<const Sources> sources;
  std::optional<Inquiry> inquiry;  // none: cannot be asked again
  bool computes_findings = false;  // findings and comparison can be asked for
  std::optional<std::vector<Finding>> findings;
  std::optional<Comparison> comparison;
  std::vector<Sightings> sightings;
  std::vector<End> ends;  // to choose from

  // Made by prepare().
  struct Way {
    HopNumbers numbers;
    std::vector<bool> on_path;
    std::vector<std::size_t> hops;                   // on the way, in order; then copies
    std::size_t on_way = 0;                          // how many of them are on the way
    std::vector<std::size_t> next;                   // by hop: the one that it leads to; itself for the last
    std::vector<bool> faulty;                        // by hop: something is found wrong in its place
    std::vector<std::vector<std::string>> searched;  // by hop: its names, then each step, in small letters
  };
  std::vector<Way> ways;
  std::vector<std::string> searched_findings, searched_ends;
};

// A subject with what is looked up at every key worked out.
std::shared_ptr<const Subject> prepare(Subject subject);

// ASCII letters made small; what is searched and what is searched for both go through it.
std::string folded(std::string_view text);

}  // namespace dvrtrace::tui
