import Meetings

/// Writes the fields of a message, big endian.
struct LinkWriter {
    private(set) var bytes: [UInt8] = []

    mutating func put<Value: FixedWidthInteger>(_ value: Value) {
        withUnsafeBytes(of: value.bigEndian) { bytes.append(contentsOf: $0) }
    }

    mutating func put(raw: [UInt8]) { bytes += raw }

    /// A text of at most 255 bytes, behind its length.
    mutating func put(_ text: String) {
        let utf8 = Array(text.utf8.prefix(255))
        put(UInt8(utf8.count))
        bytes += utf8
    }

    mutating func put(_ home: Home?) {
        put(home?.pop.rawValue ?? "")
        put(home?.epoch ?? 0)
    }
}

/// Reads them; what is not there or cannot be is malformed.
struct LinkReader {
    private let bytes: [UInt8]
    private var position = 0

    init(_ bytes: [UInt8]) { self.bytes = bytes }

    mutating func integer<Value: FixedWidthInteger>(_: Value.Type = Value.self) throws(LinkFailure) -> Value {
        let size = Value.bitWidth / 8
        guard bytes.count - position >= size else { throw .malformed("a message ends early") }
        defer { position += size }
        return bytes.withUnsafeBytes { Value(bigEndian: $0.loadUnaligned(fromByteOffset: position, as: Value.self)) }
    }

    mutating func text() throws(LinkFailure) -> String {
        let count = Int(try integer(UInt8.self))
        guard bytes.count - position >= count else { throw .malformed("a text ends early") }
        defer { position += count }
        return String(decoding: bytes[position..<position + count], as: UTF8.self)
    }

    /// All that is left.
    mutating func rest() -> [UInt8] {
        defer { position = bytes.count }
        return Array(bytes[position...])
    }

    mutating func meeting() throws(LinkFailure) -> MeetingID {
        guard let meeting = MeetingID(try text()) else { throw .malformed("no meeting's id") }
        return meeting
    }

    mutating func pop() throws(LinkFailure) -> PoPName {
        guard let name = PoPName(try text()) else { throw .malformed("no PoP's name") }
        return name
    }

    mutating func epoch() throws(LinkFailure) -> UInt64 {
        let epoch = try integer(UInt64.self)
        guard Home.epochs.contains(epoch) else { throw .malformed("epoch \(epoch)") }
        return epoch
    }

    mutating func home() throws(LinkFailure) -> Home? {
        let name = try text()
        let epoch = try integer(UInt64.self)
        if name.isEmpty, epoch == 0 { return nil }
        guard let pop = PoPName(name), Home.epochs.contains(epoch) else { throw .malformed("no Home") }
        return Home(pop: pop, epoch: epoch)
    }
}
