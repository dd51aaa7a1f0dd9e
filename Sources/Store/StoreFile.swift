import Foundation
import GRDB
import Glibc
import Synchronization

/// The database's file, and our connection with it.
final class StoreFile: Sendable {
    /// Which file a path leads to.
    private struct Identity: Equatable {
        var device: UInt64
        var inode: UInt64

        init?(_ path: String) {
            var found = stat()
            guard stat(path, &found) == 0 else { return nil }
            (device, inode) = (UInt64(found.st_dev), UInt64(found.st_ino))
        }
    }

    private struct Gone: Error, CustomStringConvertible {
        let description = "the file was removed or replaced while it was open: put it back, or restart"
    }

    let path: String
    let database: DatabaseQueue
    private let reader: DatabaseQueue
    private let identity: Identity?
    /// Locked for as long as it is open. Behind the database's end only: its closing takes SQLite's own locks away
    /// (fcntl_locking(2)).
    private let handle: Mutex<Int32?>

    /// Opens the file, or makes it, and brings it to the newest schema.
    ///
    /// - Throws: `StoreRefusal`.
    init(_ path: String) throws(StoreRefusal) {
        self.path = path
        handle = Mutex(try Self.claim(path))
        do {
            var configuration = Configuration()
            configuration.label = "store"
            // Somebody who makes a backup has it for a moment.
            configuration.busyMode = .timeout(1)
            configuration.prepareDatabase { db in
                let mode = try String.fetchOne(db, sql: "PRAGMA journal_mode = WAL")
                guard mode == "wal" else { throw StoreRefusal("cannot have a write-ahead log beside it") }
                // What is acknowledged survives the loss of power, too.
                try db.execute(sql: "PRAGMA synchronous = FULL")
            }
            database = try DatabaseQueue(path: path, configuration: configuration)
            try Schema.migrate(database)
            var readers = Configuration()
            readers.label = "store reader"
            readers.readonly = true
            readers.busyMode = .timeout(1)
            reader = try DatabaseQueue(path: path, configuration: readers)
            identity = Identity(path)
        } catch let refusal as StoreRefusal {
            throw StoreRefusal("\(path) \(refusal.reason)")
        } catch {
            let reason = (error as? DatabaseError)?.plain ?? "\(error)"
            throw StoreRefusal("\(path) cannot be opened: \(reason): see to its folder, its owner and its disk")
        }
    }

    deinit { close() }

    /// Another node may open the file from here on.
    func close() {
        try? reader.close()
        try? database.close()
        let handle = handle.withLock { handle in
            defer { handle = nil }
            return handle
        }
        if let handle { _ = Glibc.close(handle) }
    }

    /// For nobody else to read, as it has the host keys (what SQLite puts beside it has the same mode), and for one node.
    private static func claim(_ path: String) throws(StoreRefusal) -> Int32 {
        let handle = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0o600)
        guard handle >= 0 else { throw StoreRefusal("\(path) cannot be opened: \(String(cString: strerror(errno)))") }
        guard flock(handle, LOCK_EX | LOCK_NB) == 0 else {
            Glibc.close(handle)
            throw StoreRefusal("\(path) is open in another node that runs: end that one first")
        }
        return handle
    }

    /// All of it is on the disk when this returns, in the file that the path leads to.
    func transaction<Result>(_ body: (Database) throws -> Result) throws -> Result {
        // SQLite would go on writing to a file without a name.
        guard Identity(path) == identity else { throw Gone() }
        var result: Result?
        try database.inTransaction(.immediate) { db in
            result = try body(db)
            return .commit
        }
        guard Identity(path) == identity, let result else { throw Gone() }
        return result
    }

    /// Beside the writer, by a connection of its own. Blocks.
    func read<Answer>(_ body: (Database) throws -> Answer) -> Result<Answer, StoreFailure> {
        do {
            return .success(try reader.read(body))
        } catch {
            return .failure(.unavailable((error as? DatabaseError)?.plain ?? "\(error)"))
        }
    }

    /// Makes the read that is under way fail.
    func endRead() { reader.interrupt() }

    /// Whether something can be written, of which nothing stays.
    func checkRoom() throws {
        try transaction { db in
            try db.execute(sql: "INSERT INTO room_check VALUES (zeroblob(65536)); DELETE FROM room_check")
        }
    }
}
