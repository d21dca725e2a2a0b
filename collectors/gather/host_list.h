// Which hosts are to be collected: words of the command line, and lists of hosts that people have already.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "src/base/diagnostics.h"
#include "src/base/result.h"

namespace dvrtrace::gather {

struct Target {
  std::string name;     // as the user calls it, and its folder is called
  std::string address;  // what ssh is given: "cmp1", "10.0.0.1"; "" as `name`
  std::string user, port;
  // "cmp1", "root@cmp1", "ssh://root@cmp1:2222"
  std::string destination() const;
  bool operator==(const Target&) const = default;
};

// A host as it is typed: HOST or USER@HOST. Fails for what ssh would take for something else.
Result<Target> target_of(std::string_view word);

struct HostList {
  std::vector<Target> hosts;  // in their order, each once
  struct Group {
    std::string name;
    std::vector<std::string> members;  // hosts' and groups' names
  };
  std::vector<Group> groups;

  // The hosts that `words` name: hosts, or groups with all that is in them. No words: all. Fails at a name that is not there.
  Result<std::vector<Target>> select(const std::vector<std::string>& words) const;
};

// Reads a plain list (a host on each line), an Ansible inventory in INI form or in YAML. Total: a line that is not
// understood is reported and passed over. Of variables, ansible_host, ansible_user and ansible_port count; ranges such as
// cmp[01:20] are written out. `text` is named in what is reported.
HostList read_host_list(const SourceText& text, Diagnostics& diagnostics);

}  // namespace dvrtrace::gather
