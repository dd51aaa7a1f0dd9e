import Glibc

/// Memory of the data plane's large tables: on pages of 2 MiB where the kernel gives them (transparent hugepages, which
/// most machines leave to who asks), as 10,000 keys lie on more pages of 4 KiB than the processor keeps in mind.
enum LargeMemory {
    private static let page = 2 << 20

    /// Uninitialised, aligned to a cache line at least; freed by `deallocate()` of the pointer.
    static func allocate(byteCount: Int) -> UnsafeMutableRawPointer {
        guard byteCount >= page else { return .allocate(byteCount: byteCount, alignment: 64) }
        // Whole pages, so that the last is a large one too.
        let rounded = (byteCount + page - 1) & ~(page - 1)
        let memory = UnsafeMutableRawPointer.allocate(byteCount: rounded, alignment: page)
        // Without them it is slower, not wrong.
        _ = madvise(memory, rounded, MADV_HUGEPAGE)
        return memory
    }
}
