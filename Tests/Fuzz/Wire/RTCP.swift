import Wire

/// RTCP compounds: every view of every packet.
func fuzzRTCP(_ input: UnsafeRawBufferPointer) {
    var compound = RTCPCompound(input)
    while let packet = compound.next() {
        use(packet.bytes)
        readReports(packet)
        readFeedback(packet)
    }
    use(compound.isComplete)
}

private func readReports(_ packet: RTCPPacket) {
    if let report = SenderReport(packet) {
        use(report.ntpTime)
        for index in 0..<report.blockCount { use(report.block(index).cumulativeLost) }
    }
    if let report = ReceiverReport(packet) {
        for index in 0..<report.blockCount { use(report.block(index).delaySinceLastSenderReport) }
    }
    if let description = SourceDescription(packet) { use(description.cname) }
    if let report = ExtendedReport(packet) {
        use(report.referenceTime ?? 0)
        use(report.echo(for: report.senderSSRC)?.delay ?? 0)
    }
    if let goodbye = Goodbye(packet) {
        for index in 0..<goodbye.sourceCount { use(goodbye.source(index)) }
    }
}

private func readFeedback(_ packet: RTCPPacket) {
    if let nack = GenericNack(packet) {
        var count = 0
        for sequence in nack {
            use(sequence)
            count += 1
        }
        precondition(count >= nack.entryCount && count <= nack.entryCount * 17)
    }
    if let loss = PictureLossIndication(packet) { use(loss.mediaSSRC) }
    if let request = FullIntraRequest(packet) {
        for index in 0..<request.entryCount { use(request.ssrc(index) ^ UInt32(request.sequence(index))) }
    }
    if let estimate = ReceiverEstimate(packet) {
        use(estimate.bitrate)
        for index in 0..<estimate.sourceCount { use(estimate.source(index)) }
    }
    if let feedback = CongestionFeedback(packet) {
        use(feedback.timestamp)
        for reports in feedback {
            for index in 0..<reports.count {
                use(UInt32(reports[index].age ?? 0) ^ UInt32(reports[index].mark.rawValue))
            }
        }
    }
    if let feedback = TransportFeedback(packet) {
        var received = 0
        var count = 0
        for status in feedback.statuses {
            received += status.isReceived ? 1 : 0
            count += 1
        }
        precondition(received == feedback.receivedCount && count == feedback.statusCount)
    }
}
