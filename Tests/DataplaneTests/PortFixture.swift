import Synchronization
import Testing
import Wire

@testable import Dataplane

/// Real mbufs in a unit test: EAL without root, hugepages or devices, started once for the process.
enum PortFixture {
    private static let started: Result<Void, PortFailure> = Result { () throws(PortFailure) in
        try EAL.start(EAL.Configuration(hugepages: .never, memory: 256, logLevel: 4))
    }
    private static let names = Atomic(0)

    static func startEAL() throws { try started.get() }

    static func pool(count: Int = 511) throws -> BufferPool {
        try startEAL()
        let number = names.add(1, ordering: .relaxed).newValue
        return try BufferPool(name: "test\(number)", count: count)
    }

    static func mbuf(_ bytes: [UInt8], from pool: BufferPool) throws -> Mbuf {
        let mbuf = try #require(pool.allocate())
        let place = try #require(mbuf.append(bytes.count))
        bytes.withUnsafeBytes { place.copyMemory(from: $0.baseAddress!, byteCount: $0.count) }
        return mbuf
    }
}

/// Hands a value on. `#expect` takes an expression apart and copies what a method is called on, which tables that
/// cannot be copied, and mutating calls, do not allow.
func result<Value>(of value: Value) -> Value { value }
