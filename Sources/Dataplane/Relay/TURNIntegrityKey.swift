import Wire

/// The key of an allocation's requests and responses, and which integrity attribute it goes with.
struct TURNIntegrityKey: BitwiseCopyable {
    let usesSHA256: Bool
    let sha1: MessageIntegrity
    let sha256: MessageIntegritySHA256

    init(key: UnsafeRawBufferPointer, usesSHA256: Bool) {
        self.usesSHA256 = usesSHA256
        sha1 = MessageIntegrity(key: key)
        sha256 = MessageIntegritySHA256(key: key)
    }

    /// Whether the message carries the attribute, and rightly.
    func verify(_ message: STUNMessage) -> Bool {
        guard let base = message.bytes.baseAddress?.assumingMemoryBound(to: UInt8.self) else { return false }
        if usesSHA256 {
            guard let covered = message.integritySHA256Offset, message.integritySHA256?.count == 32 else {
                return false
            }
            return sha256.verify(message: base, covered: covered)
        }
        guard let covered = message.integrityOffset else { return false }
        return sha1.verify(message: base, covered: covered)
    }

    /// Adds the attribute to a response.
    func sign(_ writer: inout STUNWriter) {
        if usesSHA256 {
            guard let covered = writer.beginIntegritySHA256(), let base = covered.baseAddress else { return }
            var tag = sha256.digest(message: base.assumingMemoryBound(to: UInt8.self), covered: covered.count)
            withUnsafeBytes(of: &tag) { writer.endIntegritySHA256($0.baseAddress.unsafelyUnwrapped) }
        } else {
            guard let covered = writer.beginIntegrity(), let base = covered.baseAddress else { return }
            var tag = sha1.digest(message: base.assumingMemoryBound(to: UInt8.self), covered: covered.count)
            withUnsafeBytes(of: &tag) { writer.endIntegrity($0.baseAddress.unsafelyUnwrapped) }
        }
    }
}
