import TestSupport
import Testing
import Wire

@Suite struct ChecksumTests {
    /// RFC 1071 section 3: the example whose sum is 0xddf2.
    @Test func sumOfTheExample() {
        with("0001 f203 f4f5 f6f7") { #expect(InternetChecksum.sum($0.baseAddress!, count: 8) == 0xddf2) }
    }

    /// The definition of RFC 1071, word by word.
    static func slowSum(_ bytes: [UInt8]) -> UInt32 {
        var sum: UInt32 = 0
        for index in stride(from: 0, to: bytes.count, by: 2) {
            sum += UInt32(bytes[index]) << 8 | (index + 1 < bytes.count ? UInt32(bytes[index + 1]) : 0)
        }
        while sum > 0xffff { sum = sum & 0xffff + sum >> 16 }
        return sum
    }

    @Test func fastSumEqualsTheDefinition() {
        var random = SplitMix(seed: 1)
        for count in Array(0...80) + [1499, 1500, 9000] {
            let data = random.bytes(count)
            with(data) { #expect(InternetChecksum.sum($0.baseAddress!, count: count) == Self.slowSum(data)) }
            with([UInt8](repeating: 0xff, count: count)) {
                #expect(InternetChecksum.sum($0.baseAddress!, count: count) == Self.slowSum(Array($0)))
            }
        }
    }

    /// RFC 1624 section 4: 0xdd2f, whose word 0x5555 becomes 0x3285, gives 0x0000.
    @Test func incrementalUpdateOfTheExample() {
        #expect(InternetChecksum.updated(0xdd2f, from: 0x5555, to: 0x3285) == 0x0000)
    }

    @Test func incrementalUpdateEqualsANewSum() {
        var random = SplitMix(seed: 2)
        for _ in 0..<1000 {
            var data = random.bytes(20)
            let before = InternetChecksum.finish(Self.slowSum(data))
            let old = UInt16(data[6]) << 8 | UInt16(data[7])
            let new: UInt16 = random.next()
            (data[6], data[7]) = (UInt8(new >> 8), UInt8(new & 0xff))
            #expect(
                InternetChecksum.updated(before, from: old, to: new) == InternetChecksum.finish(Self.slowSum(data)))
        }
    }

    @Test(arguments: [("10.0.0.1", "224.1.2.255"), ("2001:db8::ffff:ffff:1", "fe80::1")])
    func pseudoHeaderEqualsItsBytes(_ source: String, _ destination: String) throws {
        let source = try #require(IPAddress(source))
        let destination = try #require(IPAddress(destination))
        for length in [0, 8, 1500, 65535] {
            let raw = written(40) { block in
                let base = block.baseAddress!
                if source.isV4 {
                    source.storeV4(to: base)
                    destination.storeV4(to: base, at: 4)
                    base.setBE16(17, at: 8)
                    base.setBE16(UInt16(length), at: 10)
                    return 12
                }
                source.storeV6(to: base)
                destination.storeV6(to: base, at: 16)
                base.setBE32(UInt32(length), at: 32)
                base.setBE32(17, at: 36)
                return 40
            }
            let sum = InternetChecksum.pseudoHeader(
                source: source, destination: destination, protocol: 17, length: length)
            #expect(sum == Self.slowSum(raw))
        }
    }

    @Test func zeroUDPChecksumIsSentAsOnes() {
        #expect(InternetChecksum.finishUDP(0xffff) == 0xffff)
        #expect(InternetChecksum.finishUDP(0x1_fffe) == 0xffff)
        #expect(InternetChecksum.finishUDP(0x1234) == 0xedcb)
    }

    /// The check value of CRC-32/ISO-HDLC.
    @Test func crcOfTheNineDigits() {
        with(Array("123456789".utf8)) { #expect(CRC32.checksum($0.baseAddress!, count: 9) == 0xcbf4_3926) }
    }
}
