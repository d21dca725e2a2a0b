#include "src/cli/few_hosts.h"

#include <algorithm>
#include <filesystem>
#include <set>

#include "collectors/collect.h"
#include "collectors/source/archive.h"
#include "src/base/text.h"
#include "src/cli/inputs.h"

namespace dvrtrace::cli {
namespace {

// Fewer hosts than this are opened as fast as it is found out which of them matter.
constexpr std::size_t kMany = 24;

// Folders that a host's own folder has.
constexpr std::string_view kPartsOfHost[] = {"sos_commands", "openvswitch", "networking", "etc", "proc"};

struct Folders {
  std::filesystem::path path;
  std::vector<std::string> hosts;    // names of folders
  std::vector<std::string> neutron;  // the folder of Neutron's objects, where the input has one
};

// The folders of an input with hosts, each in a folder of its own, and Neutron's objects; files beside them count for nothing,
// but archives, which may be hosts, do. None: it is not such an input.
std::optional<Folders> folders_in(std::filesystem::path path) {
  std::error_code error;
  Folders folders;
  if (std::filesystem::is_directory(path / "hosts", error)) {
    if (std::filesystem::is_directory(path / "neutron", error))
      folders.neutron.push_back((path / "neutron").string());
    path /= "hosts";
  }
  for (std::filesystem::directory_iterator each(path, error), end; !error && each != end;
       each.increment(error)) {
    const std::string name = each->path().filename().string();
    if (each->is_symlink(error)) return std::nullopt;
    if (!each->is_directory(error)) {
      if (is_inner_archive(name)) return std::nullopt;  // it may be a host
      continue;
    }
    if (std::ranges::find(kPartsOfHost, name) != std::end(kPartsOfHost)) return std::nullopt;
    if (name == "neutron")
      folders.neutron.push_back(each->path().string());
    else
      folders.hosts.push_back(name);
  }
  if (error || folders.hosts.size() < kMany) return std::nullopt;
  folders.path = std::move(path);
  return folders;
}

// Whether a folder has the name of a host: "cmp1", or "sosreport-cmp1-2026-11-22-abcdefg" as sos calls it. Which host it is, its
// dumps say.
bool is_called(std::string_view folder, std::string_view host) {
  const std::string_view name = host.substr(0, host.find('.'));
  if (folder == host || folder == name) return true;
  constexpr std::string_view kReport = "sosreport-";
  if (!folder.starts_with(kReport)) return false;
  folder.remove_prefix(kReport.size());
  return folder.starts_with(name) && folder.substr(name.size()).starts_with('-');
}

class Choosing {
 public:
  explicit Choosing(const logical::Model& model) : model_(model) {}

  // The ports that a word can mean are among the ends from now on. False when hosts that are not open might know of another.
  bool add(const std::string& word) {
    const std::size_t before = ends_.size();
    // "NETWORK/IP": which of those that have the address, the hosts will say.
    const std::size_t slash = word.find('/');
    if (const auto ip = parse_ip(slash == std::string::npos ? word : word.substr(slash + 1))) {
      if (std::ranges::find(model_.floating_ips, *ip, &logical::FloatingIp::floating_ip) !=
          model_.floating_ips.end())
        return false;
      add_those([&](const logical::Port& port) { return has(port, *ip); });
    } else if (const auto mac = parse_mac(word)) {
      add_those([&](const logical::Port& port) { return port.mac == *mac; });
    } else {
      const std::string id = to_lower(word);
      const bool device = word.size() == kPrefixOfDevice + kIdOfDevice;
      add_those([&](const logical::Port& port) {
        const bool instance = port.device_id == id && port.device_owner.starts_with("compute:");
        return port.id == id || instance || (device && port.id.starts_with(word.substr(kPrefixOfDevice)));
      });
    }
    const std::size_t added = ends_.size() - before;
    return added > 0 && added <= kAlike &&
           std::ranges::none_of(ends_, [](const logical::Port* port) { return port->host.empty(); });
  }

  // The hosts of the ports that were added, and of what serves their networks.
  std::set<std::string> hosts() const {
    std::set<std::string_view> networks, routers;
    std::set<std::string> found;
    for (const logical::Port* port : ends_) {
      networks.insert(port->network_id);
      found.insert(port->host);
    }
    const auto serves = [](const logical::Port& port) { return port.device_owner.starts_with("network:"); };
    for (const logical::Port& port : model_.ports) {
      if (serves(port) && networks.contains(port.network_id)) routers.insert(port.device_id);
    }
    for (const logical::Port& port : model_.ports) {
      const bool near = networks.contains(port.network_id) || routers.contains(port.device_id);
      if (serves(port) && near && !port.host.empty()) found.insert(port.host);
    }
    return found;
  }

 private:
  static constexpr std::size_t kPrefixOfDevice = 3, kIdOfDevice = 11;
  static constexpr std::size_t kAlike = 4;  // tenants that have one address

  static bool has(const logical::Port& port, const Ip& ip) {
    return std::ranges::find(port.fixed_ips, ip, &logical::FixedIp::ip) != port.fixed_ips.end() ||
           std::ranges::any_of(port.allowed_pairs,
                               [&](const logical::AddressPair& pair) { return pair.ip.contains(ip); });
  }

  template <class Fits>
  void add_those(Fits fits) {
    for (const logical::Port& port : model_.ports) {
      if (fits(port)) ends_.push_back(&port);
    }
  }

  const logical::Model& model_;
  std::vector<const logical::Port*> ends_;
};

}  // namespace

std::optional<FewHosts> few_hosts(const Options& options, const Ask& question, Sources& sources,
                                  Diagnostics& diagnostics) {
  if (options.fill == "reference") return std::nullopt;
  std::vector<Folders> all;
  std::vector<std::string> neutron = options.neutron;
  for (const Input& input : inputs_of(options)) {
    auto folders = input.name.empty() ? folders_in(input.path) : std::nullopt;
    if (!folders) return std::nullopt;
    neutron.insert(neutron.begin(), folders->neutron.begin(), folders->neutron.end());
    all.push_back(std::move(*folders));
  }
  if (neutron.empty()) return std::nullopt;
  const auto collection = Collection::open({}, neutron, sources, diagnostics);
  if (!collection) return std::nullopt;
  FewHosts few;
  few.model = collection->read_neutron(diagnostics);
  Choosing choosing(few.model);
  if (!choosing.add(question.from) || !choosing.add(question.to)) return std::nullopt;
  for (const std::string& host : choosing.hosts()) {
    const std::size_t before = few.inputs.size();
    for (const Folders& folders : all) {
      for (const std::string& folder : folders.hosts) {
        if (is_called(folder, host)) few.inputs.push_back((folders.path / folder).string());
      }
    }
    if (few.inputs.size() == before) return std::nullopt;
    few.names.push_back(host);
  }
  return few;
}

}  // namespace dvrtrace::cli
