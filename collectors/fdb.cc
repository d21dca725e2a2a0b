#include "collectors/fdb.h"

#include "collectors/ofctl_show.h"
#include "collectors/ovs_lines.h"
#include "collectors/words.h"
#include "src/base/text.h"

namespace dvrtrace {

namespace {

class FdbReader {
 public:
  FdbReader(const SourceText& text, std::string_view bridge, ReadLog& log)
      : text_(text), bridge_(bridge), log_(log), ours_(true) {}

  std::vector<Sourced<FdbEntry>> read() {
    for (const Span line : lines_of(text_.bytes)) log_.lines.count(read_line(line));
    return std::move(entries_);
  }

 private:
  LineState read_line(Span line) {
    const std::string_view text = text_.at(line);
    std::vector<std::string_view> words = words_of(text);
    if (words.empty() || is_ovs_log_line(text) || is_header(words)) return LineState::Ignored;
    if (several_ && (words.size() == 5 || words.size() == 1)) {
      ours_ = words.front() == bridge_ || bridge_.empty();
      words.erase(words.begin());
    }
    if (words.empty() && several_) return LineState::Ignored;
    return read_entry(line, words);
  }

  bool is_header(const std::vector<std::string_view>& words) {
    if (to_lower(words.back()) != "age") return false;
    several_ = words.front() == "Bridge";
    return several_ || to_lower(words.front()) == "port";
  }

  LineState read_entry(Span line, const std::vector<std::string_view>& words) {
    if (words.size() != 4) return reject(line, "an entry 'port VLAN MAC age'");
    const auto port = parse_ofport(words[0]);
    const auto vlan = number<std::uint16_t>(words[1]);
    const auto mac = parse_mac(words[2]);
    const auto age = number<std::uint32_t>(words[3]);
    const bool is_static = words[3] == "static";
    if (!port) return reject(line, "a port number");
    if (!vlan || *vlan > 4095) return reject(line, "a VLAN");
    if (!mac) return reject(line, "a MAC address");
    if (!age && !is_static) return reject(line, "an age in seconds or 'static'");
    if (!ours_) return LineState::Ignored;
    entries_.push_back({{.port = *port, .vlan = *vlan, .mac = *mac, .age = age, .is_static = is_static},
                        text_.provenance(line)});
    return LineState::Modelled;
  }

  LineState reject(Span line, std::string_view wanted) {
    return report_fault(text_, line, wanted,
                        "the MAC table is incomplete; NORMAL may flood where the switch did not", log_);
  }

  const SourceText& text_;
  std::string_view bridge_;
  ReadLog& log_;
  bool several_ = false;  // the table has a column of bridges
  bool ours_;             // and this row is of the bridge that is wanted
  std::vector<Sourced<FdbEntry>> entries_;
};

}  // namespace

std::vector<Sourced<FdbEntry>> read_fdb_show(const SourceText& text, std::string_view bridge, ReadLog& log) {
  return FdbReader(text, bridge, log).read();
}

}  // namespace dvrtrace
