// FileTree: the files of one input, named by their paths in it.
//
// Together with what the command line is told to read, this is the only place that finds and opens
// files. Nothing outside of the input is ever read: a symbolic link counts for the file that it
// leads to when that file belongs to the same input, and for nothing otherwise. Links to folders
// are not followed at all, since what is in them stands in the tree under its own path.
//
//   Result<FileTree> tree = FileTree::open_folder("hosts", diagnostics);
//   for (const FileEntry& entry : tree->files()) {
//     Result<std::string> bytes = tree->read(entry);
//   }
#pragma once

#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "src/base/diagnostics.h"
#include "src/base/result.h"

namespace dvrtrace {

struct FileEntry {
  std::string path;     // within the input: "cmp1/etc/hostname"
  std::string link_to;  // the path of the file that stands for it, where it is a link
  std::string fault;    // why it cannot be read; "" as far as is known
};

class FileTree {
 public:
  // Lists a folder. What of it cannot be listed is reported and left out.
  static Result<FileTree> open_folder(const std::string& path, Diagnostics& diagnostics);

  // Texts made in memory, by path: what the reference computes is read like any other host.
  static FileTree of_texts(std::string name, std::vector<std::pair<std::string, std::string>> texts);

  const std::string& name() const { return name_; }  // as the user wrote it
  // The last part of the folder's real path, and of the folder that holds it.
  std::string_view folder_name() const;
  std::string_view parent_name() const;
  std::span<const FileEntry> files() const { return files_; }  // ascending by path

  Result<std::string> read(const FileEntry& entry) const;

 private:
  std::string name_, root_;  // root_: the real path
  std::vector<FileEntry> files_;
  std::vector<std::pair<std::string, std::string>> texts_;  // of_texts(): in the order of files_
};

// A file that the user names, wherever it is.
Result<std::string> read_file(const std::string& path);

}  // namespace dvrtrace
