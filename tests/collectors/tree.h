// A folder of dumps that a test makes for itself, and what is read from it.
#pragma once

#include <gtest/gtest.h>
#include <stdlib.h>

#include <filesystem>
#include <fstream>
#include <initializer_list>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "collectors/collect.h"

namespace dvrtrace::test {

class Tree {
 public:
  Tree() {
    std::string name = (std::filesystem::temp_directory_path() / "dvrtrace-XXXXXX").string();
    root_ = ::mkdtemp(name.data());
  }
  Tree(std::initializer_list<std::pair<std::string_view, std::string_view>> files) : Tree() {
    for (const auto& [path, bytes] : files) add(path, bytes);
  }
  Tree(const Tree&) = delete;
  Tree& operator=(const Tree&) = delete;
  ~Tree() {
    std::error_code error;
    std::filesystem::remove_all(root_, error);
  }

  void add(std::string_view path, std::string_view bytes) {
    std::filesystem::create_directories((root_ / path).parent_path());
    std::ofstream(root_ / path, std::ios::binary) << bytes;
  }
  void link(std::string_view path, const std::filesystem::path& target) {
    std::filesystem::create_directories((root_ / path).parent_path());
    std::filesystem::create_symlink(target, root_ / path);
  }
  std::string path(std::string_view inner = {}) const { return inner.empty() ? root_.string() : (root_ / inner).string(); }

 private:
  std::filesystem::path root_;
};

// The inputs opened and all their hosts read.
struct Collected {
  explicit Collected(const std::vector<Input>& inputs, Depth depth = Depth::Full) {
    auto collection = Collection::open(inputs, {}, sources, diagnostics);
    if (!collection) {
      failure = collection.error().message;
      return;
    }
    for (const HostFiles& host : collection->hosts()) names.push_back(host.name);
    snapshot = collection->read_all(depth, diagnostics);
  }

  const HostSnapshot& host(std::string_view name) const {
    for (const HostSnapshot& each : snapshot.hosts) {
      if (each.name == name) return each;
    }
    ADD_FAILURE() << "no host " << name;
    static const HostSnapshot none;
    return none;
  }
  const NamespaceSnapshot& netns(std::string_view host_name, std::string_view name = {}) const {
    const NamespaceSnapshot* found = host(host_name).find_namespace(name);
    if (found == nullptr) ADD_FAILURE() << "no namespace " << name;
    static const NamespaceSnapshot none;
    return found != nullptr ? *found : none;
  }
  const BridgeDumps& bridge(std::string_view host_name, std::string_view name) const {
    const BridgeDumps* found = host(host_name).find_bridge(name);
    if (found == nullptr) ADD_FAILURE() << "no bridge " << name;
    static const BridgeDumps none;
    return found != nullptr ? *found : none;
  }
  // The name of the file that a part was read from.
  template <class T>
  std::string source_of(const Part<T>& part) const {
    const std::string name = part.source == kNoSource ? "" : std::string(sources.name(part.source));
    return name.substr(name.rfind('/') + 1);
  }
  std::vector<std::string> messages(Severity severity) const {
    std::vector<std::string> messages;
    for (const Diagnostic& diagnostic : diagnostics.all()) {
      if (diagnostic.severity == severity) messages.push_back(diagnostic.message);
    }
    return messages;
  }
  std::string rendered() const {
    std::string text;
    for (const Diagnostic& diagnostic : diagnostics.all()) text += render(diagnostic, sources) + "\n";
    return text;
  }

  Sources sources;
  Diagnostics diagnostics;
  std::string failure;
  std::vector<std::string> names;
  Snapshot snapshot;
};

}  // namespace dvrtrace::test
