/// JSON of what is sent to many, or is long: `JSONEncoder` takes ten times as long for it.
struct JSONText {
    private(set) var bytes: [UInt8]

    init(_ bytes: [UInt8] = []) { self.bytes = bytes }

    /// Adds text that is JSON already.
    mutating func add(_ text: StaticString) {
        bytes.append(contentsOf: UnsafeBufferPointer(start: text.utf8Start, count: text.utf8CodeUnitCount))
    }
    mutating func add(_ json: [UInt8]) { bytes += json }

    /// Adds a string (RFC 8259 section 7).
    mutating func add(string text: String) {
        let hex = Array("0123456789abcdef".utf8)
        bytes.append(UInt8(ascii: "\""))
        for byte in text.utf8 {
            switch byte {
            case UInt8(ascii: "\""), UInt8(ascii: "\\"): bytes += [UInt8(ascii: "\\"), byte]
            case UInt8(ascii: "\n"): add("\\n")
            case UInt8(ascii: "\r"): add("\\r")
            case 0..<0x20:
                add("\\u00")
                bytes += [hex[Int(byte >> 4)], hex[Int(byte & 15)]]
            default: bytes.append(byte)
            }
        }
        bytes.append(UInt8(ascii: "\""))
    }

    /// Adds a list, each element by `add`.
    mutating func add<Element>(list: some Sequence<Element>, _ add: (inout JSONText, Element) -> Void) {
        bytes.append(UInt8(ascii: "["))
        var isFirst = true
        for element in list {
            if !isFirst { bytes.append(UInt8(ascii: ",")) }
            isFirst = false
            add(&self, element)
        }
        bytes.append(UInt8(ascii: "]"))
    }

    /// Reopens an object to add members to it.
    mutating func reopen() { bytes.removeLast() }
}
