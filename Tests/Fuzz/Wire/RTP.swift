import Wire

/// RTP headers and their extension elements, which are written again and must come back the same.
func fuzzRTP(_ input: UnsafeRawBufferPointer) {
    guard let packet = RTPPacket(encrypted: input) else { return }
    for index in 0..<packet.csrcCount { use(packet.csrc(index)) }
    use(packet.element(3))
    if let plain = RTPPacket(input) {
        precondition(plain.payloadLength >= 0 && plain.payloadOffset + plain.payloadLength <= input.count)
        use(plain.payload)
        use(RTX.originalSequence(plain.payload) ?? 0)
    }
    withBlock(128) { block in
        var writer = RTPHeaderWriter(
            into: block, marker: packet.marker, payloadType: packet.payloadType, sequence: packet.sequence,
            timestamp: packet.timestamp, ssrc: packet.ssrc)!
        var kept: [RTPExtensionElement] = []
        for element in packet.elements {
            use(element.value)
            if let level = AudioLevel(element.value) { use(level.byte) }
            if writer.add(element.id, element.value) { kept.append(element) }
        }
        let length = writer.finish()
        let copy = RTPPacket(UnsafeRawBufferPointer(block).part(0, length))!
        precondition(copy.headerLength == length && copy.sequence == packet.sequence)
        var written = copy.elements
        for element in kept {
            let other = written.next()!
            precondition(other.id == element.id && other.value.elementsEqual(element.value))
        }
        precondition(written.next() == nil)
    }
}
