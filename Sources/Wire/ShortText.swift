/// Up to 32 bytes of text in place: ICE passwords and RTP stream ids in commands of fixed size.
@frozen
public struct ShortText: Sendable, BitwiseCopyable {
    public var bytes: InlineArray<32, UInt8>
    public var count: UInt8

    /// The empty text.
    @inlinable
    public init() {
        bytes = InlineArray(repeating: 0)
        count = 0
    }

    /// Nil when `text` has more than 32 bytes in UTF-8.
    public init?(_ text: String) {
        self.init()
        for byte in text.utf8 {
            guard count < 32 else { return nil }
            bytes[Int(count)] = byte
            count += 1
        }
    }

    @inlinable
    public var isEmpty: Bool { count == 0 }

    /// Whether it holds exactly the `length` bytes at `other`.
    @inlinable
    public func equals(_ other: UnsafeRawPointer, count length: Int) -> Bool {
        guard length == Int(count) else { return false }
        for index in 0..<length where bytes[index] != other.load(fromByteOffset: index, as: UInt8.self) {
            return false
        }
        return true
    }
}

extension ShortText: CustomStringConvertible {
    /// For the control process.
    public var description: String { String(decoding: (0..<Int(count)).map { bytes[$0] }, as: UTF8.self) }
}
