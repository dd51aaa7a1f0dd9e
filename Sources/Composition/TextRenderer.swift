import CFreeType

/// Text as a mask: how much of each pixel is covered, 0 to 255.
struct Label: Sendable {
    var width: Int
    var height: Int
    var coverage: [UInt8]
}

/// Draws names. Left to right, a letter for each scalar, without ligatures: scripts that need more are not shaped, and letters that the font lacks are its sign for them.
final class TextRenderer {
    /// Debian's fonts-dejavu-core.
    static let font = "/usr/share/fonts/truetype/dejavu/DejaVuSans.ttf"
    private static let mostLetters = 256

    private let font: OpaquePointer

    /// - Throws: `MediaError` where there is no such font.
    init(path: String = TextRenderer.font) throws {
        try MediaLibraries.load()
        guard let font = needletail_font_open(path) else {
            throw MediaError("\(path) is no font: install fonts-dejavu-core, or name another by --font")
        }
        self.font = font
    }

    deinit { needletail_font_close(font) }

    /// One line with some room around it, even in both directions; what goes beyond `widest` ends in an ellipsis.
    func label(_ text: String, size: Int, widest: Int) -> Label {
        let margin = max(size / 3, 2)
        let height = (size + 2 * margin + 1) & ~1
        guard needletail_font_set_size(font, Int32(size)) != 0, widest > 3 * margin else {
            return Label(width: 0, height: 0, coverage: [])
        }
        let letters = fitting(text, room: widest - 2 * margin)
        let width = min(letters.reduce(0) { $0 + $1.advance } + 2 * margin + 1, widest) & ~1
        var label = Label(width: width, height: height, coverage: [UInt8](repeating: 0, count: width * height))
        var pen = margin
        for letter in letters {
            draw(letter.scalar, pen: pen, base: margin + size * 5 / 6, into: &label)
            pen += letter.advance
        }
        return label
    }

    private func fitting(_ text: String, room: Int) -> [(scalar: UInt32, advance: Int)] {
        func measured(_ scalar: Unicode.Scalar) -> (scalar: UInt32, advance: Int)? {
            var letter = needletail_letter()
            guard needletail_font_draw(font, scalar.value, &letter) != 0 else { return nil }
            return (scalar.value, min(max(Int(letter.advance), 0), room))
        }
        let scalars = text.unicodeScalars.filter { !$0.properties.isDefaultIgnorableCodePoint && $0.value >= 0x20 }
        var letters = scalars.prefix(Self.mostLetters).compactMap(measured)
        var width = letters.reduce(0) { $0 + $1.advance }
        guard width > room, let dots = measured("…") else { return letters }
        while width + dots.advance > room, let last = letters.popLast() { width -= last.advance }
        return letters + [dots]
    }

    private func draw(_ scalar: UInt32, pen: Int, base: Int, into label: inout Label) {
        var letter = needletail_letter()
        guard needletail_font_draw(font, scalar, &letter) != 0, let coverage = letter.coverage else { return }
        for row in 0..<Int(letter.height) {
            let y = base - Int(letter.top) + row
            guard y >= 0, y < label.height else { continue }
            for column in 0..<Int(letter.width) {
                let x = pen + Int(letter.left) + column
                guard x >= 0, x < label.width else { continue }
                let value = coverage[row * Int(letter.stride) + column]
                label.coverage[y * label.width + x] = max(label.coverage[y * label.width + x], value)
            }
        }
    }
}
