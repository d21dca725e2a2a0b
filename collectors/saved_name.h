// Names that people give to saved dumps: the command's last words, the bridge, and .txt.
#pragma once

#include <string_view>

#include "collectors/dump_name.h"

namespace dvrtrace {

// Of their DumpName: which version of OpenFlow they were asked in does not show, nor whether with statistics.
inline constexpr int kSavedRank = 45;

// "dump-flows-br-int.txt", "fdb-br-int.txt", "vsctl-show.txt", "ovsdb.json": false for any other name.
bool classify_saved(std::string_view file, DumpName& name);

}  // namespace dvrtrace
