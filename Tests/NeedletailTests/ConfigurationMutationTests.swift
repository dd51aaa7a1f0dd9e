import Foundation
import TestSupport
import Testing

@testable import needletail

/// Configurations that nobody would write, made of the commented example by a seed. Each is taken, or refused in one line that
/// names the file and shows no secret; none ends the program or takes its time.
///
/// `CONFIGURATION_SEED` and `CONFIGURATION_ROUNDS` run others, and more of them.
@Suite struct ConfigurationMutationTests {
    private static let secret = "neverintoanymessage-neverintoanymessage"

    /// What values may be that are not meant.
    private static let values = [
        "", "~", "null", "yes", "-1", "0", "1e999", "-.inf", ".nan", "0x7fffffffffffffff", "9223372036854775808",
        "1_000",
        "[]", "{}", "[[]]", "[~]", "{a: b}", "*a", "&a [*a]", "!!binary aGk=", "!!int x", "!!set {a}", "|\n  a",
        ">-\n  b", "\"\\u0000\"",
        "\"\\ud800\"", "'", "\"", "[", "{", "<<: {}", "\u{feff}", "\u{0}", "\u{85}", "\u{2028}", "255.255.255.255/32",
        "::/0",
        "[\"::1/129\"]", "http://[::]:8080", "[::]:0", "[\"\(secret)\"]", "[\"one:\(secret)\"]",
        String(repeating: "x", count: 70_000),
        String(repeating: "[", count: 3_000), String(repeating: "- ", count: 3_000), "2001-01-01", "1:30:00", "65536",
        "-0",
    ]

    /// The example with most of its keys in use.
    private static func example() throws -> [String] {
        let url = URL(filePath: #filePath).deletingLastPathComponent()
            .appending(path: "../../appliance/needletail.yaml").standardizedFileURL
        let lines = try String(contentsOf: url, encoding: .utf8).split(separator: "\n").map(String.init)
        return lines.map { $0.replacing(/^  # ([a-z_0-9]+:)/) { "  \($0.output.1)" } }
    }

    private static func mutate(_ lines: inout [String], _ generator: inout SplitMix) {
        guard let place = lines.indices.randomElement(using: &generator) else { return lines.append("a: b") }
        let other = lines.indices.randomElement(using: &generator) ?? place
        switch Int.random(in: 0..<8, using: &generator) {
        case 0: lines.remove(at: place)
        case 1: lines.insert(lines[other], at: place)
        case 2: lines.swapAt(place, other)
        case 3: lines[place] = String(repeating: " ", count: .random(in: 0..<5, using: &generator)) + lines[place]
        case 4: lines[place] = String(lines[place].drop { $0 == " " })
        case 5:
            var bytes = Array(lines[place].utf8)
            let at = Int.random(in: 0...bytes.count, using: &generator)
            bytes.insert(UInt8.random(in: 0...127, using: &generator), at: at)
            lines[place] = String(decoding: bytes, as: UTF8.self)
        default:
            guard let value = values.randomElement(using: &generator) else { return }
            let key = lines[place].prefix { $0 != ":" }
            lines[place] = "\(key): \(value)"
        }
    }

    @Test func noMistakeIsMoreThanOneLine() throws {
        let environment = ProcessInfo.processInfo.environment
        let seed = environment["CONFIGURATION_SEED"].flatMap(UInt64.init) ?? 1
        let rounds = environment["CONFIGURATION_ROUNDS"].flatMap(UInt64.init) ?? 2_000
        let example = try Self.example()
        var refused = 0
        for round in 0..<rounds {
            var generator = SplitMix(seed: seed &+ round &* 0x1_0000)
            var lines = example
            for _ in 0..<Int.random(in: 1...8, using: &generator) { Self.mutate(&lines, &generator) }
            do {
                _ = try NodeConfiguration(
                    ConfigurationFile(text: lines.joined(separator: "\n"), path: "f"), machine: 1 << 20)
            } catch {
                refused += 1
                let said = "\(error)"
                #expect(error is ConfigurationError, "seed \(seed), round \(round): \(said)")
                #expect(said.hasPrefix("f:") && !said.contains("\n"), "seed \(seed), round \(round): \(said)")
                #expect(!said.contains(Self.secret), "seed \(seed), round \(round): \(said)")
            }
        }
        #expect(refused > rounds / 2)
    }
}
