import CAV
import Foundation
import Recording

/// How a recording is composed.
public struct CompositionOptions: Sendable {
    /// Folder for what is made; made where it is not there.
    public var output: String
    /// Whether that may be a link to a folder: where somebody named it, and not where it is part of the recording.
    public var followsLink = false
    public var layout = LayoutKind.gallery
    /// Pixels, even.
    public var width = 1_920
    public var height = 1_080
    /// Of the recording, ms; nil: all of it.
    public var from: Int?
    public var until: Int?
    /// Of the encoder; 0: as many as the machine has use for.
    public var threads = 0
    /// For names.
    public var font: String?

    public init(output: String) { self.output = output }
}

/// Makes one film of a recording, with what belongs to it: `meeting.mp4`, `audio.m4a`, `chat.vtt`, `thumbnails/` and `contact-sheet.jpg`.
///
/// Pictures and sound stream through: memory depends on how many are seen at once, and on the recording's length only by the indexes of
/// the files. The same of the same recording. One thread owns it.
public final class Composition {
    /// Pictures a second.
    public static let rate = 30
    /// Of the audio encoder, samples.
    private static let block = 1_024

    private let range: Span
    private let timeline: Timeline
    private let meeting: RecordedMeeting
    private let options: CompositionOptions
    private let compositor: Compositor
    private let mixdown: AudioMixdown
    private let video: Encoder
    private let audio: Encoder
    /// Nobody else composes in it while this is there.
    private let folder: OutputFolder
    private let film: MP4Output
    private let sound: MP4Output
    private let thumbnails: Thumbnails
    private var soundFrame: UnsafeMutablePointer<AVFrame>
    private var samples = 0

    /// What is wrong with the recording, a line each; complete once it has run.
    public private(set) var complaints: [String]
    /// ms.
    public var length: Int { range.until - range.from }

    /// - Throws: `MediaError`.
    public init(_ meeting: RecordedMeeting, _ options: CompositionOptions) throws {
        self.meeting = meeting
        self.options = options
        complaints = meeting.complaints
        timeline = meeting.timeline
        range = Span(max(options.from ?? 0, 0), min(options.until ?? timeline.end, timeline.end))
        guard range.from < range.until else { throw MediaError("there is nothing between these times") }
        folder = try OutputFolder(options.output, followsLink: options.followsLink)
        let text = try TextRenderer(path: options.font ?? TextRenderer.font)
        let layout = Layout(width: options.width, height: options.height)
        compositor = try Compositor(
            timeline, files: meeting.files, folder: meeting.folder, layout: layout, kind: options.layout, text: text)
        mixdown = AudioMixdown(meeting.files, folder: meeting.folder, begin: range.from)
        video = try Encoder.video(
            width: options.width, height: options.height, rate: Self.rate, threads: options.threads)
        audio = try Encoder.audio()
        let begin = range.from
        let chapters = timeline.chapters(range).map { chapter in
            var chapter = chapter
            chapter.span.from -= begin
            chapter.span.until -= begin
            return chapter
        }
        let created = meeting.manifest?.startedAt ?? ""
        let title = meeting.manifest?.meetingID ?? ""
        let sounds = MP4Output.Stream(encoder: audio, name: "All voices")
        film = try MP4Output(
            path: options.output + "/meeting.mp4", streams: [.init(encoder: video, name: "Meeting"), sounds],
            title: title, created: created, chapters: chapters)
        sound = try MP4Output(
            path: options.output + "/audio.m4a", streams: [sounds], title: title, created: created, chapters: chapters)
        thumbnails = try Thumbnails(
            folder: options.output, length: range.until - range.from, width: options.width, height: options.height)
        soundFrame = try Self.makeSoundFrame()
    }

    deinit { needletail_av_frame_free(soundFrame) }

    private static func makeSoundFrame() throws -> UnsafeMutablePointer<AVFrame> {
        guard let frame = needletail_av_frame_alloc() else { throw MediaError("no memory") }
        frame.pointee.format = AV_SAMPLE_FMT_FLTP.rawValue
        frame.pointee.nb_samples = Int32(block)
        frame.pointee.sample_rate = Int32(VoiceTrack.rate)
        frame.pointee.ch_layout.order = AV_CHANNEL_ORDER_NATIVE
        frame.pointee.ch_layout.nb_channels = 2
        frame.pointee.ch_layout.u.mask = 3
        let code = needletail_av_frame_get_buffer(frame)
        guard code >= 0 else {
            needletail_av_frame_free(frame)
            throw MediaError("a frame", code: code)
        }
        return frame
    }

    /// Composes all of it.
    ///
    /// - Parameter progress: hears from time to time which part is done, 0 to 1.
    /// - Throws: `MediaError`; what was made so far then has no name.
    public func run(_ progress: (Double) -> Void = { _ in }) throws {
        let frames = max(length * Self.rate / 1_000, 1)
        for index in 0..<frames {
            // The middle of the time that the picture is seen: none is more than half of that early or late.
            let moment = (2 * index + 1) * 1_000 / (2 * Self.rate)
            try compositor.draw(range.from + moment)
            try thumbnails.note(compositor.canvas, at: moment)
            compositor.canvas.frame.pointee.pts = Int64(index)
            try video.encode(compositor.canvas.frame) { try write($0) }
            try mix(until: (index + 1) * VoiceTrack.rate / Self.rate)
            if index % Self.rate == 0 { progress(Double(index) / Double(frames)) }
        }
        try mix(until: length * (VoiceTrack.rate / 1_000))
        try video.encode(nil) { try write($0) }
        try audio.encode(nil) { try writeSound($0) }
        try thumbnails.finish()
        try WholeFile.write(
            Array(WebVTT.chat(timeline.messages, in: range).utf8), to: options.output + "/chat.vtt")
        try sound.finish()
        try film.finish()
        complaints += (compositor.finish() + mixdown.finish()).map(\.escaped)
        progress(1)
    }

    private func write(_ packet: UnsafeMutablePointer<AVPacket>) throws {
        if packet.pointee.duration == 0 { packet.pointee.duration = 1 }
        try film.write(packet, to: 0)
    }

    private func writeSound(_ packet: UnsafeMutablePointer<AVPacket>) throws {
        try film.write(packet, to: 1)
        try sound.write(packet, to: 0)
    }

    /// Encodes sound up to a sample of the composition.
    private func mix(until end: Int) throws {
        while samples < end {
            let (left, right) = mixdown.next(Self.block)
            let code = needletail_av_frame_make_writable(soundFrame)
            guard code >= 0, let first = soundFrame.pointee.data.0, let second = soundFrame.pointee.data.1 else {
                throw MediaError("a frame", code: code)
            }
            left.withUnsafeBytes {
                UnsafeMutableRawPointer(first).copyMemory(from: $0.baseAddress!, byteCount: $0.count)
            }
            right.withUnsafeBytes {
                UnsafeMutableRawPointer(second).copyMemory(from: $0.baseAddress!, byteCount: $0.count)
            }
            soundFrame.pointee.pts = Int64(samples)
            try audio.encode(soundFrame) { try writeSound($0) }
            samples += Self.block
        }
    }
}
