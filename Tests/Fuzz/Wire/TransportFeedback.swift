import Wire

/// Transport-wide feedback: what is written of any arrivals comes back the same, in however little room.
func fuzzTransportFeedback(_ input: UnsafeRawBufferPointer) {
    guard input.count > 4, let base = input.baseAddress else { return }
    let room = Int(base.be16(0) & 0x7ff)
    let first = base.be16(2)
    var arrivals: [Int64] = []
    var clock: Int64 = -5000
    for index in stride(from: 4, to: input.count - 1, by: 2) {
        // Mostly small steps, some large, some lost.
        let step = Int64(Int16(bitPattern: base.be16(index)))
        if step & 3 == 0 {
            arrivals.append(RTCPWriter.lost)
        } else {
            clock += step & 3 == 1 ? step << 2 : step >> 7
            arrivals.append(clock)
        }
    }
    withBlock(room) { block in
        var writer = RTCPWriter(into: block)
        let covered = arrivals.withUnsafeBufferPointer {
            writer.addTransportFeedback(
                senderSSRC: 1, mediaSSRC: 2, baseSequence: first, feedbackCount: 3, arrivals: $0)
        }
        guard covered > 0 else {
            precondition(writer.count == 0)
            return
        }
        var compound = RTCPCompound(UnsafeRawBufferPointer(block).part(0, writer.count))
        let feedback = TransportFeedback(compound.next()!)!
        precondition(feedback.statusCount == covered && feedback.baseSequence == first)
        var time = Int64(feedback.referenceTime) << 8
        for (index, status) in feedback.statuses.enumerated() {
            precondition(status.isReceived == (arrivals[index] != RTCPWriter.lost))
            time += Int64(status.delta)
            precondition(!status.isReceived || time == arrivals[index])
        }
    }
}
