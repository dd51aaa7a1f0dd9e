/// A view of a PROXY protocol header, version 2 (HAProxy's proxy-protocol.txt, section 2.2): what a proxy says ahead of a
/// connection's bytes about where it came from.
public struct ProxyHeader: BitwiseCopyable {
    /// What the first bytes of a connection are.
    public enum Reading {
        /// More bytes decide.
        case incomplete
        /// The connection has no such header.
        case absent
        case malformed
        case header(ProxyHeader)
    }

    /// Bytes of the fixed part.
    public static let fixedLength = 16
    /// Longer ones are refused: addresses take 216 bytes, and what follows them is of no use here.
    public static let longest = 4_096
    /// CR LF CR LF NUL CR LF QUIT LF: no HTTP request and no TLS record begins so.
    public static let signature: [UInt8] = [0x0d, 0x0a, 0x0d, 0x0a, 0x00, 0x0d, 0x0a, 0x51, 0x55, 0x49, 0x54, 0x0a]

    private static let version: UInt8 = 2
    private enum Command { static let local: UInt8 = 0, proxy: UInt8 = 1 }
    private enum Family { static let v4: UInt8 = 1, v6: UInt8 = 2 }

    /// Bytes of the whole header: the connection's own follow.
    public let length: Int
    /// Where the connection came from; nil where the proxy speaks for itself (LOCAL), or names no address of the Internet.
    public let source: Endpoint?

    private init(length: Int, source: Endpoint?) {
        self.length = length
        self.source = source
    }

    public static func read(_ bytes: UnsafeRawBufferPointer) -> Reading {
        for (place, byte) in signature.enumerated() {
            guard place < bytes.count else { return .incomplete }
            if bytes[place] != byte { return .absent }
        }
        guard bytes.count >= fixedLength, let base = bytes.baseAddress else { return .incomplete }
        let command = bytes[12] & 0x0f
        guard bytes[12] >> 4 == version, command == Command.local || command == Command.proxy else { return .malformed }
        let rest = Int(base.be16(14))
        guard rest <= longest else { return .malformed }
        let length = fixedLength + rest
        guard command == Command.proxy else {
            return bytes.count < length ? .incomplete : .header(ProxyHeader(length: length, source: nil))
        }
        let needed = addressLength(family: bytes[13] >> 4)
        guard rest >= needed else { return .malformed }
        guard bytes.count >= length else { return .incomplete }
        return .header(ProxyHeader(length: length, source: source(base, family: bytes[13] >> 4)))
    }

    /// Both addresses and ports.
    private static func addressLength(family: UInt8) -> Int {
        switch family {
        case Family.v4: 12
        case Family.v6: 36
        default: 0
        }
    }

    private static func source(_ base: UnsafeRawPointer, family: UInt8) -> Endpoint? {
        switch family {
        case Family.v4: Endpoint(address: IPAddress(loadV4: base, at: 16), port: base.be16(24))
        case Family.v6: Endpoint(address: IPAddress(loadV6: base, at: 16), port: base.be16(48))
        default: nil
        }
    }
}
