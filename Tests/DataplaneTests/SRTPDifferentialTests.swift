import TestSupport
import Testing
import Wire

@testable import Dataplane

/// Our packets through libsrtp2 and libsrtp2's through us: random keys, headers, lengths, bursts, and several wraps of
/// the sequence number.
@Suite struct SRTPDifferentialTests {
    /// One SSRC under one key, with both libraries' ends.
    final class Stream {
        let slab: SRTPSlab
        let outbound: SRTPOracle
        let inbound: SRTPOracle
        let ssrc: UInt32
        var index: UInt64
        var rollover = RolloverCounter()
        var window = ReplayWindow()

        init(_ engine: borrowing SRTPEngine, _ random: inout SplitMix) {
            let keying = random.keying(SRTPProfile.allCases.randomElement(using: &random)!)
            slab = SRTPSlab(engine, keying)
            outbound = SRTPOracle(keying, outbound: true)
            inbound = SRTPOracle(keying, outbound: false)
            ssrc = UInt32.random(in: 1...UInt32.max, using: &random)
            index = UInt64.random(in: 0...0xFFFF, using: &random)
        }

        func nextPacket(_ random: inout SplitMix) -> SRTPPlainPacket {
            index += UInt64.random(in: 1...(Bool.random(using: &random) ? 2 : 300), using: &random)
            return random.packet(ssrc: ssrc, sequence: UInt16(index & 0xFFFF))
        }
    }

    static let burstSizes = [1, 2, 7, 8, 9, 15, 16, 17, 31, 33, 63, 64]

    @Test(arguments: SRTPEngineChoice.available)
    func `libsrtp2 opens what we seal in bursts of mixed keys and profiles`(_ choice: SRTPEngineChoice) throws {
        let engine = try choice.engine()
        var random = SplitMix(seed: 0x5EA1)
        let streams = (0..<9).map { _ in Stream(engine, &random) }
        for burst in 0..<96 {
            let size = Self.burstSizes[burst % Self.burstSizes.count]
            var jobs: [SealJob] = []
            var packets: [(stream: Stream, plain: SRTPPlainPacket, source: SRTPBuffer, destination: SRTPBuffer)] = []
            for _ in 0..<size {
                let stream = streams.randomElement(using: &random)!
                let plain = stream.nextPacket(&random)
                let inPlace = Bool.random(using: &random)
                let destination = SRTPBuffer(
                    plain.header + (inPlace ? plain.payload : []),
                    room: (inPlace ? 0 : plain.payload.count) + stream.slab.transform.tagLength)
                let source = SRTPBuffer(plain.payload)
                jobs.append(
                    SealJob(
                        transform: stream.slab.transform,
                        source: UnsafePointer(inPlace ? destination.start + plain.header.count : source.start),
                        destination: destination.start, headerLength: plain.header.count,
                        payloadLength: plain.payload.count, index: stream.index, ssrc: plain.ssrc,
                        patch: plain.payload.count >= 8 && Bool.random(using: &random) ? random.next() : 0,
                        mayPatchSource: !inPlace && Bool.random(using: &random)))
                packets.append((stream, plain, source, destination))
            }
            engine.seal(&jobs, size)
            for (job, packet) in zip(jobs, packets) {
                #expect(packet.destination.guardIsIntact)
                #expect(packet.source.prefix(packet.plain.payload.count) == packet.plain.payload)
                let sealed = packet.destination.prefix(job.sealedLength)
                var plain = packet.plain.bytes
                withUnsafeBytes(of: job.patch) { patch in
                    for (place, byte) in patch.enumerated() where byte != 0 { plain[job.headerLength + place] ^= byte }
                }
                #expect(packet.stream.inbound.unprotect(sealed) == plain)
            }
        }
    }

    @Test(arguments: SRTPEngineChoice.available)
    func `we open what libsrtp2 seals in bursts of mixed keys and profiles`(_ choice: SRTPEngineChoice) throws {
        let engine = try choice.engine()
        var random = SplitMix(seed: 0x09E4)
        let streams = (0..<9).map { _ in Stream(engine, &random) }
        for burst in 0..<96 {
            let size = Self.burstSizes[burst % Self.burstSizes.count]
            var jobs: [OpenJob] = []
            var packets: [(stream: Stream, plain: SRTPPlainPacket, buffer: SRTPBuffer, isBroken: Bool)] = []
            for _ in 0..<size {
                let stream = streams.randomElement(using: &random)!
                let plain = stream.nextPacket(&random)
                var sealed = try #require(stream.outbound.protect(plain.bytes))
                // Some bursts carry a forged packet among the good ones.
                let isBroken = burst % 3 == 0 && Int.random(in: 0..<16, using: &random) == 0
                if isBroken { sealed[sealed.count - 1] ^= 1 }
                let buffer = SRTPBuffer(sealed)
                jobs.append(
                    OpenJob(
                        transform: stream.slab.transform, packet: buffer.start, headerLength: plain.header.count,
                        length: sealed.count, index: stream.index, ssrc: plain.ssrc))
                packets.append((stream, plain, buffer, isBroken))
            }
            engine.open(&jobs, size)
            for (job, packet) in zip(jobs, packets) {
                #expect(packet.buffer.guardIsIntact)
                #expect(job.ok == !packet.isBroken)
                #expect(job.plainLength == (job.ok ? packet.plain.bytes.count : 0))
                if job.ok { #expect(packet.buffer.prefix(job.plainLength) == packet.plain.bytes) }
            }
        }
    }

    /// What happens to packets on their way.
    static func disturb(_ packets: [[UInt8]], _ random: inout SplitMix) -> [[UInt8]] {
        var result: [[UInt8]] = []
        for packet in packets {
            switch Int.random(in: 0..<10, using: &random) {
            case 0: break  // lost
            case 1: result += [packet, packet]  // duplicated
            case 2:  // overtakes a few, rarely more than the replay window holds
                let places = [2, 8, 8, 8, 8, 8, 8, 150].randomElement(using: &random)!
                result.insert(packet, at: max(0, result.count - Int.random(in: 1...places, using: &random)))
            case 3:  // corrupted, and then sent again
                var changed = packet
                changed[Int.random(in: 0..<packet.count, using: &random)] ^=
                    1 << UInt8.random(in: 0...7, using: &random)
                result += [changed, packet]
            case 4: result += [Array(packet.prefix(Int.random(in: 0...packet.count, using: &random))), packet]
            default: result.append(packet)
            }
        }
        // Old packets once more.
        return result + result.suffix(300).shuffled(using: &random)
    }

    @Test(arguments: SRTPEngineChoice.available, SRTPProfile.allCases)
    func `same verdict as libsrtp2 on replayed, reordered, cut and corrupted packets over several wraps`(
        _ choice: SRTPEngineChoice, _ profile: SRTPProfile
    ) throws {
        let engine = try choice.engine()
        var random = SplitMix(seed: 0xD157)
        let keying = random.keying(profile)
        let slab = SRTPSlab(engine, keying)
        let (outbound, inbound) = (SRTPOracle(keying, outbound: true), SRTPOracle(keying, outbound: false))
        var states: [UInt32: (rollover: RolloverCounter, window: ReplayWindow)] = [:]
        var (index, accepted, refused) = (UInt64(65_000), 0, 0)
        for step in [1, 1, 400, 3000, 1, 400, 3000, 1] as [UInt64] {
            let sealed = try (0..<120).map { _ in
                index += step
                return try #require(outbound.protect(random.packet(ssrc: 7, sequence: UInt16(index & 0xFFFF)).bytes))
            }
            for bytes in Self.disturb(sealed, &random) {
                let theirs = inbound.unprotect(bytes)
                let ours = receive(bytes, engine, slab.transform, &states)
                #expect(ours == theirs)
                if ours == nil { refused += 1 } else { accepted += 1 }
            }
        }
        #expect(index >> 16 > 10)
        #expect(accepted > 400 && refused > 400)
    }

    private func receive(
        _ bytes: [UInt8], _ engine: borrowing SRTPEngine, _ transform: SRTPTransform,
        _ states: inout [UInt32: (rollover: RolloverCounter, window: ReplayWindow)]
    ) -> [UInt8]? {
        guard srtpHeaderLength(bytes) != nil else { return nil }
        let ssrc = bytes[8..<12].reduce(0) { $0 << 8 | UInt32($1) }
        var state = states[ssrc] ?? (RolloverCounter(), ReplayWindow())
        let index = state.rollover.estimate(sequence: UInt16(bytes[2]) << 8 | UInt16(bytes[3]))
        guard state.window.check(index), let plain = engine.open(transform, bytes, ssrc: ssrc, index: index) else {
            return nil
        }
        state.rollover.accept(index)
        state.window.accept(index)
        states[ssrc] = state
        return plain
    }

    @Test(arguments: SRTPEngineChoice.available, SRTPProfile.allCases)
    func `all 32 bits of the roll-over counter count`(_ choice: SRTPEngineChoice, _ profile: SRTPProfile) throws {
        let engine = try choice.engine()
        var random = SplitMix(seed: 0x2042)
        let keying = random.keying(profile)
        let slab = SRTPSlab(engine, keying)
        for rollover in [1, 0x7FFF, 0xFFFF, 0x1_0000, 0x1234_5678, 0xFFFF_FFFF] as [UInt32] {
            let (outbound, inbound) = (SRTPOracle(keying, outbound: true), SRTPOracle(keying, outbound: false))
            let first = random.packet(ssrc: 3, sequence: 1)
            let firstSealed = try #require(outbound.protect(first.bytes))
            #expect(inbound.unprotect(firstSealed) == first.bytes)
            #expect(outbound.setRollover(rollover, ssrc: 3) && inbound.setRollover(rollover, ssrc: 3))
            let index = UInt64(rollover) << 16 | 0x4321
            let plain = random.packet(ssrc: 3, sequence: 0x4321)
            let sealed = engine.seal(slab.transform, plain, index: index)
            #expect(sealed == outbound.protect(plain.bytes))
            #expect(inbound.unprotect(sealed) == plain.bytes)
            let opened = engine.open(slab.transform, sealed, ssrc: 3, index: index)
            #expect(opened == plain.bytes)
            let inOtherRound = engine.open(slab.transform, sealed, ssrc: 3, index: index ^ 1 << 47)
            #expect(inOtherRound == nil)
        }
    }

    static func rtcp(_ random: inout SplitMix) -> [UInt8] {
        let words = Int.random(in: 1...(Bool.random(using: &random) ? 8 : 300), using: &random)
        return [0x80, 201, UInt8(words >> 8), UInt8(words & 0xFF)] + random.bytes(4 * words)
    }

    @Test(arguments: SRTPEngineChoice.available, SRTPProfile.allCases)
    func `libsrtp2 opens the SRTCP packets that we seal`(_ choice: SRTPEngineChoice, _ profile: SRTPProfile) throws {
        let engine = try choice.engine()
        var random = SplitMix(seed: 0x27C9)
        let keying = random.keying(profile)
        let slab = SRTPSlab(engine, keying)
        let inbound = SRTPOracle(keying, outbound: false)
        for index in [1, 2, 3, 100, 65_535, 65_536, 1_000_000, 0x7FFF_FFFF] as [UInt32] {
            let plain = Self.rtcp(&random)
            let buffer = SRTPBuffer(plain, room: slab.transform.rtcpTrailerLength)
            let length = engine.sealRTCP(slab.transform, buffer.start, plain.count, index: index)
            #expect(buffer.guardIsIntact)
            #expect(length == buffer.capacity)
            #expect(inbound.unprotectRTCP(buffer.prefix(length)) == plain)
        }
    }

    @Test(arguments: SRTPEngineChoice.available, SRTPProfile.allCases)
    func `same verdict as libsrtp2 on disturbed SRTCP packets`(
        _ choice: SRTPEngineChoice, _ profile: SRTPProfile
    ) throws {
        let engine = try choice.engine()
        var random = SplitMix(seed: 0x27C9)
        let keying = random.keying(profile)
        let slab = SRTPSlab(engine, keying)
        let (outbound, inbound) = (SRTPOracle(keying, outbound: true), SRTPOracle(keying, outbound: false))
        // One sender, so that a window for each SSRC is one window.
        let sender = random.bytes(4)
        let sealed = try (0..<400).map { _ in
            var plain = Self.rtcp(&random)
            plain.replaceSubrange(4..<8, with: sender)
            return try #require(outbound.protectRTCP(plain))
        }
        var window = ReplayWindow()
        var (accepted, refused) = (0, 0)
        for bytes in Self.disturb(sealed, &random) {
            let theirs = inbound.unprotectRTCP(bytes)
            let buffer = SRTPBuffer(bytes)
            var ours: [UInt8]?
            if let opened = engine.openRTCP(slab.transform, buffer.start, bytes.count),
                window.check(UInt64(opened.index))
            {
                window.accept(UInt64(opened.index))
                ours = buffer.prefix(opened.plainLength)
            }
            #expect(buffer.guardIsIntact)
            #expect(ours == theirs)
            if ours == nil { refused += 1 } else { accepted += 1 }
        }
        #expect(accepted > 200 && refused > 200)
    }

    @Test(arguments: SRTPEngineChoice.available, SRTPProfile.allCases)
    func `a packet shorter than header and tag is refused untouched`(
        _ choice: SRTPEngineChoice, _ profile: SRTPProfile
    ) throws {
        let engine = try choice.engine()
        var random = SplitMix(seed: 0x0C17)
        let slab = SRTPSlab(engine, random.keying(profile))
        let bytes = random.bytes(12 + profile.tagLength - 1)
        for length in 12..<bytes.count + 1 {
            let buffer = SRTPBuffer(bytes)
            var job = OpenJob(
                transform: slab.transform, packet: buffer.start, headerLength: 12, length: length, index: 0, ssrc: 1)
            engine.open(&job, 1)
            #expect(!job.ok && job.plainLength == 0)
            #expect(buffer.prefix(bytes.count) == bytes)
        }
        for length in 0..<8 + profile.tagLength + 4 {
            let buffer = SRTPBuffer(Array(random.bytes(64)))
            let opened = engine.openRTCP(slab.transform, buffer.start, length)
            #expect(opened == nil)
        }
    }
}
