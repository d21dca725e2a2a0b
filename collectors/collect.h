// Collection: the hosts that a set of inputs holds, and the reading of them.
//
// Opening looks at names only, and reads archives once: which hosts there are, which files each has and what each file is
// (catalog.h). Reading a host is separate, can be done at any depth, and for several hosts at once.
//
//   auto collection = Collection::open({{"", "hosts"}}, {}, sources, diagnostics);
//   HostSnapshot host = collection->read(0, Depth::Full, diagnostics);
#pragma once

#include <string>
#include <utility>
#include <vector>

#include "collectors/catalog.h"
#include "src/base/diagnostics.h"
#include "src/base/result.h"
#include "src/base/source.h"
#include "src/snapshot/snapshot.h"

namespace dvrtrace {

struct Input {
  std::string name;  // of the host, from "NAME=PATH"; "" to find it out
  std::string path;  // a folder or an archive of one host, or of several
};

class Collection {
 public:
  // `neutron`: files or folders of Neutron's JSON, beside those named neutron/ within the inputs.
  // Fails when an input does not exist, cannot be read, or none of them holds a host. Without inputs there is Neutron alone.
  static Result<Collection> open(const std::vector<Input>& inputs, const std::vector<std::string>& neutron,
                                 Sources& sources, Diagnostics& diagnostics);

  const std::vector<HostFiles>& hosts() const { return catalog_.hosts; }

  // Safe to call from several threads, each with its own diagnostics.
  // `index`: the same host read at Depth::Index before, to be completed.
  HostSnapshot read(std::size_t host, Depth depth, Diagnostics& diagnostics, const HostSnapshot* index = nullptr) const;
  logical::Model read_neutron(Diagnostics& diagnostics) const;

  // The files themselves: of a host, and Neutron's, each with the last part of its name. What cannot be read is left out.
  Result<SharedText> text(const HostFile& file) const;
  std::vector<std::pair<std::string, SharedText>> neutron_texts() const;

  // All hosts, on as many threads as the machine has cores; the result does not depend on their number.
  Snapshot read_all(Depth depth, Diagnostics& diagnostics) const;

 private:
  Result<void> add_input(const Input& input, Result<FileTree> tree, Diagnostics& diagnostics);
  Result<void> add_neutron(const std::string& path, Diagnostics& diagnostics);

  std::vector<FileTree> trees_;
  Catalog catalog_;
  std::vector<std::string> neutron_files_;  // that were named one by one
  Sources* sources_ = nullptr;
};

// A host whose dumps are in memory: (path within its folder, text). Their sources are named "LABEL/HOST/PATH".
using DumpTexts = std::vector<std::pair<std::string, std::string>>;
HostSnapshot read_texts(const std::string& label, const std::string& host, DumpTexts texts, Depth depth, Sources& sources,
                        Diagnostics& diagnostics);

}  // namespace dvrtrace
