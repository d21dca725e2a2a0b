#include "collectors/agent_config.h"

#include <algorithm>

#include "collectors/words.h"
#include "src/base/text.h"

namespace dvrtrace {

namespace {

// Sections that are about forwarding altogether and hold no secrets. Those of other mechanism drivers,
// such as ml2_odl, have passwords.
bool is_kept_section(std::string_view section) {
  return section == "ovs" || section == "agent" || section == "securitygroup" || section == "ml2" ||
         section.starts_with("ml2_type_");
}

// Of DEFAULT, which also holds credentials, these.
constexpr std::string_view kKeptDefaults[] = {"agent_mode",
                                              "base_mac",
                                              "core_plugin",
                                              "dvr_base_mac",
                                              "enable_isolated_metadata",
                                              "enable_metadata_network",
                                              "enable_metadata_proxy",
                                              "enable_snat_by_default",
                                              "external_network_bridge",
                                              "force_metadata",
                                              "gateway_external_network_id",
                                              "global_physnet_mtu",
                                              "handle_internal_only_routers",
                                              "host",
                                              "interface_driver",
                                              "l3_ha",
                                              "metadata_port",
                                              "network_device_mtu",
                                              "ovs_integration_bridge",
                                              "ovs_use_veth",
                                              "router_distributed",
                                              "service_plugins",
                                              "use_namespaces"};

bool is_kept(std::string_view section, std::string_view key) {
  if (section != "DEFAULT") return is_kept_section(section);
  return std::find(std::begin(kKeptDefaults), std::end(kKeptDefaults), key) != std::end(kKeptDefaults);
}

// oslo.config takes one pair of quotes off.
std::string_view unquote(std::string_view value) {
  if (value.size() < 2 || value.front() != value.back()) return value;
  return value.front() == '"' || value.front() == '\'' ? value.substr(1, value.size() - 2) : value;
}

class ConfigReader {
 public:
  ConfigReader(const SourceText& text, AgentConfig& config, ReadLog& log)
      : text_(text), config_(config), log_(log) {}

  void read() {
    for (const Span line : lines_of(text_.bytes)) log_.lines.count(read_line(line));
  }

 private:
  LineState read_line(Span line) {
    const std::string_view raw = text_.at(line), text = trim(raw);
    if (text.empty()) {
      in_value_ = false;
      return LineState::Ignored;
    }
    if (text.front() == '#' || text.front() == ';') return LineState::Ignored;
    if (is_blank(raw.front()) && in_value_) return continue_value(line, text);
    in_value_ = false;
    if (text.front() == '[') return start_section(line, text);
    return read_value(line, text);
  }

  LineState start_section(Span line, std::string_view text) {
    const std::size_t close = text.find(']');
    if (close == std::string_view::npos) return reject(line, "a section '[name]'");
    const std::string_view name = trim(text.substr(1, close - 1));
    section_ = name == "DEFAULT" ? std::string(name) : to_lower(name);
    return LineState::Ignored;
  }

  LineState read_value(Span line, std::string_view text) {
    const std::size_t separator = text.find_first_of("=:");
    if (separator == std::string_view::npos || separator == 0) return reject(line, "'key = value'");
    std::string key(trim(text.substr(0, separator)));
    std::replace(key.begin(), key.end(), '-', '_');
    in_value_ = true;
    kept_ = nullptr;
    if (!is_kept(section_, key)) return LineState::Ignored;
    kept_ = &config_.values[section_ + "." + key];
    *kept_ = {std::string(unquote(trim(text.substr(separator + 1)))), text_.provenance(line)};
    return LineState::Modelled;
  }

  LineState continue_value(Span line, std::string_view text) {
    if (kept_ == nullptr) return LineState::Ignored;
    if (!kept_->value.empty()) kept_->value += ' ';
    kept_->value += text;
    kept_->at.span.end = line.end;
    return LineState::Modelled;
  }

  LineState reject(Span line, std::string_view wanted) {
    return report_fault(text_, line, wanted, "this setting of the agent is not known", log_);
  }

  const SourceText& text_;
  AgentConfig& config_;
  ReadLog& log_;
  std::string section_ = "DEFAULT";
  bool in_value_ = false;                 // an indented line would continue a value
  Sourced<std::string>* kept_ = nullptr;  // this one; null when it is not kept
};

}  // namespace

void read_agent_config(const SourceText& text, AgentConfig& config, ReadLog& log) {
  ConfigReader(text, config, log).read();
}

bool is_kept_setting(std::string_view section, std::string_view key) { return is_kept(section, key); }

}  // namespace dvrtrace
