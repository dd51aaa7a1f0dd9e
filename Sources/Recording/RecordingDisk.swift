import Foundation
import Synchronization

/// The system calls of a disk; tests have others, that fail.
struct DiskCalls: Sendable {
    /// Each answers as the system call does, with `errno`.
    var open: @Sendable (_ path: String) -> Int32 = { Glibc.open($0, O_WRONLY | O_CREAT | O_CLOEXEC, 0o600) }
    var write: @Sendable (Int32, UnsafeRawBufferPointer, _ offset: Int) -> Int = {
        pwrite($0, $1.baseAddress, $1.count, off_t($2))
    }
    var sync: @Sendable (Int32) -> Int32 = { fdatasync($0) }
    var close: @Sendable (Int32) -> Int32 = { Glibc.close($0) }
    var rename: @Sendable (String, String) -> Int32 = { Glibc.rename($0, $1) }
}

/// A file that `RecordingDisk` writes.
final class DiskFile: @unchecked Sendable {
    let path: String
    /// The writing thread's, until the file is handed to the other to be closed.
    fileprivate var descriptor: Int32 = -1

    init(path: String) { self.path = path }
}

/// Why nothing can be written, since when.
public struct DiskTrouble: Sendable, Equatable {
    /// errno.
    public var code: Int32
    public var path: String

    /// For people: `No space left on device`.
    public var reason: String { String(cString: strerror(code)) }
}

/// Writes files on a thread of its own, in the order in which it was told, so that capture never waits for a disk. Another
/// brings what was written to the disk itself, each `syncInterval` (fdatasync(2)), as that may take long, and a kill costs what
/// was not written. When the disk fails what is to be written waits, up to `capacity`, and is tried again each second: nothing
/// is lost until then.
public final class RecordingDisk: @unchecked Sendable {
    /// Bytes that may wait: some 20 s of 25 cameras.
    static let capacity = 128 << 20
    /// s.
    static let syncInterval = 0.5
    static let retryInterval = 1.0

    private enum Work {
        case write(DiskFile, Int, [UInt8])
        case close(DiskFile)

        var count: Int {
            switch self {
            case .write(_, _, let bytes): bytes.count
            case .close: 0
            }
        }
    }

    private struct State {
        var waiting: [Work] = []
        var bytes = 0
        var isBusy = false
        var isStopping = false
        var hasWriterEnded = false
        var writeTrouble: DiskTrouble?
        /// Written, and not on the disk itself.
        var dirty: [DiskFile] = []
        /// Written to their ends.
        var closing: [DiskFile] = []
        /// Whole files, that readers see whole at all times, by path: of several the latest.
        var replacements: [String: [UInt8]] = [:]
        var isSyncing = false
        var syncTrouble: DiskTrouble?

        var hasSyncWork: Bool { !dirty.isEmpty || !closing.isEmpty || !replacements.isEmpty }
        var isIdle: Bool { waiting.isEmpty && !isBusy && !hasSyncWork && !isSyncing }
    }

    private let calls: DiskCalls
    /// Guards `state`, and says that it changed.
    private let condition = NSCondition()
    private var state = State()

    public convenience init() { self.init(calls: DiskCalls()) }

    init(calls: DiskCalls) {
        self.calls = calls
        for (name, body) in [("recording-disk", run), ("recording-sync", runSync)] {
            let thread = Thread(block: body)
            thread.name = name
            thread.start()
        }
    }

    /// Nil while all is well.
    public var trouble: DiskTrouble? { condition.withLock { state.writeTrouble ?? state.syncTrouble } }

    /// Whether another frame should be written; what must be (the ends of files, the log) goes a little beyond.
    var hasRoom: Bool { condition.withLock { state.bytes < Self.capacity } }

    func write(_ bytes: [UInt8], to file: DiskFile, at offset: Int) { add(.write(file, offset, bytes)) }
    func close(_ file: DiskFile) { add(.close(file)) }
    func replace(_ path: String, with bytes: [UInt8]) {
        condition.withLock {
            state.replacements[path] = bytes
            condition.broadcast()
        }
    }

    /// Returns when all is on the disk, or after `patience`; whether it is.
    @discardableResult
    public func drain(patience: TimeInterval = 10) -> Bool {
        let end = Date() + patience
        return condition.withLock {
            while !state.isIdle { if !condition.wait(until: end) { return false } }
            return true
        }
    }

    /// Ends the threads, when all is written or can be written no more.
    public func stop() {
        condition.withLock {
            state.isStopping = true
            condition.broadcast()
        }
    }

    private func add(_ work: Work) {
        condition.withLock {
            state.waiting.append(work)
            state.bytes += work.count
            condition.broadcast()
        }
    }

    // MARK: Writing

    @Sendable private func run() {
        var isEnd = false
        while !isEnd {
            let work = condition.withLock {
                while state.waiting.isEmpty && !state.isStopping { condition.wait() }
                defer { state.waiting = [] }
                state.isBusy = true
                return state.waiting
            }
            isEnd = finish(work, done: perform(work))
        }
        condition.withLock {
            state.hasWriterEnded = true
            condition.broadcast()
        }
    }

    /// Puts back what could not be done, and waits a while then. Whether that was all.
    private func finish(_ work: [Work], done: Int) -> Bool {
        condition.withLock {
            state.isBusy = false
            state.bytes -= work[..<done].reduce(0) { $0 + $1.count }
            let failed = done < work.count
            if failed {
                state.waiting.insert(contentsOf: work[done...], at: 0)
                rest(Self.retryInterval)
            } else {
                state.writeTrouble = nil
            }
            condition.broadcast()
            return state.isStopping && (failed || state.waiting.isEmpty)
        }
    }

    /// With the lock: waits so long, s, or until the end.
    private func rest(_ interval: Double) {
        let end = Date() + interval
        while !state.isStopping, condition.wait(until: end) {}
    }

    /// How many were done, in order.
    private func perform(_ work: [Work]) -> Int {
        for (index, item) in work.enumerated() where !perform(item) { return index }
        return work.count
    }

    private func perform(_ work: Work) -> Bool {
        switch work {
        case .write(let file, let offset, let bytes): return write(bytes, to: file, at: offset)
        case .close(let file):
            condition.withLock {
                state.dirty.removeAll { $0 === file }
                state.closing.append(file)
            }
            return true
        }
    }

    private func write(_ bytes: [UInt8], to file: DiskFile, at offset: Int) -> Bool {
        if file.descriptor < 0 { file.descriptor = calls.open(file.path) }
        guard file.descriptor >= 0, put(bytes, file.descriptor, at: offset) else {
            let trouble = DiskTrouble(code: errno, path: file.path)
            condition.withLock { state.writeTrouble = trouble }
            return false
        }
        condition.withLock { if !state.dirty.contains(where: { $0 === file }) { state.dirty.append(file) } }
        return true
    }

    private func put(_ bytes: [UInt8], _ descriptor: Int32, at offset: Int) -> Bool {
        var written = 0
        while written < bytes.count {
            let count = bytes.withUnsafeBytes {
                calls.write(descriptor, UnsafeRawBufferPointer(rebasing: $0[written...]), offset + written)
            }
            if count < 0, errno == EINTR { continue }
            guard count > 0 else { return false }
            written += count
        }
        return true
    }

    // MARK: To the disk itself

    @Sendable private func runSync() {
        var isEnd = false
        while !isEnd {
            let (dirty, closing, replacements) = condition.withLock {
                while !state.hasSyncWork && !state.hasWriterEnded { condition.wait() }
                defer { (state.dirty, state.closing, state.replacements) = ([], [], [:]) }
                state.isSyncing = true
                return (state.dirty, state.closing, state.replacements)
            }
            let failed = dirty.filter { !sync($0) }
            let open = closing.filter { !sync($0) || !close(file: $0) }
            let old = replacements.filter { !replacing($0.key, $0.value) }
            isEnd = finishSync(failed, open, old)
        }
    }

    /// Puts back what could not be done, and waits for the next turn. Whether that was all.
    private func finishSync(
        _ dirty: [DiskFile], _ closing: [DiskFile], _ replacements: [String: [UInt8]]
    ) -> Bool {
        condition.withLock {
            state.isSyncing = false
            state.dirty += dirty.filter { file in
                !(state.dirty + state.closing).contains { $0 === file }
            }
            state.closing += closing
            state.replacements.merge(replacements) { new, _ in new }
            let failed = !dirty.isEmpty || !closing.isEmpty || !replacements.isEmpty
            if !failed { state.syncTrouble = nil }
            condition.broadcast()
            if state.hasWriterEnded && (failed || !state.hasSyncWork) { return true }
            let end = Date() + (failed ? Self.retryInterval : Self.syncInterval)
            // The ends of files are waited for.
            while !state.hasWriterEnded, failed || state.closing.isEmpty && state.replacements.isEmpty {
                if !condition.wait(until: end) { break }
            }
            return false
        }
    }

    private func sync(_ file: DiskFile) -> Bool {
        file.descriptor < 0 || calls.sync(file.descriptor) == 0 || failSync(file.path)
    }

    private func close(file: DiskFile) -> Bool {
        if file.descriptor >= 0 { _ = calls.close(file.descriptor) }
        file.descriptor = -1
        return true
    }

    private func replacing(_ path: String, _ bytes: [UInt8]) -> Bool {
        let fresh = path + ".new"
        let descriptor = calls.open(fresh)
        guard descriptor >= 0 else { return failSync(path) }
        let isWritten =
            ftruncate(descriptor, 0) == 0 && put(bytes, descriptor, at: 0) && calls.sync(descriptor) == 0
        let code = errno
        _ = calls.close(descriptor)
        errno = code
        return isWritten && calls.rename(fresh, path) == 0 || failSync(path)
    }

    private func failSync(_ path: String) -> Bool {
        let trouble = DiskTrouble(code: errno, path: path)
        condition.withLock { state.syncTrouble = trouble }
        return false
    }
}
