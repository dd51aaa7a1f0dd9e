/// The results for people and for machines.
struct Report {
    let machine: Machine
    let rows: [Row]

    var table: String {
        var lines = [
            "\(machine.cpu), core \(machine.core) of \(machine.cores), TSC \(Self.fixed(Double(machine.frequency) / 1e9, 3)) GHz, "
                + "Linux \(machine.kernel), load \(Self.fixed(machine.load, 1))",
            "CPU flags: \(machine.flags.joined(separator: " "))",
            "\(machine.dpdk) (\(machine.hugepages ? "hugepages" : "no hugepages")); \(machine.ipsecMb); \(machine.libsrtp)",
            "",
            Self.line(["row", "unit", "value", "limit", "ratio", "goal", "ok", "note"]),
        ]
        for row in rows {
            lines.append(
                Self.line([
                    row.name, row.unit, Self.fixed(row.value, row.places),
                    row.limit.map { Self.fixed($0, row.places) } ?? "", row.ratio.map { Self.fixed($0, 2) } ?? "",
                    Self.text(row.goal), row.isReached.map { $0 ? "yes" : "NO" } ?? "", row.note,
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
            let (goal, direction) =
                switch row.goal {
                case .atMost(let bound): (Self.fixed(bound, 3), "\"at most\"")
                case .atLeast(let bound): (Self.fixed(bound, 3), "\"at least\"")
                case .none: ("null", "null")
                }
            lines.append(
                "{\"name\":\(Self.quoted(row.name)),\"unit\":\(Self.quoted(row.unit)),"
                    + "\"value\":\(Self.fixed(row.value, 3)),\"limit\":\(row.limit.map { Self.fixed($0, 3) } ?? "null"),"
                    + "\"ratio\":\(row.ratio.map { Self.fixed($0, 3) } ?? "null"),\"goal\":\(goal),"
                    + "\"ok\":\(row.isReached.map { "\($0)" } ?? "null"),\"goal_is\":\(direction),"
                    + "\"note\":\(Self.quoted(row.note))}")
        }
        return lines.joined(separator: "\n")
    }

    private static func text(_ goal: Row.Goal) -> String {
        switch goal {
        case .atMost(let bound): "<= \(fixed(bound, 2))"
        case .atLeast(let bound): ">= \(fixed(bound, 2))"
        case .none: ""
        }
    }

    private static func line(_ cells: [String]) -> String {
        let widths = [42, 12, 10, 10, 7, 9, 4]
        let padded = cells.enumerated().map { place, cell in
            guard place < widths.count else { return "  " + cell }
            let space = String(repeating: " ", count: max(widths[place] - cell.count, 1))
            return place < 2 ? cell + space : space + cell
        }
        return padded.joined()
    }

    private static func quoted(_ text: String) -> String {
        let escaped = text.flatMap { $0 == "\"" || $0 == "\\" ? ["\\", $0] : [$0] }
        return "\"\(String(escaped))\""
    }

    /// A decimal of so many places.
    static func fixed(_ value: Double, _ places: Int) -> String {
        var scale = 1.0
        for _ in 0..<places { scale *= 10 }
        let scaled = Int((value * scale).rounded())
        guard places > 0 else { return "\(scaled)" }
        let digits = String(repeating: "0", count: max(places + 1 - "\(scaled)".count, 0)) + "\(scaled)"
        return "\(digits.dropLast(places)).\(digits.suffix(places))"
    }
}
