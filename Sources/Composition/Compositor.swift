import CAV
import Wire

/// Draws each moment of a recording. Only what has changed is drawn again: a tile with a new picture, or all where the arrangement is
/// another.
final class Compositor {
    /// Luma; without colour.
    private enum Shade {
        static let background: UInt8 = 28
        static let tile: UInt8 = 46
    }

    /// What is remembered of a tile.
    private struct View {
        var tile: Tile
        /// Of the picture within the tile; nil where there is none.
        var fitted: Rectangle?
        var scaler: Scaler?
        var isDrawn = false
        var showsPicture = false
    }

    private struct LabelKey: Hashable {
        var person: Int
        var size: Int
        var widest: Int
    }

    let canvas: Picture
    private let timeline: Timeline
    private let shots: [Shot]
    private let text: TextRenderer
    private let sources: PictureSources
    private var views: [View] = []
    private var shot = 0
    private var labels: [LabelKey: Label] = [:]

    init(
        _ timeline: Timeline, files: [SourceFile], folder: String, layout: Layout, kind: LayoutKind, text: TextRenderer
    ) throws {
        self.timeline = timeline
        self.text = text
        shots = ShotList(timeline, kind: kind, layout: layout).shots
        canvas = try Picture(width: layout.width, height: layout.height)
        canvas.fill(Rectangle(0, 0, layout.width, layout.height), luma: Shade.background)
        sources = PictureSources(files, folder: folder)
    }

    /// Brings the canvas to a moment, ms, which is never before the last one.
    func draw(_ moment: Int) throws {
        try canvas.prepareToDraw()
        arrange(moment)
        for index in views.indices { try draw(index, moment) }
        sources.close(before: moment)
    }

    /// Closes all files.
    ///
    /// - Returns: what could not be shown, a line each.
    func finish() -> [String] { sources.finish() }

    private func arrange(_ moment: Int) {
        let before = shot
        while shot < shots.count, shots[shot].at <= moment { shot += 1 }
        guard shot != before, shot > 0 else { return }
        let old = Dictionary(views.map { ($0.tile, $0) }, uniquingKeysWith: { first, _ in first })
        canvas.fill(Rectangle(0, 0, canvas.width, canvas.height), luma: Shade.background)
        views = shots[shot - 1].tiles.map { tile in
            // What stays where it was keeps what was scaled.
            var view = old[tile] ?? View(tile: tile)
            view.isDrawn = false
            return view
        }
        if labels.count > 1_000 { labels = [:] }
    }

    private func draw(_ index: Int, _ moment: Int) throws {
        let tile = views[index].tile
        let (person, kind): (Int, MediaKind) =
            switch tile.content {
            case .camera(let person): (person, .video)
            case .screen(let person): (person, .screen)
            }
        let seen = kind == .video ? timeline.people[person].camera : timeline.people[person].screen
        guard seen.contain(moment), let (frame, isNew) = sources.picture(timeline.people[person].id, kind, moment)
        else {
            if views[index].showsPicture || !views[index].isDrawn { drawName(index, person) }
            return
        }
        guard isNew || !views[index].isDrawn || !views[index].showsPicture else { return }
        try draw(frame, index, person)
    }

    private func draw(_ frame: UnsafeMutablePointer<AVFrame>, _ index: Int, _ person: Int) throws {
        let place = views[index].tile.place
        let fitted = place.fitting(width: Int(frame.pointee.width), height: Int(frame.pointee.height))
        if fitted != views[index].fitted || !views[index].showsPicture || !views[index].isDrawn {
            canvas.fill(place, luma: Shade.tile)
        }
        if fitted != views[index].fitted || views[index].scaler == nil {
            views[index].scaler = try Scaler(width: fitted.width, height: fitted.height)
            views[index].fitted = fitted
        }
        views[index].isDrawn = true
        views[index].showsPicture = true
        if frame.pointee.format == AV_PIX_FMT_YUV420P.rawValue, Int(frame.pointee.width) == fitted.width,
            Int(frame.pointee.height) == fitted.height
        {
            canvas.draw(frame, at: fitted)
        } else if let scaler = views[index].scaler {
            do {
                try scaler.scale(frame)
            } catch {
                return drawName(index, person)
            }
            canvas.draw(scaler.result.frame, at: fitted)
        }
        let size = max(place.height / 22, canvas.height / 54)
        let label = label(person, size: size, widest: place.width * 2 / 3)
        canvas.blend(label, x: place.x, y: place.y + place.height - label.height)
    }

    /// A tile without a picture.
    private func drawName(_ index: Int, _ person: Int) {
        let place = views[index].tile.place
        canvas.fill(place, luma: Shade.tile)
        let label = label(person, size: max(place.height / 10, canvas.height / 54), widest: place.width)
        canvas.blend(
            label, x: (place.x + (place.width - label.width) / 2) & ~1,
            y: (place.y + (place.height - label.height) / 2) & ~1)
        views[index].isDrawn = true
        views[index].showsPicture = false
    }

    private func label(_ person: Int, size: Int, widest: Int) -> Label {
        let key = LabelKey(person: person, size: size, widest: widest)
        if let label = labels[key] { return label }
        let label = text.label(timeline.people[person].name, size: size, widest: widest)
        labels[key] = label
        return label
    }
}
