import Foundation
import TestSupport
import Testing

@testable import Composition

/// Recordings that come from somebody who means harm: what is in the folder leads nowhere else, and nothing waits for it.
@Suite(.timeLimit(.minutes(3))) struct ForeignRecordingTests {
    private let scratch: Scratch
    private var output: String { scratch.path + "/composition" }

    init() throws {
        scratch = try Scratch("composition")
        var material = Material(scratch.path)
        try material.add("p_1", "video", "vp8", "color=c=red:s=320x180:r=30:d=1")
        try material.finish()
    }

    private func composition(followsLink: Bool = false) throws -> Composition {
        var options = CompositionOptions(output: output)
        (options.width, options.height, options.followsLink) = (320, 180, followsLink)
        return try Composition(try RecordedMeeting(folder: scratch.path), options)
    }

    private func refusal(_ body: () throws -> Void) -> String {
        (#expect(throws: MediaError.self) { try body() })?.description ?? ""
    }

    private func makeFolder(_ path: String) throws {
        try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
    }

    private func link(_ path: String, to target: String) throws {
        try FileManager.default.createSymbolicLink(atPath: path, withDestinationPath: target)
    }

    @Test func plantedLinksAreNotWrittenThrough() throws {
        let other = try Scratch("composition")
        let precious = other.path + "/precious"
        try "precious".write(toFile: precious, atomically: false, encoding: .utf8)
        try makeFolder(output)
        let names = ["meeting.mp4", "audio.m4a", "chat.vtt", "contact-sheet.jpg"]
        for name in names { try link("\(output)/\(name).part", to: precious) }
        try link(output + "/thumbnails.part", to: other.path)
        try link(output + "/meeting.mp4", to: precious)
        try composition().run()
        #expect(try String(contentsOfFile: precious, encoding: .utf8) == "precious")
        #expect(try FileManager.default.contentsOfDirectory(atPath: other.path) == ["precious"])
        let made = Set(try FileManager.default.contentsOfDirectory(atPath: output))
        #expect(made == Set(names + ["thumbnails"]))
        for name in names {
            let mode = try #require(OutputFolder.mode("\(output)/\(name)"))
            #expect(mode & S_IFMT == S_IFREG, "\(name)")
        }
    }

    @Test func aLinkInPlaceOfTheFolderIsRefused() throws {
        let other = try Scratch("composition")
        try link(output, to: other.path)
        #expect(refusal { _ = try composition() }.contains("composition is no folder"))
        #expect(try FileManager.default.contentsOfDirectory(atPath: other.path) == [])
        // Whoever names one means it.
        try composition(followsLink: true).run()
        #expect(FileManager.default.fileExists(atPath: other.path + "/meeting.mp4"))
    }

    @Test func aLinkInPlaceOfThumbnailsIsRefused() throws {
        let other = try Scratch("composition")
        try makeFolder(output)
        try link(output + "/thumbnails", to: other.path)
        #expect(refusal { _ = try composition() }.contains("thumbnails is no folder"))
        #expect(try FileManager.default.contentsOfDirectory(atPath: other.path) == [])
    }

    @Test func oneAtATimeComposesIntoAFolder() throws {
        let first = try composition()
        #expect(refusal { _ = try composition() }.contains("another composition"))
        try first.run()
        // It is still there, and so is its claim.
        #expect(refusal { _ = try composition() }.contains("another composition"))
        withExtendedLifetime(first) {}
    }

    /// A shorter film has fewer; what is not of an earlier run stays.
    @Test func thumbnailsOfAnEarlierRunGo() throws {
        let folder = output + "/thumbnails"
        try makeFolder(folder)
        for name in ["0001.jpg", "0007.jpg", "10000.jpg", "7.jpg", "mine.jpg"] {
            try "old".write(toFile: "\(folder)/\(name)", atomically: false, encoding: .utf8)
        }
        let composition = try composition()
        #expect(try String(contentsOfFile: folder + "/0001.jpg", encoding: .utf8) == "old")
        try composition.run()
        let names = Set(try FileManager.default.contentsOfDirectory(atPath: folder))
        #expect(names == ["0001.jpg", "7.jpg", "mine.jpg"])
        #expect(try Data(contentsOf: URL(fileURLWithPath: folder + "/0001.jpg")).prefix(2) == Data([0xff, 0xd8]))
    }

    /// A pipe would be waited for without end, and a device has none.
    @Test(arguments: ["pipe", "link to a pipe", "link to a file", "device"])
    func logAndManifestAreFiles(_ kind: String) throws {
        let other = try Scratch("composition")
        for name in ["recording.json", "events.jsonl"] {
            let (path, target) = ("\(scratch.path)/\(name)", "\(other.path)/\(name)")
            try FileManager.default.moveItem(atPath: path, toPath: target)
            switch kind {
            case "pipe": #expect(mkfifo(path, 0o600) == 0)
            case "link to a pipe":
                #expect(unlink(target) == 0 && mkfifo(target, 0o600) == 0)
                try link(path, to: target)
            case "link to a file": try link(path, to: target)
            default: try link(path, to: "/dev/zero")
            }
        }
        let complaints = try RecordedMeeting(folder: scratch.path).complaints
        #expect(complaints.count == 2 && complaints.allSatisfy { $0.contains("is missing, or no file") })
    }

    @Test func aManifestThatIsTooLargeIsNotRead() throws {
        let path = URL(fileURLWithPath: scratch.path + "/recording.json")
        let text = try Data(contentsOf: path)
        #expect(try RecordedMeeting(folder: scratch.path).manifest != nil)
        try (Data(repeating: 0x20, count: RecordedMeeting.largestManifest) + text).write(to: path)
        let meeting = try RecordedMeeting(folder: scratch.path)
        #expect(meeting.manifest == nil)
        #expect(meeting.complaints.first?.hasPrefix("recording.json cannot be read") == true)
    }

    /// A name of a file can be anything but `/`: a terminal obeys none of it.
    @Test func namesOfFilesAreEscaped() throws {
        let name = "p_1\u{1b}[2J\n\u{202e}-video-7.mkv"
        try Data().write(to: URL(fileURLWithPath: scratch.path + "/" + name))
        let complaints = try RecordedMeeting(folder: scratch.path).complaints
        #expect(complaints.count == 1)
        #expect(complaints.first?.hasPrefix("p_1\\u{1b}[2J\\u{a}\\u{202e}-video-7.mkv is left out") == true)
    }
}
