import Glibc
import Synchronization

/// Descriptors that are held for a time in which there are no others.
final class SpareDescriptors: Sendable {
    private let size: Int
    private let held: Mutex<[Int32]>

    init(_ size: Int) {
        self.size = size
        held = Mutex([])
        takeBack()
    }

    deinit { held.withLock { for descriptor in $0 { close(descriptor) } } }

    var count: Int { held.withLock { $0.count } }

    var isWhole: Bool { count == size }

    /// Frees one for whoever asks next; false when there is none left.
    @discardableResult
    func giveUp() -> Bool {
        held.withLock { held in
            guard let descriptor = held.popLast() else { return false }
            close(descriptor)
            return true
        }
    }

    /// Holds as many again as it can.
    func takeBack() {
        held.withLock { held in
            while held.count < size {
                let descriptor = open("/dev/null", O_RDONLY | O_CLOEXEC)
                guard descriptor >= 0 else { return }
                held.append(descriptor)
            }
        }
    }
}
