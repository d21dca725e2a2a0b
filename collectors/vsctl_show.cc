#include "collectors/vsctl_show.h"

#include "collectors/ovs_lines.h"
#include "collectors/ovsdb_rows.h"
#include "collectors/words.h"
#include "src/base/text.h"

namespace dvrtrace {

namespace {

bool is_uuid(std::string_view text) {
  return text.size() == 36 && text.find_first_not_of("0123456789abcdefABCDEF-") == std::string_view::npos;
}

class ShowReader {
 public:
  ShowReader(const SourceText& text, ReadLog& log) : text_(text), log_(log) {}

  OvsDatabase read() {
    for (const Span line : lines_of(text_.bytes)) log_.lines.count(read_line(line));
    return std::move(database_);
  }

 private:
  LineState read_line(Span line) {
    std::string_view text = trim(text_.at(line));
    if (text.empty() || is_uuid(text) || is_ovs_log_line(text)) return LineState::Ignored;
    if (consume(text, "Bridge ")) return start(line, text, Level::Bridge);
    if (consume(text, "Port ")) return start(line, text, Level::Port);
    if (consume(text, "Interface ")) return start(line, text, Level::Interface);
    if (consume(text, "Controller ")) {
      if (bridge_ != nullptr) bridge_->has_controller = true;
      return LineState::Modelled;
    }
    if (consume(text, "Manager ")) return LineState::Ignored;
    return read_value(line, text);
  }

  enum class Level { Bridge, Port, Interface };

  LineState start(Span line, std::string_view text, Level level) {
    auto name = take_text_atom(text);
    if (!name || !trim(text).empty()) return reject(line, "a name");
    const Provenance at = text_.provenance(line);
    if (level == Level::Bridge) {
      bridge_ = &database_.bridges.emplace_back();
      bridge_->name = std::move(*name);
      bridge_->at = at;
      port_ = nullptr;
      interface_ = nullptr;
    } else if (level == Level::Port && bridge_ != nullptr) {
      port_ = &bridge_->ports.emplace_back();
      port_->name = std::move(*name);
      port_->at = at;
      interface_ = nullptr;
    } else if (level == Level::Interface && port_ != nullptr) {
      interface_ = &port_->interfaces.emplace_back();
      interface_->name = std::move(*name);
      interface_->at = at;
    } else {
      return reject(line, level == Level::Port ? "a bridge before its port" : "a port before its interface");
    }
    return LineState::Modelled;
  }

  LineState read_value(Span line, std::string_view text) {
    const std::size_t colon = text.find(": ");
    if (colon == std::string_view::npos)
      return reject(line, "'Bridge', 'Port', 'Interface' or 'column: value'");
    const std::string_view column = text.substr(0, colon);
    auto cell = read_text_cell(text.substr(colon + 2));
    if (!cell) return reject(line, "a whole value");
    return set(column, *cell) ? LineState::Modelled : LineState::Ignored;
  }

  bool set(std::string_view column, OvsCell& cell) {
    const std::string scalar = cell.atoms.empty() ? "" : cell.atoms.front();
    if (column == "ovs_version") {
      database_.ovs_version = scalar;
    } else if (bridge_ != nullptr && column == "fail_mode") {
      bridge_->fail_mode = scalar;
    } else if (bridge_ != nullptr && column == "datapath_type") {
      bridge_->datapath_type = scalar;
    } else if (port_ != nullptr && column == "tag") {
      port_->tag = number<std::uint16_t>(scalar);
    } else if (port_ != nullptr && column == "trunks") {
      for (const std::string& atom : cell.atoms) {
        if (const auto vlan = number<std::uint16_t>(atom)) port_->trunks.push_back(*vlan);
      }
    } else {
      return interface_ != nullptr && set_interface(column, cell, scalar);
    }
    return true;
  }

  bool set_interface(std::string_view column, const OvsCell& cell, const std::string& scalar) {
    if (column == "type") {
      interface_->type = scalar;
    } else if (column == "error") {
      interface_->error = scalar;
    } else if (column == "options") {
      for (std::size_t i = 0; i + 1 < cell.atoms.size(); i += 2) {
        interface_->options.insert_or_assign(cell.atoms[i], cell.atoms[i + 1]);
      }
    } else {
      return false;
    }
    return true;
  }

  LineState reject(Span line, std::string_view wanted) {
    return report_fault(text_, line, wanted, "the bridges and ports read from this text are incomplete",
                        log_);
  }

  const SourceText& text_;
  ReadLog& log_;
  OvsDatabase database_;
  // Into database_; an element stays where it is until the next of its level is begun.
  OvsBridge* bridge_ = nullptr;
  OvsPort* port_ = nullptr;
  OvsInterface* interface_ = nullptr;
};

}  // namespace

OvsDatabase read_ovs_vsctl_show(const SourceText& text, ReadLog& log) { return ShowReader(text, log).read(); }

}  // namespace dvrtrace
