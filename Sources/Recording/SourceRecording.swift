import Wire

/// What a participant gives: its microphone, its camera or its screen.
public struct SourceName: Hashable, Sendable {
    public var participantID: String
    public var kind: MediaKind

    public init(participantID: String, kind: MediaKind) {
        self.participantID = participantID
        self.kind = kind
    }

    /// As the log and the manifest name it.
    public var kindName: String {
        switch kind {
        case .audio: "audio"
        case .video: "video"
        case .screen: "screen"
        }
    }

    /// For names of files, whatever the participant's is.
    var fileName: String {
        let safe = participantID.unicodeScalars.map { scalar in
            scalar.isASCII && (scalar.properties.isAlphabetic || "0123456789_-".unicodeScalars.contains(scalar))
                ? Character(scalar) : "-"
        }
        return "\(String(safe.prefix(64)))-\(kindName)"
    }
}

/// What a sender is to be asked for.
public struct RecordingFeedback: Sendable, Equatable {
    public var ssrc: UInt32
    /// Packets again, in ascending order.
    public var missing: [UInt16] = []
    /// A keyframe (RFC 4585 section 6.3.1).
    public var wantsKeyframe = false
}

/// Captures one source: packets in, files out. One thread or actor owns it, the one that owns the recording.
///
/// Another SSRC, or another codec, is the publisher's restart: what waits of the old stream goes to the file first.
public final class SourceRecording {
    /// A keyframe that was asked for and did not come is asked for again, ns.
    static let keyframePatience: UInt64 = 300_000_000
    /// A stream begins with one by itself, or is asked for one after so long, ns.
    static let firstKeyframePatience: UInt64 = 200_000_000

    public let name: SourceName
    private let context: RecordingContext
    private var stream: Stream?
    private var output: SourceOutput
    private var nextKeyframeRequest: UInt64 = 0

    /// One stream of packets, with one SSRC.
    private struct Stream {
        var ssrc: UInt32
        var buffer = ReorderBuffer()
        var nacks = NackSchedule()
        var assembler: FrameAssembler
        var clock: CaptureClock
        var statistics = ReceptionStatistics()
        var codec: Codec { assembler.codec }

        init(ssrc: UInt32, codec: Codec) {
            self.ssrc = ssrc
            assembler = FrameAssembler(codec)
            clock = CaptureClock(rate: codec.clockRate)
        }
    }

    init(_ name: SourceName, context: RecordingContext) {
        self.name = name
        self.context = context
        output = SourceOutput(name, context: context)
    }

    /// Takes a packet that came in at `arrival`, ns of the recorder's clock. Whatever is in it, what was captured stays.
    public func receive(_ packet: RTPPacket, codec: Codec, arrival: UInt64) {
        if stream?.ssrc != packet.ssrc || stream?.codec != codec {
            begin(ssrc: packet.ssrc, codec: codec, now: arrival)
        }
        guard var stream = self.stream.take() else { return }
        switch stream.buffer.insert(packet, arrival: arrival) {
        case .taken(let sequence, let missing):
            stream.statistics.note(
                sequence, timestamp: packet.timestamp, arrival: arrival, rate: codec.clockRate)
            stream.nacks.noteArrival(sequence)
            stream.nacks.note(missing, now: arrival)
        case .restarted:
            stream.nacks.clear()
            stream.statistics = ReceptionStatistics()
            output.report(RecordingEvent(.publisherRestarted), now: arrival)
        case .duplicate, .late, .strayed: break
        }
        pull(&stream, now: arrival)
        self.stream = stream
    }

    /// A sender report of this source's stream.
    ///
    /// - Parameter moment: what its NTP time is on the recorder's clock, ns (`MeetingRecording.moment`).
    public func receive(_ report: SenderReport, moment: UInt64, arrival: UInt64) {
        guard stream?.ssrc == report.ssrc else { return }
        stream?.clock.note(report: report.rtpTimestamp, moment: moment)
        stream?.statistics.noteReport(ntp: report.ntpTime, arrival: arrival)
    }

    /// Brings to the file whose time has come. To be called about every 20 ms.
    public func advance(now: UInt64) {
        if var stream = self.stream.take() {
            pull(&stream, now: now)
            self.stream = stream
        }
        output.flush(now: now)
    }

    /// What its sender is to be asked for now; nil when nothing.
    public func feedback(now: UInt64, roundTrip: UInt64) -> RecordingFeedback? {
        guard stream != nil, let ssrc = stream?.ssrc else { return nil }
        var feedback = RecordingFeedback(ssrc: ssrc)
        feedback.missing = stream?.nacks.take(now: now, roundTrip: roundTrip) ?? []
        if output.wantsKeyframe, now >= nextKeyframeRequest {
            nextKeyframeRequest = now + Self.keyframePatience
            feedback.wantsKeyframe = true
        }
        return feedback.missing.isEmpty && !feedback.wantsKeyframe ? nil : feedback
    }

    /// For a receiver report; nil while nothing came.
    public func reportBlock(now: UInt64) -> ReportBlock? {
        guard let ssrc = stream?.ssrc else { return nil }
        return stream?.statistics.block(ssrc: ssrc, now: now)
    }

    /// Brings to the file what waits, and ends it.
    public func end(now: UInt64) {
        finishStream(now: now)
        output.end(now: now)
    }

    private func begin(ssrc: UInt32, codec: Codec, now: UInt64) {
        if let stream {
            let isRestart = stream.codec == codec
            finishStream(now: now)
            var event = RecordingEvent(isRestart ? .publisherRestarted : .codecChanged)
            if !isRestart { event.codec = codec.recordingName }
            output.report(event, now: now)
        }
        output.noteBreak(now: now)
        nextKeyframeRequest = now + Self.firstKeyframePatience
        stream = Stream(ssrc: ssrc, codec: codec)
    }

    private func finishStream(now: UInt64) {
        guard var stream = self.stream.take() else { return }
        pull(&stream, now: .max, clock: now)
    }

    /// - Parameters:
    ///   - now: for what is waited, ns.
    ///   - clock: the time where that is another, ns.
    private func pull(_ stream: inout Stream, now: UInt64, clock: UInt64? = nil) {
        let time = clock ?? now
        while let next = stream.buffer.next(now: now) {
            switch next {
            case .packet(let packet):
                for made in stream.assembler.add(packet) { take(made, &stream, now: time) }
            case .lost(let count):
                output.noteLoss(packets: Int(clamping: count))
                stream.assembler.noteLoss()
                if stream.codec != .opus { output.noteBreak(now: time) }
            case .restart:
                stream.assembler = FrameAssembler(stream.codec)
                stream.clock = CaptureClock(rate: stream.codec.clockRate)
                output.noteBreak(now: time)
            }
        }
        stream.nacks.forget(before: stream.buffer.firstWanted)
    }

    private func take(_ made: FrameAssembler.Output, _ stream: inout Stream, now: UInt64) {
        switch made {
        case .broken: output.noteBreak(now: now)
        case .frame(let captured):
            let (moment, step) = stream.clock.time(of: captured.timestamp, arrival: captured.arrival)
            if case .jumped(let by) = step {
                var event = RecordingEvent(.timestampsJumped)
                event.byMs = Int(by / 1_000_000)
                output.report(event, now: now)
            }
            output.write(captured.frame, codec: stream.codec, moment: moment, now: now)
        }
    }
}
