import CAV
import Wire

/// The files with pictures of a recording: opened as they are seen first, closed when nobody sees them any more.
final class PictureSources {
    private struct Key: Hashable {
        var participantID: String
        var kind: MediaKind
    }

    private struct Open {
        var source: PictureSource
        /// When it was seen last, ms.
        var seen: Int
        var until: Int
    }

    /// Decoders that may be open; of more those are closed that were not seen longest, and begin anew where they are seen again.
    private static let mostOpen = 2 * Layout.mostTiles

    private let folder: String
    /// Of each source, by when they begin.
    private let files: [Key: [SourceFile]]
    private var open: [String: Open] = [:]
    private var failed: Set<String> = []
    private var complaints: [String] = []

    init(_ files: [SourceFile], folder: String) {
        self.folder = folder
        let pictures = files.filter { $0.kind.isVideo }
        self.files = Dictionary(grouping: pictures) { Key(participantID: $0.participantID, kind: $0.kind) }
            .mapValues { $0.sorted { $0.from < $1.from } }
    }

    /// What is seen of a source at a moment, and whether it is another picture than it was; nil where there is none yet.
    func picture(_ participantID: String, _ kind: MediaKind, _ moment: Int) -> (UnsafeMutablePointer<AVFrame>, Bool)? {
        let files = files[Key(participantID: participantID, kind: kind)] ?? []
        guard let file = files.last(where: { $0.from <= moment && !failed.contains($0.file) }) else { return nil }
        guard let source = source(file, moment) else { return nil }
        let isNew = source.advance(to: moment)
        return source.current.map { ($0, isNew) }
    }

    private func source(_ file: SourceFile, _ moment: Int) -> PictureSource? {
        if open[file.file] != nil {
            open[file.file]?.seen = moment
            return open[file.file]?.source
        }
        do {
            if open.count >= Self.mostOpen, let oldest = open.min(by: { $0.value.seen < $1.value.seen })?.key {
                close(oldest)
            }
            let source = try PictureSource(file, in: folder)
            open[file.file] = Open(source: source, seen: moment, until: file.until)
            return source
        } catch {
            failed.insert(file.file)
            complaints.append("\(file.file) is left out: \(error)")
            return nil
        }
    }

    /// Closes those that have nothing any more.
    func close(before moment: Int) {
        for (name, entry) in open where entry.until + SourceFile.hold < moment { close(name) }
    }

    private func close(_ name: String) {
        guard let entry = open.removeValue(forKey: name), entry.source.failures > 0 else { return }
        complaints.append("\(name): \(entry.source.failures) of its pictures cannot be decoded")
    }

    /// Closes all.
    ///
    /// - Returns: what is wrong with them, a line each.
    func finish() -> [String] {
        for name in open.keys.sorted() { close(name) }
        return complaints
    }
}
