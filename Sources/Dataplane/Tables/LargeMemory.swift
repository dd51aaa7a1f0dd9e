import Glibc

/// Memory for the data plane's large tables, in transparent hugepages of 2 MiB where the kernel grants them on request:
/// the keys of 10,000 Sessions exceed the reach of the TLB with pages of 4 KiB.
enum LargeMemory {
    private static let page = 2 << 20

    /// Uninitialised, aligned to a cache line at least; freed by `deallocate()` of the pointer.
    static func allocate(byteCount: Int) -> UnsafeMutableRawPointer {
        guard byteCount >= page else { return .allocate(byteCount: byteCount, alignment: 64) }
        // Whole pages, so that the last one is a hugepage too.
        let rounded = (byteCount + page - 1) & ~(page - 1)
        let memory = UnsafeMutableRawPointer.allocate(byteCount: rounded, alignment: page)
        // An optimization: failure is harmless.
        _ = madvise(memory, rounded, MADV_HUGEPAGE)
        return memory
    }
}
