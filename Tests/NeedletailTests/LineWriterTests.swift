import Foundation
import Testing

@testable import needletail

/// A log that cannot be written costs lines, and nothing else.
@Suite struct LineWriterTests {
    /// A pipe that holds 64 KiB.
    private struct Tube {
        let reader: Int32
        let writer: Int32

        init() {
            var ends: [Int32] = [0, 0]
            #expect(pipe(&ends) == 0)
            (reader, writer) = (ends[0], ends[1])
            #expect(fcntl(reader, F_SETFL, O_NONBLOCK) == 0)
        }

        /// All that waits in it.
        func read() -> String {
            var text = Data()
            var bytes = [UInt8](repeating: 0, count: 65_536)
            while case let count = Glibc.read(reader, &bytes, bytes.count), count > 0 { text += bytes[..<count] }
            return String(decoding: text, as: UTF8.self)
        }
    }

    @Test func aFullPipeIsNotWaitedForAndItsRestIsNotMixedWithTheNextLine() {
        let tube = Tube()
        defer {
            close(tube.reader)
            close(tube.writer)
        }
        let writer = LineWriter(tube.writer)
        let long = String(repeating: "x", count: 49_999) + "\n"
        writer.write(long)
        #expect(writer.dropped == 0)
        writer.write(long)
        #expect(writer.dropped == 1)
        writer.write("lost\n")
        #expect(writer.dropped == 2)
        let before = tube.read()
        #expect(before.hasPrefix(long) && before.count < 2 * long.count && !before.contains("lost"))
        writer.write("next\n")
        #expect(tube.read() == "\nnext\n")
        writer.write("last\n")
        #expect(tube.read() == "last\n")
        #expect(writer.dropped == 2)
    }

    @Test func aPipeWithoutAReaderCostsLines() {
        signal(SIGPIPE, SIG_IGN)
        let tube = Tube()
        close(tube.reader)
        defer { close(tube.writer) }
        let writer = LineWriter(tube.writer)
        for _ in 0..<3 { writer.write("line\n") }
        #expect(writer.dropped == 3)
    }

    @Test func neitherAFullDiskNorAClosedDescriptorIsFatal() throws {
        let full = open("/dev/full", O_WRONLY)
        try #require(full >= 0)
        defer { close(full) }
        // The last number that there can be, which nothing has.
        for descriptor in [full, Int32.max, -1] {
            let writer = LineWriter(descriptor)
            writer.write("line\n")
            #expect(writer.dropped == 1, "\(descriptor)")
        }
    }
}
