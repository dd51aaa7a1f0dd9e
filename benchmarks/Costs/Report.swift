import Wire

/// One line of the table.
struct Row {
    let name: String
    let profile: SrtpProfile
    let receivers: Int
    let samples: Samples
}

extension SrtpProfile {
    /// As the registry of DTLS-SRTP protection profiles has it, shortened.
    var name: String {
        switch self {
        case .aeadAes128Gcm: "AEAD_AES_128_GCM"
        case .aeadAes256Gcm: "AEAD_AES_256_GCM"
        case .aes128CmHmacSha1: "AES128_CM_SHA1_80"
        }
    }
}

/// The results for people and for machines.
struct Report {
    let machine: Machine
    let rows: [Row]

    private func nanoseconds(_ cycles: Double) -> Double { cycles * 1e9 / Double(machine.frequency) }

    /// To what ipsec-mb needs for sealing alone, each in its best round, which a busy machine leaves alone; nil when that
    /// was not measured.
    private func ratio(_ row: Row) -> Double? {
        let bare = rows.first { $0.profile == row.profile && $0.name == Contender.bareName }
        return bare.map { row.samples.minimum / $0.samples.minimum }
    }

    var table: String {
        var lines = [
            "\(machine.cpu), core \(machine.core) of \(machine.cores), TSC \(Self.fixed(Double(machine.frequency) / 1e9, 3)) GHz, "
                + "Linux \(machine.kernel), load \(Self.fixed(machine.load, 1))",
            "CPU flags: \(machine.flags.joined(separator: " "))",
            "\(machine.dpdk) (\(machine.hugepages ? "hugepages" : "no hugepages")); \(machine.ipsecMb); \(machine.libsrtp)",
            "1100-byte payloads, 64 receivers with a key each, net_null. Per packet, median and best of the rounds:",
            "",
            Self.line(["profile", "work", "ns", "cycles", "least ns", "x ipsec-mb", "rounds", "disturbed"]),
        ]
        for row in rows {
            lines.append(
                Self.line([
                    row.profile.name, row.name, Self.fixed(nanoseconds(row.samples.median), 1),
                    Self.fixed(row.samples.median, 0), Self.fixed(nanoseconds(row.samples.minimum), 1),
                    ratio(row).map { Self.fixed($0, 2) } ?? "",
                    "\(row.samples.cyclesPerPacket.count)", "\(row.samples.disturbed)",
                ]))
        }
        return lines.joined(separator: "\n")
    }

    /// One object a line; the first says what was measured on.
    var json: String {
        let flags = machine.flags.map(Self.quoted).joined(separator: ",")
        var lines = [
            "{\"name\":\"machine\",\"unit\":\"text\",\"value\":\(Self.quoted(machine.cpu)),\"core\":\(machine.core),"
                + "\"cores\":\(machine.cores),\"tsc_hz\":\(machine.frequency),\"kernel\":\(Self.quoted(machine.kernel)),"
                + "\"load\":\(Self.fixed(machine.load, 2)),\"cpu_flags\":[\(flags)],\"dpdk\":\(Self.quoted(machine.dpdk)),"
                + "\"hugepages\":\(machine.hugepages),\"ipsec_mb\":\(Self.quoted(machine.ipsecMb)),"
                + "\"libsrtp\":\(Self.quoted(machine.libsrtp))}"
        ]
        for row in rows {
            lines.append(
                "{\"name\":\(Self.quoted(row.name)),\"unit\":\"ns/packet\","
                    + "\"value\":\(Self.fixed(nanoseconds(row.samples.median), 1)),"
                    + "\"least\":\(Self.fixed(nanoseconds(row.samples.minimum), 1)),"
                    + "\"ratio\":\(ratio(row).map { Self.fixed($0, 3) } ?? "null"),"
                    + "\"cycles\":\(Self.fixed(row.samples.median, 1)),\"profile\":\(Self.quoted(row.profile.name)),"
                    + "\"receivers\":\(row.receivers),\"payload_bytes\":1100,"
                    + "\"rounds\":\(row.samples.cyclesPerPacket.count),\"disturbed\":\(row.samples.disturbed)}")
        }
        return lines.joined(separator: "\n")
    }

    private static func line(_ cells: [String]) -> String {
        let widths = [18, 34, 9, 8, 10, 11, 7, 10]
        let padded = zip(cells, widths).enumerated().map { place, pair in
            let space = String(repeating: " ", count: max(pair.1 - pair.0.count, 1))
            return place < 2 ? pair.0 + space : space + pair.0
        }
        return padded.joined()
    }

    private static func quoted(_ text: String) -> String {
        let escaped = text.flatMap { $0 == "\"" || $0 == "\\" ? ["\\", $0] : [$0] }
        return "\"\(String(escaped))\""
    }

    /// A decimal of so many places.
    private static func fixed(_ value: Double, _ places: Int) -> String {
        var scale = 1.0
        for _ in 0..<places { scale *= 10 }
        let scaled = Int((value * scale).rounded())
        guard places > 0 else { return "\(scaled)" }
        let digits = String(repeating: "0", count: max(places + 1 - "\(scaled)".count, 0)) + "\(scaled)"
        return "\(digits.dropLast(places)).\(digits.suffix(places))"
    }
}
