import Wire

/// Addresses from text: what is accepted prints a text that gives the same again.
func fuzzAddressText(_ input: UnsafeRawBufferPointer) {
    let text = String(decoding: input, as: UTF8.self)
    if let address = IPAddress(text) { precondition(IPAddress(address.description) == address) }
    if let endpoint = Endpoint(text) { precondition(Endpoint(endpoint.description) == endpoint) }
    if let mac = MACAddress(text) { precondition(MACAddress(mac.description) == mac) }
    if let short = ShortText(text) { precondition(Int(short.count) == text.utf8.count) }
}
