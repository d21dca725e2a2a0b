// NeutronRow: one object as Neutron's API or the openstack client wrote it, under one set of names.
//
// The API says "provider:network_type", the client "Network Type" or "provider_network_type"; the
// client also writes lists and objects as text. Names here are in lower case, with '_' for blanks and
// colons, and each value is asked for by all the names it goes by.
#pragma once

#include <cstdint>
#include <initializer_list>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "collectors/json_tree.h"
#include "src/net/ip.h"
#include "src/net/mac.h"

namespace dvrtrace {

class NeutronRow {
 public:
  using Names = std::initializer_list<std::string_view>;
  NeutronRow() = default;
  // The members of `object`, which must stay while the row is used. Empty when it is no object.
  explicit NeutronRow(JsonValue object);

  bool has(std::string_view name) const { return find({name}).has_value(); }
  // None where absent. Of two members that go by one name the first in the order of the bytes counts.
  std::optional<JsonValue> find(Names names) const;
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
  std::optional<std::vector<JsonValue>> objects(Names names) const;
  // A list of words. None where absent.
  std::optional<std::vector<std::string>> words(Names names) const;

 private:
  struct Member {
    std::uint32_t tag;  // tells most names apart at one look
    JsonValue value;
  };
  std::vector<Member> members_;
};

// MACs stand with ':' in the API and with '-' in the database.
std::optional<Mac> neutron_mac(std::string_view text);

}  // namespace dvrtrace
