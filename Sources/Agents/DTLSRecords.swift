/// What DTLS 1.2 records look like from outside (RFC 6347 section 4.1).
enum DTLSRecords {
    /// Type, version, epoch, sequence number, length.
    static let headerLength = 13

    /// Puts whole records into datagrams of at most `mtu` bytes; a larger record goes alone.
    static func datagrams(of records: [UInt8], mtu: Int) -> [[UInt8]] {
        var datagrams: [[UInt8]] = []
        var rest = records[...]
        while rest.count >= headerLength {
            let start = rest.startIndex
            let length = Int(rest[start + 11]) << 8 | Int(rest[start + 12])
            let record = rest.prefix(headerLength + length)
            if let last = datagrams.last, last.count + record.count <= mtu {
                datagrams[datagrams.count - 1] += record
            } else {
                datagrams.append(Array(record))
            }
            rest = rest.dropFirst(record.count)
        }
        return datagrams
    }
}
