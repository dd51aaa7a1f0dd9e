import Testing

@testable import Dataplane

@Suite struct MessageIntegrityTests {
    static func key(_ bytes: [UInt8]) -> MessageIntegrity { bytes.withUnsafeBytes { MessageIntegrity(key: $0) } }

    @Test(
        arguments: [
            (Array(repeating: 0x0B, count: 20), Array("Hi There".utf8), "b617318655057264e28bc0b6fb378c8ef146be00"),
            (
                Array("Jefe".utf8), Array("what do ya want for nothing?".utf8),
                "effcdf6ae5eb2fa2d27416d5f184df9c259a7c79"
            ),
            (
                Array(repeating: 0xAA, count: 20), Array(repeating: 0xDD, count: 50),
                "125d7342b9ac11cd91a39af48aa17b4f63f175d3"
            ),
            ((1...25).map { $0 }, Array(repeating: 0xCD, count: 50), "4c9007f4026250c6bc8414f9bf50c86c2d7235da"),
            (
                Array(repeating: 0x0C, count: 20), Array("Test With Truncation".utf8),
                "4c1a03424b55e07fe7f27be1d58bb9324a9a5a04"
            ),
            (
                Array(repeating: 0xAA, count: 80), Array("Test Using Larger Than Block-Size Key - Hash Key First".utf8),
                "aa4ae5e15272d00e95705637ce8a3b55ed402112"
            ),
            (
                Array(repeating: 0xAA, count: 80),
                Array("Test Using Larger Than Block-Size Key and Larger Than One Block-Size Data".utf8),
                "e8e99d0f45237d786d6bbaa7965c7808bbff1a91"
            ),
        ] as [([UInt8], [UInt8], String)])
    func `RFC 2202 HMAC-SHA1`(_ key: [UInt8], _ data: [UInt8], _ digest: String) {
        let result = data.withUnsafeBytes { Self.key(key).digest(of: $0) }
        #expect((0..<20).map { result[$0] } == srtpHex(digest))
    }

    /// Message up to MESSAGE-INTEGRITY, with it, and with FINGERPRINT behind it.
    static let samples = [
        """
        00010058 2112a442 b7e7a701 bc34d686 fa87dfae 80220010 5354554e 20746573 7420636c 69656e74 00240004 6e0001ff
        80290008 932ff9b1 51263b36 00060009 6576746a 3a683676 59202020 00080014 9aeaa70c bfd8cb56 781ef2b5 b2d3f249
        c1b571a2 80280004 e57a3bcf
        """,
        """
        0101003c 2112a442 b7e7a701 bc34d686 fa87dfae 8022000b 74657374 20766563 746f7220 00200008 0001a147 e112a643
        00080014 2b91f599 fd9e90c3 8c7489f9 2af9ba53 f06be7d7 80280004 c07d4c96
        """,
    ]

    @Test(arguments: samples)
    func `RFC 5769 messages with short-term credentials`(_ sample: String) {
        let message = srtpHex(sample)
        let covered = message.count - 8 - 24
        let integrity = Self.key(Array("VOkJxbRl1RmTxUk/WvJxBt".utf8))
        #expect(integrity.verify(message: message, covered: covered))
        #expect(!Self.key(Array("VOkJxbRl1RmTxUk/WvJxBu".utf8)).verify(message: message, covered: covered))
        for position in (0..<covered + 24) where position != 2 && position != 3 {
            var changed = message
            changed[position] ^= 0x10
            let isAttributeHeader = (covered..<covered + 4).contains(position)
            #expect(integrity.verify(message: changed, covered: covered) == isAttributeHeader)
        }
    }

    @Test(arguments: samples)
    func `the digest fits what a writer appends`(_ sample: String) {
        let message = srtpHex(sample)
        let covered = message.count - 8 - 24
        var draft = Array(message.prefix(covered))
        // The length field of a draft counts for nothing.
        (draft[2], draft[3]) = (0, 0)
        let digest = Self.key(Array("VOkJxbRl1RmTxUk/WvJxBt".utf8)).digest(message: draft, covered: covered)
        #expect((0..<20).map { digest[$0] } == Array(message[(covered + 4)..<(covered + 24)]))
    }
}
