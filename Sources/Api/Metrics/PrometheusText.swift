/// Writes the Prometheus text format, version 0.0.4.
struct PrometheusText {
    static let contentType = "text/plain; version=0.0.4; charset=utf-8"

    enum Kind: String {
        case counter, gauge, histogram
    }

    private(set) var text = ""

    /// One metric: its HELP and TYPE lines, then the samples that `body` writes.
    mutating func family(_ name: String, _ kind: Kind, _ help: String, _ body: (inout Samples) -> Void) {
        text += "# HELP \(name) \(help)\n# TYPE \(name) \(kind.rawValue)\n"
        var samples = Samples(name: name)
        body(&samples)
        text += samples.text
    }

    /// A metric with one sample and no labels.
    mutating func single(_ name: String, _ kind: Kind, _ help: String, _ value: Double) {
        family(name, kind, help) { $0.add(value) }
    }

    /// The samples of one metric.
    struct Samples {
        let name: String
        fileprivate(set) var text = ""

        mutating func add(_ value: Double, _ labels: KeyValuePairs<String, String> = [:], suffix: String = "") {
            line(value, labels.map { ($0.key, $0.value) }, suffix: suffix)
        }

        mutating func add(_ histogram: Histogram, _ labels: KeyValuePairs<String, String> = [:]) {
            let labels = labels.map { ($0.key, $0.value) }
            var cumulative: UInt64 = 0
            for (bound, count) in zip(histogram.bounds, histogram.counts) {
                cumulative &+= count
                line(Double(cumulative), labels + [("le", PrometheusText.number(bound))], suffix: "_bucket")
            }
            line(Double(histogram.count), labels + [("le", "+Inf")], suffix: "_bucket")
            line(histogram.sum, labels, suffix: "_sum")
            line(Double(histogram.count), labels, suffix: "_count")
        }

        private mutating func line(_ value: Double, _ labels: [(String, String)], suffix: String) {
            let pairs = labels.map { "\($0.0)=\"\(Self.escaped($0.1))\"" }
            let block = pairs.isEmpty ? "" : "{\(pairs.joined(separator: ","))}"
            text += "\(name)\(suffix)\(block) \(PrometheusText.number(value))\n"
        }

        private static func escaped(_ value: String) -> String {
            var escaped = ""
            for character in value {
                switch character {
                case "\\": escaped += "\\\\"
                case "\"": escaped += "\\\""
                case "\n": escaped += "\\n"
                default: escaped.append(character)
                }
            }
            return escaped
        }
    }

    /// Whole numbers without a fraction: counters are read by people too.
    static func number(_ value: Double) -> String {
        if value == value.rounded(), abs(value) < 9_007_199_254_740_992 { return String(Int64(value)) }
        return value.isNaN ? "NaN" : value.isInfinite ? (value < 0 ? "-Inf" : "+Inf") : String(value)
    }
}
