import CDPDK
import Glibc
import Synchronization

/// Threads on a core each that begin together.
struct BenchmarkThreads {
    /// What a thread's work took.
    struct Span: Sendable {
        /// Of the time stamp counter.
        var began: UInt64 = 0
        var ended: UInt64 = 0
        /// How often the thread had to give way to another.
        var interruptions = 0
    }

    /// Threads meet twice: one may lose its core while it waits for the others' start, but at the second time all run.
    private final class Start: Sendable {
        private let absent: Atomic<Int>
        private let unready: Atomic<Int>

        init(_ count: Int) {
            absent = Atomic(count)
            unready = Atomic(count)
        }

        func meet() {
            absent.subtract(1, ordering: .acquiringAndReleasing)
            while absent.load(ordering: .acquiring) > 0 { cpu_pause() }
        }

        func begin() {
            unready.subtract(1, ordering: .acquiringAndReleasing)
            while unready.load(ordering: .acquiring) > 0 { cpu_pause() }
        }
    }

    /// Where each thread leaves its result; read when all have ended.
    private final class Spans: @unchecked Sendable {
        let spans: UnsafeMutablePointer<Span>

        init(_ count: Int) {
            spans = .allocate(capacity: count)
            spans.initialize(repeating: Span(), count: count)
        }

        deinit { spans.deallocate() }
    }

    /// Runs `body` with the index of each core on a thread of its own there, and sleeps until all have ended.
    static func run(
        on cores: [Int], _ body: @escaping @Sendable (Int) -> Void
    ) throws(PortFailure) -> [Span] {
        let start = Start(cores.count)
        let spans = Spans(cores.count)
        var threads: [PinnedThread] = []
        for (index, core) in cores.enumerated() {
            let thread = try PinnedThread(name: "benchmark-\(index)", core: core) {
                start.meet()
                let interruptions = interruptions
                start.begin()
                spans.spans[index].began = tsc_read()
                body(index)
                spans.spans[index].ended = tsc_read()
                spans.spans[index].interruptions = Self.interruptions - interruptions
            }
            threads.append(thread)
        }
        for thread in threads { thread.join() }
        return (0..<cores.count).map { spans.spans[$0] }
    }

    /// `RUSAGE_THREAD` of getrusage(2), which Glibc's module leaves out.
    private static let thisThread: Int32 = 1

    /// How often this thread had to give way to another.
    static var interruptions: Int {
        var usage = rusage()
        getrusage(thisThread, &usage)
        return usage.ru_nivcsw
    }
}
