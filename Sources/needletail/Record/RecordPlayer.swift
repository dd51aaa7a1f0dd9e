import Recording
import Wire

/// One session on its way into the recording: the sources that it plays, and what their sender is asked for. The loop's thread owns
/// it.
final class RecordPlayer {
    /// Receiver reports, ns.
    static let reportInterval: UInt64 = 1_000_000_000

    /// Whose sound and picture it is.
    let participant: String
    /// Whether its picture is the participant's screen.
    let isScreen: Bool
    let session: PlayerSession
    let socket: PlayerSocket
    private let recording: MeetingRecording
    /// Ours in RTCP.
    private let ssrc: UInt32
    private var nextReport: UInt64

    init(
        participant: String, isScreen: Bool, session: PlayerSession, socket: PlayerSocket,
        recording: MeetingRecording, ssrc: UInt32, now: UInt64
    ) {
        self.participant = participant
        self.isScreen = isScreen
        self.session = session
        self.socket = socket
        self.recording = recording
        self.ssrc = ssrc
        nextReport = now + Self.reportInterval
    }

    private var names: [SourceName] {
        isScreen
            ? [SourceName(participantID: participant, kind: .screen)]
            : [
                SourceName(participantID: participant, kind: .audio),
                SourceName(participantID: participant, kind: .video),
            ]
    }

    private func source(of codec: Codec) -> SourceRecording? {
        let kind: MediaKind = codec == .opus ? .audio : isScreen ? .screen : .video
        // Beside a screen the speaker is heard, who is captured elsewhere.
        if isScreen, kind == .audio { return nil }
        return recording.source(SourceName(participantID: participant, kind: kind))
    }

    func receive(now: UInt64) {
        socket.receive(limit: 256) { datagram in
            switch session.receive(datagram, now: now) {
            case .rtp(let packet):
                guard let codec = PlayerOffer.codec(packet.payloadType) else { return }
                source(of: codec)?.receive(packet, codec: codec, arrival: now)
            case .rtcp(let bytes):
                for packet in RTCPCompound(bytes) {
                    if let report = SenderReport(packet) { note(report, now: now) }
                }
            case nil: break
            }
        }
        flush()
    }

    private func note(_ report: SenderReport, now: UInt64) {
        let moment = recording.moment(ntp: report.ntpTime, arrival: now)
        for name in names { recording.source(name)?.receive(report, moment: moment, arrival: now) }
    }

    func advance(now: UInt64) {
        session.advance(now: now)
        if session.state == .open { tell(now: now) }
        flush()
    }

    /// Feedback at once, reports each second.
    private func tell(now: UInt64) {
        let sources = names.compactMap { recording.source($0) }
        let wishes = sources.compactMap { $0.feedback(now: now, roundTrip: session.roundTrip) }
        let isReportDue = now >= nextReport
        guard isReportDue || !wishes.isEmpty else { return }
        if isReportDue { nextReport = now + Self.reportInterval }
        let blocks = isReportDue ? sources.compactMap { $0.reportBlock(now: now) } : []
        var room = [UInt8](repeating: 0, count: 1_100)
        let count = room.withUnsafeMutableBytes { memory in
            var writer = RTCPWriter(into: memory)
            _ = blocks.withUnsafeBufferPointer { writer.addReceiverReport(ssrc: ssrc, blocks: $0) }
            _ = "needletail-record".utf8CString.withUnsafeBytes { name in
                writer.addSourceDescription(ssrc: ssrc, cname: UnsafeRawBufferPointer(rebasing: name.dropLast()))
            }
            for wish in wishes {
                _ = wish.missing.withUnsafeBufferPointer {
                    writer.addNack(senderSSRC: ssrc, mediaSSRC: wish.ssrc, sequences: $0)
                }
                if wish.wantsKeyframe {
                    _ = writer.addPictureLossIndication(senderSSRC: ssrc, mediaSSRC: wish.ssrc)
                }
            }
            return writer.count
        }
        session.send(rtcp: Array(room.prefix(count)))
    }

    func close() {
        session.close()
        flush()
    }

    private func flush() { while let datagram = session.nextOutgoing() { socket.send(datagram) } }
}
