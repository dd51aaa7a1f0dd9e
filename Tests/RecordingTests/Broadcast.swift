import RecordingFixture
import TestSupport
import Wire

@testable import Recording

/// What befalls packets on their way, of each one.
struct Weather {
    var loss = 0.0
    var duplication = 0.0
    /// ns; the shortest, and how much longer at most.
    var delay: UInt64 = 20_000_000
    var jitter: UInt64 = 0
    /// Packets that were asked for come again.
    var repairs = true
    /// Keyframes that were asked for come: a clip goes on with its next one.
    var answersKeyframes = true
}

/// A source that plays a clip in virtual time.
struct Publisher {
    let name: SourceName
    var clip: Clip
    var packetizer: Packetizer
    /// Of the sender's sampling clock, in millionths: how much too fast it is.
    var drift = 0.0
    /// What the timestamps begin with.
    var base: UInt32
    /// Frames are published between these, ns.
    var begin: UInt64 = 0
    var end = UInt64.max
    /// When its sender reports come, ns.
    var reportInterval: UInt64 = 1_000_000_000
    fileprivate var frame = 0
    fileprivate var place = 0
    fileprivate var nextReport: UInt64 = 0
    fileprivate var sent: [UInt16: [UInt8]] = [:]
    var keyframesAsked = 0

    init(_ kind: MediaKind, _ clip: Clip, participant: String = "p_1", base: UInt32 = 4_294_960_000) {
        name = SourceName(participantID: participant, kind: kind)
        self.clip = clip
        self.base = base
        packetizer = Packetizer(clip.codec, ssrc: 100 + UInt32(kind.rawValue), sequence: 65_500)
    }

    /// RTP's at a moment, ns.
    func timestamp(_ moment: UInt64) -> UInt32 {
        let ticks = Double(moment) * (1 + drift / 1_000_000) * Double(clip.codec.clockRate) / 1_000_000_000
        return base &+ UInt32(truncatingIfNeeded: Int64(ticks))
    }

    fileprivate var nextFrame: UInt64 { begin + UInt64(frame) * clip.interval }
}

/// A meeting in virtual time: publishers, their way to the recorder, and the recorder. All from a seed.
final class Broadcast {
    /// ns of the recorder's clock: its recording's begin.
    static let origin: UInt64 = 5_000_000_000
    /// 2026-01-01T00:00:00Z, ms.
    static let utc: Int64 = 1_767_225_600_000

    var publishers: [Publisher]
    var weather: Weather
    let recording: MeetingRecording
    let disk: RecordingDisk
    private var generator: SplitMix
    private(set) var now: UInt64 = 0
    private var onTheWay: [(due: UInt64, publisher: Int, packet: [UInt8])] = []
    private var questions: [(due: UInt64, publisher: Int, feedback: RecordingFeedback)] = []
    var packetsLost = 0
    /// Called for each step of 5 ms.
    var onStep: ((Broadcast, UInt64) -> Void)?

    init(
        _ publishers: [Publisher], _ weather: Weather = Weather(), in folder: String, seed: UInt64 = 1,
        disk: RecordingDisk = RecordingDisk()
    ) throws {
        self.publishers = publishers
        self.weather = weather
        self.disk = disk
        generator = SplitMix(seed: seed)
        recording = try MeetingRecording(
            meeting: "m_1", in: folder, disk: disk, warn: { _ in }, now: Self.origin, utc: Self.utc)
    }

    /// Goes on until `moment`, ns since the begin.
    func run(until moment: UInt64) {
        while now < moment {
            for index in publishers.indices { publish(index) }
            deliver()
            if now % 20_000_000 == 0 {
                recording.advance(now: Self.origin + now)
                ask()
            }
            answer()
            onStep?(self, now)
            now += 5_000_000
        }
    }

    /// Ends the recording, and waits for the disk.
    func end() -> Bool {
        recording.end(now: Self.origin + now)
        return disk.drain()
    }

    private func publish(_ index: Int) {
        while publishers[index].nextFrame <= now, publishers[index].nextFrame < publishers[index].end {
            let publisher = publishers[index]
            let timestamp = publisher.timestamp(publisher.nextFrame)
            let frame = publisher.clip.frames[publisher.place % publisher.clip.frames.count]
            for packet in publishers[index].packetizer.packets(frame, timestamp: timestamp) {
                let sequence = UInt16(packet[2]) << 8 | UInt16(packet[3])
                publishers[index].sent[sequence] = packet
                publishers[index].sent[sequence &- 2_000] = nil
                send(packet, index)
            }
            publishers[index].frame += 1
            publishers[index].place += 1
        }
        if publishers[index].nextReport <= now, publishers[index].frame > 0 {
            publishers[index].nextReport = now + publishers[index].reportInterval
            report(index)
        }
    }

    private func send(_ packet: [UInt8], _ index: Int) {
        if Double.random(in: 0..<1, using: &generator) < weather.loss {
            packetsLost += 1
            return
        }
        let copies = Double.random(in: 0..<1, using: &generator) < weather.duplication ? 2 : 1
        for _ in 0..<copies {
            let jitter = weather.jitter == 0 ? 0 : UInt64.random(in: 0...weather.jitter, using: &generator)
            onTheWay.append((now + weather.delay + jitter, index, packet))
        }
    }

    /// The sender's clock began in 2020.
    private func report(_ index: Int) {
        let publisher = publishers[index]
        var room = [UInt8](repeating: 0, count: 64)
        let count = room.withUnsafeMutableBytes { memory in
            var writer = RTCPWriter(into: memory)
            let seconds = 3_786_825_600 + now / 1_000_000_000
            let fraction = (now % 1_000_000_000) << 32 / 1_000_000_000
            _ = writer.addSenderReport(
                ssrc: publisher.packetizer.ssrc, ntpTime: seconds << 32 | fraction,
                rtpTimestamp: publisher.timestamp(now), packetCount: 0, octetCount: 0)
            return writer.count
        }
        send(Array(room.prefix(count)), index)
    }

    private func deliver() {
        let due = onTheWay.filter { $0.due <= now }.sorted { $0.due < $1.due }
        onTheWay.removeAll { $0.due <= now }
        for (_, index, packet) in due {
            let publisher = publishers[index]
            guard let source = recording.source(publisher.name) else { continue }
            packet.withUnsafeBytes { bytes in
                if PacketKind(bytes) == .rtcp {
                    var compound = RTCPCompound(bytes)
                    guard let report = compound.next().flatMap({ SenderReport($0) }) else { return }
                    let moment = recording.moment(ntp: report.ntpTime, arrival: Self.origin + now)
                    source.receive(report, moment: moment, arrival: Self.origin + now)
                } else if let packet = RTPPacket(bytes) {
                    source.receive(packet, codec: publisher.clip.codec, arrival: Self.origin + now)
                }
            }
        }
    }

    private func ask() {
        for (index, publisher) in publishers.enumerated() {
            let source = recording.source(publisher.name)
            let feedback = source?.feedback(now: Self.origin + now, roundTrip: 2 * weather.delay)
            if let feedback { questions.append((now + weather.delay, index, feedback)) }
        }
    }

    private func answer() {
        let due = questions.filter { $0.due <= now }
        questions.removeAll { $0.due <= now }
        for (_, index, feedback) in due {
            if feedback.wantsKeyframe {
                publishers[index].keyframesAsked += 1
                if weather.answersKeyframes {
                    // To the next frame of the clip that is one: they come every 60.
                    publishers[index].place = (publishers[index].place + 59) / 60 * 60
                }
            }
            guard weather.repairs else { continue }
            for sequence in feedback.missing {
                if let packet = publishers[index].sent[sequence] { send(packet, index) }
            }
        }
    }
}
