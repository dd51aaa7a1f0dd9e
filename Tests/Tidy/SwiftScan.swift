/// What a glance at Swift source tells without parsing it.
enum SwiftScan {
    struct Function: Equatable {
        let name: String
        /// 1-based line of its `func` or `init`.
        let line: Int
        /// Lines with code from there to its closing brace, both counted; text in long literals is data.
        let length: Int
    }

    /// Source with the insides of string literals and comments gone, so that braces and words there do not count.
    /// Lines stay where they are.
    static func bare(_ lines: [Substring]) -> [String] {
        let quote = UInt8(ascii: "\"")
        let slash = UInt8(ascii: "/")
        var inBlockComment = 0
        var inLongString = false
        return lines.map { line in
            let plain = inBlockComment == 0 && !inLongString && !line.utf8.contains { $0 == quote || $0 == slash }
            if plain { return String(line) }
            var kept = ""
            var rest = line[...]
            while let character = rest.first {
                if inBlockComment > 0 {
                    if rest.hasPrefix("*/") { inBlockComment -= 1 } else if rest.hasPrefix("/*") { inBlockComment += 1 }
                    rest = rest.dropFirst(rest.hasPrefix("*/") || rest.hasPrefix("/*") ? 2 : 1)
                } else if inLongString {
                    inLongString = !rest.hasPrefix("\"\"\"")
                    rest = rest.dropFirst(inLongString ? 1 : 3)
                } else if rest.hasPrefix("//") {
                    break
                } else if rest.hasPrefix("/*") {
                    inBlockComment += 1
                    rest = rest.dropFirst(2)
                } else if rest.hasPrefix("\"\"\"") {
                    inLongString = true
                    rest = rest.dropFirst(3)
                } else if character == "\"" {
                    rest = afterString(rest)
                } else {
                    kept.append(character)
                    rest = rest.dropFirst()
                }
            }
            return kept
        }
    }

    /// What follows the string literal that `text` begins with; literals inside its interpolations are skipped too.
    private static func afterString(_ text: Substring) -> Substring {
        var rest = text.dropFirst()
        while let character = rest.first, character != "\"" {
            guard character == "\\" else {
                rest = rest.dropFirst()
                continue
            }
            rest = rest.dropFirst()
            guard rest.first == "(" else {
                rest = rest.dropFirst()
                continue
            }
            var depth = 0
            repeat {
                if rest.first == "\"" {
                    rest = afterString(rest)
                    continue
                }
                if rest.first == "(" { depth += 1 } else if rest.first == ")" { depth -= 1 }
                rest = rest.dropFirst()
            } while depth > 0 && !rest.isEmpty
        }
        return rest.dropFirst()
    }

    /// Functions, initialisers and deinitialisers with a body.
    static func functions(in lines: [Substring]) -> [Function] {
        let bare = bare(lines)
        return bare.indices.compactMap { start in
            guard bare[start].contains("func ") || bare[start].contains("init"),
                let match = bare[start].firstMatch(
                    of: /\b(?:func\s+(?<name>[^\s(<]+)|(?:init|deinit)\b(?=[?!]?\s*[(<{]))/),
                !bare[start].contains(/\.\s*init\b|=\s*(?:[\w.]+\.)?init\b/)
            else { return nil }
            var depth = 0
            var opened = false
            for line in start..<bare.count {
                // A declaration without a body ends where the next begins or the type closes.
                for character in bare[line] {
                    if character == "{" { (depth, opened) = (depth + 1, true) }
                    if character == "}" { depth -= 1 }
                    if depth < 0 || (opened && depth == 0) { break }
                }
                if depth < 0 || (!opened && line > start && bare[line].contains(/\b(?:func|var|let)\b/)) { return nil }
                if opened && depth == 0 {
                    let name = match.output.name.map(String.init) ?? "init"
                    return Function(
                        name: name, line: start + 1, length: bare[start...line].count { !$0.allSatisfy(\.isWhitespace) }
                    )
                }
            }
            return nil
        }
    }

    /// The modules that a file imports.
    static func imports(in lines: [Substring]) -> [String] {
        bare(lines).filter { $0.contains("import ") }.compactMap { line in
            let pattern =
                /^\s*(?:@\S+\s+)*(?:(?:public|package|internal|private)\s+)?import\s+(?:(?:struct|class|enum|func|let|var)\s+)?(?<module>\w+)/
            return line.firstMatch(of: pattern).map { String($0.output.module) }
        }
    }

    /// 1-based lines of public types at file level without a doc comment.
    static func unexplained(in lines: [Substring]) -> [Int] {
        let bare = bare(lines)
        return bare.indices.filter { index in
            guard
                bare[index].contains(/^(?:@\w+(?:\([^)]*\))?\s+)*public\s+(?:\w+\s+)*(?:struct|enum|protocol|class)\b/)
            else {
                return false
            }
            var above = index - 1
            while above >= 0, lines[above].contains(/^\s*@/) { above -= 1 }
            return above < 0 || !lines[above].contains(/^\s*\/\/\//)
        }.map { $0 + 1 }
    }
}
