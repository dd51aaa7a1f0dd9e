import Wire

/// REALM and SOFTWARE in memory of their own.
struct TURNTexts: ~Copyable {
    let realm: UnsafeRawBufferPointer
    let software: UnsafeRawBufferPointer

    init(realm: String, software: String) {
        self.realm = Self.copy(realm)
        self.software = Self.copy(software)
    }

    deinit {
        realm.deallocate()
        software.deallocate()
    }

    /// Bytes of a 401 or 438: header, ERROR-CODE with the shorter reason, NONCE, REALM, PASSWORD-ALGORITHMS, FINGERPRINT.
    var shortestChallenge: Int {
        STUNMessage.headerLength &+ 20 &+ (4 &+ (TURNNonces.length &+ 3) & ~3) &+ (4 &+ (realm.count &+ 3) & ~3) &+ 12
            &+ 8
    }

    private static func copy(_ text: String) -> UnsafeRawBufferPointer {
        let memory = UnsafeMutableRawBufferPointer.allocate(byteCount: text.utf8.count, alignment: 8)
        memory.copyBytes(from: text.utf8)
        return UnsafeRawBufferPointer(memory)
    }
}
