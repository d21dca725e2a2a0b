#include "collectors/saved_name.h"

#include <array>

#include "src/base/text.h"

namespace dvrtrace {
namespace {

struct SavedName {
  std::string_view prefix;
  FileKind kind;
};
// A bridge's name follows each.
constexpr std::array<SavedName, 6> kOfBridge{{{"dump-flows-", FileKind::Flows},
                                              {"dump-groups-", FileKind::Groups},
                                              {"show-", FileKind::BridgePorts},
                                              {"fdb-", FileKind::Fdb},
                                              {"dump-tlv-map-", FileKind::TlvMap},
                                              {"get-frags-", FileKind::FragmentMode}}};

}  // namespace

bool classify_saved(std::string_view file, DumpName& name) {
  if (file == "ovsdb.json") {
    name.kind = FileKind::OvsRows;
    name.form = FileForm::Dump;
    name.rank = 2;
    return true;
  }
  if (!file.ends_with(".txt")) return false;
  file.remove_suffix(4);
  name.rank = kSavedRank;
  if (file == "vsctl-show") {
    name.kind = FileKind::OvsShow;
    return true;
  }
  if (file == "dpif-show") {
    name.kind = FileKind::DpifShow;
    return true;
  }
  if (file == "bond-show") {
    name.kind = FileKind::BondShow;
    return true;
  }
  if (file.starts_with("mdb-")) {
    name.kind = FileKind::Ignored;
    return true;
  }
  for (const SavedName& saved : kOfBridge) {
    if (!consume(file, saved.prefix) || file.empty()) continue;
    name.kind = saved.kind;
    name.bridge = file;
    return true;
  }
  return false;
}

}  // namespace dvrtrace
