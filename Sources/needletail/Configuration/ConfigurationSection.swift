import Yams

/// One mapping of a list of such, whose keys and shapes are proved.
struct ConfigurationSection {
    let path: String
    /// The list's key.
    let name: String
    let mapping: Node.Mapping

    func has(_ key: String) -> Bool { mapping[key] != nil }

    func text(_ key: String) -> String? { mapping[key]?.scalar?.string }

    func texts(_ key: String) -> [String]? { mapping[key]?.sequence?.compactMap(\.scalar?.string) }

    /// Names the line of the key, or where it is missing that of the first one.
    func error(_ key: String, _ what: String) -> ConfigurationError {
        let line = mapping.first { $0.key.string == key }?.key.mark?.line ?? mapping.first?.key.mark?.line
        return ConfigurationError(file: path, line: line, key: "\(name).\(key)", what)
    }
}
