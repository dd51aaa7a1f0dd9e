import CAesGcm
import COpenSSL
import Glibc
import TestSupport

@testable import Dataplane

/// One packet of AES-GCM as SP 800-38D has it, and what OpenSSL makes of it.
struct AesGcmCase {
    var key: [UInt8]
    var nonce: [UInt8]
    var additional: [UInt8]
    var plain: [UInt8]

    init(key: [UInt8], nonce: [UInt8], additional: [UInt8], plain: [UInt8]) {
        (self.key, self.nonce, self.additional, self.plain) = (key, nonce, additional, plain)
    }

    init(_ random: inout SplitMix, length: Int, additionalLength: Int) {
        self.init(
            key: random.bytes(Bool.random(using: &random) ? 16 : 32), nonce: random.bytes(12),
            additional: random.bytes(additionalLength), plain: random.bytes(length))
    }

    /// Ciphertext and tag by OpenSSL; nil when it fails.
    func sealedByOpenssl() -> [UInt8]? {
        let cipher = EVP_CIPHER_CTX_new()
        defer { EVP_CIPHER_CTX_free(cipher) }
        var sealed = [UInt8](repeating: 0, count: plain.count + 16)
        var count: Int32 = 0
        let type = key.count == 16 ? EVP_aes_128_gcm() : EVP_aes_256_gcm()
        let isSealed = sealed.withUnsafeMutableBufferPointer { sealed in
            guard let out = sealed.baseAddress else { return false }
            return EVP_CipherInit_ex(cipher, type, nil, key, nonce, 1) == 1
                && EVP_CipherUpdate(cipher, nil, &count, additional, Int32(additional.count)) == 1
                && EVP_CipherUpdate(cipher, out, &count, plain, Int32(plain.count)) == 1
                && EVP_CipherFinal_ex(cipher, out + plain.count, &count) == 1
                && EVP_CIPHER_CTX_ctrl(cipher, EVP_CTRL_AEAD_GET_TAG, 16, out + plain.count) == 1
        }
        return isSealed ? sealed : nil
    }

    /// Ciphertext and tag by us, `isInPlace` or not.
    func sealed(_ path: AesGcm, isInPlace: Bool = false, patch: UInt64 = 0) -> [UInt8] {
        let expanded = ExpandedKey(path, key)
        let additional = GuardedBytes(additional)
        let destination = GuardedBytes((isInPlace ? plain : [UInt8](repeating: 0, count: plain.count)) + tag)
        let source = isInPlace ? nil : GuardedBytes(plain)
        return withExtendedLifetime((expanded, source)) {
            path.seal(
                keys: expanded.block, from: source?.start ?? destination.start, to: destination.start,
                length: plain.count, additionalData: additional.start, additionalLength: additional.count,
                nonce: nonceWords, patch: patch)
            return destination.bytes
        }
    }

    /// The plaintext of `sealed`, and whether it may be used.
    func opened(_ path: AesGcm, _ sealed: [UInt8]) -> (plain: [UInt8], isAuthentic: Bool) {
        let expanded = ExpandedKey(path, key)
        let additional = GuardedBytes(additional)
        let packet = GuardedBytes(sealed)
        return withExtendedLifetime(expanded) {
            let isAuthentic = path.open(
                keys: expanded.block, payload: packet.start, length: sealed.count - 16,
                additionalData: additional.start, additionalLength: additional.count, nonce: nonceWords)
            return (Array(packet.bytes.dropLast(16)), isAuthentic)
        }
    }

    private var tag: [UInt8] { Array(repeating: 0xEE, count: 16) }

    private var nonceWords: (first: UInt64, last: UInt32) {
        nonce.withUnsafeBytes {
            ($0.loadUnaligned(as: UInt64.self), $0.loadUnaligned(fromByteOffset: 8, as: UInt32.self))
        }
    }
}

/// An expanded key in memory of its own.
final class ExpandedKey {
    let block = UnsafeMutableRawPointer.allocate(byteCount: Int(needletail_gcm_key_size), alignment: 64)

    init(_ path: AesGcm, _ key: [UInt8]) { path.expand(key, length: key.count, into: block) }

    deinit { block.deallocate() }
}

/// Bytes that end where memory ends: reading or writing behind them is fatal.
final class GuardedBytes {
    private static let page = 4096
    private let pages: UnsafeMutableRawPointer
    private let pagesLength: Int
    let start: UnsafeMutablePointer<UInt8>
    let count: Int

    init(_ bytes: [UInt8]) {
        count = bytes.count
        let inside = (bytes.count + Self.page) / Self.page * Self.page
        pagesLength = inside + Self.page
        pages = mmap(nil, pagesLength, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0)
        mprotect(pages + inside, Self.page, PROT_NONE)
        start = (pages + inside - bytes.count).assumingMemoryBound(to: UInt8.self)
        start.update(from: bytes, count: bytes.count)
    }

    deinit { munmap(pages, pagesLength) }

    var bytes: [UInt8] { Array(UnsafeBufferPointer(start: start, count: count)) }
}
