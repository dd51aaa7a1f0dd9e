import Wire

/// Puts whole DTLS records into datagrams of at most `mtu` bytes (RFC 6347 section 4.1.1); a larger record goes alone.
func splitIntoDatagrams(_ records: [UInt8], mtu: Int) -> [[UInt8]] {
    var datagrams: [[UInt8]] = []
    records.withUnsafeBytes { bytes in
        for record in DTLSRecords(bytes) {
            if let last = datagrams.last, last.count + record.bytes.count <= mtu {
                datagrams[datagrams.count - 1] += record.bytes
            } else {
                datagrams.append(Array(record.bytes))
            }
        }
    }
    return datagrams
}
