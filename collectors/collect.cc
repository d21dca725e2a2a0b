#include "collectors/collect.h"

#include <fmt/format.h>

#include <algorithm>
#include <filesystem>

#include "collectors/bug_report.h"
#include "collectors/neutron_json.h"
#include "collectors/read_host.h"
#include "src/base/all_cores.h"
#include "src/base/text.h"

namespace dvrtrace {

namespace {

// With the first of what was wrong: it may be the reason.
std::string no_host_in(const std::vector<Input>& inputs, const Diagnostics& diagnostics) {
  const auto& all = diagnostics.all();
  const auto first = std::ranges::find(all, Severity::Error, &Diagnostic::severity);
  std::vector<std::string> paths;
  for (const Input& input : inputs) paths.push_back(printable(input.path));
  return fmt::format(
      "{}: expected the dumps of a host (a folder or an archive with sos_commands/, or files such as "
      "ovs-ofctl_dump-flows_br-int), found none{}",
      fmt::join(paths, ", "), first == all.end() ? "" : "; " + first->message);
}

}  // namespace

Result<Collection> Collection::open(const std::vector<Input>& inputs, const std::vector<std::string>& neutron,
                                    Sources& sources, Diagnostics& diagnostics) {
  Collection collection;
  collection.sources_ = &sources;
  // Archives take their time, each of its own; what they hold is put together in the order of the inputs.
  std::vector<Result<FileTree>> opened(inputs.size());
  std::vector<Diagnostics> reported(inputs.size());
  run_on_all_cores(inputs.size(), [&](std::size_t each) {
    opened[each] = FileTree::open(inputs[each].path, may_be_read, reported[each]);
  });
  for (std::size_t each = 0; each < inputs.size(); ++each) {
    diagnostics.merge(std::move(reported[each]));
    const auto added = collection.add_input(inputs[each], std::move(opened[each]), diagnostics);
    if (!added) return tl::unexpected(added.error());
  }
  if (collection.hosts().empty() && !inputs.empty()) return failure(no_host_in(inputs, diagnostics));
  for (const std::string& path : neutron) {
    const auto added = collection.add_neutron(path, diagnostics);
    if (!added) return tl::unexpected(added.error());
  }
  return collection;
}

Result<void> Collection::add_input(const Input& input, Result<FileTree> tree, Diagnostics& diagnostics) {
  if (!tree) {
    return failure(printable(
        fmt::format("{}: expected a folder or an archive of dumps: {}", input.path, tree.error().message)));
  }
  trees_.push_back(std::move(*tree));
  const auto hosts = catalog_.add(trees_, trees_.size() - 1, input.name, diagnostics);
  if (!hosts) return tl::unexpected(hosts.error());
  if (*hosts == 0) {
    diagnostics.warning({},
                        printable(fmt::format("{}: expected the dumps of a host, found none", input.path)),
                        "nothing is read from it but Neutron's objects, if it has them");
  }
  return {};
}

Result<void> Collection::add_neutron(const std::string& path, Diagnostics& diagnostics) {
  if (!std::filesystem::is_directory(path)) {
    std::error_code error;
    if (!std::filesystem::exists(path, error))
      return failure(printable(fmt::format("{}: No such file or directory", path)));
    neutron_files_.push_back(path);
    return {};
  }
  auto tree = FileTree::open_folder(path, may_be_read, diagnostics);
  if (!tree) return failure(printable(fmt::format("{}: {}", path, tree.error().message)));
  trees_.push_back(std::move(*tree));
  const std::span<const FileEntry> files = trees_.back().files();
  for (std::size_t entry = 0; entry < files.size(); ++entry) {
    if (files[entry].path.ends_with(".json")) catalog_.neutron.push_back({trees_.size() - 1, entry});
  }
  return {};
}

HostSnapshot Collection::read(std::size_t host, Depth depth, Diagnostics& diagnostics,
                              const HostSnapshot* index) const {
  return read_host(hosts()[host], trees_, depth, *sources_, diagnostics, index);
}

logical::Model Collection::read_neutron(Diagnostics& diagnostics) const {
  logical::Model model;
  const auto read = [&](const std::string& name, Result<SharedText> bytes) {
    if (!bytes) {
      diagnostics.error(
          {}, printable(fmt::format("{}: expected Neutron's objects: {}", name, bytes.error().message)),
          "what the file says of networks and ports is not known");
      return;
    }
    ReadLog log{diagnostics, {}};
    read_neutron_json(sources_->text(sources_->add(printable(name), std::move(*bytes))), model, log);
  };
  for (const Catalog::NeutronFile& file : catalog_.neutron) {
    const FileTree& tree = trees_[file.tree];
    const FileEntry& entry = tree.files()[file.entry];
    read(fmt::format("{}/{}", tree.name(), entry.path), tree.read(entry));
  }
  for (const std::string& path : neutron_files_) {
    read(path, read_file(path).map(
                   [](std::string bytes) { return std::make_shared<const std::string>(std::move(bytes)); }));
  }
  return model;
}

Result<SharedText> Collection::text(const HostFile& file) const {
  const FileTree& tree = trees_[file.tree];
  auto text = tree.read(tree.files()[file.entry]);
  if (!text || !file.section) return text;
  return section_alone(*text, *file.section);
}

std::vector<std::pair<std::string, SharedText>> Collection::neutron_texts() const {
  std::vector<std::pair<std::string, SharedText>> texts;
  const auto last_part = [](const std::string& path) { return path.substr(path.rfind('/') + 1); };
  for (const Catalog::NeutronFile& file : catalog_.neutron) {
    const FileEntry& entry = trees_[file.tree].files()[file.entry];
    if (auto bytes = trees_[file.tree].read(entry))
      texts.emplace_back(last_part(entry.path), std::move(*bytes));
  }
  for (const std::string& path : neutron_files_) {
    if (auto bytes = read_file(path))
      texts.emplace_back(last_part(path), std::make_shared<const std::string>(std::move(*bytes)));
  }
  return texts;
}

Snapshot Collection::read_all(Depth depth, Diagnostics& diagnostics) const {
  Snapshot snapshot;
  snapshot.hosts.resize(hosts().size());
  // One more piece of work than there are hosts: Neutron's objects, which take the longest and come first.
  std::vector<Diagnostics> reported(hosts().size() + 1);
  run_on_all_cores(
      reported.size(),
      [&](std::size_t each) {
        if (each == 0)
          snapshot.logical = read_neutron(reported.back());
        else
          snapshot.hosts[each - 1] = read(each - 1, depth, reported[each - 1]);
      },
      kThreadsReadingFiles);
  for (Diagnostics& each : reported) diagnostics.merge(std::move(each));
  return snapshot;
}

HostSnapshot read_texts(const std::string& label, const std::string& host, DumpTexts texts, Depth depth,
                        Sources& sources, Diagnostics& diagnostics) {
  const std::vector<FileTree> trees{FileTree::of_texts(label + '/' + host, std::move(texts))};
  HostFiles files;
  files.name = host;
  for (std::size_t entry = 0; entry < trees[0].files().size(); ++entry) {
    const std::string& path = trees[0].files()[entry].path;
    files.files.push_back({0, entry, path, classify(path), {}});
  }
  return read_host(files, trees, depth, sources, diagnostics, nullptr);
}

}  // namespace dvrtrace
