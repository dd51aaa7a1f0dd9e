import Wire

/// PROXY headers: what is read lies inside of what came, is the same however much came, and needs all of itself.
func fuzzProxy(_ input: UnsafeRawBufferPointer) {
    guard case .header(let header) = ProxyHeader.read(input) else { return }
    precondition(header.length >= ProxyHeader.fixedLength && header.length <= input.count)
    for count in [header.length - 1, ProxyHeader.fixedLength, 0] where count < header.length {
        guard case .incomplete = ProxyHeader.read(UnsafeRawBufferPointer(rebasing: input[..<count])) else {
            preconditionFailure("a part of a header was taken")
        }
    }
    guard case .header(let again) = ProxyHeader.read(UnsafeRawBufferPointer(rebasing: input[..<header.length])) else {
        preconditionFailure("a header depends on what follows it")
    }
    precondition(again.length == header.length && again.source == header.source)
}
