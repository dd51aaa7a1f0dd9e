import TestSupport
import Testing
import Wire

/// Frames whose checksum a kernel left to its device.
@Suite struct PartialChecksumTests {
    /// A frame with a segment of `count` bytes of random content; the checksum field holds `field` of the sums.
    private func frame(
        _ number: UInt8, isV4: Bool, count: Int, seed: UInt64, partial: Bool
    ) -> (bytes: [UInt8], whole: UInt16, field: Int) {
        var random = SplitMix(seed: seed)
        let source = IPAddress(isV4 ? "10.66.0.101" : "fd66::101")!
        let destination = IPAddress(isV4 ? "10.66.0.21" : "fd66::21")!
        let start = 14 + (isV4 ? 20 : 40)
        let field = number == IPProtocol.tcp ? 16 : 6
        // A frame may be longer than its packet (RFC 894: padding).
        var bytes = [UInt8](repeating: 0, count: start) + random.bytes(count) + random.bytes(3)
        let whole = bytes.withUnsafeMutableBytes { room -> UInt16 in
            let base = room.baseAddress!
            base.setBE16(isV4 ? EthernetHeader.ipv4 : EthernetHeader.ipv6, at: 12)
            if isV4 {
                IPv4Header.write(
                    to: base + 14, source: source, destination: destination, protocol: number, payloadLength: count)
            } else {
                IPv6Header.write(
                    to: base + 14, source: source, destination: destination, nextHeader: number, payloadLength: count)
            }
            base.setBE16(0, at: start + field)
            let pseudo = InternetChecksum.pseudoHeader(
                source: source, destination: destination, protocol: number, length: count)
            let sum = pseudo + InternetChecksum.sum(base + start, count: count)
            let whole = number == IPProtocol.udp ? InternetChecksum.finishUDP(sum) : InternetChecksum.finish(sum)
            base.setBE16(partial ? InternetChecksum.fold(pseudo) : whole, at: start + field)
            return whole
        }
        return (bytes, whole, start + field)
    }

    @Test(arguments: [true, false], [IPProtocol.tcp, IPProtocol.udp])
    func aPartialOneIsCompletedAndAWholeOneKept(isV4: Bool, number: UInt8) {
        for count in [20, 21, 100, 1_401] {
            let partial = frame(number, isV4: isV4, count: count, seed: UInt64(count), partial: true)
            let whole = frame(number, isV4: isV4, count: count, seed: UInt64(count), partial: false)
            for input in [partial, whole] {
                var bytes = input.bytes
                bytes.withUnsafeMutableBytes { PartialChecksum.complete($0) }
                #expect(bytes == whole.bytes, "\(count) bytes")
            }
        }
    }

    @Test func aDamagedOneStaysDamaged() {
        var input = frame(IPProtocol.tcp, isV4: true, count: 200, seed: 5, partial: false)
        input.bytes[100] ^= 1
        let damaged = input.bytes
        input.bytes.withUnsafeMutableBytes { PartialChecksum.complete($0) }
        #expect(input.bytes == damaged)
    }

    @Test func whatIsTooShortIsLeftAlone() {
        let whole = frame(IPProtocol.tcp, isV4: true, count: 60, seed: 6, partial: true).bytes
        for count in 0..<54 {
            var short = Array(whole[..<count])
            short.withUnsafeMutableBytes { PartialChecksum.complete($0) }
            #expect(short == Array(whole[..<count]))
        }
        let small = frame(IPProtocol.tcp, isV4: false, count: 19, seed: 7, partial: false).bytes
        var same = small
        same.withUnsafeMutableBytes { PartialChecksum.complete($0) }
        #expect(same == small)
    }
}
