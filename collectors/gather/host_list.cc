#include "collectors/gather/host_list.h"

#include <fmt/format.h>

#include <algorithm>
#include <set>

#include "src/base/text.h"

namespace dvrtrace::gather {

namespace {

constexpr std::size_t kMostHosts = 10'000, kLongestName = 253;

bool is_name(std::string_view name) {
  const auto fits = [](char c) {
    return is_alpha(c) || is_digit(c) || std::string_view("-_.:%[]").find(c) != std::string_view::npos;
  };
  return !name.empty() && name.size() <= kLongestName && name.front() != '-' &&
         std::ranges::all_of(name, fits);
}

std::string_view unquoted(std::string_view text) {
  text = trim(text);
  const bool quoted =
      text.size() > 1 && (text.front() == '"' || text.front() == '\'') && text.back() == text.front();
  return quoted ? text.substr(1, text.size() - 2) : text;
}

// "cmp[01:20:2].example" and "rack-[a:c]"; a name without a range stands for itself. None when a range is not understood.
std::vector<std::string> written_out(std::string_view name) {
  const std::size_t open = name.find('[');
  const std::size_t close = name.find(']', open);
  if (open == std::string_view::npos || name.find(':', open) > close) return {std::string(name)};
  if (close == std::string_view::npos) return {};
  const std::string_view head = name.substr(0, open), tail = name.substr(close + 1);
  const std::vector<std::string_view> parts = split(name.substr(open + 1, close - open - 1), ':');
  const auto step = parts.size() > 2 ? number<std::size_t>(parts[2]) : 1;
  if (parts.size() > 3 || !step || *step == 0) return {};
  std::vector<std::string> middle;
  const auto first = number<std::size_t>(parts[0]), last = number<std::size_t>(parts[1]);
  if (first && last && *last >= *first && (*last - *first) / *step < kMostHosts) {
    for (std::size_t at = *first; at <= *last; at += *step)
      middle.push_back(fmt::format("{:0{}}", at, parts[0].size()));
  } else if (parts[0].size() == 1 && parts[1].size() == 1 && is_alpha(parts[0][0]) &&
             parts[0][0] <= parts[1][0]) {
    for (std::size_t at = 0; at <= static_cast<std::size_t>(parts[1][0] - parts[0][0]); at += *step)
      middle.emplace_back(1, static_cast<char>(parts[0][0] + static_cast<char>(at)));
  }
  std::vector<std::string> names;
  for (const std::string& each : middle) {
    for (const std::string& rest : written_out(tail))
      names.push_back(fmt::format("{}{}{}", head, each, rest));
  }
  return names;
}

void set_variable(Target& target, std::string_view key, std::string_view value) {
  if (key == "ansible_host" || key == "ansible_ssh_host") target.address = value;
  if (key == "ansible_user" || key == "ansible_ssh_user") target.user = value;
  if (key == "ansible_port" || key == "ansible_ssh_port") target.port = value;
}

class Reader {
 public:
  Reader(const SourceText& text, Diagnostics& diagnostics) : text_(text), diagnostics_(diagnostics) {}

  HostList read() {
    if (is_yaml())
      read_yaml();
    else
      read_lines();
    check();
    return std::move(list_);
  }

 private:
  // A mapping: its first line that says something ends in a colon, or is the mark of a document.
  bool is_yaml() const {
    for (const Span span : lines_of(text_.bytes)) {
      std::string_view line = text_.at(span);
      line = trim(line.substr(0, line.find('#')));
      if (!line.empty()) return line == "---" || line.ends_with(':');
    }
    return false;
  }

  void complain(Span span, std::string_view expected) {
    diagnostics_.error(
        text_.provenance(span),
        fmt::format("expected {}, found '{}'", expected, printable(trim(text_.at(span)).substr(0, 80))),
        "the line is passed over");
  }

  std::vector<std::size_t> add_hosts(std::string_view word, Span span, const std::string& group) {
    std::vector<std::size_t> places;
    const std::vector<std::string> names = written_out(word);
    if (names.empty()) complain(span, "a host or a range of hosts");
    for (const std::string& each : names) {
      std::string_view name = each;
      Target target;
      if (const std::size_t at = name.find('@'); at != std::string_view::npos) {
        target.user = name.substr(0, at);
        name.remove_prefix(at + 1);
      }
      target.name = name;
      if (!is_name(name) || list_.hosts.size() >= kMostHosts) {
        complain(span, "a host");
        continue;
      }
      auto found = std::ranges::find(list_.hosts, target.name, &Target::name);
      if (found == list_.hosts.end()) found = list_.hosts.insert(found, std::move(target));
      places.push_back(static_cast<std::size_t>(found - list_.hosts.begin()));
      join(group, found->name);
    }
    return places;
  }

  HostList::Group& group_named(const std::string& name) {
    auto found = std::ranges::find(list_.groups, name, &HostList::Group::name);
    if (found == list_.groups.end()) found = list_.groups.insert(found, {name, {}});
    return *found;
  }

  void join(const std::string& group, const std::string& member) {
    if (group.empty() || group == member) return;
    HostList::Group& joined = group_named(group);
    if (std::ranges::find(joined.members, member) == joined.members.end()) joined.members.push_back(member);
  }

  // A plain list is an INI inventory without groups and variables.
  void read_lines() {
    std::string group;
    enum { Hosts, Children, Other } section = Hosts;
    for (const Span span : lines_of(text_.bytes)) {
      std::string_view line = trim(text_.at(span));
      if (const std::size_t comment = line.find(" #"); comment != std::string_view::npos)
        line = trim(line.substr(0, comment));
      if (line.empty() || line.front() == '#' || line.front() == ';') continue;
      const bool is_section =
          line.front() == '[' && line.back() == ']' && line.find(' ') == std::string_view::npos;
      if (is_section) {
        line = line.substr(1, line.size() - 2);
        const std::size_t colon = line.find(':');
        group = line.substr(0, colon);
        const std::string_view kind =
            colon == std::string_view::npos ? std::string_view{} : line.substr(colon + 1);
        section = kind.empty() ? Hosts : kind == "children" ? Children : Other;
        group_named(group);
      } else if (section == Children) {
        join(group, std::string(line));
      } else if (section == Hosts) {
        read_host_line(line, span, group);
      }
    }
  }

  void read_host_line(std::string_view line, Span span, const std::string& group) {
    const std::vector<std::size_t> places = add_hosts(take_word(line), span, group);
    while (!trim(line).empty()) {
      std::string_view value = take_word(line);
      const std::string_view key = take_until(value, '=');
      for (const std::size_t place : places) set_variable(list_.hosts[place], key, unquoted(value));
    }
  }

  // Groups hold hosts, children and vars, each a mapping by deeper indentation; the rest of YAML is not known here.
  void read_yaml() {
    struct Level {
      std::size_t indent;
      enum { Group, Hosts, Children, Host, Passed } kind;
      std::string name;
      std::vector<std::size_t> places;
    };
    std::vector<Level> levels;
    for (const Span span : lines_of(text_.bytes)) {
      std::string_view line = text_.at(span);
      if (const std::size_t comment = line.find(" #"); comment != std::string_view::npos)
        line = line.substr(0, comment);
      const std::string_view words = trim(line);
      if (words.empty() || words.front() == '#' || words == "---" || words == "...") continue;
      const std::size_t indent = line.find_first_not_of(' ');
      while (!levels.empty() && levels.back().indent >= indent) levels.pop_back();
      if (!levels.empty() && levels.back().kind == Level::Passed) continue;
      const std::size_t colon = words.find(words.ends_with(':') ? ":" : ": ");
      const std::size_t at = words.ends_with(':') ? words.size() - 1 : colon;
      if (at == std::string_view::npos || line.find('\t') < indent) {
        complain(span, "a key and a colon");
        continue;
      }
      const std::string key(unquoted(words.substr(0, at)));
      const std::string_view value = trim(words.substr(at + 1));
      const bool in_groups = levels.empty() || levels.back().kind == Level::Children;
      if (in_groups) {
        if (!levels.empty()) join(levels.back().name, key);
        group_named(key);
        levels.push_back({indent, Level::Group, key, {}});
      } else if (levels.back().kind == Level::Group) {
        const auto kind = key == "hosts" ? Level::Hosts : key == "children" ? Level::Children : Level::Passed;
        levels.push_back({indent, kind, std::string(levels.back().name), {}});
      } else if (levels.back().kind == Level::Hosts) {
        std::vector<std::size_t> places = add_hosts(key, span, levels.back().name);
        read_inline(value, places);
        levels.push_back({indent, Level::Host, key, std::move(places)});
      } else {
        for (const std::size_t place : levels.back().places)
          set_variable(list_.hosts[place], key, unquoted(value));
        levels.push_back({indent, Level::Passed, key, {}});
      }
    }
  }

  // "{ansible_host: 10.0.0.1, ansible_user: root}"
  void read_inline(std::string_view value, const std::vector<std::size_t>& places) {
    if (value.size() < 2 || value.front() != '{' || value.back() != '}') return;
    for (std::string_view pair : split(value.substr(1, value.size() - 2), ',')) {
      const std::string_view key = take_until(pair, ':');
      for (const std::size_t place : places) set_variable(list_.hosts[place], trim(key), unquoted(pair));
    }
  }

  // What is given to ssh must be an address, a user and a port, and no option.
  void check() {
    std::erase_if(list_.hosts, [&](const Target& target) {
      const bool good = (target.address.empty() || is_name(target.address)) &&
                        (target.user.empty() || is_name(target.user)) &&
                        (target.port.empty() || number<std::uint16_t>(target.port));
      if (!good) {
        diagnostics_.error(
            text_.provenance({}),
            fmt::format("expected an address, a user and a port of {}, found others", printable(target.name)),
            "the host is passed over");
      }
      return !good;
    });
  }

  const SourceText& text_;
  Diagnostics& diagnostics_;
  HostList list_;
};

}  // namespace

std::string Target::destination() const {
  const std::string host = address.empty() ? name : address;
  const std::string before = user.empty() ? std::string{} : user + "@";
  if (port.empty()) return before + host;
  const bool bare_ipv6 = host.find(':') != std::string::npos && host.front() != '[';
  return fmt::format("ssh://{}{}:{}", before, bare_ipv6 ? "[" + host + "]" : host, port);
}

Result<Target> target_of(std::string_view word) {
  Target target;
  std::string_view name = word;
  if (const std::size_t at = word.rfind('@'); at != std::string_view::npos) {
    target.user = word.substr(0, at);
    name.remove_prefix(at + 1);
  }
  target.name = name;
  if (!is_name(name) || (word.find('@') != std::string_view::npos && !is_name(target.user)))
    return failure(fmt::format("expected HOST or USER@HOST, found '{}'", printable(word)));
  return target;
}

Result<std::vector<Target>> HostList::select(const std::vector<std::string>& words) const {
  if (words.empty()) return hosts;
  std::set<std::string> wanted, seen;
  std::vector<std::string> open;
  for (const std::string& word : words) {
    const bool known = word == "all" || std::ranges::find(hosts, word, &Target::name) != hosts.end() ||
                       std::ranges::find(groups, word, &Group::name) != groups.end();
    if (!known) return failure(fmt::format("no host and no group '{}' in the list", printable(word)));
    if (word == "all") return hosts;
    open.push_back(word);
  }
  while (!open.empty()) {
    const std::string name = open.back();
    open.pop_back();
    if (!seen.insert(name).second) continue;
    wanted.insert(name);
    const auto group = std::ranges::find(groups, name, &Group::name);
    if (group != groups.end()) open.insert(open.end(), group->members.begin(), group->members.end());
  }
  std::vector<Target> selected;
  std::ranges::copy_if(hosts, std::back_inserter(selected),
                       [&](const Target& host) { return wanted.contains(host.name); });
  return selected;
}

HostList read_host_list(const SourceText& text, Diagnostics& diagnostics) {
  return Reader(text, diagnostics).read();
}

}  // namespace dvrtrace::gather
