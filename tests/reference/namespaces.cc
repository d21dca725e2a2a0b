// Compares the namespaces, Linux bridges and iptables rules that the reference programs with those that were found, on every host
// of some recorded clouds.
//
//   reference_namespaces [--release NAME] [--no-neutron] [--commands] CLOUD...      each a folder with hosts/ and neutron/
//
// Both sides are read by the project's readers. Prints per host and kind how many rows are expected, found, missing and extra, and
// each difference with the rule it came from; with --commands instead what `ip -batch`, iptables-restore and ipset would program
// the same with (accept.py). Status 1 when anything differs, or when a line of the reference cannot be read.
#include <fmt/format.h>

#include <map>
#include <set>
#include <string>

#include "collectors/collect.h"
#include "tracer/check/comparison.h"
#include "tracer/check/marks.h"
#include "tracer/reference/commands.h"
#include "tracer/reference/derive.h"
#include "tracer/reference/namespaces.h"

namespace dvrtrace::check {
namespace {

using reference::Dump;

std::string_view word_for(const Difference& difference) {
  if (difference.order) return "order";
  switch (difference.deviation) {
    case Deviation::Missing:
      return "missing";
    case Deviation::Extra:
      return "extra";
    case Deviation::Different:
      return "different";
  }
  return {};
}

class Comparer {
 public:
  Comparer(Sources& sources, const reference::Cloud& cloud, const reference::Settings& settings)
      : sources_(sources), cloud_(cloud), settings_(settings) {}

  bool compare(const std::string& folder, const HostSnapshot& found) {
    const reference::Plan plan = make_plan(cloud_, &found, found.name, settings_);
    reference::Host host{found.name, {}, {}};
    add_linux(plan, host);
    const HostSnapshot expected = read(host);
    const Comparison all = compare_namespaces(found, expected, sources_);
    const Marks marks = marks_of(host, expected);
    const std::vector<Difference> left = unexplained(all.differences, marks);
    for (const Difference& difference : left) print(found.name, difference, marks);
    print_counts(folder, found.name, all, left);
    return left.empty() && readable_;
  }

 private:
  HostSnapshot read(const reference::Host& host) {
    DumpTexts texts;
    for (const Dump& dump : host.dumps) texts.emplace_back(dump.path, text_of(dump));
    Diagnostics diagnostics;
    HostSnapshot snapshot =
        read_texts("reference", host.name, std::move(texts), Depth::Everything, sources_, diagnostics);
    for (const Diagnostic& each : diagnostics.all()) fmt::print("{}\n", render(each, sources_));
    readable_ = readable_ && diagnostics.all().empty();
    return snapshot;
  }

  Marks marks_of(const reference::Host& host, const HostSnapshot& expected) const {
    std::map<std::string_view, const Dump*> dumps;
    for (const Dump& dump : host.dumps) dumps.emplace(dump.path, &dump);
    Marks marks;
    for (const FileReading& file : expected.files) {
      if (const auto dump = dumps.find(file.path); dump != dumps.end()) marks.add(file.source, *dump->second);
    }
    return marks;
  }

  static void print(const std::string& host, const Difference& difference, const Marks& marks) {
    const reference::Line* line = marks.line(difference.expected_at);
    fmt::print("  {} {} {}{} {} {} {}\n", host, difference.netns.empty() ? "root" : difference.netns,
               name_of(difference.kind), difference.family, word_for(difference),
               line == nullptr ? "" : line->rule, difference.object);
    if (difference.deviation == Deviation::Different) fmt::print("      found {}\n", difference.found);
  }

  static void print_counts(const std::string& folder, const std::string& host, const Comparison& all,
                           const std::vector<Difference>& left) {
    for (std::size_t i = 0; i < kObjectKinds; ++i) {
      const auto kind = static_cast<ObjectKind>(i);
      std::map<Deviation, std::size_t> counts;
      for (const Difference& difference : left) {
        if (difference.kind == kind) ++counts[difference.deviation];
      }
      const Tally& tally = all.of(kind);
      if (tally.expected + tally.found == 0) continue;
      fmt::print("{} {} {}: expected {}, found {}, missing {}, extra {}, different {}\n", folder, host,
                 name_of(kind), tally.expected, tally.found, counts[Deviation::Missing],
                 counts[Deviation::Extra], counts[Deviation::Different]);
    }
  }

  Sources& sources_;
  const reference::Cloud& cloud_;
  const reference::Settings& settings_;
  bool readable_ = true;
};

// Sections "## HOST NETNS TOOL", each with the tool's input.
void print_commands(const reference::Host& host) {
  std::set<std::string> names;
  for (const Dump& dump : host.dumps) names.insert(dump.netns);
  for (const std::string& netns : names) {
    const std::string title = fmt::format("## {} {}", host.name, netns.empty() ? "root" : netns);
    for (const Family family : {Family::V4, Family::V6}) {
      fmt::print("{} {}\n", title, family == Family::V4 ? "ip" : "ip6");
      for (const std::string& command : ip_batch(host, netns, family)) fmt::print("{}\n", command);
    }
    for (const std::string_view tool : {"ipset_save", "iptables-save", "ip6tables-save"}) {
      for (const Dump& dump : host.dumps) {
        if (dump.netns == netns &&
            std::string_view(dump.path).ends_with(fmt::format("{}{}", netns.empty() ? "/" : "_", tool)))
          fmt::print("{} {}\n{}", title, tool, text_of(dump));
      }
    }
  }
}

struct Choices {
  reference::Settings settings;
  bool neutron = true, commands = false;
};

bool compare_cloud(const std::string& folder, const Choices& choices) {
  Sources sources;
  Diagnostics diagnostics;
  const auto collection =
      Collection::open({{"", folder + "/hosts"}}, {folder + "/neutron"}, sources, diagnostics);
  if (!collection) {
    fmt::print("{}: {}\n", folder, collection.error().message);
    return false;
  }
  Snapshot snapshot = collection->read_all(Depth::Full, diagnostics);
  std::vector<reference::Caveat> caveats;
  if (!choices.neutron) snapshot.logical = reference::derive(snapshot, caveats);
  const reference::Cloud cloud(snapshot.logical);
  bool equal = !snapshot.hosts.empty();
  for (const HostSnapshot& host : snapshot.hosts) {
    if (choices.commands) {
      reference::Host expected{host.name, {}, {}};
      add_linux(make_plan(cloud, &host, host.name, choices.settings), expected);
      print_commands(expected);
    } else {
      equal = Comparer(sources, cloud, choices.settings).compare(folder, host) && equal;
    }
  }
  return equal;
}

}  // namespace
}  // namespace dvrtrace::check

int main(int argc, char** argv) {
  dvrtrace::check::Choices choices;
  bool equal = true;
  for (int i = 1; i < argc; ++i) {
    const std::string word = argv[i];
    if (word == "--release" && i + 1 < argc) {
      choices.settings.release = dvrtrace::reference::parse_release(argv[++i]);
    } else if (word == "--commands") {
      choices.commands = true;
    } else if (word == "--no-neutron") {
      choices.neutron = false;
    } else {
      equal = dvrtrace::check::compare_cloud(word, choices) && equal;
    }
  }
  return equal ? 0 : 1;
}
