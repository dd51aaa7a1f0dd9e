import Foundation
import Wire

/// Questions to the kernel about rules and routes (rtnetlink(7)), which nothing else answers without a program.
enum RouteDump {
    /// What the kernel says of one rule or route: its attributes by number.
    struct Entry {
        /// Bits of the prefix: of a rule's source, of a route's destination.
        var prefixLength: Int
        var attributes: [UInt16: [UInt8]] = [:]

        func number(_ attribute: UInt16) -> UInt32? {
            attributes[attribute].flatMap { bytes in
                bytes.count == 4 ? bytes.withUnsafeBytes { $0.loadUnaligned(as: UInt32.self) } : nil
            }
        }

        func address(_ attribute: UInt16) -> IPAddress? {
            attributes[attribute].flatMap { bytes in
                bytes.withUnsafeBytes { bytes in
                    switch bytes.count {
                    case 4: IPAddress(loadV4: bytes.baseAddress!)
                    case 16: IPAddress(loadV6: bytes.baseAddress!)
                    default: nil
                    }
                }
            }
        }
    }

    /// The addresses that packets come from which take `table` (linux/fib_rules.h).
    static func ruleSources(isV4: Bool, table: Int) -> [IPAddress]? {
        // FRA_SRC 2, FRA_TABLE 15; RTM_GETRULE 34
        dump(34, isV4: isV4, lengthAt: 2)?.filter { $0.number(15) == UInt32(table) }.compactMap { $0.address(2) }
    }

    /// Where the routes of `table` lead that leave by the interface (linux/rtnetlink.h).
    static func routes(isV4: Bool, table: Int, interface: UInt32) -> [(network: IPAddress, prefixLength: Int)]? {
        // RTA_DST 1, RTA_OIF 4, RTA_TABLE 15; RTM_GETROUTE 26
        let all = dump(26, isV4: isV4, lengthAt: 1, attribute: (15, UInt32(table)))
        let any = isV4 ? IPAddress(v4: 0) : IPAddress(high: 0, low: 0)
        return all?.filter { $0.number(15) == UInt32(table) && $0.number(4) == interface }
            .map { ($0.address(1) ?? any, $0.prefixLength) }
    }

    /// All entries that the kernel has; nil when it does not answer.
    ///
    /// - Parameter attribute: the kernel tells only entries with it.
    private static func dump(
        _ question: UInt16, isV4: Bool, lengthAt place: Int, attribute: (UInt16, UInt32)? = nil
    ) -> [Entry]? {
        let handle = socket(AF_NETLINK, Int32(SOCK_RAW.rawValue) | Int32(SOCK_CLOEXEC.rawValue), 0)
        guard handle >= 0 else { return nil }
        defer { close(handle) }
        // SOL_NETLINK 270, NETLINK_GET_STRICT_CHK 12: an attribute is a condition.
        var on: Int32 = 1
        _ = setsockopt(handle, 270, 12, &on, 4)
        var patience = timeval(tv_sec: 1, tv_usec: 0)
        _ = setsockopt(handle, SOL_SOCKET, SO_RCVTIMEO, &patience, socklen_t(MemoryLayout<timeval>.size))
        let request = request(question, isV4: isV4, attribute: attribute)
        guard send(handle, request, request.count, 0) == request.count else { return nil }
        var entries: [Entry] = []
        var bytes = [UInt8](repeating: 0, count: 65_536)
        while true {
            let count = recv(handle, &bytes, bytes.count, 0)
            guard count > 0 else { return nil }
            switch take(bytes[..<count], lengthAt: place, into: &entries) {
            case .more: continue
            case .end: return entries
            case .failed: return nil
            }
        }
    }

    /// A header (nlmsghdr) that asks for all (NLM_F_REQUEST, NLM_F_DUMP), and one of the family (rtmsg, fib_rule_hdr).
    private static func request(_ question: UInt16, isV4: Bool, attribute: (UInt16, UInt32)?) -> [UInt8] {
        var bytes = [UInt8](repeating: 0, count: attribute == nil ? 28 : 36)
        bytes.withUnsafeMutableBytes { bytes in
            bytes.storeBytes(of: UInt32(bytes.count), as: UInt32.self)
            bytes.storeBytes(of: question, toByteOffset: 4, as: UInt16.self)
            bytes.storeBytes(of: 0x301, toByteOffset: 6, as: UInt16.self)
            bytes[16] = UInt8(isV4 ? AF_INET : AF_INET6)
            guard let (name, value) = attribute else { return }
            bytes.storeBytes(of: 8, toByteOffset: 28, as: UInt16.self)
            bytes.storeBytes(of: name, toByteOffset: 30, as: UInt16.self)
            bytes.storeBytes(of: value, toByteOffset: 32, as: UInt32.self)
        }
        return bytes
    }

    private enum Course {
        case more, end, failed
    }

    /// Takes the messages of one datagram.
    private static func take(_ bytes: ArraySlice<UInt8>, lengthAt place: Int, into entries: inout [Entry]) -> Course {
        bytes.withUnsafeBytes { bytes in
            var start = 0
            while start + 16 <= bytes.count {
                let length = Int(bytes.loadUnaligned(fromByteOffset: start, as: UInt32.self))
                guard length >= 16, start + length <= bytes.count else { return .failed }
                switch bytes.loadUnaligned(fromByteOffset: start + 4, as: UInt16.self) {
                case 2: return .failed  // NLMSG_ERROR
                case 3: return .end  // NLMSG_DONE
                default:
                    // Both headers have 12 bytes.
                    if length >= 28 {
                        let message = UnsafeRawBufferPointer(rebasing: bytes[start + 16..<start + length])
                        entries.append(Entry(prefixLength: Int(message[place]), attributes: attributes(message)))
                    }
                }
                start += (length + 3) & ~3
            }
            return .more
        }
    }

    private static func attributes(_ message: UnsafeRawBufferPointer) -> [UInt16: [UInt8]] {
        var found: [UInt16: [UInt8]] = [:]
        var start = 12
        while start + 4 <= message.count {
            let length = Int(message.loadUnaligned(fromByteOffset: start, as: UInt16.self))
            guard length >= 4, start + length <= message.count else { break }
            let name = message.loadUnaligned(fromByteOffset: start + 2, as: UInt16.self)
            found[name] = Array(message[start + 4..<start + length])
            start += (length + 3) & ~3
        }
        return found
    }
}
