import Wire

/// The bytes of hexadecimal text; spaces and line ends are skipped.
func bytes(_ text: String) -> [UInt8] {
    let digits = text.filter { !$0.isWhitespace }.compactMap(\.hexDigitValue)
    return stride(from: 0, to: digits.count - 1, by: 2).map { UInt8(digits[$0] << 4 | digits[$0 + 1]) }
}

/// Calls `body` with a heap block that holds exactly the bytes of hexadecimal text.
func with<Result>(_ text: String, _ body: (UnsafeRawBufferPointer) throws -> Result) rethrows -> Result {
    try with(bytes(text), body)
}

/// Calls `body` with a heap block that holds exactly these bytes.
func with<Result>(_ bytes: [UInt8], _ body: (UnsafeRawBufferPointer) throws -> Result) rethrows -> Result {
    let block = UnsafeMutableRawBufferPointer.allocate(byteCount: bytes.count, alignment: 1)
    defer { block.deallocate() }
    block.copyBytes(from: bytes)
    return try body(UnsafeRawBufferPointer(block))
}

/// What `body` wrote into a block of `capacity` bytes, as many as it returns. The block is filled with 0xee before.
func written(_ capacity: Int, _ body: (UnsafeMutableRawBufferPointer) throws -> Int) rethrows -> [UInt8] {
    let block = UnsafeMutableRawBufferPointer.allocate(byteCount: capacity, alignment: 1)
    defer { block.deallocate() }
    block.initializeMemory(as: UInt8.self, repeating: 0xee)
    return try Array(block.prefix(body(block)))
}
