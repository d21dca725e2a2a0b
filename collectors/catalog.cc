#include "collectors/catalog.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <optional>

#include "collectors/bug_report.h"
#include "collectors/failed_command.h"
#include "collectors/ovsdb.h"
#include "src/base/text.h"

namespace dvrtrace {

namespace {

// A folder of a tree: its path with a final '/', or "", and the files below it, which stand together.
struct Folder {
  std::string_view path;
  std::size_t begin = 0, end = 0;
};

struct FoundHost {
  Folder folder;
  std::string prefix;  // "sos_commands/" where the folder is that itself
  std::string_view folder_name;
  bool bug_report = false;
};

std::string_view last_part(std::string_view folder) {
  if (!folder.empty()) folder.remove_suffix(1);
  return folder.substr(folder.rfind('/') + 1);
}

class HostFinder {
 public:
  explicit HostFinder(const FileTree& tree) : tree_(tree) {}

  void find() { find({{}, 0, tree_.files().size()}, 0); }

  std::vector<FoundHost> hosts;
  std::vector<Folder> neutron;

 private:
  std::string_view path_of(std::size_t file) const { return tree_.files()[file].path; }

  std::vector<Folder> folders_in(const Folder& folder) const {
    std::vector<Folder> folders;
    for (std::size_t file = folder.begin; file < folder.end; ++file) {
      const std::string_view path = path_of(file);
      const std::size_t slash = path.find('/', folder.path.size());
      if (slash == std::string_view::npos) continue;
      const std::string_view name = path.substr(0, slash + 1);
      if (folders.empty() || folders.back().path != name) folders.push_back({name, file, file});
      folders.back().end = file + 1;
    }
    return folders;
  }

  std::string_view name_of(const Folder& folder) const {
    return folder.path.empty() ? tree_.folder_name() : last_part(folder.path);
  }

  bool is_flat_host(const Folder& folder) const {
    for (std::size_t file = folder.begin; file < folder.end; ++file) {
      const std::string_view name = path_of(file).substr(folder.path.size());
      if (name.find('/') == std::string_view::npos && is_dump(classify(name).kind)) return true;
    }
    return false;
  }

  bool is_bug_report(const Folder& folder) const {
    bool inventory = false, label = false;
    for (std::size_t file = folder.begin; file < folder.end; ++file) {
      const std::string_view name = path_of(file).substr(folder.path.size());
      inventory = inventory || name == kBugReportInventory;
      label = label || is_bug_report_label(name);
    }
    return inventory && label;
  }

  void find(const Folder& folder, unsigned level) {
    if (is_bug_report(folder)) return hosts.push_back({folder, "", name_of(folder), true});
    const std::vector<Folder> inner = folders_in(folder);
    const auto named = [&](std::string_view name) {
      return std::ranges::find(inner, name, [](const Folder& each) { return last_part(each.path); });
    };
    if (const auto found = named("neutron"); found != inner.end()) neutron.push_back(*found);
    if (named("sos_commands") != inner.end()) return add(folder, "");
    if (const auto found = named("hosts"); found != inner.end()) return find(*found, level);
    if (name_of(folder) == "sos_commands" || named("openvswitch") != inner.end() ||
        named("networking") != inner.end()) {
      return add(folder, "sos_commands/");
    }
    const std::size_t before = hosts.size();
    for (const Folder& each : inner) {
      if (level < Catalog::kMaxLevels && last_part(each.path) != "neutron") find(each, level + 1);
    }
    if (hosts.size() == before && is_flat_host(folder)) add(folder, "");
  }

  void add(const Folder& folder, std::string prefix) {
    std::string_view name = name_of(folder);
    // sos_commands/ by itself says nothing; the folder that holds it does.
    if (name == "sos_commands") name = tree_.parent_name();
    hosts.push_back({folder, std::move(prefix), name, false});
  }

  const FileTree& tree_;
};

// A name as hostname(1) prints it; none for the text of a failed command.
std::optional<std::string> host_name_in(std::string_view text) {
  const std::string_view name = trim(text);
  const bool is_name = std::ranges::all_of(
      name, [](char c) { return is_alpha(c) || is_digit(c) || c == '-' || c == '.' || c == '_'; });
  if (name.empty() || name.size() > 255 || !is_name) return std::nullopt;
  return std::string(name);
}

class HostNamer {
 public:
  HostNamer(const FileTree& tree, const std::vector<HostFile>& files) : tree_(tree), files_(files) {}

  std::optional<std::string> name() const {
    if (auto name = from_host_name()) return name;
    return from_database();
  }

 private:
  std::vector<const HostFile*> of(FileKind kind) const {
    std::vector<const HostFile*> found;
    for (const HostFile& file : files_) {
      if (file.name.kind == kind && file.name.netns.empty()) found.push_back(&file);
    }
    std::ranges::stable_sort(found, {}, [](const HostFile* file) { return file->name.rank; });
    return found;
  }

  std::optional<std::string> read(const HostFile& file) const {
    const auto bytes = tree_.read(tree_.files()[file.entry]);
    if (!bytes || failed_command(**bytes)) return std::nullopt;
    return **bytes;
  }

  std::optional<std::string> from_host_name() const {
    for (const HostFile* file : of(FileKind::Hostname)) {
      if (const auto text = read(*file)) {
        if (auto name = host_name_in(*text)) return name;
      }
    }
    return std::nullopt;
  }

  std::optional<std::string> from_database() const {
    for (const HostFile* file : of(FileKind::OvsRows)) {
      if (!file->name.part.empty() && file->name.part != "Open_vSwitch") continue;
      const auto text = read(*file);
      if (!text) continue;
      Diagnostics unused;  // it is read again, and reported then
      ReadLog log{unused, {}};
      const OvsRows rows = read_ovs_rows({kNoSource, file->path, *text}, file->name.part, log);
      const OvsDatabase database = join_ovs_rows(rows, unused);
      const auto found = database.external_ids.find("hostname");
      if (found == database.external_ids.end()) continue;
      if (auto name = host_name_in(found->second)) return name;
    }
    return std::nullopt;
  }

  const FileTree& tree_;
  const std::vector<HostFile>& files_;
};

// sos calls the second file of a name "NAME.1": the same command was run again.
bool is_repeated(const FileTree& tree, std::string_view path) {
  const std::size_t dot = path.rfind('.');
  if (dot == std::string_view::npos || !number(path.substr(dot + 1))) return false;
  const auto files = tree.files();
  const auto path_of = [](const FileEntry& file) { return std::string_view(file.path); };
  return std::ranges::binary_search(files, path.substr(0, dot), {}, path_of);
}

std::vector<HostFile> files_of(const FileTree& tree, std::size_t index, const FoundHost& host) {
  std::vector<HostFile> files;
  files.reserve(host.folder.end - host.folder.begin);
  for (std::size_t entry = host.folder.begin; entry < host.folder.end; ++entry) {
    const FileEntry& found = tree.files()[entry];
    HostFile file{index, entry, host.prefix + found.path.substr(host.folder.path.size()), {}, {}};
    file.name = classify(file.path);
    // sos puts links to some dumps at the top of a report; the dumps themselves are read.
    const bool at_top = file.path.find('/') == std::string::npos;
    const bool is_other_name = at_top && !found.link_to.empty() && file.name.kind != FileKind::Hostname;
    if (is_other_name || is_repeated(tree, found.path)) file.name.kind = FileKind::Ignored;
    files.push_back(std::move(file));
  }
  return files;
}

// Those of a bug report, under the names that a sos report has for them. Of what it has besides nothing is read.
std::vector<HostFile> files_of_bug_report(const FileTree& tree, std::size_t index, const FoundHost& host) {
  std::vector<HostFile> files;
  for (std::size_t entry = host.folder.begin; entry < host.folder.end; ++entry) {
    const FileEntry& found = tree.files()[entry];
    const std::string name = found.path.substr(host.folder.path.size());
    if (!is_bug_report_label(name)) {
      files.push_back({index, entry, name, classify(name), {}});
      const bool copy = name.find('/') != std::string::npos;
      if (!copy) files.back().name.kind = FileKind::Ignored;
      continue;
    }
    const auto text = tree.read(found);
    if (!text) continue;
    for (BugReportPart& part : parts_of_bug_report(name, **text))
      files.push_back({index, entry, part.path, classify(part.path), part.section});
  }
  std::ranges::sort(files, {}, &HostFile::path);
  return files;
}

std::optional<std::string> name_in_bug_report(const FileTree& tree, const FoundHost& host) {
  for (std::size_t entry = host.folder.begin; entry < host.folder.end; ++entry) {
    const FileEntry& found = tree.files()[entry];
    if (found.path.substr(host.folder.path.size()) != kBugReportInventory) continue;
    if (const auto text = tree.read(found)) return host_name_in(host_of_bug_report(**text));
  }
  return std::nullopt;
}

std::string folder_of(const FileTree& tree, const FoundHost& host) {
  std::string folder = tree.name();
  if (!host.folder.path.empty()) folder.append("/").append(host.folder.path, 0, host.folder.path.size() - 1);
  return printable(folder);
}

// The files of both, ascending by path; where both have one, the later one's.
void merge(std::vector<HostFile>& files, std::vector<HostFile> later, std::vector<HostFile>& replaced) {
  std::vector<HostFile> merged;
  merged.reserve(files.size() + later.size());
  auto old = files.begin();
  for (HostFile& file : later) {
    for (; old != files.end() && old->path < file.path; ++old) merged.push_back(std::move(*old));
    if (old != files.end() && old->path == file.path) {
      if (old->name.kind == FileKind::Fdb) replaced.push_back(std::move(*old));
      ++old;
    }
    merged.push_back(std::move(file));
  }
  std::move(old, files.end(), std::back_inserter(merged));
  files = std::move(merged);
}

void merge(std::vector<HostFiles>& hosts, HostFiles host) {
  const auto found = std::ranges::find(hosts, host.name, &HostFiles::name);
  if (found == hosts.end()) {
    hosts.push_back(std::move(host));
  } else {
    std::ranges::move(host.inputs, std::back_inserter(found->inputs));
    merge(found->files, std::move(host.files), found->replaced);
  }
}

// Two hosts of one input cannot be the same one: the second is renamed.
void tell_apart(HostFiles& host, const std::vector<HostFiles>& others, Diagnostics& diagnostics) {
  const auto taken = [&](const std::string& name) {
    return std::ranges::find(others, name, &HostFiles::name);
  };
  const auto first = taken(host.name);
  if (first == others.end()) return;
  std::string name;
  for (int number = 2; name.empty() || taken(name) != others.end(); ++number)
    name = fmt::format("{} ({})", host.name, number);
  diagnostics.error({},
                    fmt::format("{} and {}: expected two hosts, found the name {} in both",
                                first->inputs.front(), host.inputs.front(), host.name),
                    fmt::format("the second is called '{}'; -i NAME=PATH names a host", name));
  host.name = std::move(name);
}

}  // namespace

// A host's folder is not known before the whole archive was read, so any that a path names might be it.
bool may_be_read(std::string_view path) {
  const auto is_read = [](std::string_view inner) { return classify(inner).kind > FileKind::Ignored; };
  const auto folder = [&](std::string_view name) {
    const std::size_t at = path.find(name);
    return at != std::string_view::npos && (at == 0 || path[at - 1] == '/') ? at : std::string_view::npos;
  };
  const std::string_view file = path.substr(path.rfind('/') + 1);
  const std::size_t commands = folder("sos_commands/");
  if (commands != std::string_view::npos) return is_read(path.substr(commands));
  if (folder("sos_strings/") != std::string_view::npos) return true;  // where sos keeps what it cut
  if (folder("neutron/") != std::string_view::npos && path.ends_with(".json")) return true;
  if (folder("sos_reports/") != std::string_view::npos) return file == "manifest.json";
  if (folder("etc/hostname") != std::string_view::npos) return is_read("etc/hostname");
  if (file == kBugReportInventory || is_bug_report_label(file)) return true;
  return is_read(path) || is_read(file);
}

Result<std::size_t> Catalog::add(std::span<const FileTree> trees, std::size_t index, const std::string& name,
                                 Diagnostics& diagnostics) {
  const FileTree& tree = trees[index];
  HostFinder finder(tree);
  finder.find();
  if (!name.empty() && finder.hosts.size() != 1) {
    return failure(fmt::format("{}={}: expected one host to be named, found {}", name, tree.name(),
                               finder.hosts.size()));
  }
  std::vector<HostFiles> found;
  for (const FoundHost& each : finder.hosts) {
    HostFiles host{name,
                   {folder_of(tree, each)},
                   each.bug_report ? files_of_bug_report(tree, index, each) : files_of(tree, index, each),
                   {}};
    if (host.name.empty() && each.bug_report) host.name = name_in_bug_report(tree, each).value_or("");
    if (host.name.empty())
      host.name = HostNamer(tree, host.files).name().value_or(printable(each.folder_name));
    tell_apart(host, found, diagnostics);
    found.push_back(std::move(host));
  }
  for (HostFiles& host : found) merge(hosts, std::move(host));
  for (const Folder& folder : finder.neutron) {
    for (std::size_t entry = folder.begin; entry < folder.end; ++entry) {
      if (tree.files()[entry].path.ends_with(".json")) neutron.push_back({index, entry});
    }
  }
  return found.size();
}

}  // namespace dvrtrace
