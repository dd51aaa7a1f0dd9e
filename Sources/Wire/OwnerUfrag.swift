/// The ICE user name fragment that we hand out: 16 ice-chars (RFC 8839 section 5.4) that name the owner of
/// the session, so that any worker of any PoP can hand a stray check to it.
///
/// 96 bits, 6 a character, most significant first: PoP 16, worker 8, session index 24, secret 48.
@frozen
public struct OwnerUfrag: Equatable, Sendable, BitwiseCopyable {
    public var pop: UInt16
    public var worker: UInt8
    /// 24 bits.
    public var index: UInt32
    /// 48 random bits, against guessing.
    public var secret: UInt64

    /// Characters of the text form.
    @inlinable
    public static var length: Int { 16 }

    @inlinable
    public init(pop: UInt16, worker: UInt8, index: UInt32, secret: UInt64) {
        self.pop = pop
        self.worker = worker
        self.index = index & 0xff_ffff
        self.secret = secret & 0xffff_ffff_ffff
    }

    /// Reads the fragment from the start of `bytes`; nil when it is too short or holds another character.
    @inlinable
    public init?(_ bytes: UnsafeRawBufferPointer) {
        guard bytes.count >= Self.length else { return nil }
        var high: UInt64 = 0
        var low: UInt64 = 0
        for index in 0..<8 {
            guard let value = Self.value(of: bytes[index]) else { return nil }
            high = high << 6 | value
        }
        for index in 8..<16 {
            guard let value = Self.value(of: bytes[index]) else { return nil }
            low = low << 6 | value
        }
        self.init(
            pop: UInt16(truncatingIfNeeded: high >> 32), worker: UInt8(truncatingIfNeeded: high >> 24),
            index: UInt32(truncatingIfNeeded: high), secret: low)
    }

    /// The text form.
    public var text: String {
        let high = UInt64(pop) << 32 | UInt64(worker) << 24 | UInt64(index)
        let characters = [high, secret].flatMap { half in
            stride(from: 42, through: 0, by: -6).map { Self.character(of: half >> UInt64($0) & 63) }
        }
        return String(decoding: characters, as: UTF8.self)
    }

    @inlinable
    static func value(of character: UInt8) -> UInt64? {
        switch character {
        case 0x41...0x5a: UInt64(character - 0x41)
        case 0x61...0x7a: UInt64(character - 0x61 + 26)
        case 0x30...0x39: UInt64(character - 0x30 + 52)
        case 0x2b: 62
        case 0x2f: 63
        default: nil
        }
    }

    static func character(of value: UInt64) -> UInt8 {
        let value = UInt8(value)
        return switch value {
        case 0..<26: 0x41 + value
        case 26..<52: 0x61 + value - 26
        case 52..<62: 0x30 + value - 52
        case 62: 0x2b
        default: 0x2f
        }
    }
}
