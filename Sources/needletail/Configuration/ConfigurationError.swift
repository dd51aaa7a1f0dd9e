/// Why a configuration is refused: one line that names key and line.
struct ConfigurationError: Error, CustomStringConvertible, Equatable {
    let description: String

    init(_ description: String) { self.description = description }

    /// `line` counts from 1; nil when the value is not in the file.
    init(file: String, line: Int?, key: String, _ what: String) {
        description = "\(file)\(line.map { ":\($0)" } ?? ""): \(key): \(what)"
    }
}
