import Wire

/// H.264: the NAL units of an access unit, each behind its length of 4 bytes; the parameter sets go into the file's header (RFC
/// 6184 section 5, ISO/IEC 14496-15 section 5.3.2).
struct H264Assembler: PayloadAssembler {
    /// NAL unit types (H.264 table 7-1).
    private enum UnitType {
        static let idr: UInt8 = 5
        static let sequenceSet: UInt8 = 7
        static let pictureSet: UInt8 = 8
        static let delimiter: UInt8 = 9
    }

    /// Of a stream, and bytes of one.
    static let mostSets = 8
    static let largestSet = 1_024

    private var bytes: [UInt8] = []
    /// Where the unit of fragments that is not whole began; nil between units.
    private var fragmentStart: Int?
    private var isKeyframe = false
    /// The parameter sets of the access unit so far, and those that count.
    private var newSequenceSets: [[UInt8]] = []
    private var newPictureSets: [[UInt8]] = []
    private var sequenceSets: [[UInt8]] = []
    private var pictureSets: [[UInt8]] = []

    var count: Int { bytes.count }

    func startsFrame(_ payload: UnsafeRawBufferPointer) -> Bool {
        var units = H264Units(payload)
        guard let first = units.next() else { return false }
        return [UnitType.sequenceSet, UnitType.delimiter].contains(first[0] & 0x1f)
    }

    mutating func add(_ payload: UnsafeRawBufferPointer, isFirst: Bool) -> Bool {
        if let fragment = H264Fragment(payload) { return add(fragment) }
        guard fragmentStart == nil else { return false }
        var units = H264Units(payload)
        var found = 0
        while let unit = units.next() {
            found += 1
            guard add(unit) else { return false }
        }
        return found > 0 && units.isComplete
    }

    private mutating func add(_ unit: UnsafeRawBufferPointer) -> Bool {
        let type = unit[0] & 0x1f
        switch type {
        case UnitType.sequenceSet, UnitType.pictureSet: return keep(Array(unit), type: type)
        case UnitType.delimiter: return true
        default:
            if type == UnitType.idr { isKeyframe = true }
            appendLength(unit.count)
            bytes += unit
            return true
        }
    }

    private mutating func add(_ fragment: H264Fragment) -> Bool {
        guard fragment.isFirst == (fragmentStart == nil) else { return false }
        if fragment.isFirst {
            fragmentStart = bytes.count
            appendLength(0)
            bytes.append(fragment.header)
            if fragment.header & 0x1f == UnitType.idr { isKeyframe = true }
        }
        bytes += fragment.bytes
        guard fragment.isLast, let start = fragmentStart else { return true }
        fragmentStart = nil
        let count = UInt32(bytes.count - start - 4)
        for index in 0..<4 { bytes[start + index] = UInt8(truncatingIfNeeded: count >> (24 - 8 * index)) }
        let type = bytes[start + 4] & 0x1f
        guard type == UnitType.sequenceSet || type == UnitType.pictureSet else { return true }
        let set = Array(bytes[(start + 4)...])
        bytes.removeSubrange(start...)
        return keep(set, type: type)
    }

    private mutating func keep(_ set: [UInt8], type: UInt8) -> Bool {
        guard set.count <= Self.largestSet, newSequenceSets.count + newPictureSets.count < Self.mostSets else {
            return false
        }
        if type == UnitType.sequenceSet {
            if !newSequenceSets.contains(set) { newSequenceSets.append(set) }
        } else if !newPictureSets.contains(set) {
            newPictureSets.append(set)
        }
        return true
    }

    private mutating func appendLength(_ count: Int) {
        for index in 0..<4 { bytes.append(UInt8(truncatingIfNeeded: UInt32(count) >> (24 - 8 * index))) }
    }

    mutating func finish() -> AssembledFrame? {
        defer { reset() }
        if fragmentStart == nil {
            if !newSequenceSets.isEmpty { sequenceSets = newSequenceSets }
            if !newPictureSets.isEmpty { pictureSets = newPictureSets }
        }
        guard fragmentStart == nil else { return nil }
        let configuration =
            isKeyframe ? CodecConfiguration.h264(sequenceSets: sequenceSets, pictureSets: pictureSets) : nil
        // No decoder can begin with a picture whose parameter sets are not known.
        return AssembledFrame(
            bytes: bytes, isKeyframe: isKeyframe && configuration != nil, configuration: configuration)
    }

    mutating func reset() {
        bytes = []
        fragmentStart = nil
        isKeyframe = false
        newSequenceSets = []
        newPictureSets = []
    }
}
