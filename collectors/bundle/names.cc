#include "collectors/bundle/names.h"

#include <algorithm>
#include <array>
#include <nlohmann/json.hpp>

#include "collectors/agent_config.h"
#include "src/base/source.h"
#include "src/base/text.h"

namespace dvrtrace::redact {

namespace {

using Json = nlohmann::json;

constexpr std::array<std::string_view, 16> kKeys{
    "name", "host",        "binding:host_id", "binding_host_id", "hostname",    "dns_name",  "dns_domain",
    "fqdn", "description", "display_name",    "project_name",    "tenant_name", "user_name", "project",
    "user", "label"};

void walk(const Json& json, std::string_view key, Names& names) {
  if (json.is_object()) {
    for (const auto& item : json.items()) walk(item.value(), item.key(), names);
  } else if (json.is_array()) {
    for (const Json& each : json) walk(each, key, names);
  } else if (json.is_string() && std::ranges::find(kKeys, to_lower(key)) != kKeys.end()) {
    const std::string_view name = trim(json.get_ref<const std::string&>());
    if (!name.empty()) names.emplace(name);
  }
}

}  // namespace

void names_in_neutron(std::string_view text, Names& names) {
  const Json json = Json::parse(text.begin(), text.end(), nullptr, false);
  if (!json.is_discarded()) walk(json, {}, names);
}

void names_in_domain(std::string_view xml, Names& names) {
  constexpr std::array<std::string_view, 6> kElements{"name",      "title",     "description",
                                                      "nova:name", "nova:user", "nova:project"};
  for (const std::string_view element : kElements) {
    const std::string open = "<" + std::string(element), close = "</" + std::string(element) + ">";
    for (std::size_t at = xml.find(open); at != std::string_view::npos; at = xml.find(open, at + 1)) {
      const std::size_t begin = xml.find('>', at), end = xml.find(close, at);
      const char after = xml[std::min(at + open.size(), xml.size() - 1)];
      if (begin == std::string_view::npos || end == std::string_view::npos || begin > end ||
          (after != '>' && after != ' '))
        continue;
      const std::string_view name = trim(xml.substr(begin + 1, end - begin - 1));
      if (!name.empty() && name.find('<') == std::string_view::npos) names.emplace(name);
    }
  }
}

std::string settings_that_matter(std::string_view ini) {
  std::string out, section;
  for (const Span span : lines_of(ini)) {
    const std::string_view line = trim(ini.substr(span.begin, span.end - span.begin));
    if (line.starts_with('[') && line.ends_with(']')) {
      section = line.substr(1, line.size() - 2);
      out.append(line).append("\n");
    } else if (const std::size_t equals = line.find('=');
               equals != std::string_view::npos && !line.starts_with('#') && !line.starts_with(';')) {
      if (is_kept_setting(section, trim(line.substr(0, equals)))) out.append(line).append("\n");
    }
  }
  return out;
}

}  // namespace dvrtrace::redact
