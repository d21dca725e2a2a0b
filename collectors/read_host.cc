#include "collectors/read_host.h"

#include "collectors/agent_config.h"
#include "collectors/host_reader.h"
#include "collectors/libvirt_xml.h"
#include "src/base/text.h"

namespace dvrtrace {

namespace {

// The bridge or the namespace that a file is about; one of them is always "".
std::string_view subject_of(const DumpName& name) { return name.bridge.empty() ? name.netns : name.bridge; }

bool preferred(const HostFile* a, const HostFile* b) {
  const auto order = [](const HostFile& file) {
    // Of two alike the one of the later input.
    return std::tuple(file.name.kind, subject_of(file.name), file.name.partial, file.name.rank, ~file.tree,
                      std::string_view(file.path));
  };
  return order(*a) < order(*b);
}

// "qrouter-U" and "qrouter-U (id: 9)", a line each. A name is that of a file, and no longer.
std::vector<std::string> read_netns_list(const SourceText& text, ReadLog& log) {
  std::vector<std::string> names;
  for (const Span line : lines_of(text.bytes)) {
    std::string_view rest = text.at(line);
    const std::string_view name = take_word(rest);
    const bool is_name =
        !name.empty() && name.size() <= 255 && (trim(rest).empty() || trim(rest).starts_with("(id:"));
    if (is_name) names.push_back(printable(name));
    if (!is_name && !name.empty()) {
      log.diagnostics.error(text.provenance(line), "expected the name of a namespace, found another text",
                            "the list of namespaces is incomplete");
    }
    log.lines.count(is_name        ? LineState::Modelled
                    : name.empty() ? LineState::Ignored
                                   : LineState::Unrecognised);
  }
  return names;
}

}  // namespace

HostReader::HostReader(const HostFiles& files, std::span<const FileTree> trees, Depth depth, Sources& sources,
                       Diagnostics& diagnostics)
    : files_(files),
      trees_(trees),
      depth_(depth),
      sources_(sources),
      diagnostics_(diagnostics),
      texts_(files, trees, sources, diagnostics) {
  for (const HostFile& file : files.files) {
    if (file.name.kind > FileKind::Ignored) by_kind_.push_back(&file);
  }
  std::ranges::sort(by_kind_, preferred);
}

Candidates HostReader::files_of(FileKind kind, std::string_view subject) const {
  const auto key = [](const HostFile* file) { return std::tuple(file->name.kind, subject_of(file->name)); };
  const std::tuple wanted(kind, subject);
  return {std::ranges::lower_bound(by_kind_, wanted, {}, key),
          std::ranges::upper_bound(by_kind_, wanted, {}, key)};
}

std::set<std::string> HostReader::subjects_of(FileKind first, FileKind last) const {
  std::set<std::string> subjects;
  for (const HostFile* file : by_kind_) {
    if (file->name.kind >= first && file->name.kind <= last) subjects.emplace(subject_of(file->name));
  }
  return subjects;
}

HostSnapshot HostReader::read(const HostSnapshot* index) {
  if (index != nullptr) {
    host_ = *index;
    host_.namespaces.clear();
  } else {
    host_.name = files_.name;
    host_.inputs = files_.inputs;
    read_config();
    read_agent_state();
    read_date();
    read_domains();
    read_database();
    read_namespace_names();
  }
  read_namespaces();
  if (depth_ != Depth::Index) {
    read_bridges();
    read_datapath();
  }
  if (everything()) account_for_the_rest();
  find_sign_of_cleaning();
  std::ranges::move(texts_.take_readings(), std::back_inserter(host_.files));
  if (depth_ != Depth::Index) texts_.note_times(host_.files);
  return std::move(host_);
}

void HostReader::read_config() {
  for (const HostFile* file : files_of(FileKind::AgentConfig)) {
    const HostText& text = texts_.open(*file);
    if (!text.usable()) continue;
    ReadLog log{diagnostics_, {}};
    read_agent_config(text.text, host_.config, log);
    texts_.close(*file, log.lines);
    texts_.use(*file, "configuration");
  }
}

void HostReader::read_agent_state() {
  for (const HostFile* file : files_of(FileKind::AgentState)) {
    const HostText& text = texts_.open(*file);
    if (!text.usable()) continue;
    const bool is_new = host_.state_files.try_emplace(file->name.part, trim(text.text.bytes)).second;
    LineCounts lines;
    lines.count(LineState::Modelled, lines_of(text.text.bytes).count());
    texts_.close(*file, lines);
    if (is_new) texts_.use(*file, "state of the L3 agent");
  }
}

void HostReader::read_date() {
  for (const HostFile* file : files_of(FileKind::Date)) {
    const HostText& text = texts_.open(*file);
    if (!text.usable() || !host_.collected_at.empty()) continue;
    host_.collected_at = printable(trim(text.text.bytes.substr(0, 100)));
    LineCounts lines;
    lines.count(LineState::Modelled, lines_of(text.text.bytes).count());
    texts_.close(*file, lines);
    texts_.use(*file, "time of saving");
  }
}

// A domain may stand in three files, of which the running one's is the surest.
void HostReader::read_domains() {
  std::set<std::string, std::less<>> files, domains;
  for (const HostFile* file : files_of(FileKind::Domain)) {
    if (!everything() && files.contains(file->name.part)) continue;
    const HostText& text = texts_.open(*file);
    if (!text.usable()) continue;
    ReadLog log{diagnostics_, {}};
    std::optional<Domain> domain = read_libvirt_domain(text.text, log);
    texts_.close(*file, log.lines);
    if (!domain) continue;
    files.insert(file->name.part);
    if (!domains.insert(domain->uuid.empty() ? domain->name : domain->uuid).second) continue;
    texts_.use(*file, fmt::format("domain {}", domain->name));
    host_.domains.push_back(std::move(*domain));
  }
}

void HostReader::read_namespace_names() {
  read_part(host_.namespace_names, files_of(FileKind::NamespaceNames), "ip netns", "names of namespaces",
            [](const HostFile&, const SourceText& text, std::vector<std::string>& names, ReadLog& log) {
              names = read_netns_list(text, log);
            });
}

// Every file of the host is in the account, those too that nothing is read from.
void HostReader::account_for_the_rest() {
  for (const HostFile& file : files_.files) {
    if (texts_.opened(file)) continue;
    texts_.pass_over(file);
    if (file.name.kind != FileKind::Unknown) continue;
    diagnostics_.note({},
                      printable(fmt::format("{}: {}: expected a dump, found a name that is not known",
                                            files_.name, file.path)),
                      "the file is not read");
  }
}

void HostReader::find_sign_of_cleaning() {
  host_.cleaned_sign = texts_.cleaned_sign();
  for (const std::string& input : host_.inputs) {
    if (input.find("obfuscated") != std::string::npos) host_.cleaned_sign = fmt::format("the name {}", input);
  }
  for (const HostFile& file : files_.files) {
    if (file.path.ends_with("private_map"))
      host_.cleaned_sign = fmt::format("the file {}", printable(file.path));
  }
  host_.cleaned = !host_.cleaned_sign.empty();
}

HostSnapshot read_host(const HostFiles& files, std::span<const FileTree> trees, Depth depth, Sources& sources,
                       Diagnostics& diagnostics, const HostSnapshot* index) {
  return HostReader(files, trees, depth, sources, diagnostics).read(index);
}

}  // namespace dvrtrace
