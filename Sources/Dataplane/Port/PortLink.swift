import Synchronization

/// Whether a port's link is up: a word that its watch writes and every worker reads.
struct PortLink: @unchecked Sendable {
    private let word: UnsafeMutablePointer<Atomic<Bool>>

    init() {
        word = .allocate(capacity: 1)
        word.initialize(to: Atomic(true))
    }

    func deallocate() { word.deallocate() }

    var isUp: Bool { word.pointee.load(ordering: .relaxed) }

    func set(_ isUp: Bool) { word.pointee.store(isUp, ordering: .relaxed) }
}
