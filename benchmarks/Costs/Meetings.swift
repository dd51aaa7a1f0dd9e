@_spi(Benchmark) import Dataplane
import Wire

/// What of a core a meeting of ten takes, beside the bare cost of its packets.
enum Meetings {
    static let costName = "meetings of ten"
    static let names = [costName]

    /// Unless others are asked for.
    private static let few = 32
    /// Packets that a meeting's caches keep, for a second.
    private static let buffersPerMeeting = 1_300
    /// Seconds until estimates have risen and all is shown, and seconds that count.
    private static let settling = 6.0

    private static func buffers(_ options: Options) -> Int {
        let meetings = options.meetings ?? few
        var buffers = 32_768
        while buffers < meetings * buffersPerMeeting + 16_384 { buffers *= 2 }
        return buffers - 1
    }

    /// MiB for the packet buffers: each takes a page where there are no hugepages.
    static func memory(_ options: Options) -> Int {
        let (dense, loose) = ((buffers(options) + 1) * 2_816 >> 20 + 128, (buffers(options) + 1) * 8_448 >> 20 + 256)
        return Machine.freeHugepages >= dense ? dense : loose
    }

    static func measure(_ options: Options) throws -> [Row] {
        let port = try DPDKPort(
            DPDKPort.Configuration(device: "net_null0", buffers: buffers(options)))
        defer { port.close() }
        // A core that has much to do finds full bursts.
        let run = try MeetingsRun(
            meetings: options.meetings ?? few, seconds: options.isShort ? 2 : 5, settling: settling,
            gathers: options.meetings == nil, port: port)
        if options.meetings == nil, let complaint = run.complaint {
            throw Failure("people in \(few) meetings did not get what they should: \(complaint)")
        }
        return [run.row(name: costName)]
    }
}
