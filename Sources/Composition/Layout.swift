/// A rectangle of the picture, pixels; all of its numbers are even, as a chroma sample stands for two by two.
struct Rectangle: Sendable, Hashable {
    var x: Int
    var y: Int
    var width: Int
    var height: Int

    init(_ x: Int, _ y: Int, _ width: Int, _ height: Int) {
        self.x = x & ~1
        self.y = y & ~1
        self.width = width & ~1
        self.height = height & ~1
    }

    /// The largest picture of these proportions in its middle.
    func fitting(width pictureWidth: Int, height pictureHeight: Int) -> Rectangle {
        guard pictureWidth > 0, pictureHeight > 0 else { return self }
        let isWide = pictureWidth * height >= pictureHeight * width
        let fitted =
            isWide
            ? (width, max(width * pictureHeight / pictureWidth, 2))
            : (max(height * pictureWidth / pictureHeight, 2), height)
        let (inner, outer) = ((fitted.0 + 1) & ~1, (fitted.1 + 1) & ~1)
        let (fittedWidth, fittedHeight) = (min(inner, width), min(outer, height))
        return Rectangle(x + (width - fittedWidth) / 2, y + (height - fittedHeight) / 2, fittedWidth, fittedHeight)
    }
}

/// Where tiles are in the picture. Pure.
struct Layout: Sendable {
    /// Tiles of a gallery; others wait for their turn.
    static let mostTiles = 25
    /// Beside what is large.
    static let mostBeside = 5

    let width: Int
    let height: Int
    /// Between tiles.
    private var gap: Int { max(height / 135, 2) & ~1 }

    /// As large as `count` tiles of 16:9 can be, in rows of which the last is centred.
    func gallery(_ count: Int) -> [Rectangle] {
        guard count > 1 else { return count == 1 ? [fitted(Rectangle(0, 0, width, height))] : [] }
        let (columns, tileWidth) =
            (1...count).map { columns -> (Int, Int) in
                let rows = (count + columns - 1) / columns
                let across = (width - gap * (columns + 1)) / columns
                let down = (height - gap * (rows + 1)) / rows
                return (columns, min(across, down * 16 / 9))
            }.max { $0.1 < $1.1 } ?? (1, width)
        let tile = (width: tileWidth & ~1, height: (tileWidth * 9 / 16) & ~1)
        let rows = (count + columns - 1) / columns
        let top = (height - rows * tile.height - (rows - 1) * gap) / 2
        return (0..<count).map { index in
            let row = index / columns
            let inRow = min(columns, count - row * columns)
            let left = (width - inRow * tile.width - (inRow - 1) * gap) / 2
            return Rectangle(
                (left & ~1) + (index % columns) * (tile.width + gap), (top & ~1) + row * (tile.height + gap),
                tile.width,
                tile.height)
        }
    }

    /// One large, and up to `mostBeside` in a column at its right.
    func stage(beside count: Int) -> (main: Rectangle, beside: [Rectangle]) {
        guard count > 0 else { return (Rectangle(0, 0, width, height), []) }
        // As wide for one as for all, so that what is large stays as it is.
        let highest = (height - (Self.mostBeside + 1) * gap) / Self.mostBeside
        let columnWidth = min((width - 3 * gap) / 5, highest * 16 / 9)
        let tile = (width: columnWidth & ~1, height: (columnWidth * 9 / 16) & ~1)
        let main = Rectangle(gap, gap, width - 3 * gap - tile.width, height - 2 * gap)
        let top = (height - count * tile.height - (count - 1) * gap) / 2
        let beside = (0..<count).map { index in
            Rectangle(
                width - gap - tile.width, (max(top, gap) & ~1) + index * (tile.height + gap), tile.width, tile.height)
        }
        return (main, beside)
    }

    private func fitted(_ rectangle: Rectangle) -> Rectangle { rectangle.fitting(width: 16, height: 9) }
}
