// CaptureReader: the packets of one capture, one after the other.
//
// Classic pcap in all its forms is read by libpcap. Its reader of pcapng is of no use here: it tells no
// packet's interface, and refuses a file whose interfaces differ in link type or snapshot length; the blocks
// of pcapng are therefore read here. Memory is that of one block, whatever the length of the file.
//
// A capture may be cut or damaged anywhere. What comes before the damage is read; fault() then says what
// was wrong.
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "src/base/byte_stream.h"
#include "src/base/result.h"

namespace dvrtrace::verify {

struct CaptureInterface {
  std::string name;               // "" as in classic pcap: the file does not say
  int link_type = 1;              // LINKTYPE_*: 1 is Ethernet
  std::uint32_t snap_length = 0;  // 0: no limit
  std::uint64_t dropped = 0;      // packets that the capturing lost, as it says itself
};

struct Record {
  std::uint32_t interface = 0;          // of interfaces()
  std::int64_t time = 0;                // nanoseconds since 1970
  std::uint32_t length = 0;             // on the wire; more than bytes.size() when the capturing cut it
  std::span<const std::uint8_t> bytes;  // until the next call
};

class CaptureReader {
 public:
  CaptureReader() = default;
  CaptureReader(const CaptureReader&) = delete;
  CaptureReader& operator=(const CaptureReader&) = delete;
  virtual ~CaptureReader() = default;

  // False at the end, or where the capture is damaged.
  virtual bool next(Record& record) = 0;
  const std::vector<CaptureInterface>& interfaces() const { return interfaces_; }
  const std::string& fault() const { return fault_; }

 protected:
  std::vector<CaptureInterface> interfaces_;
  std::string fault_;
};

// Fails when the bytes are no capture at all.
Result<std::unique_ptr<CaptureReader>> open_capture(std::unique_ptr<ByteStream> bytes);

// Reads another one, and can go back to the beginning as long as no more than `most` packets were taken.
class PeekingReader : public CaptureReader {
 public:
  explicit PeekingReader(std::unique_ptr<CaptureReader> inner) : inner_(std::move(inner)) {}
  // The next packets, at most `most` of them; next() will give them once more.
  const std::vector<Record>& peek(std::size_t most);
  bool next(Record& record) override;

 private:
  void mirror();
  std::unique_ptr<CaptureReader> inner_;
  std::vector<Record> held_;
  std::vector<std::unique_ptr<std::vector<std::uint8_t>>> bytes_;
  std::size_t at_ = 0;
};

}  // namespace dvrtrace::verify
