// Pipeline: a packet's way through a host's bridges as hops of a trace: a Translation, told to a Recorder.
#pragma once

#include <vector>

#include "tracer/engine/recorder.h"
#include "tracer/engine/translation.h"

namespace dvrtrace {

class Pipeline {
 public:
  // `tape` is written anew by each run; that of the last one costs no memory.
  Pipeline(const Network& network, std::size_t host, Session& session, Recorder& recorder, Tape& tape)
      : network_(network),
        host_index_(host),
        host_(network.host(host)),
        tape_(tape),
        translation_(network, host, session, tape),
        recorder_(recorder) {}

  // `hop` is the hop of the bridge entered.
  std::vector<Emission> run(std::size_t bridge, std::size_t port, const Packet& packet, std::size_t hop);

 private:
  void tell(const TapeEntry& entry);
  void conclude(std::size_t hop, const Bridge& bridge, const TapeEntry& entry);
  FlowHit hit_of(const TapeHit& hit) const;
  std::string_view cut(const openflow::FlowRow& row, Span span) const;

  const Network& network_;
  std::size_t host_index_;
  const Host& host_;
  Tape& tape_;
  Translation translation_;
  Recorder& recorder_;
  std::vector<std::size_t> hops_;  // of the recorder, by those of the tape
};

}  // namespace dvrtrace
