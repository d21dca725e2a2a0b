#include "tracer/reference/l3_practice.h"

#include <limits>

namespace dvrtrace::reference {
namespace {

constexpr std::uint16_t kLast = std::numeric_limits<std::uint16_t>::max();

class Facts {
 public:
  Facts(Release release, bool guessed) : release_(release), guessed_(guessed) {}

  Does since(const Since& since) const {
    if (!guessed_) return since.holds(release_) ? Does::Yes : Does::No;
    const bool first = since.holds({release_.series, 0, 0}),
               last = since.holds({release_.series, kLast, kLast});
    return first ? Does::Yes : last ? Does::Maybe : Does::No;
  }
  // A guess of the newer series rests on few signs, and may be one off.
  Does roughly_since(const Since& since) const {
    if (!guessed_) return this->since(since);
    const auto neighbour = [&](int by) {
      return Release{static_cast<std::uint16_t>(release_.series + by), 0, 0};
    };
    if (since.holds(neighbour(-1))) return Does::Yes;
    return since.holds({neighbour(1).series, kLast, kLast}) ? Does::Maybe : Does::No;
  }
  Does until(const Since& end) const {
    const Does ended = since(end);
    return ended == Does::Yes ? Does::No : ended == Does::No ? Does::Yes : Does::Maybe;
  }
  Does between(const Since& begin, const Since& end) const {
    const Does begun = since(begin), going = until(end);
    if (begun == Does::No || going == Does::No) return Does::No;
    return begun == Does::Yes && going == Does::Yes ? Does::Yes : Does::Maybe;
  }

 private:
  Release release_;
  bool guessed_;
};

}  // namespace

L3Practice l3_practice_of(Release release, bool guessed) {
  const Facts facts(release, guessed);
  L3Practice practice;
  practice.link_with_gateway = facts.since({kPike});
  practice.wide_pool = facts.since({{7, 1, 0}, {8, 1, 0}});
  practice.table_per_router = facts.since({{9, 3, 0}});
  practice.floating_on_rfp = facts.until({kMitaka});
  practice.pair_neighbours = facts.since({{16, 4, 0}, {17, 2, 0}, {18, 1, 0}});
  // The change was made in stable branches and taken back; it never was in a release after Victoria.
  const Does forgot =
      facts.between({{15, 2, 0}, {16, 0, 0}, {17, 0, 0}}, {{15, 3, 3}, {16, 3, 1}, {17, 1, 1}, kWallaby});
  practice.keeps_neighbours = forgot == Does::No ? Does::Yes : forgot == Does::Yes ? Does::No : Does::Maybe;
  practice.rfp_default6 = facts.since({kZed});
  practice.onlink_subnets = facts.since({{12, 0, 6}, {13, 0, 3}});
  practice.fast_exit = facts.since({kPike});
  practice.central_floating = facts.since({kPike});
  practice.central_rules = facts.since({{16, 4, 2}, {17, 3, 0}, {18, 2, 0}});
  practice.arp_sysctls = facts.since({{10, 0, 3}});
  practice.liberal_tcp = facts.roughly_since({kEpoxy});
  practice.proxy_delay = facts.roughly_since({kAntelope});
  practice.fip_nonlocal_bind = facts.since({{6, 2, 0}});
  practice.strict_tcp = facts.since({{10, 0, 3}});
  practice.snat_nonlocal_bind = facts.since({{21, 1, 0}});
  practice.no_ha_link_locals = facts.since({kZed});
  practice.scopes = facts.since({kMitaka});
  practice.masks16 = facts.since({kLiberty});
  practice.metadata_marks = facts.since({kKilo});
  practice.metadata6 = facts.since({kVictoria});
  practice.dnat_by_device = facts.since({{8, 3, 0}});
  practice.accept_by_output = facts.since({{14, 0, 3}});
  practice.float_snat_in_snat = facts.since({kPike});
  practice.metadata_checksums = facts.between({{11, 0, 3}}, {{12, 1, 0}, {13, 0, 4}, {14, 0, 2}});
  practice.snat_by_subnet = facts.until({kKilo});
  practice.metadata_qr_only = facts.since({{5, 4, 0}});
  practice.trusted_hybrid = facts.since({kPike});
  practice.provider_rules = facts.since({kOcata});
  practice.zone_per_port = facts.since({{9, 4, 0}, {10, 0, 2}});
  practice.hybrid_nat_accept = facts.since({kCaracal});
  return practice;
}

}  // namespace dvrtrace::reference
