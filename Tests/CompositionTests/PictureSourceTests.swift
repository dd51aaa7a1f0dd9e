import CAV
import Foundation
import TestSupport
import Testing

@testable import Composition

/// Files that are damaged, and moments that are skipped.
@Suite(.timeLimit(.minutes(3))) struct PictureSourceTests {
    private static let picture = "testsrc2=s=160x90:r=30:d=6"

    private static func make(_ codec: String, _ more: [String] = []) throws -> (Scratch, SourceFile) {
        let scratch = try Scratch("composition")
        var material = Material(scratch.path)
        try material.add("p_1", "video", codec, picture, more)
        let meeting = try RecordedMeeting(folder: scratch.path)
        return (scratch, try #require(meeting.files.first))
    }

    /// The luma of what is seen.
    private static func luma(_ source: PictureSource) -> [UInt8] {
        guard let frame = source.current, let plane = frame.pointee.data.0 else { return [] }
        return (0..<Int(frame.pointee.height)).flatMap { row in
            Array(
                UnsafeBufferPointer(start: plane + row * Int(frame.pointee.linesize.0), count: Int(frame.pointee.width))
            )
        }
    }

    /// Whoever comes late sees what those see who were there all the time, also where no keyframe was near.
    @Test(arguments: ["vp8", "vp9", "h264", "av1"]) func aPictureIsTheSameHoweverItWasComeTo(_ codec: String) throws {
        let (scratch, file) = try Self.make(codec)
        #expect(file.keyframes.count == 2)
        let steady = try PictureSource(file, in: scratch.path)
        for moment in [500, 1_500, 2_990, 3_100, 5_900, 8_000] {
            for step in stride(from: 0, through: moment, by: 33) { _ = steady.advance(to: step) }
            _ = steady.advance(to: moment)
            let late = try PictureSource(file, in: scratch.path)
            #expect(late.current == nil)
            #expect(late.advance(to: moment) && !late.advance(to: moment))
            #expect(!Self.luma(late).isEmpty && Self.luma(late) == Self.luma(steady), "\(moment)")
            #expect(late.failures == 0)
        }
    }

    /// Bytes that are not what they were: nothing crashes, everything ends, and what can be seen is.
    @Test(arguments: ["vp8", "vp9", "h264", "av1"]) func damageIsSurvived(_ codec: String) throws {
        let (scratch, file) = try Self.make(codec)
        let path = scratch.path + "/" + file.file
        let whole = [UInt8](try Data(contentsOf: URL(fileURLWithPath: path)))
        var seen = 0
        for seed in 1...12 {
            var random = Numbers(UInt64(seed))
            var bytes = whole
            for _ in 0..<40 { bytes[random.below(bytes.count)] = UInt8(random.below(256)) }
            if seed % 3 == 0 { bytes.removeLast(random.below(bytes.count)) }
            try Data(bytes).write(to: URL(fileURLWithPath: path))
            guard let meeting = try? RecordedMeeting(folder: scratch.path), let found = meeting.files.first,
                let source = try? PictureSource(found, in: scratch.path)
            else { continue }
            for moment in stride(from: 0, to: 7_000, by: 33) where source.advance(to: moment) { seen += 1 }
            #expect(found.until <= Timeline.longest || meeting.timeline.end <= Timeline.longest)
        }
        #expect(seen > 100)
    }
}
