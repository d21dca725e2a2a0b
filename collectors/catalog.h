// Catalog: which hosts the inputs hold, and which files each host has.
//
// Made from names alone, but for what tells a host's name, and files that hold several dumps. An input is one of
//
//   one host           a folder with sos_commands/ in it; sos_commands/ itself; a flat folder of dumps
//   several hosts      a folder of those, up to kMaxLevels deep, as `sos collect` leaves it
//   a whole cloud      a folder with hosts/ (any of the above) and neutron/ in it
//   a bug report       the folder of an archive of ovs-bugtool, which has file names of its own (bug_report.h)
//
// Of which host a folder is, is said by, in this order: NAME=PATH; sos_commands/host/hostname;
// etc/hostname; a file `hostname`; external_ids:hostname in Open vSwitch's database; its own name.
//
// Folders of one host in different inputs make one host, and of two files with the same path in it
// the one of the later input counts. What a file is, and which of several is preferred, says dump_name.h.
#pragma once

#include <cstddef>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "collectors/dump_name.h"
#include "collectors/source/file_tree.h"
#include "src/base/diagnostics.h"

namespace dvrtrace {

struct HostFile {
  std::size_t tree = 0, entry = 0;  // the input that has it, and its place there
  std::string path;                 // within the host's folder
  DumpName name;
  // The part of the file that it is, where a file has the outputs of several commands (bug_report.h); whole lines.
  std::optional<Span> section = {};
};

struct HostFiles {
  std::string name;
  std::vector<std::string> inputs;  // the host's folders, as the user can reach them
  std::vector<HostFile> files;      // ascending by path
  std::vector<HostFile> replaced;   // MAC tables that a later input has too: their ages tell the time between
};

// Whether a file with this path in an input may be one whose text is asked for, whatever host it belongs to.
bool may_be_read(std::string_view path);

struct Catalog {
  // cloud/, an archive of `sos collect`, its folder, a host's archive, its folder; and one to spare.
  static constexpr unsigned kMaxLevels = 6;

  std::vector<HostFiles> hosts;
  struct NeutronFile {
    std::size_t tree = 0, entry = 0;
  };
  std::vector<NeutronFile> neutron;

  // Adds what trees[index] holds and gives the number of its hosts. `name` is the host's from
  // NAME=PATH, or "". Fails when there is a name and not just one host to bear it.
  Result<std::size_t> add(std::span<const FileTree> trees, std::size_t index, const std::string& name,
                          Diagnostics& diagnostics);
};

}  // namespace dvrtrace
