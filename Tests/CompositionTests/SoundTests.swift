import Foundation
import Testing

@testable import Composition

@Suite struct SoundTests {
    private static func sine(_ frequency: Double, _ level: Double, seconds: Double) -> [Float] {
        (0..<Int(seconds * 48_000)).map { Float(level * sin(2 * .pi * frequency * Double($0) / 48_000)) }
    }

    private static func limited(_ samples: [Float]) -> [Float] {
        var limiter = Limiter()
        return samples.map { limiter.next(($0, $0)).0 }
    }

    /// Of the samples, dBFS.
    private static func peak(_ samples: some Sequence<Float>) -> Double {
        20 * log10(Double(samples.reduce(0) { max($0, abs($1)) }))
    }

    @Test func quietSoundPassesBitForBit() {
        let sound = Self.sine(440, 0.8, seconds: 0.5)
        #expect(Array(Self.limited(sound).dropFirst(Limiter.lookAhead)) == Array(sound.dropLast(Limiter.lookAhead)))
    }

    @Test(arguments: [(50.0, 4.0), (440, 1.2), (997, 8), (15_000, 2)]) func loudSoundStaysBelowTheCeiling(
        _ sine: (frequency: Double, level: Double)
    ) {
        let sound = Self.sine(sine.frequency, sine.level, seconds: 1)
        let out = Self.limited(sound)
        #expect(Self.peak(out) <= -1.49)
        // Not lower than it has to be either.
        #expect(Self.peak(out.dropFirst(24_000)) > -2.2)
    }

    @Test(arguments: 1...10) func noPeakComesThrough(_ seed: UInt64) {
        var random = Numbers(seed)
        let sound = (0..<48_000).map { _ in
            random.below(400) == 0 ? Float(random.below(2_000)) / 100 - 10 : Float(random.below(200)) / 100 - 1
        }
        #expect(Self.peak(Self.limited(sound)) <= -1.49)
    }

    /// One loud click, and after a second all is as before: bit for bit again once the gain is back.
    @Test func thePeakIsForgotten() {
        var sound = Self.sine(440, 0.5, seconds: 4)
        sound[4_800] = 5
        let out = Self.limited(sound)
        #expect(Self.peak(out) <= -1.49)
        let (heard, given) = (out.suffix(48_000), sound.dropLast(Limiter.lookAhead).suffix(48_000))
        #expect(zip(heard, given).allSatisfy { $0 == $1 })
        // It comes back slowly: no step of the gain is heard, where it rises.
        for index in 6_000..<100_000 where abs(sound[index - Limiter.lookAhead]) > 0.3 {
            let gain = out[index] / sound[index - Limiter.lookAhead]
            let next =
                abs(sound[index + 1 - Limiter.lookAhead]) > 0.3
                ? out[index + 1] / sound[index + 1 - Limiter.lookAhead] : gain
            guard abs(next - gain) < 0.001 else {
                Issue.record("the gain steps by \(next - gain) at \(index)")
                return
            }
        }
    }

    @Test func stretchingKeepsEndsAndLength() {
        let samples = Self.sine(440, 0.5, seconds: 0.02).flatMap { [$0, -$0] }
        for difference in [-48, -1, 1, 48] {
            let made = VoiceTrack.stretched(samples, by: difference)
            #expect(made.count == samples.count + 2 * difference)
            #expect(made[0] == samples[0] && abs(made[made.count - 1] - samples[samples.count - 1]) < 1e-4)
            #expect(stride(from: 0, to: made.count, by: 2).allSatisfy { made[$0] == -made[$0 + 1] })
        }
        #expect(VoiceTrack.stretched(samples, by: 0) == samples)
    }
}
