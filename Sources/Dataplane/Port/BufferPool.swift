import CDPDK

/// A mempool of packet buffers on one NUMA node.
///
/// A handle: copies share the pool. A thread registered with EAL (`PinnedThread`) allocates from a cache of its
/// own; others go to the shared ring. Its maker frees it with `deallocate` when all mbufs are back.
struct BufferPool: @unchecked Sendable {
    /// Bytes of a buffer: DPDK's 128 of headroom and 2048 for the frame.
    static var defaultDataRoom: Int { 2_176 }

    let raw: OpaquePointer

    /// `name` is unique in the process, at most 25 characters; `count` is best one less than a power of two.
    /// `socket` is the NUMA node, or nil for any. `isDense`: for devices of software, in one area if the memory allows.
    init(name: String, count: Int, dataRoom: Int = defaultDataRoom, socket: Int? = nil, isDense: Bool = false)
        throws(PortFailure)
    {
        let cache = count >= 4_096 ? 256 : 0
        guard
            let pool = pool_create(
                name, UInt32(clamping: count), UInt32(cache), UInt16(clamping: dataRoom),
                Int32(socket ?? -1), isDense ? 1 : 0)
        else {
            throw PortFailure(
                "no memory for \(count) packet buffers (\(EAL.message(of: eal_errno()))): "
                    + "give `memory` or `hugepages` more, or configure fewer buffers")
        }
        raw = pool
    }

    /// One buffer of length 0; nil when the pool is empty.
    @inline(__always)
    func allocate() -> Mbuf? { mbuf_alloc(raw).map { Mbuf($0) } }

    /// Fills `burst` with `count` buffers of length 0, or with none when there are not so many.
    @inline(__always)
    func allocate(into burst: UnsafeMutablePointer<Mbuf>, count: Int) -> Bool {
        mbuf_alloc_bulk(raw, burst, UInt32(truncatingIfNeeded: count)) == 0
    }

    /// Free buffers. Walks all caches: for housekeeping and tests.
    var available: Int { Int(pool_available(raw)) }

    var count: Int { Int(pool_size(raw)) }

    /// All of its buffers lie in one area of memory, one behind the other.
    var isOneArea: Bool { pool_areas(raw) == 1 }

    func deallocate() { rte_mempool_free(raw) }
}
