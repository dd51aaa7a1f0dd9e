import Glibc
import Synchronization

/// A program that a test starts and ends.
///
/// Foundation's `Process` reads the list of all descriptors of its own process before it starts anything, and copies more
/// of an entry than there is: where tests beside each other had 1,500 of them open it has crashed. Its pipes end the
/// process where a signal interrupts a reader.
public final class ChildProgram: Sendable {
    public struct DidNotStart: Error {
        /// errno.
        public let code: Int32
    }

    public enum Ending: Equatable, Sendable {
        case exited(Int32)
        case killed(signal: Int32)
    }

    public let identifier: pid_t
    /// The reading end of its standard output.
    private let output: Int32
    /// Nil until it was waited for.
    private let ending = Mutex<Ending?>(nil)

    /// posix_spawn_file_actions_addclosefrom_np(3), which Swift's module of glibc leaves out.
    private static let closeFrom = unsafeBitCast(
        dlsym(nil, "posix_spawn_file_actions_addclosefrom_np"),
        to: (@convention(c) (UnsafeMutablePointer<posix_spawn_file_actions_t>, Int32) -> Int32).self)

    /// Starts it, with our environment. Of our descriptors it has the standard ones alone.
    ///
    /// - Parameters:
    ///   - arguments: behind its name.
    ///   - readsErrors: what it says on standard error is read too.
    public init(_ path: String, _ arguments: [String], readsErrors: Bool = false) throws(DidNotStart) {
        var ends: [Int32] = [-1, -1]
        // Unlike a pipe's, its ends are born closed for what others start.
        let type = Int32(SOCK_STREAM.rawValue | SOCK_CLOEXEC.rawValue)
        guard socketpair(AF_UNIX, type, 0, &ends) == 0 else { throw DidNotStart(code: errno) }
        defer { close(ends[1]) }
        var actions = posix_spawn_file_actions_t()
        posix_spawn_file_actions_init(&actions)
        defer { posix_spawn_file_actions_destroy(&actions) }
        posix_spawn_file_actions_adddup2(&actions, ends[1], STDOUT_FILENO)
        if readsErrors { posix_spawn_file_actions_adddup2(&actions, ends[1], STDERR_FILENO) }
        _ = Self.closeFrom(&actions, STDERR_FILENO + 1)
        let words = ([path] + arguments).map { strdup($0) } + [nil]
        defer { for word in words { free(word) } }
        var identifier: pid_t = 0
        let code = posix_spawn(&identifier, path, &actions, nil, words, environ)
        guard code == 0 else {
            close(ends[0])
            throw DidNotStart(code: code)
        }
        self.identifier = identifier
        output = ends[0]
    }

    deinit { close(output) }

    /// What it says next; empty when it says nothing more. Blocks.
    public func read() -> [UInt8] {
        var room = [UInt8](repeating: 0, count: 4_096)
        while true {
            let count = Glibc.read(output, &room, room.count)
            if count < 0, errno == EINTR { continue }
            return Array(room.prefix(max(count, 0)))
        }
    }

    /// Returns when it has ended.
    @discardableResult
    public func waitUntilExit() -> Ending { ending.withLock { waited(&$0) } }

    /// Ends it unless it has ended, also where it is stopped, and returns when it has.
    @discardableResult
    public func kill() -> Ending {
        ending.withLock { ending in
            // Its identifier is its own until it was waited for.
            if ending == nil { _ = Glibc.kill(identifier, SIGKILL) }
            return waited(&ending)
        }
    }

    private func waited(_ ending: inout Ending?) -> Ending {
        if let ending { return ending }
        var status: Int32 = 0
        while waitpid(identifier, &status, 0) < 0, errno == EINTR {}
        // As WIFSIGNALED, WTERMSIG and WEXITSTATUS read it.
        let found: Ending = status & 0x7f == 0 ? .exited(status >> 8 & 0xff) : .killed(signal: status & 0x7f)
        ending = found
        return found
    }
}
