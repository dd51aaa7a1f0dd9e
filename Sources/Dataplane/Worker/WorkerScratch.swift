import Mailbox
import Wire

/// A worker's scratch memory.
struct WorkerScratch: BitwiseCopyable {
    let burst: UnsafeMutablePointer<Mbuf>
    /// `MissingPackets.capacity` sequence numbers.
    let sequences: UnsafeMutablePointer<UInt16>
    /// `ArrivalLog.maximumReport` ticks.
    let ticks: UnsafeMutablePointer<Int64>
    /// `reportBlocks` blocks.
    let blocks: UnsafeMutablePointer<ReportBlock>
    /// `ReferenceTimes.capacity` echoes.
    let echoes: UnsafeMutablePointer<ReferenceTimeEcho>

    /// `LaneReception.capacity` sequence numbers, and as many entries as a message to a Lane's far end has.
    let laneNumbers: UnsafeMutablePointer<UInt16>
    let laneEntries: UnsafeMutablePointer<(LaneName, choices: UInt64, layers: UInt8)>

    /// `mostLadders` of them.
    let ladders: UnsafeMutablePointer<BitrateLadder>

    /// Slots of a Session whose bitrates are shared.
    static let mostLadders = 128
    /// Blocks in one receiver report (RFC 3550 section 6.4.2).
    static let reportBlocks = 31

    init(burst count: Int) {
        burst = .allocate(capacity: count)
        sequences = .allocate(capacity: MissingPackets.capacity)
        ticks = .allocate(capacity: ArrivalLog.maximumReport)
        blocks = .allocate(capacity: Self.reportBlocks)
        echoes = .allocate(capacity: ReferenceTimes.capacity)
        ladders = .allocate(capacity: Self.mostLadders)
        laneNumbers = .allocate(capacity: LaneReception.capacity)
        laneEntries = .allocate(capacity: LaneMessage.mostEntries)
    }

    func deallocate() {
        burst.deallocate()
        sequences.deallocate()
        ticks.deallocate()
        blocks.deallocate()
        echoes.deallocate()
        ladders.deallocate()
        laneNumbers.deallocate()
        laneEntries.deallocate()
    }
}
