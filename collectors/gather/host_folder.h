// The folder that a host's dumps are written to. Nothing that is there already is written over, and only the user may
// look into it.
#pragma once

#include <cstdio>
#include <memory>
#include <string>
#include <string_view>

#include "src/base/result.h"

namespace dvrtrace::gather {

struct CloseFile {
  void operator()(std::FILE* file) const { std::fclose(file); }
};
using File = std::unique_ptr<std::FILE, CloseFile>;

class HostFolder {
 public:
  // Makes it; fails when there is something of that name.
  static Result<HostFolder> make(const std::string& path);

  const std::string& path() const { return path_; }
  // `name` is a path below the folder, whose folders are made. Null when it cannot be written.
  File open(std::string_view name) const;
  // Whether all of it was written.
  bool write(std::string_view name, std::string_view text) const;
  void remove(std::string_view name) const;
  void remove_all() const;  // and the folder itself

 private:
  std::string path_;
};

// A folder's name out of the name of a host, without its user. "" when it cannot be one.
std::string folder_name_of(std::string_view host);

}  // namespace dvrtrace::gather
