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
        let intact = try PictureSource(file, in: scratch.path)
        #expect(intact.advance(to: 495))
        let early = Self.luma(intact)
        var (seen, compared) = (0, 0)
        for seed in 1...12 {
            var random = Numbers(UInt64(seed))
            var bytes = whole
            // Of half of them the begin is as it was.
            let first = seed % 2 == 0 ? whole.count / 2 : 0
            for _ in 0..<40 { bytes[first + random.below(bytes.count - first)] = UInt8(random.below(256)) }
            if seed % 3 == 0 { bytes.removeLast(random.below(bytes.count - first)) }
            try Data(bytes).write(to: URL(fileURLWithPath: path))
            guard let meeting = try? RecordedMeeting(folder: scratch.path), let found = meeting.files.first,
                let source = try? PictureSource(found, in: scratch.path)
            else { continue }
            for moment in stride(from: 0, to: 7_000, by: 33) {
                if source.advance(to: moment) { seen += 1 }
                guard first > 0, moment == 495 else { continue }
                compared += 1
                #expect(Self.luma(source) == early, "seed \(seed)")
            }
        }
        #expect(seen > 100 && compared >= 3)
    }

    /// Of each frame of a file: where the two bytes of its time are, and whether it is a keyframe (SimpleBlock, RFC 9559 section 10.2).
    private static func blocks(_ bytes: [UInt8]) -> [(time: Int, isKeyframe: Bool)] {
        var found: [(time: Int, isKeyframe: Bool)] = []
        var at = 0
        func number(keepsMarker: Bool) -> Int {
            let length = bytes[at].leadingZeroBitCount + 1
            guard length <= 8, at + length <= bytes.count else { return Int.max / 2 }
            var value = keepsMarker ? Int(bytes[at]) : Int(bytes[at]) & ((1 << (8 - length)) - 1)
            for index in 1..<length { value = value << 8 | Int(bytes[at + index]) }
            at += length
            return value
        }
        while at < bytes.count {
            let identifier = number(keepsMarker: true)
            guard at < bytes.count else { break }
            let size = number(keepsMarker: false)
            // What has others in it: Segment, Cluster.
            if identifier == 0x1853_8067 || identifier == 0x1f43_b675 { continue }
            if identifier == 0xa3 { found.append((at + 1, bytes[at + 3] & 0x80 != 0)) }
            at = min(at + size, bytes.count)
        }
        return found
    }

    /// A sender's clock that is set back: what follows a keyframe refers to it, whatever its time is.
    @Test func timesMayGoBackBehindAKeyframe() throws {
        let (scratch, file) = try Self.make("h264")
        let other = try Scratch("composition")
        var bytes = [UInt8](try Data(contentsOf: URL(fileURLWithPath: scratch.path + "/" + file.file)))
        let blocks = Self.blocks(bytes)
        #expect(blocks.count == 180 && blocks.filter { $0.isKeyframe }.count == 2)
        let second = try #require(blocks.lastIndex { $0.isKeyframe })
        for block in blocks[(second + 1)...] {
            let time = Int16(truncatingIfNeeded: Int(bytes[block.time]) << 8 | Int(bytes[block.time + 1])) - 700
            bytes[block.time] = UInt8(truncatingIfNeeded: time >> 8)
            bytes[block.time + 1] = UInt8(truncatingIfNeeded: time)
        }
        try Data(bytes).write(to: URL(fileURLWithPath: other.path + "/" + file.file))
        let back = try #require(try RecordedMeeting(folder: other.path).files.first)
        #expect(back.keyframes == file.keyframes)
        let steady = try PictureSource(back, in: other.path)
        var seen = 0
        for moment in stride(from: 0, through: 4_026, by: 33) where steady.advance(to: moment) && moment > 3_100 {
            seen += 1
        }
        #expect(seen > 20)
        let late = try PictureSource(back, in: other.path)
        #expect(late.advance(to: 4_026) && Self.luma(late) == Self.luma(steady))
        // The last is the last of the file whose times are right.
        let whole = try PictureSource(file, in: scratch.path)
        #expect(steady.advance(to: 8_000) && whole.advance(to: 8_000))
        #expect(!Self.luma(whole).isEmpty && Self.luma(steady) == Self.luma(whole))
        #expect(steady.failures == 0 && late.failures == 0)
    }
}
