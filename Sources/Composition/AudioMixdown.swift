import Wire

/// All voices of a recording in one sound: 48 kHz, stereo, below 0 dBFS.
final class AudioMixdown {
    private(set) var complaints: [String] = []
    private let folder: String
    /// Not yet opened, the last first.
    private var waiting: [SourceFile]
    private var open: [(source: SourceFile, track: VoiceTrack)] = []
    private var limiter = Limiter()
    /// Where the next block begins, samples since the recording's begin.
    private var position: Int
    /// What the limiter holds back has not come yet.
    private var late = Limiter.lookAhead

    /// - Parameter begin: the first moment that is heard, ms.
    init(_ files: [SourceFile], folder: String, begin: Int) {
        self.folder = folder
        position = begin * (VoiceTrack.rate / 1_000)
        waiting = files.filter { $0.kind == .audio && $0.until > begin }.sorted { $0.from > $1.from }
    }

    /// The next samples, of both sides.
    func next(_ count: Int) -> (left: [Float], right: [Float]) {
        var (left, right) = ([Float](), [Float]())
        left.reserveCapacity(count)
        right.reserveCapacity(count)
        while left.count < count {
            let (rawLeft, rawRight) = sum(count - left.count + late)
            for index in rawLeft.indices {
                let sample = limiter.next((rawLeft[index], rawRight[index]))
                if late > 0 {
                    late -= 1
                } else {
                    left.append(sample.0)
                    right.append(sample.1)
                }
            }
        }
        return (left, right)
    }

    private func sum(_ count: Int) -> ([Float], [Float]) {
        var left = [Float](repeating: 0, count: count)
        var right = left
        openDue(before: position + count)
        for (_, track) in open { track.add(to: &left, &right, from: position) }
        position += count
        let ms = position / (VoiceTrack.rate / 1_000)
        close { $0.until + 1_000 < ms }
        return (left, right)
    }

    private func close(_ isDone: (SourceFile) -> Bool) {
        for (source, track) in open where isDone(source) && track.failures > 0 {
            complaints.append("\(source.file): \(track.failures) of its packets cannot be decoded")
        }
        open.removeAll { isDone($0.source) }
    }

    /// Closes all.
    ///
    /// - Returns: what is wrong with them, a line each.
    func finish() -> [String] {
        close { _ in true }
        return complaints
    }

    private func openDue(before end: Int) {
        while let next = waiting.last, next.from * (VoiceTrack.rate / 1_000) < end + VoiceTrack.rate {
            waiting.removeLast()
            do {
                open.append((next, try VoiceTrack(path: folder + "/" + next.file)))
            } catch {
                complaints.append("\(next.file) is left out: \(error)")
            }
        }
    }
}
