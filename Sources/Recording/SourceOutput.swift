import Wire

/// The files of one source: begins the next one where a codec or its settings change, leaves out what no decoder could show, and
/// says in the log what is missing.
struct SourceOutput {
    /// Pictures behind one that is lost are left out until a keyframe, so long: then a damaged picture is better than none, ns.
    static let keyframePatience: UInt64 = 2_000_000_000
    /// Lines of the log for one source: at once, and one more after each `lineInterval`, ns.
    static let mostLines = 30
    static let lineInterval: UInt64 = 1_000_000_000

    private struct Gap {
        var packets = 0
        var frames = 0
        var reason: String?
    }

    private let name: SourceName
    private let context: RecordingContext
    private var file: MatroskaFile?
    private var fileName = ""
    private var configuration: CodecConfiguration?
    private var size: (width: Int, height: Int) = (0, 0)
    private var fileCount = 0
    private var frames = 0
    /// ns since the recording's begin.
    private var lastTime: UInt64 = 0
    private var firstTime: UInt64 = 0
    /// Since when a keyframe is needed, ns; nil when the picture is whole.
    private var brokenSince: UInt64?
    private var gap: Gap?
    private var lines = mostLines
    private var linesAt: UInt64 = 0
    private var omitted = 0

    init(_ name: SourceName, context: RecordingContext) {
        self.name = name
        self.context = context
    }

    /// Pictures wait for one.
    var wantsKeyframe: Bool { name.kind.isVideo && (brokenSince != nil || file == nil) }

    mutating func noteLoss(packets: Int) {
        var gap = gap ?? Gap()
        gap.packets += packets
        self.gap = gap
    }

    /// What comes next may refer to a frame that is not there.
    mutating func noteBreak(now: UInt64) {
        guard name.kind.isVideo, brokenSince == nil else { return }
        brokenSince = now
    }

    /// Writes a frame that was captured at `moment`, ns of the recorder's clock.
    mutating func write(_ frame: AssembledFrame, codec: Codec, moment: UInt64, now: UInt64) {
        guard isShowable(frame, codec, now: now) else { return leaveOut(nil) }
        guard context.disk.hasRoom else {
            noteBreak(now: now)
            return leaveOut("the disk takes nothing, and too much waits for it")
        }
        let isNew = frame.configuration.map { new in configuration.map { !new.goesOn(with: $0) } ?? true } ?? false
        if let new = frame.configuration, isNew || file == nil {
            endFile(now: now)
            guard beginFile(new, at: context.time(moment), now: now) else { return leaveOut(nil) }
        }
        guard let file else { return leaveOut(nil) }
        noteSize(frame, now: now)
        let time = codec == .h264 ? context.time(moment) : max(context.time(moment), lastTime)
        do {
            try file.write(frame, at: time)
        } catch {
            return fail(error, now: now)
        }
        file.noteFrame(now: now)
        reportGap(until: time, now: now)
        if frames == 0 { firstTime = time }
        frames += 1
        lastTime = max(lastTime, time)
        if frame.isKeyframe { brokenSince = nil }
        file.flush(now: now)
    }

    private mutating func isShowable(_ frame: AssembledFrame, _ codec: Codec, now: UInt64) -> Bool {
        if frame.isKeyframe { return true }
        // A file begins with a keyframe, and only with one of its own codec.
        guard file != nil, configuration?.codec == codec else { return false }
        guard let since = brokenSince else { return true }
        guard now &- since >= Self.keyframePatience else { return false }
        brokenSince = nil
        return true
    }

    private mutating func leaveOut(_ reason: String?) {
        var gap = gap ?? Gap()
        gap.frames += 1
        if let reason { gap.reason = reason }
        self.gap = gap
    }

    private mutating func noteSize(_ frame: AssembledFrame, now: UInt64) {
        guard let new = frame.configuration, name.kind.isVideo, (new.width, new.height) != size else { return }
        size = (new.width, new.height)
        var event = RecordingEvent(.pictureSize)
        (event.width, event.height, event.file) = (new.width, new.height, fileName)
        report(event, now: now)
    }

    private mutating func reportGap(until time: UInt64, now: UInt64) {
        guard let gap else { return }
        self.gap = nil
        // Before the first keyframe nothing could be seen.
        guard frames > 0 || gap.packets > 0 else { return }
        var event = RecordingEvent(.gap)
        event.file = fileName
        event.fromMs = frames > 0 ? Int(lastTime / 1_000_000) : nil
        event.untilMs = Int(time / 1_000_000)
        event.packetsLost = gap.packets
        event.framesLeftOut = gap.frames
        event.reason = gap.reason
        report(event, now: now)
    }

    mutating func flush(now: UInt64) { file?.flush(now: now) }

    /// A line of the log, unless there are too many.
    mutating func report(_ event: RecordingEvent, now: UInt64) {
        let passed = Int(clamping: (now &- linesAt) / Self.lineInterval)
        if passed > 0 {
            lines = min(lines + passed, Self.mostLines)
            linesAt = now
        }
        guard lines > 0 else {
            omitted += 1
            return
        }
        lines -= 1
        var event = event
        event.participantID = name.participantID
        event.source = name.kindName
        if omitted > 0 { event.omitted = omitted }
        omitted = 0
        context.log(event, at: now)
    }

    mutating func end(now: UInt64) {
        endFile(now: now)
        configuration = nil
    }

    private mutating func beginFile(_ configuration: CodecConfiguration, at time: UInt64, now: UInt64) -> Bool {
        fileCount += 1
        fileName = "\(name.fileName)-\(fileCount).mkv"
        do {
            file = try MatroskaFile(
                configuration, path: context.folder + "/" + fileName, disk: context.disk, begin: context.beginText,
                title: "\(name.participantID) \(name.kindName)")
        } catch {
            fail(error, now: now)
            return false
        }
        self.configuration = configuration
        frames = 0
        var event = RecordingEvent(.fileBegan)
        (event.file, event.codec) = (fileName, configuration.codec.recordingName)
        report(event, now: now)
        let entry = RecordingManifest.File(
            file: fileName, participantID: name.participantID, source: name.kindName,
            codec: configuration.codec.recordingName, fromMs: Int(time / 1_000_000))
        context.change { $0.files.append(entry) }
        return true
    }

    private mutating func endFile(now: UInt64) {
        guard let file else { return }
        self.file = nil
        do {
            try file.close()
        } catch {
            fail(error, now: now)
        }
        var event = RecordingEvent(.fileEnded)
        (event.file, event.frames, event.bytes) = (fileName, frames, file.byteCount)
        (event.fromMs, event.untilMs) = (Int(firstTime / 1_000_000), Int(lastTime / 1_000_000))
        report(event, now: now)
        let (fileName, frames, bytes) = (fileName, frames, file.byteCount)
        let (first, last) = (Int(firstTime / 1_000_000), Int(lastTime / 1_000_000))
        context.change { manifest in
            guard let index = manifest.files.firstIndex(where: { $0.file == fileName }) else { return }
            manifest.files[index].fromMs = first
            manifest.files[index].untilMs = last
            manifest.files[index].frames = frames
            manifest.files[index].bytes = bytes
        }
    }

    /// Gives up the file as it is; the next keyframe begins another.
    private mutating func fail(_ error: any Error, now: UInt64) {
        file = nil
        configuration = nil
        leaveOut("\(error)")
        var event = RecordingEvent(.fileFailed)
        (event.file, event.reason) = (fileName, "\(error)")
        report(event, now: now)
        context.warn("\(fileName) failed: \(error)")
    }
}
