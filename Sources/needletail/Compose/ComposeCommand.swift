import ArgumentParser
import Composition
import Foundation

/// Makes one film of a recorded meeting.
struct ComposeCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "compose", abstract: "Make one film of a recorded meeting, with sound, thumbnails and chat.")

    @Argument(help: "The recording's folder, as `record` made it.", completion: .directory)
    var folder: String

    @Option(name: .long, help: "A folder for what is made; `composition` in the recording's.", completion: .directory)
    var output: String?

    @Option(name: .long, help: "gallery, or speaker: who speaks is large.", completion: .list(["gallery", "speaker"]))
    var layout = "gallery"

    @Option(name: .long, help: "Width and height in pixels, even, as 1280x720.")
    var size = "1920x1080"

    @Option(name: .long, help: "Where to begin, as 90, 1:30 or 0:01:30 since the recording's begin.")
    var from: String?

    @Option(name: .long, help: "Where to end, likewise.")
    var to: String?

    @Option(name: .long, help: "Threads that encode; by default as many as the machine has use for.")
    var threads = 0

    @Option(name: .long, help: "A font for names (TTF), where fonts-dejavu-core is not wanted.", completion: .file())
    var font: String?

    func validate() throws {
        guard LayoutKind(rawValue: layout) != nil else {
            throw ValidationError("--layout must be gallery or speaker")
        }
        guard Self.pixels(size) != nil else {
            throw ValidationError("--size must be two even numbers from 160x90 to 3840x2160, as 1280x720")
        }
        for text in [from, to].compactMap(\.self) where Self.milliseconds(text) == nil {
            throw ValidationError("--from and --to must be as 90, 1:30 or 0:01:30")
        }
        guard (0...64).contains(threads) else { throw ValidationError("--threads must be 0 to 64") }
    }

    static func pixels(_ text: String) -> (width: Int, height: Int)? {
        let numbers = text.split(separator: "x", omittingEmptySubsequences: false).map { Int($0) }
        guard numbers.count == 2, let width = numbers[0], let height = numbers[1], width % 2 == 0, height % 2 == 0,
            (160...3_840).contains(width), (90...2_160).contains(height)
        else { return nil }
        return (width, height)
    }

    /// Of seconds, minutes and seconds, or hours, minutes and seconds.
    static func milliseconds(_ text: String) -> Int? {
        let parts = text.split(separator: ":", omittingEmptySubsequences: false)
        guard (1...3).contains(parts.count), text.utf8.count <= 16, let seconds = Double(parts[parts.count - 1]),
            seconds.isFinite, seconds >= 0
        else { return nil }
        var whole = 0
        for part in parts.dropLast() {
            guard let number = Int(part), (0...10_000).contains(number) else { return nil }
            whole = whole * 60 + number
        }
        guard seconds < (parts.count == 1 ? 1e7 : 60) else { return nil }
        return whole * 60_000 + Int((seconds * 1_000).rounded())
    }

    func run() async throws {
        signal(SIGPIPE, SIG_IGN)
        try await Operator.run {
            let meeting = try RecordedMeeting(folder: folder)
            Self.say(meeting.complaints)
            var options = CompositionOptions(output: output ?? folder + "/composition")
            options.followsLink = output != nil
            options.layout = LayoutKind(rawValue: layout) ?? .gallery
            if let (width, height) = Self.pixels(size) { (options.width, options.height) = (width, height) }
            options.from = from.flatMap(Self.milliseconds)
            options.until = to.flatMap(Self.milliseconds)
            (options.threads, options.font) = (threads, font)
            let composition = try Composition(meeting, options)
            var bar = ProgressBar(isTerminal: isatty(STDERR_FILENO) != 0)
            let clock = ContinuousClock()
            let begin = clock.now
            try composition.run { part in
                let passed = (clock.now - begin) / .seconds(1)
                if let text = bar.note(part, passed: passed) { LineWriter.standardError.write(text) }
            }
            Self.say(composition.complaints.dropFirst(meeting.complaints.count))
            print(options.output + "/meeting.mp4")
        }
    }

    private static func say(_ complaints: some Sequence<String>) {
        for line in complaints { LineWriter.standardError.write("needletail: \(line)\n") }
    }
}
