import Yams

/// A configuration file whose keys and shapes are proved.
struct ConfigurationFile {
    /// What the file says of a key.
    private struct Entry {
        var line: Int
        var value: Node
    }

    let path: String
    let content: String
    private let entries: [ConfigurationKey: Entry]

    /// Throws a `ConfigurationError` that names key and line.
    init(path: String) throws {
        try self.init(text: ConfigurationText.read(path), path: path)
    }

    /// - Parameter path: what errors name.
    init(text: String, path: String) throws {
        self.path = path
        content = text
        entries = try Self.check(text, path: path)
    }

    /// The keys whose values are others than in another file.
    func differences(from other: ConfigurationFile) -> Set<ConfigurationKey> {
        Set(ConfigurationKey.allCases.filter { entries[$0]?.value != other.entries[$0]?.value })
    }

    func error(_ key: ConfigurationKey, _ what: String) -> ConfigurationError {
        ConfigurationError(file: path, line: entries[key]?.line, key: key.rawValue, what)
    }

    func has(_ key: ConfigurationKey) -> Bool { entries[key] != nil }

    /// The value, or nil when the file does not have the key.
    func text(_ key: ConfigurationKey) -> String? { entries[key]?.value.scalar?.string }

    func texts(_ key: ConfigurationKey) -> [String]? { entries[key]?.value.sequence?.compactMap(\.scalar?.string) }

    /// The integer, which must lie in `range`.
    func integer(_ key: ConfigurationKey, in range: ClosedRange<Int>, default value: Int) throws -> Int {
        guard let entry = entries[key] else { return value }
        guard let number = entry.value.int, range.contains(number) else {
            throw error(key, "must be a whole number from \(range.lowerBound) to \(range.upperBound)")
        }
        return number
    }

    /// The number, which must lie in `range`.
    func number(_ key: ConfigurationKey, in range: ClosedRange<Double>) throws -> Double? {
        guard let entry = entries[key] else { return nil }
        guard let number = entry.value.float ?? entry.value.int.map(Double.init), range.contains(number) else {
            throw error(key, "must be a number from \(range.lowerBound) to \(range.upperBound)")
        }
        return number
    }

    func integers(_ key: ConfigurationKey) -> [Int]? { entries[key]?.value.sequence?.compactMap(\.int) }

    /// The mappings of a list of such.
    func sections(_ key: ConfigurationKey) -> [ConfigurationSection] {
        (entries[key]?.value.sequence ?? []).compactMap(\.mapping).map { mapping in
            ConfigurationSection(path: path, name: key.rawValue, mapping: mapping)
        }
    }

    // MARK: keys and shapes

    /// Walks the document: every key must be known and its value of the right shape. Returns what it says.
    private static func check(_ text: String, path: String) throws -> [ConfigurationKey: Entry] {
        guard let root = try ConfigurationText.parse(text, path: path), root.null == nil else { return [:] }
        guard let mapping = root.mapping else { throw ConfigurationError("\(path): not a mapping of keys to values") }
        var entries: [ConfigurationKey: Entry] = [:]
        try walk(mapping, prefix: "", path: path, into: &entries)
        return entries
    }

    private static func walk(
        _ mapping: Node.Mapping, prefix: String, path: String, into entries: inout [ConfigurationKey: Entry]
    ) throws {
        for (keyNode, value) in mapping {
            let line = keyNode.mark?.line
            let name = prefix + (keyNode.string ?? "?")
            if let key = ConfigurationKey(rawValue: name) {
                guard entries.updateValue(Entry(line: line ?? 0, value: value), forKey: key) == nil else {
                    throw ConfigurationError(file: path, line: line, key: name, "is there twice")
                }
                try check(value, shape: key.shape, key: name, line: line, path: path)
            } else if ConfigurationKey.allCases.contains(where: { $0.rawValue.hasPrefix(name + ".") }),
                value.mapping != nil || value.null != nil
            {
                // A section all of whose keys are commented out is empty.
                if let section = value.mapping { try walk(section, prefix: name + ".", path: path, into: &entries) }
            } else {
                throw ConfigurationError(file: path, line: line, key: name, "unknown key" + suggestion(for: name))
            }
        }
    }

    private static func check(
        _ value: Node, shape: ConfigurationKey.Shape, key: String, line: Int?, path: String
    ) throws {
        func fail(_ what: String) -> ConfigurationError {
            ConfigurationError(file: path, line: value.mark?.line ?? line, key: key, what)
        }
        switch shape {
        case .text:
            guard value.scalar != nil else { throw fail("must be text") }
        case .integer:
            guard value.int != nil else { throw fail("must be a whole number") }
        case .number:
            guard value.float != nil else { throw fail("must be a number") }
        case .texts:
            guard let list = value.sequence, list.allSatisfy({ $0.scalar != nil }) else { throw fail("must be a list") }
        case .integers:
            guard let list = value.sequence, list.allSatisfy({ $0.int != nil }) else {
                throw fail("must be a list of whole numbers")
            }
        case .choice(let names):
            guard let text = value.scalar?.string, names.contains(text) else {
                throw fail("must be one of \(names.joined(separator: ", "))")
            }
        case .choices(let names):
            guard let list = value.sequence, list.allSatisfy({ names.contains($0.scalar?.string ?? "") }) else {
                throw fail("must be a list of \(names.joined(separator: ", "))")
            }
        case .sections(let shapes):
            guard let list = value.sequence, list.allSatisfy({ $0.mapping != nil }) else {
                throw fail("must be a list of sections: \(shapes.keys.sorted().joined(separator: ", "))")
            }
            for mapping in list.compactMap(\.mapping) { try check(mapping, shapes, key: key, path: path) }
        }
    }

    private static func check(
        _ mapping: Node.Mapping, _ shapes: [String: ConfigurationKey.Shape], key: String, path: String
    ) throws {
        for (keyNode, value) in mapping {
            let name = keyNode.string ?? "?"
            let line = keyNode.mark?.line
            guard let shape = shapes[name] else {
                throw ConfigurationError(
                    file: path, line: line, key: "\(key).\(name)",
                    "unknown key; there are \(shapes.keys.sorted().joined(separator: ", "))")
            }
            try check(value, shape: shape, key: "\(key).\(name)", line: line, path: path)
        }
    }

    /// A known key whose last part is the same, or that begins alike.
    private static func suggestion(for name: String) -> String {
        let last = name.split(separator: ".").last.map(String.init) ?? name
        let near = ConfigurationKey.allCases.map(\.rawValue).first {
            $0.hasSuffix("." + last) || $0.hasPrefix(name) || name.hasPrefix($0)
        }
        return near.map { "; is \($0) meant?" } ?? ""
    }
}
