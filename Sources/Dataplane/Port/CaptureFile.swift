/// A capture in libpcap's classic format with nanoseconds (draft-ietf-opsawg-pcap), which tcpdump and Wireshark read.
enum CaptureFile {
    static func bytes(of frames: [MemoryPort.Frame]) -> [UInt8] {
        var file: [UInt8] = []
        // Magic number, version 2.4, two unused words, snapshot length, link type Ethernet.
        for word: UInt32 in [0xa1b2_3c4d, 0x0004_0002, 0, 0, 65_535, 1] { append(word, to: &file) }
        for frame in frames {
            append(UInt32(truncatingIfNeeded: frame.time / 1_000_000_000), to: &file)
            append(UInt32(frame.time % 1_000_000_000), to: &file)
            append(UInt32(frame.bytes.count), to: &file)
            append(UInt32(frame.bytes.count), to: &file)
            file += frame.bytes
        }
        return file
    }

    private static func append(_ word: UInt32, to file: inout [UInt8]) {
        withUnsafeBytes(of: word.littleEndian) { file += $0 }
    }
}
