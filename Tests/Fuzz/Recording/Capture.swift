import Wire

@testable import Recording

/// Packets of a stream, through order and clock to the frames of a codec: the first byte is the codec; then each packet has two
/// bytes of length and one of how much later it comes, ms.
func fuzzCapture(_ input: UnsafeRawBufferPointer) {
    guard let first = input.first, let codec = Codec(rawValue: first % 5) else { return }
    var buffer = ReorderBuffer()
    var assembler = FrameAssembler(codec)
    var clock = CaptureClock(rate: codec.clockRate)
    var nacks = NackSchedule()
    var offset = 1
    var now: UInt64 = 0
    while offset + 3 <= input.count {
        let length = Int(input[offset]) << 8 | Int(input[offset + 1])
        now += UInt64(input[offset + 2]) * 1_000_000
        let rest = input[(offset + 3)...].prefix(length)
        offset += 3 + length
        // Exactly as long, so that a read behind its end is seen.
        withBlock(rest.count) { block in
            block.copyBytes(from: rest)
            guard let packet = RTPPacket(UnsafeRawBufferPointer(block)) else { return }
            if case .taken(let sequence, let missing) = buffer.insert(packet, arrival: now) {
                nacks.noteArrival(sequence)
                nacks.note(missing, now: now)
            }
        }
        precondition(nacks.take(now: now, roundTrip: 0).count <= NackSchedule.capacity)
        take(&buffer, &assembler, &clock, now: now)
    }
    take(&buffer, &assembler, &clock, now: .max)
}

private func take(
    _ buffer: inout ReorderBuffer, _ assembler: inout FrameAssembler, _ clock: inout CaptureClock, now: UInt64
) {
    var last: UInt64 = 0
    while let output = buffer.next(now: now) {
        switch output {
        case .restart: assembler = FrameAssembler(assembler.codec)
        case .lost(let count):
            precondition(count > 0)
            assembler.noteLoss()
        case .packet(let packet):
            precondition(packet.sequence > last || last == 0 || packet.sequence < 1 << 17)
            last = packet.sequence
            for case .frame(let captured) in assembler.add(packet) {
                check(captured.frame, assembler.codec)
                use(clock.time(of: captured.timestamp, arrival: captured.arrival).time)
            }
        }
    }
}

private func check(_ frame: AssembledFrame, _ codec: Codec) {
    precondition(!frame.bytes.isEmpty && frame.bytes.count <= 2 * FrameAssembler.largestFrame)
    guard let configuration = frame.configuration else { return }
    precondition(frame.isKeyframe && configuration.codec == codec)
    precondition(codec == .opus || configuration.width > 0 && configuration.height > 0)
}
