import Wire

/// STUN messages: all accessors, and an error response that names the unknown attributes.
func fuzzSTUN(_ input: UnsafeRawBufferPointer) {
    guard let message = STUNMessage(input) else { return }
    use(message.messageClass.rawValue)
    use(message.method)
    use(message.username)
    use(message.integrity)
    use(message.priority ?? 0)
    use(message.iceControlling ?? message.iceControlled ?? 0)
    use(message.errorCode ?? 0)
    use(message.isFingerprintValid)
    if let offset = message.integrityOffset { precondition(offset + 24 == Int(message.integrityLength) + 20) }
    for attribute in message.attributes {
        use(attribute.value)
        if let endpoint = message.endpoint(xored: attribute.value) { use(endpoint.port) }
    }
    withBlock(64) { block in
        var writer = STUNWriter(
            into: block, class: .error, method: message.method, transactionID: message.transactionID)!
        writer.addError(420, reason: "Unknown Attribute")
        writer.addUnknownAttributes(of: message)
        writer.addFingerprint()
        let length = writer.finish()
        precondition(length == 0 || STUNMessage(UnsafeRawBufferPointer(block).part(0, length))!.isFingerprintValid)
    }
}
