import Foundation
import Synchronization

/// Writes whole lines to a descriptor. It never waits and never fails: a line that is not taken at once (a full disk, a pipe
/// that nobody reads or that is closed, no descriptor at all) is dropped and counted.
final class LineWriter: Sendable {
    static let standardError = LineWriter(STDERR_FILENO)

    /// So many bytes are taken at once by a pipe that has room (pipe(7), PIPE_BUF).
    private static let piece = 4_096

    private let descriptor: Int32
    /// Whether the last line ends in its middle. The lock keeps lines of several threads apart.
    private let isTorn = Mutex(false)
    private let lost = Atomic<UInt64>(0)

    init(_ descriptor: Int32) { self.descriptor = descriptor }

    /// Lines that were not written, or not to their end.
    var dropped: UInt64 { lost.load(ordering: .relaxed) }

    /// - Parameter line: with its line feed.
    func write(_ line: String) {
        let isWritten = isTorn.withLock { isTorn in
            let bytes = Array(((isTorn ? "\n" : "") + line).utf8)
            let count = put(bytes)
            if count > 0 { isTorn = count < bytes.count }
            return count == bytes.count
        }
        if !isWritten { lost.add(1, ordering: .relaxed) }
    }

    /// How many of the bytes were taken.
    private func put(_ bytes: [UInt8]) -> Int {
        bytes.withUnsafeBytes { bytes in
            var done = 0
            while done < bytes.count, isWritable {
                let rest = bytes[done...].prefix(Self.piece)
                let count = Glibc.write(descriptor, UnsafeRawBufferPointer(rebasing: rest).baseAddress, rest.count)
                if count < 0 && errno == EINTR { continue }
                guard count > 0 else { break }
                done += count
            }
            return done
        }
    }

    /// The descriptor may be shared with other programs, and so cannot be made one that does not wait.
    private var isWritable: Bool {
        var wish = pollfd(fd: descriptor, events: Int16(POLLOUT), revents: 0)
        return poll(&wish, 1, 0) == 1 && wish.revents & Int16(POLLOUT) != 0
    }
}

/// Descriptors 0 to 2, which the program may be started without.
enum StandardStreams {
    /// Sees to it that whatever is opened first does not get the number of the log. What is written to those that were
    /// not there fails, and is counted.
    static func secure() {
        for number in STDIN_FILENO...STDERR_FILENO where fcntl(number, F_GETFD) < 0 {
            _ = open("/dev/null", O_RDONLY)
        }
    }
}
