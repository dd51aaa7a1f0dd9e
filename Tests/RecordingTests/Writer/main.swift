import Glibc
import Recording
import RecordingFixture
import Wire

// Captures a camera and a microphone in real time into the folder that is its argument, from clips beside it, and says on standard
// output what came in: "video 1234", ms since the recording's begin. One packet in a hundred comes 200 ms late. Tests kill it
// meanwhile.

/// A line at once, in one write: whoever kills us has what was said.
func say(_ line: String) { _ = (line + "\n").withCString { write(1, $0, strlen($0)) } }

func clock(_ kind: clockid_t) -> UInt64 {
    var time = timespec()
    clock_gettime(kind, &time)
    return UInt64(time.tv_sec) * 1_000_000_000 + UInt64(time.tv_nsec)
}

/// One source on its way.
struct Feed {
    let name: SourceName
    let clip: Clip
    var packetizer: Packetizer
    var frame = 0
    var late: [(due: UInt64, packet: [UInt8])] = []

    init(_ kind: MediaKind, _ clip: Clip) {
        name = SourceName(participantID: "p_1", kind: kind)
        self.clip = clip
        packetizer = Packetizer(clip.codec, ssrc: UInt32(kind.rawValue) + 1, sequence: 65_000)
    }

    mutating func turn(_ recording: MeetingRecording, _ began: UInt64, _ now: UInt64) {
        guard let source = recording.source(name) else { return }
        func take(_ packet: [UInt8]) {
            packet.withUnsafeBytes { bytes in
                guard let view = RTPPacket(bytes) else { return }
                source.receive(view, codec: clip.codec, arrival: now)
            }
        }
        for packet in late where packet.due <= now { take(packet.packet) }
        late.removeAll { $0.due <= now }
        while began + UInt64(frame) * clip.interval <= now {
            let ticks = UInt64(frame) * clip.interval / 1_000 * UInt64(clip.codec.clockRate) / 1_000_000
            let timestamp = UInt32(truncatingIfNeeded: 4_294_900_000 + ticks)
            for packet in packetizer.packets(clip.frames[frame % clip.frames.count], timestamp: timestamp) {
                if packetizer.sequence % 100 == 0 {
                    late.append((now + 200_000_000, packet))
                } else {
                    take(packet)
                }
            }
            frame += 1
            say("\(name.kindName) \((now - began) / 1_000_000)")
        }
    }
}

let folder = CommandLine.arguments[1]
let disk = RecordingDisk()
let began = clock(CLOCK_MONOTONIC)
let recording = try MeetingRecording(
    meeting: "m_1", in: folder, disk: disk, warn: { _ in }, now: began, utc: Int64(clock(CLOCK_REALTIME) / 1_000_000))
var feeds = [
    Feed(.video, try Clip(.vp8, path: CommandLine.arguments[2])),
    Feed(.audio, try Clip(.opus, path: CommandLine.arguments[3])),
]
while true {
    let now = clock(CLOCK_MONOTONIC)
    for index in feeds.indices { feeds[index].turn(recording, began, now) }
    recording.advance(now: now)
    usleep(5_000)
}
