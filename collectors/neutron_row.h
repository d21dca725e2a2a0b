// NeutronRow: one object as Neutron's API or the openstack client wrote it, under one set of names.
//
// The API says "provider:network_type", the client "Network Type" or "provider_network_type"; the
// client also writes lists and objects as text. Names here are in lower case, with '_' for blanks and
// colons, and each value is asked for by all the names it goes by.
#pragma once

#include <cstdint>
#include <initializer_list>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "src/net/ip.h"
#include "src/net/mac.h"

namespace dvrtrace {

class NeutronRow {
 public:
  using Names = std::initializer_list<std::string_view>;
  // The members of `object`, which must outlive the row. Empty when it is no object.
  explicit NeutronRow(const nlohmann::json& object);

  bool has(std::string_view name) const { return find({name}) != nullptr; }
  const nlohmann::json* find(Names names) const;  // null where absent
  bool empty() const { return members_.empty(); }

  // Each sets `out` where the row says something; a null says "none".
  void get(std::string& out, Names names) const;
  void get(bool& out, Names names) const;
  void get(std::optional<bool>& out, Names names) const;
  void get(std::optional<std::uint32_t>& out, Names names) const;
  void get(std::optional<int>& out, Names names) const;
  void get(std::optional<Ip>& out, Names names) const;
  void get(std::optional<Prefix>& out, Names names) const;

  std::string text(Names names) const;  // "" where absent or null; numbers as digits
  std::optional<Ip> ip(Names names) const;
  std::optional<Prefix> prefix(Names names) const;
  std::optional<Mac> mac(Names names) const;
  // A list of objects: JSON's, or the client's "ip_address='10.0.0.5', subnet_id='...'". None where absent.
  std::optional<std::vector<nlohmann::json>> objects(Names names) const;
  // A list of words. None where absent.
  std::optional<std::vector<std::string>> words(Names names) const;

 private:
  std::vector<std::pair<std::string, const nlohmann::json*>> members_;
};

// MACs stand with ':' in the API and with '-' in the database.
std::optional<Mac> neutron_mac(std::string_view text);

}  // namespace dvrtrace
