#include "collectors/bond_show.h"

#include "collectors/ovs_lines.h"
#include "collectors/words.h"
#include "src/base/text.h"

namespace dvrtrace {

namespace {

class BondReader {
 public:
  BondReader(const SourceText& text, ReadLog& log) : text_(text), log_(log) {}

  std::vector<Sourced<OvsBondState>> read() {
    for (const Span line : lines_of(text_.bytes)) log_.lines.count(read_line(line, trim(text_.at(line))));
    return std::move(bonds_);
  }

 private:
  LineState read_line(Span line, std::string_view row) {
    if (row.empty() || is_ovs_log_line(row)) return LineState::Ignored;
    if (consume(row, "---- ")) {
      if (!row.ends_with(" ----")) return reject(line, "the title of a bond, '---- NAME ----'");
      bonds_.push_back({{}, text_.provenance(line)});
      bonds_.back().value.name = row.substr(0, row.size() - 5);
      return LineState::Modelled;
    }
    if (bonds_.empty()) return reject(line, "the title of a bond, '---- NAME ----'");
    return setting(line, row);
  }

  LineState setting(Span line, std::string_view row) {
    OvsBondState& bond = bonds_.back().value;
    if (row == "active member" || row == "active slave") {
      if (bond.members.empty()) return reject(line, "a member before what is said of it");
      bond.active = bond.members.back().name;
      return LineState::Modelled;
    }
    const std::size_t colon = row.rfind(": ");
    // "active-backup primary:", a hash without load: nothing is said.
    if (colon == std::string_view::npos)
      return row.ends_with(':') ? LineState::Ignored : reject(line, "a setting 'NAME: VALUE'");
    const std::string_view value = trim(row.substr(colon + 2));
    std::string_view key = row.substr(0, colon);
    if (consume(key, "member ") || consume(key, "slave ")) {
      bond.members.push_back({std::string(key), value == "enabled", false});
    } else if (key == "may_enable" && !bond.members.empty()) {
      bond.members.back().may_enable = value == "true";
    } else if (key == "bond_mode") {
      bond.mode = value;
    } else if (key == "lacp_status") {
      bond.lacp_status = value;
    } else if (key == "lacp_fallback_ab") {
      bond.lacp_fallback = value == "true";
    } else if (key == "all members active" || key == "all slaves active") {
      bond.all_members_active = value == "true";
    } else {
      return LineState::Ignored;
    }
    return LineState::Modelled;
  }

  LineState reject(Span line, std::string_view wanted) {
    return report_fault(text_, line, wanted, "which member of a bond is used may be told wrongly", log_);
  }

  const SourceText& text_;
  ReadLog& log_;
  std::vector<Sourced<OvsBondState>> bonds_;
};

}  // namespace

std::vector<Sourced<OvsBondState>> read_bond_show(const SourceText& text, ReadLog& log) {
  return BondReader(text, log).read();
}

}  // namespace dvrtrace
