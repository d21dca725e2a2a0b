// FileTree: the files of one input, named by their paths in it.
//
// An input is a folder or an archive; an archive within either is a folder of its name: the same paths,
// whichever way the files came. Together with what the command line is told to read, this is the only place
// that finds and opens files. Nothing outside of the input is ever read: a symbolic link counts for the file that it
// leads to when that file belongs to the same input, and for nothing otherwise. Links to folders
// are not followed at all, since what is in them stands in the tree under its own path.
//
//   Result<FileTree> tree = FileTree::open("hosts", may_be_read, diagnostics);
//   for (const FileEntry& entry : tree->files()) {
//     Result<SharedText> bytes = tree->read(entry);
//   }
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "src/base/diagnostics.h"
#include "src/base/result.h"
#include "src/base/source.h"

namespace dvrtrace {

struct FileEntry {
  std::string path;     // within the input: "cmp1/etc/hostname"
  std::string link_to;  // the path of the file that stands for it, where it is a link
  std::string fault;    // why it cannot be read; "" as far as is known
  SharedText text;      // in memory, where it was in an archive
  std::optional<std::uint64_t> lines;  // of a member of an archive whose text was not kept: how many it had
  bool cut = false;     // the end of the text is lost
};

// Whether the text of a file will be asked for, by its path in the input: an archive is read once, so this
// must be known before.
using Wanted = bool (*)(std::string_view path);

class FileTree {
 public:
  // A folder or an archive, whichever `path` is.
  static Result<FileTree> open(const std::string& path, Wanted wanted, Diagnostics& diagnostics);

  // Lists a folder, and reads the archives in it. What of it cannot be listed or read is reported and left out.
  static Result<FileTree> open_folder(const std::string& path, Wanted wanted, Diagnostics& diagnostics);

  // Reads an archive (archive.h).
  static Result<FileTree> open_archive(const std::string& path, Wanted wanted, Diagnostics& diagnostics);

  // Texts made in memory, by path: what the reference computes is read like any other host.
  static FileTree of_texts(std::string name, std::vector<std::pair<std::string, std::string>> texts);

  const std::string& name() const { return name_; }  // as the user wrote it
  // The last part of the input's real path, and of the folder that holds it.
  std::string_view folder_name() const;
  std::string_view parent_name() const;
  std::span<const FileEntry> files() const { return files_; }  // ascending by path

  Result<SharedText> read(const FileEntry& entry) const;

 private:
  std::string name_, root_;  // root_: the real path, of an archive without the ending of its name
  std::vector<FileEntry> files_;
};

// A file that the user names, wherever it is.
Result<std::string> read_file(const std::string& path);

}  // namespace dvrtrace
