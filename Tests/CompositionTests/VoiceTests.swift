import Foundation
import TestSupport
import Testing

@testable import Composition

/// Sound files as the mixdown places them.
@Suite(.timeLimit(.minutes(3))) struct VoiceTests {
    /// A tone of 0.1 s each second, made with `more` options of ffmpeg's output.
    private static func make(_ source: String, begin: Double = 0, _ more: [String] = []) throws -> (Scratch, SourceFile)
    {
        let scratch = try Scratch("composition")
        var material = Material(scratch.path)
        try material.add("p_1", "audio", "opus", source, begin: begin, more)
        let file = try MediaFile(path: scratch.path + "/p_1-audio-1.mkv")
        var index = FileIndex()
        while let head = file.next() { index.note(head) }
        return (
            scratch,
            SourceFile(
                file: "p_1-audio-1.mkv", participantID: "p_1", kind: .audio, spans: index.spans, keyframes: [])
        )
    }

    private static let clicks =
        "aevalsrc='if(lt(mod(t,1),0.1),0.5*sin(2*PI*1000*mod(t,1)),0)':s=48000:d=20"

    private static func mixed(_ scratch: Scratch, _ files: [SourceFile], seconds: Int, from: Int = 0) -> [Float] {
        let mixdown = AudioMixdown(files, folder: scratch.path, begin: from)
        var sound: [Float] = []
        while sound.count < seconds * 48_000 { sound += mixdown.next(1_024).left }
        #expect(mixdown.complaints.isEmpty)
        return sound
    }

    @Test func soundIsWhereItWasCaptured() throws {
        let (scratch, file) = try Self.make(Self.clicks, begin: 3.217)
        let starts = CompositionTests.starts(Self.mixed(scratch, [file], seconds: 20))
        #expect(starts.count == 17)
        for (index, start) in starts.enumerated() {
            #expect(abs(start - 3.217 - Double(index)) < 0.002, "\(index): \(start)")
        }
        // And so it is where nothing before is heard.
        let later = CompositionTests.starts(Self.mixed(scratch, [file], seconds: 5, from: 10_000))
        #expect(later.count == 5)
        for (index, start) in later.enumerated() { #expect(abs(start - 0.217 - Double(index)) < 0.002, "\(start)") }
    }

    /// A crystal that is wrong by 2,000 ppm, twenty times what crystals are.
    @Test(arguments: [0.998, 1.002]) func drift(_ speed: Double) throws {
        let (scratch, file) = try Self.make(Self.clicks, ["-bsf:a", "setts=ts=TS*\(speed)"])
        let starts = CompositionTests.starts(Self.mixed(scratch, [file], seconds: 19))
        #expect(starts.count >= 19)
        for (index, start) in starts.enumerated() {
            #expect(abs(start - Double(index) * speed) < 0.003, "\(index): \(start)")
        }
    }

    private static func level(_ sound: [Float], _ from: Double, _ until: Double) -> Float {
        let part = sound[Int(from * 48_000)..<Int(until * 48_000)]
        return (part.reduce(0) { $0 + $1 * $1 } / Float(part.count)).squareRoot()
    }

    /// A packet of 20 ms that is lost each second: nobody hears it.
    @Test func lostPacketsAreConcealed() throws {
        let tone = "sine=frequency=440:sample_rate=48000:duration=10,volume=4"
        let (whole, wholeFile) = try Self.make(tone)
        let (scratch, file) = try Self.make(tone, ["-bsf:a", "noise=amount=0:drop='eq(mod(n,50),25)'"])
        let (sound, given) = (
            Self.mixed(scratch, [file], seconds: 9), Self.mixed(whole, [wholeFile], seconds: 9)
        )
        for index in 100..<1_700 {
            let from = Double(index) * 0.005
            let (heard, said) = (Self.level(sound, from, from + 0.01), Self.level(given, from, from + 0.01))
            #expect(heard > said * 0.4 && heard < said * 1.6, "\(from): \(heard) of \(said)")
        }
    }

    /// A hole of a second is silence, and what comes behind it is where it belongs.
    @Test func aHoleIsSilence() throws {
        let (scratch, file) = try Self.make(
            "sine=frequency=440:sample_rate=48000:duration=6,volume=4",
            ["-bsf:a", "noise=amount=0:drop='between(n,100,149)'"])
        let sound = Self.mixed(scratch, [file], seconds: 5)
        #expect(Self.level(sound, 1.5, 1.95) > 0.1 && Self.level(sound, 3.05, 4.9) > 0.1)
        #expect(Self.level(sound, 2.2, 2.95) < 0.001)
    }

    /// Many loud voices at once: each is heard, and nothing is clipped.
    @Test func loudVoicesAreNotClipped() throws {
        let scratch = try Scratch("composition")
        var material = Material(scratch.path)
        var files: [SourceFile] = []
        for index in 0..<6 {
            try material.add(
                "p_\(index)", "audio", "opus",
                "sine=frequency=\(300 + 117 * index):sample_rate=48000:duration=3,volume=6")
            files.append(
                SourceFile(
                    file: "p_\(index)-audio-1.mkv", participantID: "p_\(index)", kind: .audio, spans: [Span(0, 3_000)],
                    keyframes: []))
        }
        let sound = Self.mixed(scratch, files, seconds: 3)
        let peak = sound.reduce(0) { max($0, abs($1)) }
        #expect(peak <= 0.842 && peak > 0.7)
        #expect(Self.level(sound, 0.5, 2.9) > 0.2)
    }

    /// Bytes that are no sound are silence, and counted.
    @Test func noiseIsSurvived() throws {
        let (scratch, file) = try Self.make(Self.clicks, ["-bsf:a", "noise=amount=1"])
        let mixdown = AudioMixdown([file], folder: scratch.path, begin: 0)
        var peak: Float = 0
        for _ in 0..<900 { peak = max(peak, mixdown.next(1_024).left.reduce(0) { max($0, abs($1)) }) }
        #expect(peak <= 0.842)
        // Also those of a file that is not at its end.
        let complaints = mixdown.finish()
        #expect(complaints.count == 1 && complaints.first?.contains("of its packets cannot be decoded") == true)
    }
}
