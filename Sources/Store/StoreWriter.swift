import Foundation
import GRDB
import Logging

/// Brings what waits in the queue into the file: all that came while a transaction ran, in the next one. Its calls block, and
/// run on a dispatch queue of the Store.
final class StoreWriter: Sendable {
    private let file: StoreFile
    private let queue: StoreQueue
    /// Nil where nobody is told of anything.
    private let outbox: WebhookOutbox?
    private let logger: Logger
    /// Called inside of each transaction, before its end: for tests.
    private let beforeCommit: (@Sendable () -> Void)?

    init(
        _ file: StoreFile, queue: StoreQueue, outbox: WebhookOutbox?, logger: Logger,
        beforeCommit: (@Sendable () -> Void)?
    ) {
        self.file = file
        self.queue = queue
        self.outbox = outbox
        self.logger = logger
        self.beforeCommit = beforeCommit
    }

    /// Writes until nothing waits any more, or nothing can be written.
    func drain() {
        while true {
            let batch = queue.take(at: .now)
            guard !batch.isEmpty else { return }
            do {
                let refused = try file.transaction { db in try perform(batch, db) }
                outbox?.commit()
                goUp(queue.succeed(refused: refused))
            } catch {
                return goDown(error)
            }
        }
    }

    /// Where nothing could be written: tries again, by what waits or by what leaves nothing behind.
    func retry() {
        guard queue.isDown else { return }
        drain()
        guard queue.isDown, queue.reading.waiting == 0 else { return }
        do {
            try file.checkRoom()
            goUp(queue.succeed())
        } catch {
            return goDown(error)
        }
        // What came meanwhile woke nobody.
        drain()
    }

    /// - Returns: the places of groups that the database refused for what they are: others are not kept from it by them.
    private func perform(_ batch: [StoreQueue.Group], _ db: Database) throws -> Set<Int> {
        var refused: Set<Int> = []
        outbox?.begin()
        for (place, group) in batch.enumerated() {
            do {
                for write in group.writes {
                    if let outbox { try outbox.perform(write, db) } else { try write.perform(db) }
                }
            } catch let error as DatabaseError where error.isOfTheWrite {
                refused.insert(place)
                logger.error("The Store refused a write", metadata: ["error": "\(error.plain)"])
            }
        }
        try outbox?.finish(db)
        beforeCommit?()
        return refused
    }

    private func goUp(_ trouble: String?) {
        if trouble != nil { logger.notice("The Store can be written again", metadata: ["file": "\(file.path)"]) }
    }

    private func goDown(_ error: any Error) {
        let reason = (error as? DatabaseError)?.plain ?? "\(error)"
        guard queue.fail(reason) else { return }
        logger.warning(
            "The Store cannot be written: calls go on, and no meeting can be made",
            metadata: ["file": "\(file.path)", "reason": "\(reason)"])
    }
}

extension DatabaseError {
    /// Without the statement and its values, which are nobody's business.
    var plain: String { message.map { "\($0) (\(extendedResultCode.rawValue))" } ?? "error \(extendedResultCode)" }

    /// The same write would fail again, and the transaction goes on.
    fileprivate var isOfTheWrite: Bool {
        [.SQLITE_CONSTRAINT, .SQLITE_MISMATCH, .SQLITE_TOOBIG].contains(resultCode)
    }
}
