import Testing
import Wire

@Suite struct ProxyHeaders {
    /// Version 2, PROXY, TCP over IPv4: 192.0.2.7:4711 to 198.51.100.1:443.
    static let v4: [UInt8] =
        ProxyHeader.signature + [0x21, 0x11, 0, 12, 192, 0, 2, 7, 198, 51, 100, 1, 0x12, 0x67, 0x01, 0xbb]

    static func read(_ bytes: [UInt8]) -> ProxyHeader.Reading { bytes.withUnsafeBytes(ProxyHeader.read) }

    private func header(_ bytes: [UInt8]) throws -> ProxyHeader {
        guard case .header(let header) = Self.read(bytes) else { throw Missing() }
        return header
    }

    private struct Missing: Error {}

    @Test func theSourceIsRead() throws {
        let header = try header(Self.v4 + Array("GET /".utf8))
        #expect(header.length == 28)
        #expect(header.source == Endpoint("192.0.2.7:4711"))
    }

    @Test func soIsThatOfIPv6WithWhatFollows() throws {
        var bytes = ProxyHeader.signature + [0x21, 0x21, 0, 40]
        bytes += [0x20, 0x01, 0x0d, 0xb8] + Array(repeating: 0, count: 11) + [7]
        bytes += Array(repeating: 1, count: 16) + [0x12, 0x67, 0x01, 0xbb]
        // A TLV (section 2.2.5).
        bytes += [0x04, 0, 1, 0]
        let header = try header(bytes)
        #expect(header.length == 56)
        #expect(header.source == Endpoint("[2001:db8::7]:4711"))
    }

    /// A proxy's own connection, a socket of the machine, an unknown family.
    @Test(arguments: [[0x20, 0x00, 0, 0], [0x20, 0x11, 0, 12] + Array(repeating: 9, count: 12), [0x21, 0x00, 0, 0]])
    func noAddressIsNoSource(_ rest: [UInt8]) throws {
        let header = try header(ProxyHeader.signature + rest)
        #expect(header.source == nil)
        #expect(header.length == 12 + rest.count)
    }

    @Test func aPartOfOneIsIncomplete() {
        for count in 0..<Self.v4.count {
            guard case .incomplete = Self.read(Array(Self.v4.prefix(count))) else {
                Issue.record("\(count) bytes")
                return
            }
        }
    }

    @Test(arguments: ["GET / HTTP/1.1\r\n", "\r\n\r\nGET", "\u{16}\u{3}\u{1}"])
    func whatBeginsOtherwiseHasNone(_ text: String) {
        guard case .absent = Self.read(Array(text.utf8)) else {
            Issue.record("taken for a header")
            return
        }
    }

    /// Another version, another command, too short for its addresses, too long.
    @Test(arguments: [
        [0x11, 0x11, 0, 12], [0x22, 0x11, 0, 12], [0x21, 0x11, 0, 11], [0x21, 0x21, 0, 35], [0x21, 0x11, 0x10, 1],
    ])
    func aWrongOneIsMalformed(_ rest: [UInt8]) {
        guard case .malformed = Self.read(ProxyHeader.signature + rest + Array(repeating: 0, count: 64)) else {
            Issue.record("taken")
            return
        }
    }
}
