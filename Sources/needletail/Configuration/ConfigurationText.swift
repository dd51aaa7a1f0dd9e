import Api
import Yams

/// A configuration file as text and as YAML; the keys are another matter.
enum ConfigurationText {
    /// Throws a `ConfigurationError` that names the file, and the line where there is one.
    static func read(_ path: String) throws -> String {
        let bytes: [UInt8]
        do {
            bytes = try RegularFile.read(path)
        } catch {
            throw ConfigurationError("\(path): \(error): name a file with --config, as appliance/needletail.yaml")
        }
        if let text = String(validating: bytes, as: UTF8.self) { return text }
        // A line feed is never part of another character.
        let line = bytes.split(separator: UInt8(ascii: "\n"), omittingEmptySubsequences: false)
            .firstIndex { String(validating: $0, as: UTF8.self) == nil }
        throw ConfigurationError("\(path):\((line ?? 0) + 1): is not text in UTF-8")
    }

    /// The document; nil when it is empty.
    static func parse(_ text: String, path: String) throws -> Node? {
        do {
            return try Yams.compose(yaml: text)
        } catch YamlError.duplicatedKeysInMapping(let keys, let context) {
            throw duplicate(keys.first ?? "?", first: context.mark, in: text, path: path)
        } catch let error as YamlError {
            throw refusal(error, path: path)
        }
    }

    /// Never the text itself, which has secrets.
    private static func refusal(_ error: YamlError, path: String) -> ConfigurationError {
        switch error {
        case .scanner(_, let problem, let mark, _), .parser(_, let problem, let mark, _),
            .composer(_, let problem, let mark, _):
            ConfigurationError("\(path):\(mark.line): not YAML: \(problem)")
        case .reader(let problem, _, _, _): ConfigurationError("\(path): not YAML: \(problem)")
        default: ConfigurationError("\(path): not YAML")
        }
    }

    /// A key that a section has twice: Yams knows where the first is.
    private static func duplicate(_ key: String, first: Mark, in text: String, path: String) -> ConfigurationError {
        let lines = text.split(separator: "\n", omittingEmptySubsequences: false)
        guard lines.indices.contains(first.line - 1) else {
            return ConfigurationError(file: path, line: nil, key: key, "is there twice")
        }
        let section = first.column == 1 ? nil : lines[..<first.line].last { $0.first?.isLetter == true }
        let name = section.map { $0.prefix { $0 != ":" } + ".\(key)" } ?? key
        let later = lines.enumerated().dropFirst(first.line - 1).first { number, line in
            count(of: key, in: line) > (number + 1 == first.line ? 1 : 0)
        }
        let second = (later?.offset ?? first.line - 1) + 1
        return ConfigurationError(
            file: path, line: second, key: name, "is there twice, first in line \(first.line)")
    }

    /// How often a line gives the key a value.
    private static func count(of key: String, in line: Substring) -> Int {
        let plain = line.prefix { $0 != "#" }.filter { $0 != "\"" && $0 != "'" }
        return plain.ranges(of: "\(key):").count { range in
            range.lowerBound == plain.startIndex || " {,".contains(plain[plain.index(before: range.lowerBound)])
        }
    }
}
