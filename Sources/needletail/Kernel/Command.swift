import Foundation

/// A program of the system that runs to its end. Its descriptors are our own business: Foundation's `Process` ends the
/// caller when there are none.
enum Command {
    /// Why it did not do what it was told: what it said, or why it did not start.
    struct Failure: Error, CustomStringConvertible {
        let description: String
    }

    /// Bytes of what it says that are kept.
    private static let limit = 4_096

    /// - Throws: `Failure`.
    static func run(_ words: [String]) throws {
        var ends: [Int32] = [0, 0]
        guard pipe(&ends) == 0 else { throw Failure(description: message(of: errno)) }
        for end in ends { _ = fcntl(end, F_SETFD, FD_CLOEXEC) }
        defer { close(ends[0]) }
        let child: pid_t
        do {
            defer { close(ends[1]) }
            child = try spawn(words, errorTo: ends[1])
        }
        let said = read(ends[0])
        var status: Int32 = 0
        while waitpid(child, &status, 0) < 0 && errno == EINTR {}
        // WIFEXITED and WEXITSTATUS of wait(2)
        guard status != 0 else { return }
        throw Failure(
            description: said.isEmpty
                ? "it ended with \(status >> 8)" : said.split(separator: "\n").joined(separator: "; "))
    }

    private static func spawn(_ words: [String], errorTo descriptor: Int32) throws -> pid_t {
        var actions = posix_spawn_file_actions_t()
        posix_spawn_file_actions_init(&actions)
        defer { posix_spawn_file_actions_destroy(&actions) }
        posix_spawn_file_actions_addopen(&actions, STDIN_FILENO, "/dev/null", O_RDONLY, 0)
        posix_spawn_file_actions_addopen(&actions, STDOUT_FILENO, "/dev/null", O_WRONLY, 0)
        posix_spawn_file_actions_adddup2(&actions, descriptor, STDERR_FILENO)
        var arguments: [UnsafeMutablePointer<CChar>?] = words.map { strdup($0) } + [nil]
        defer { for argument in arguments { free(argument) } }
        var child: pid_t = 0
        let error = posix_spawnp(&child, words[0], &actions, nil, &arguments, environ)
        guard error == 0 else { throw Failure(description: "\(words[0]): \(message(of: error))") }
        return child
    }

    private static func read(_ descriptor: Int32) -> String {
        var said: [UInt8] = []
        var piece = [UInt8](repeating: 0, count: 1_024)
        while true {
            let count = Glibc.read(descriptor, &piece, piece.count)
            if count < 0 && errno == EINTR { continue }
            guard count > 0 else { break }
            if said.count < limit { said += piece[..<count] }
        }
        return String(decoding: said, as: UTF8.self)
    }

    private static func message(of error: Int32) -> String { String(cString: strerror(error)) }
}
