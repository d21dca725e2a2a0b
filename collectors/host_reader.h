// HostReader: makes a HostSnapshot of the files of one host. The inner side of read_host.h.
//
// A part of the snapshot is read from the first of its files, in the order of preference, that holds
// a dump. Files with a piece each (one table of routes, one table of flows) are put together where no
// file has all. A file that turns out to be broken gives way to one that is not, and is used for want
// of a better.
#pragma once

#include <fmt/format.h>

#include <algorithm>
#include <set>
#include <string>
#include <string_view>
#include <tuple>
#include <utility>
#include <vector>

#include "collectors/comparison.h"
#include "collectors/host_texts.h"
#include "src/snapshot/snapshot.h"

namespace dvrtrace {

using Candidates = std::vector<const HostFile*>;  // the preferred first
using Used = std::set<const HostFile*>;

// Whether what was read lacks rows that the file once had.
template <class T>
bool broken(const T&, const LineCounts& lines) {
  return lines.of(LineState::Unrecognised) != 0;
}
// A flow that did not read is kept with its table, so that lookups elsewhere are still decided.
inline bool broken(const openflow::FlowTable& table, const LineCounts&) { return table.truncated; }
inline bool broken(const kernel::Iptables& iptables, const LineCounts& lines) {
  return lines.of(LineState::Unrecognised) != 0 ||
         std::ranges::any_of(iptables.tables,
                             [](const kernel::IptablesTable& table) { return !table.complete; });
}

// Whether a form lacks rows that others of the same thing have: numbers of ports, addresses.
inline bool says_less(const DumpName& name) {
  return name.brief || name.kind == FileKind::LinkDetails || name.kind == FileKind::OvsShow ||
         name.form == FileForm::Hidden;
}

class HostReader {
 public:
  HostReader(const HostFiles& files, std::span<const FileTree> trees, Depth depth, Sources& sources,
             Diagnostics& diagnostics);

  HostSnapshot read(const HostSnapshot* index);

 private:
  bool everything() const { return depth_ == Depth::Everything; }
  // The files of a kind about one bridge or namespace ("" for the root namespace and for the host).
  Candidates files_of(FileKind kind, std::string_view subject = {}) const;
  std::set<std::string> subjects_of(FileKind first, FileKind last) const;

  // read_host.cc
  void read_config();
  void read_agent_state();
  void read_domains();
  void read_namespace_names();
  void read_date();
  void find_sign_of_cleaning();
  void account_for_the_rest();

  // read_ovs.cc
  void read_database();
  OvsRows read_rows(Used& used, bool& joinable);
  void read_show(const OvsRows& rows, Used& used);
  void compare_databases(const Used& used);
  std::set<std::string> bridge_names();
  void read_bridges();
  Used read_flows(BridgeDumps& bridge, const std::string& file_name);
  void measure_skew(const BridgeDumps& bridge, const std::string& file_name, const Used& flows);
  void read_bridge(BridgeDumps& bridge, const std::string& file_name);
  void read_datapath();
  std::string ofctl(std::string_view command, const std::string& bridge) const;

  // read_netns.cc
  void read_namespaces();
  void read_links(NamespaceSnapshot& netns);
  void complete_links(NamespaceSnapshot& netns, const Used& used);
  void read_routing(NamespaceSnapshot& netns);
  void read_neighbours(NamespaceSnapshot& netns);
  void read_netfilter(NamespaceSnapshot& netns);
  void read_kernel_state(NamespaceSnapshot& netns);

  // `read(file, text, value, log)` adds what a file has to `value`.
  template <class T, class Read>
  void read_part(Part<T>& part, const Candidates& files, std::string wanted, const std::string& used_as,
                 Read read);
  template <class T, class Read>
  Used read_preferred(Part<T>& part, const Candidates& files, std::string wanted, const std::string& used_as,
                      Read read);
  template <class T, class Read>
  void compare_rest(const Part<T>& part, const Candidates& files, const Used& used, Read read);
  template <class T, class Read>
  bool read_into(Part<T>& part, const HostFile& file, Read read);

  std::string_view name_of(SourceId source) const {
    return source == kNoSource ? std::string_view{} : sources_.name(source);
  }

  const HostFiles& files_;
  std::span<const FileTree> trees_;
  Depth depth_;
  Sources& sources_;
  Diagnostics& diagnostics_;
  HostTexts texts_;
  Candidates by_kind_;
  HostSnapshot host_;
};

// Adds one file to `part`; says whether there was a dump in it.
template <class T, class Read>
bool HostReader::read_into(Part<T>& part, const HostFile& file, Read read) {
  const HostText& text = texts_.open(file);
  if (!text.usable()) {
    if (part.present() || !part.failure.empty()) return false;
    part.source = text.text.id;
    part.failure = text.failure;
    return false;
  }
  Diagnostics reported;  // where a file is read for two parts, the second time says nothing new
  ReadLog log{texts_.closed(file) ? reported : diagnostics_, {}};
  read(file, text.text, part.value, log);
  texts_.close(file, log.lines);
  const bool whole = !file.name.partial && !text.truncated && !broken(part.value, log.lines);
  if (!part.present()) part.source = text.text.id;
  part.presence = whole && part.presence != Presence::Truncated ? Presence::Complete : Presence::Truncated;
  part.failure.clear();
  return true;
}

template <class T, class Read>
Used HostReader::read_preferred(Part<T>& part, const Candidates& files, std::string wanted,
                                const std::string& used_as, Read read) {
  part.wanted = std::move(wanted);
  Used used;
  std::set<std::pair<std::optional<Family>, std::string>> pieces;  // each is taken from one file only
  for (const HostFile* file : files) {
    if (part.complete()) break;
    if (!file->name.partial) {
      Part<T> whole{Presence::Absent, part.source, part.wanted, part.failure, {}};
      const bool was_read = read_into(whole, *file, read);
      if (part.present() && !whole.complete()) continue;
      if (was_read) used = {file};
      part = std::move(whole);
    } else if ((used.empty() || !pieces.empty()) && !pieces.contains({file->name.family, file->name.part})) {
      if (!read_into(part, *file, read)) continue;
      pieces.insert({file->name.family, file->name.part});
      used.insert(file);
    }
  }
  for (const HostFile* file : used) texts_.use(*file, used_as);
  return used;
}

template <class T, class Read>
void HostReader::compare_rest(const Part<T>& part, const Candidates& files, const Used& used, Read read) {
  for (const HostFile* file : files) {
    if (used.contains(file)) continue;
    Part<T> other;
    if (!read_into(other, *file, read) || used.empty()) continue;
    report_contradiction(
        {compared(part.value), name_of(part.source), part.complete()},
        {compared(other.value), name_of(other.source), other.complete() && !says_less(file->name)},
        diagnostics_);
  }
}

template <class T, class Read>
void HostReader::read_part(Part<T>& part, const Candidates& files, std::string wanted,
                           const std::string& used_as, Read read) {
  const Used used = read_preferred(part, files, std::move(wanted), used_as, read);
  if (everything()) compare_rest(part, files, used, read);
}

}  // namespace dvrtrace
