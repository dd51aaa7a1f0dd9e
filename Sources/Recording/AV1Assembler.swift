import Wire

/// AV1: the OBUs of a temporal unit, each with its size, without temporal delimiters ("RTP Payload Format For AV1" section 4,
/// "AV1 in Matroska").
struct AV1Assembler: PayloadAssembler {
    private var bytes: [UInt8] = []
    /// Of an OBU that goes on in the next packet; nil between OBUs.
    private var fragment: [UInt8]?
    private var sequenceHeader: [UInt8] = []
    private var size: (width: Int, height: Int)?
    private var isKeyframe = false

    var count: Int { bytes.count + (fragment?.count ?? 0) }

    func startsFrame(_ payload: UnsafeRawBufferPointer) -> Bool {
        // A frame need not begin where an OBU does; a sequence header leads its temporal unit.
        AV1Payload(payload).map { !$0.continuesElement && $0.startsKeyframe } ?? false
    }

    mutating func add(_ payload: UnsafeRawBufferPointer, isFirst: Bool) -> Bool {
        guard let packet = AV1Payload(payload), packet.continuesElement == (fragment != nil) else { return false }
        if isFirst && packet.startsSequence { isKeyframe = true }
        var elements = packet.elements
        // An element is whole when another follows, or when the packet says so.
        var last: [UInt8]? = fragment
        var isContinuation = packet.continuesElement
        fragment = nil
        while let element = elements.next() {
            if isContinuation {
                last?.append(contentsOf: element)
                isContinuation = false
                continue
            }
            if let last, !addUnit(last) { return false }
            last = Array(element)
        }
        guard elements.isComplete, let last else { return false }
        if packet.isContinued {
            fragment = last
            return true
        }
        return addUnit(last)
    }

    private mutating func addUnit(_ raw: [UInt8]) -> Bool {
        // Some senders leave an empty element.
        if raw.isEmpty { return true }
        return raw.withUnsafeBytes { raw in
            guard let unit = AV1Unit(raw) else { return false }
            switch unit.type {
            case AV1Unit.temporalDelimiter, AV1Unit.tileList, AV1Unit.padding: return true
            default: break
            }
            let sized = Self.sized(unit)
            if unit.type == AV1Unit.sequenceHeader {
                guard let header = AV1SequenceHeader(raw) else { return false }
                sequenceHeader = sized
                size = (header.width, header.height)
                isKeyframe = true
            }
            bytes += sized
            return true
        }
    }

    /// The OBU with has_size_field and obu_size.
    private static func sized(_ unit: AV1Unit) -> [UInt8] {
        var bytes = Array(unit.header)
        bytes[0] |= 0x02
        var rest = unit.body.count
        repeat {
            let low = UInt8(rest & 0x7f)
            rest >>= 7
            bytes.append(rest > 0 ? low | 0x80 : low)
        } while rest > 0
        return bytes + unit.body
    }

    mutating func finish() -> AssembledFrame? {
        defer { reset() }
        guard fragment == nil else { return nil }
        let canBegin = isKeyframe && size != nil
        let configuration = size.map {
            CodecConfiguration(codec: .av1, privateData: sequenceHeader, width: $0.width, height: $0.height)
        }
        return AssembledFrame(bytes: bytes, isKeyframe: canBegin, configuration: canBegin ? configuration : nil)
    }

    mutating func reset() {
        bytes = []
        fragment = nil
        sequenceHeader = []
        size = nil
        isKeyframe = false
    }
}
