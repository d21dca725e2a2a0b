#include "bench/neutron_dump.h"

#include <fmt/format.h>

#include <iterator>

namespace dvrtrace::bench {
namespace {

class Dump {
 public:
  explicit Dump(std::size_t wanted) : wanted_(wanted) { out_.reserve(wanted * 230); }

  std::string make() {
    row(0, 0, "", "goto_table:59");
    row(59, 0, "", "goto_table:60");
    for (std::uint32_t port = 5; rows_ < wanted_; ++port) add_port(port);
    return std::move(out_);
  }

 private:
  void row(int table, int priority, const std::string& match, const std::string& actions) {
    fmt::format_to(std::back_inserter(out_),
                   " cookie=0x730f1d6b7d192a3c, duration={}.{:03}s, table={}, n_packets={}, n_bytes={}, "
                   "idle_age={}, priority={}{}{} actions={}\n",
                   1000 + rows_ % 5000, rows_ % 1000, table, rows_ * 7 % 9001, rows_ * 731 % 900001,
                   rows_ % 3600, priority, match.empty() ? "" : ",", match, actions);
    ++rows_;
  }

  void add_port(std::uint32_t port) {
    const std::uint32_t vlan = 1 + port % 4000;
    const std::string mac =
        fmt::format("fa:16:3e:{:02x}:{:02x}:{:02x}", port >> 16 & 0xff, port >> 8 & 0xff, port & 0xff);
    const std::string ip = fmt::format("10.{}.{}.{}", port >> 16 & 0xff, port >> 8 & 0xff, port & 0xff);
    const std::string to_egress =
        fmt::format("load:{:#x}->NXM_NX_REG5[],load:{:#x}->NXM_NX_REG6[],", port, vlan);
    const std::string from = fmt::format("reg5={:#x},in_port={}", port, port);
    const std::string reg = fmt::format("reg5={:#x}", port);
    row(60, 100, fmt::format("in_port={}", port), to_egress + "resubmit(,71)");
    row(60, 90, fmt::format("dl_vlan={},dl_dst={}", vlan, mac), to_egress + "strip_vlan,resubmit(,81)");
    row(71, 95, fmt::format("arp,{},dl_src={},arp_spa={}", from, mac, ip), "resubmit(,94)");
    row(71, 80, fmt::format("udp,{},dl_src={},nw_src={},tp_src=68,tp_dst=67", from, mac, ip),
        "resubmit(,73)");
    row(71, 65, fmt::format("ip,{},dl_src={},nw_src={}", from, mac, ip),
        "ct(table=72,zone=NXM_NX_REG6[0..15])");
    row(71, 10, from, "ct_clear,resubmit(,93)");
    for (const char* state : {"+est-rel-rpl", "+new-est"})
      row(72, 74, fmt::format("ct_state={},ip,{}", state, reg), "resubmit(,73)");
    row(72, 50, fmt::format("ct_mark=0x1,{}", reg), "resubmit(,93)");
    row(72, 40, fmt::format("ct_state=+est,ip,{}", reg),
        "ct(commit,zone=NXM_NX_REG6[0..15],exec(load:0x1->NXM_NX_CT_MARK[]))");
    row(73, 100, fmt::format("reg6={:#x},dl_dst={}", vlan, mac),
        fmt::format("load:{:#x}->NXM_NX_REG5[],resubmit(,81)", port));
    row(73, 90, fmt::format("ct_state=+new-est,ip,{}", reg),
        "ct(commit,zone=NXM_NX_REG6[0..15]),resubmit(,91)");
    row(81, 90, fmt::format("ct_state=-trk,ip,{}", reg), "ct(table=82,zone=NXM_NX_REG6[0..15])");
    for (const int destination : {22, 80, 443}) {
      row(82, 77, fmt::format("ct_state=+est-rel-rpl,tcp,{},tp_dst={}", reg, destination),
          fmt::format("output:{}", port));
      row(82, 77, fmt::format("ct_state=+new-est,tcp,{},tp_dst={}", reg, destination),
          fmt::format("ct(commit,zone=NXM_NX_REG6[0..15]),output:{},resubmit(,92)", port));
    }
    row(82, 70, fmt::format("ct_state=+new-est,ip,reg6={:#x},nw_src={}", vlan, ip),
        "conjunction(16,1/2),conjunction(24,1/2)");
  }

  std::size_t wanted_, rows_ = 0;
  std::string out_ = "NXST_FLOW reply (xid=0x4):\n";
};

}  // namespace

std::string neutron_dump(std::size_t flows) { return Dump(flows).make(); }

}  // namespace dvrtrace::bench
