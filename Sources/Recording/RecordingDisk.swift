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

/// A file that `RecordingDisk` writes. Its thread alone looks inside.
final class DiskFile: @unchecked Sendable {
    let path: String
    fileprivate var descriptor: Int32 = -1
    fileprivate var isDirty = false

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

/// Writes files on a thread of its own, in the order in which it was told, so that capture never waits for a disk. What was
/// written goes to the disk itself within `syncInterval` (fdatasync(2)). When the disk fails what is to be written waits, up to
/// `capacity`, and is tried again each second: nothing is lost until then.
public final class RecordingDisk: @unchecked Sendable {
    /// Bytes that may wait: some 20 s of 25 cameras.
    static let capacity = 128 << 20
    /// s.
    static let syncInterval = 0.5
    static let retryInterval = 1.0

    private enum Work {
        case write(DiskFile, Int, [UInt8])
        case close(DiskFile)
        /// A whole file, that readers see whole at all times.
        case replace(String, [UInt8])

        var count: Int {
            switch self {
            case .write(_, _, let bytes), .replace(_, let bytes): bytes.count
            case .close: 0
            }
        }
    }

    private struct State {
        var waiting: [Work] = []
        var bytes = 0
        var isBusy = false
        var isStopping = false
        var trouble: DiskTrouble?
    }

    private let calls: DiskCalls
    /// Guards `state`, and says that it changed.
    private let condition = NSCondition()
    private var state = State()
    /// The thread's alone.
    private var dirty: [DiskFile] = []
    private var lastSync = Date.distantPast

    public convenience init() { self.init(calls: DiskCalls()) }

    init(calls: DiskCalls) {
        self.calls = calls
        let thread = Thread { [self] in run() }
        thread.name = "recording-disk"
        thread.start()
    }

    /// Nil while all is well.
    public var trouble: DiskTrouble? { condition.withLock { state.trouble } }

    /// Whether another frame should be written; what must be (the ends of files, the log) goes a little beyond.
    var hasRoom: Bool { condition.withLock { state.bytes < Self.capacity } }

    func write(_ bytes: [UInt8], to file: DiskFile, at offset: Int) { add(.write(file, offset, bytes)) }
    func close(_ file: DiskFile) { add(.close(file)) }
    func replace(_ path: String, with bytes: [UInt8]) { add(.replace(path, bytes)) }

    /// Returns when all is on the disk, or after `patience`; whether it is.
    @discardableResult
    public func drain(patience: TimeInterval = 10) -> Bool {
        let end = Date() + patience
        return condition.withLock {
            while !state.waiting.isEmpty || state.isBusy { if !condition.wait(until: end) { return false } }
            return true
        }
    }

    /// Ends the thread, when all is written or can be written no more.
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

    private func run() {
        while true {
            condition.lock()
            while state.waiting.isEmpty && !state.isStopping && dirty.isEmpty { condition.wait() }
            if state.waiting.isEmpty && !dirty.isEmpty && !state.isStopping {
                _ = condition.wait(until: lastSync + Self.syncInterval)
            }
            let work = state.waiting
            state.waiting = []
            state.isBusy = true
            let isStopping = state.isStopping
            condition.unlock()
            let done = perform(work)
            if done == work.count, Date() >= lastSync + Self.syncInterval || isStopping { sync() }
            let isEnd = finish(work, done: done)
            if isEnd { return }
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
                if !state.isStopping {
                    let end = Date() + Self.retryInterval
                    while !state.isStopping, condition.wait(until: end) {}
                }
            } else {
                state.trouble = nil
            }
            condition.broadcast()
            return state.isStopping && (failed || state.waiting.isEmpty)
        }
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
            guard file.descriptor >= 0 else { return true }
            if calls.sync(file.descriptor) < 0 { return fail(file.path) }
            _ = calls.close(file.descriptor)
            file.descriptor = -1
            dirty.removeAll { $0 === file }
            return true
        case .replace(let path, let bytes): return replacing(path, bytes)
        }
    }

    private func write(_ bytes: [UInt8], to file: DiskFile, at offset: Int) -> Bool {
        if file.descriptor < 0 {
            file.descriptor = calls.open(file.path)
            guard file.descriptor >= 0 else { return fail(file.path) }
        }
        guard put(bytes, file.descriptor, at: offset) else { return fail(file.path) }
        if !file.isDirty {
            file.isDirty = true
            dirty.append(file)
        }
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

    private func replacing(_ path: String, _ bytes: [UInt8]) -> Bool {
        let fresh = path + ".new"
        let descriptor = calls.open(fresh)
        guard descriptor >= 0 else { return fail(path) }
        let isWritten =
            ftruncate(descriptor, 0) == 0 && put(bytes, descriptor, at: 0) && calls.sync(descriptor) == 0
        let code = errno
        _ = calls.close(descriptor)
        errno = code
        return isWritten && calls.rename(fresh, path) == 0 || fail(path)
    }

    private func sync() {
        for file in dirty {
            guard calls.sync(file.descriptor) == 0 else {
                _ = fail(file.path)
                continue
            }
            file.isDirty = false
        }
        dirty.removeAll { !$0.isDirty }
        lastSync = Date()
    }

    private func fail(_ path: String) -> Bool {
        let trouble = DiskTrouble(code: errno, path: path)
        condition.withLock { state.trouble = trouble }
        return false
    }
}
