import Glibc

/// The target that this process runs, named by FUZZ_TARGET: a binary holds all targets of a module.
private let target: @Sendable (UnsafeRawBufferPointer) -> Void = {
    let wanted = getenv("FUZZ_TARGET").map { String(cString: $0) } ?? ""
    guard let target = targets.first(where: { $0.name == wanted }) else {
        fatalError("FUZZ_TARGET names none of \(targets.map(\.name))")
    }
    return target.run
}()

/// libFuzzer's entry: `data` is a heap block of exactly `count` bytes, so the address sanitizer sees each read outside.
@_cdecl("LLVMFuzzerTestOneInput")
public func testOneInput(_ data: UnsafeRawPointer?, _ count: Int) -> CInt {
    target(UnsafeRawBufferPointer(start: data, count: data == nil ? 0 : count))
    return 0
}

/// Keeps the optimiser from dropping what a target read.
nonisolated(unsafe) private var seen: UInt64 = 0

@inline(never)
func use(_ value: some BinaryInteger) { seen &+= UInt64(truncatingIfNeeded: value) }

@inline(never)
func use(_ value: Bool) { seen &+= value ? 1 : 0 }

/// Reads every byte.
@inline(never)
func use(_ bytes: UnsafeRawBufferPointer?) {
    guard let bytes else { return }
    for byte in bytes { seen &+= UInt64(byte) }
}

/// Calls `body` with a block of exactly `count` bytes on the heap.
func withBlock<Result>(_ count: Int, _ body: (UnsafeMutableRawBufferPointer) -> Result) -> Result {
    let block = UnsafeMutableRawBufferPointer.allocate(byteCount: count, alignment: 1)
    defer { block.deallocate() }
    return body(block)
}

/// Calls `body` with a mutable copy of `input`, exactly as long.
func withCopy<Result>(_ input: UnsafeRawBufferPointer, _ body: (UnsafeMutableRawBufferPointer) -> Result) -> Result {
    withBlock(input.count) { block in
        block.copyMemory(from: input)
        return body(block)
    }
}
