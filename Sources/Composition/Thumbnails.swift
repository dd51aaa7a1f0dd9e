import CAV
import Foundation

/// Small pictures of a composition: one of each minute, and a sheet of some of them.
final class Thumbnails {
    static let interval = 60_000
    /// On the sheet, in rows of 5.
    static let mostOnSheet = 25
    private static let columns = 5
    private static let gap = 4

    /// Of the composition, when there is one, ms; in order.
    let moments: [Int]
    private let folder: String
    /// What they are made in, until all are.
    private var part: String { folder + "/thumbnails.part" }
    private var whole: String { folder + "/thumbnails" }
    private let scaler: Scaler
    private let encoder: Encoder
    private let sheet: Picture
    /// By number of the thumbnail: where it is on the sheet.
    private var places: [Int: Rectangle] = [:]
    private var taken = 0

    /// - Parameters:
    ///   - folder: a folder that is there, for `thumbnails/` and the sheet.
    ///   - length: of the composition, ms.
    init(folder: String, length: Int, width: Int, height: Int) throws {
        self.folder = folder
        moments = Self.moments(length)
        let small = (width: 480, height: max(480 * height / width, 2) & ~1)
        scaler = try Scaler(width: small.width, height: small.height, isFullRange: true)
        encoder = try Encoder.jpeg(width: small.width, height: small.height)
        let count = min(moments.count, Self.mostOnSheet)
        let columns = min(count, Self.columns)
        let rows = (count + columns - 1) / columns
        sheet = try Picture(
            width: columns * (small.width + Self.gap) + Self.gap, height: rows * (small.height + Self.gap) + Self.gap,
            isFullRange: true)
        sheet.fill(Rectangle(0, 0, sheet.width, sheet.height), luma: 20)
        for index in 0..<count {
            places[index * moments.count / count] = Rectangle(
                Self.gap + index % columns * (small.width + Self.gap),
                Self.gap + index / columns * (small.height + Self.gap), small.width, small.height)
        }
        try OutputFolder.refuseOther(whole)
        // Of a run that was interrupted; of a link the link alone.
        if OutputFolder.mode(part) != nil { try? FileManager.default.removeItem(atPath: part) }
        guard mkdir(part, 0o777) == 0 else { throw MediaError("\(part): \(String(cString: strerror(errno)))") }
    }

    /// In the middle of each minute, and of what is left at the end, as far as there is a picture: the last one is up to 50 ms before
    /// the end.
    static func moments(_ length: Int) -> [Int] {
        stride(from: 0, to: max(length, 1), by: interval).map {
            min($0 + min(interval, length - $0) / 2, max(length - 50, 0))
        }
    }

    /// Takes the picture of a moment, ms since the composition's begin, where one is due.
    func note(_ picture: Picture, at moment: Int) throws {
        guard taken < moments.count, moments[taken] <= moment else { return }
        try scaler.scale(picture.frame)
        try write(scaler.result, by: encoder, to: part + "/" + Self.name(taken))
        if let place = places[taken] { sheet.draw(scaler.result.frame, at: place) }
        taken += 1
    }

    private static func name(_ index: Int) -> String {
        let number = String(index + 1)
        return String(repeating: "0", count: max(4 - number.count, 0)) + number + ".jpg"
    }

    /// Whether it is one of an earlier run; other files stay.
    private static func isName(_ name: String) -> Bool {
        guard name.hasSuffix(".jpg"), let number = Int(name.dropLast(4)), number > 0 else { return false }
        return self.name(number - 1) == name
    }

    /// Gives them their names, in place of an earlier run's.
    func finish() throws {
        let encoder = try Encoder.jpeg(width: sheet.width, height: sheet.height)
        try write(sheet, by: encoder, to: folder + "/contact-sheet.jpg")
        try OutputFolder.refuseOther(whole)
        guard mkdir(whole, 0o777) == 0 || errno == EEXIST else {
            throw MediaError("\(whole): \(String(cString: strerror(errno)))")
        }
        let names = (try? FileManager.default.contentsOfDirectory(atPath: whole)) ?? []
        for name in names where Self.isName(name) { _ = unlink(whole + "/" + name) }
        for index in 0..<taken { try WholeFile.put(part + "/" + Self.name(index), as: whole + "/" + Self.name(index)) }
        _ = rmdir(part)
    }

    private func write(_ picture: Picture, by encoder: Encoder, to path: String) throws {
        picture.frame.pointee.quality = Encoder.jpegQuality
        picture.frame.pointee.pts = Int64(taken)
        var bytes: [UInt8] = []
        try encoder.encode(picture.frame) { packet in
            bytes += UnsafeBufferPointer(start: packet.pointee.data, count: Int(packet.pointee.size))
        }
        try WholeFile.write(bytes, to: path)
    }
}
