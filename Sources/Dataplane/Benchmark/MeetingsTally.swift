/// What people of meetings sent and got, in packets.
@_spi(Benchmark)
public struct MeetingsTally: Sendable {
    /// RTP payload of a packet of each size of video, and of a sound, bytes.
    public static let payloads = MeetingLayer.payloads + [MeetingLayer.soundBytes]

    /// By size, the smallest first.
    public var sentVideo = InlineArray<3, Int>(repeating: 0)
    public var sentAudio = 0
    /// Datagrams of RTCP, and connectivity checks.
    public var sentRTCP = 0
    public var sentChecks = 0
    public var video = InlineArray<3, Int>(repeating: 0)
    public var audio = 0
    /// Retransmissions and probes.
    public var repeated = 0
    public var rtcp = 0
    /// Of what they got, so much was left out as if it had been lost.
    public var lost = 0
    public var keyframes = 0
    public var commands = 0

    // What must not be.

    /// A Slot's numbers were not in a row.
    public var gaps = 0
    /// Packets that do not open, are another's than the Slot's, or have a picture id that does not follow.
    public var unauthentic = 0
    public var misplaced = 0
    public var pictureJumps = 0
    /// What was asked for again ten times in vain.
    public var unrepaired = 0
    /// Somebody had more to remember than there is room for, or the pool had no buffer.
    public var overruns = 0

    public var sent: Int { sentVideo[0] + sentVideo[1] + sentVideo[2] + sentAudio + sentRTCP + sentChecks }
    public var got: Int { video[0] + video[1] + video[2] + audio + repeated + rtcp }
    public var faults: Int { gaps + unauthentic + misplaced + pictureJumps + unrepaired + overruns }
}
