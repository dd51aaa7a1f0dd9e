import Testing
import Wire

@Suite struct RedundantAudioTests {
    /// RFC 2198 section 3.
    @Test func headersLieAsTheStandardDrawsThem() {
        let header = RedundantAudio.blockHeader(payloadType: 7, offset: 0x1234, length: 0x2ab)
        #expect(header >> 31 == 1)
        #expect(header >> 24 & 0x7f == 7)
        #expect(header >> 10 & 0x3fff == 0x1234)
        #expect(header & 0x3ff == 0x2ab)
        #expect(RedundantAudio.lastHeader(payloadType: 111) == 111)
    }

    @Test func whatTheFieldsCannotHoldIsNotTaken() {
        #expect(RedundantAudio.takes(offset: 960, length: 80))
        #expect(RedundantAudio.takes(offset: 0x3fff, length: 0x3ff))
        #expect(!RedundantAudio.takes(offset: 0x4000, length: 80))
        #expect(!RedundantAudio.takes(offset: 960, length: 0x400))
        #expect(!RedundantAudio.takes(offset: 0, length: 80))
        #expect(!RedundantAudio.takes(offset: 960, length: 0))
        // An earlier sound that seems to be later.
        #expect(!RedundantAudio.takes(offset: 0 &- 960, length: 80))
    }
}
