/// The constants of estimation and pacing; the page Congestion of the documentation gives their reasons. Rates are bit/s,
/// delays ns. An update is what comes of feedback, about each 50 ms.
enum CongestionConstants {
    // MARK: Rates

    static let startRate: UInt64 = 300_000
    static let leastRate = 10_000.0
    static let mostRate = 100_000_000.0
    static let segmentBits = 9_600.0
    static let packetBytes = 1_200.0

    // MARK: Feedback

    /// Updates are not closer than this.
    static let leastUpdate: UInt64 = 40_000_000
    /// What an update's gains are for.
    static let updateSeconds = 0.05
    static let roundTripWeight = 0.25
    static let overtakingPart = 10
    static let clumpFactor = 3.0
    static let silence: UInt64 = 1_000_000_000
    static let silenceFactor = 0.5
    /// ns between two messages of our own feedback.
    static let feedbackInterval: UInt64 = 50_000_000
    static let mostFeedbackInterval: UInt64 = 250_000_000
    /// Of the path.
    static let feedbackPart = 0.05
    static let feedbackBits = 800.0

    // MARK: Acknowledged rate

    static let recentSpan: Int64 = 90_000_000
    static let recentSpanNoisy: Int64 = 240_000_000
    static let rateSpan: Int64 = 350_000_000
    /// bit/s.
    static let lumpyRate = 300_000.0
    static let rateSpanLumpy: Int64 = 750_000_000
    static let ratePause: Int64 = 1_000_000_000
    /// The estimate beside what was acknowledged of late, and how fast that fades.
    static let provenFactor = 3.0
    static let provenLife = 20e9

    // MARK: Trains

    static let trainFactor = 1.25
    static let trainLife: Int64 = 250_000_000
    static let headroom = 0.882
    static let trainsShowMore = 1.15

    // MARK: Queue

    static let basePeriod: UInt64 = 10_000_000_000
    static let earlyBase: UInt64 = 13_400_000_000
    static let earlyBasePeriod: UInt64 = 1_730_000_000
    static let mostDelay = 10e9
    static let queueBase = 1.95e6
    /// Bits of the Session that may wait; the wait that they make is bounded by the two below.
    static let queueBits = 11_500.0
    static let leastQueue = 8.5e6
    static let mostQueue = 18e6
    /// Above the wanted queue.
    static let crowdedDelay = 20.9e6
    static let mostPacketTime = 60e6
    static let emptyQueue = 2e6

    // MARK: Noise of delays

    static let mostNoise = 20e6
    static let noiseWeight = 0.0625
    static let spikeFactor = 2.0
    static let spikeSlack = 3e6
    static let noiseFree = 1.41e6
    static let noiseFactor = 8.0
    static let noiseMargin = 0.6
    static let noisyAllowance = 4e6
    static let noisyQueue = 0.6
    static let usualWeight = 0.103
    static let steadyScale = 4e6
    static let rateNoise = 1.8

    // MARK: Control

    /// Per second of error, of the share.
    static let usedShare = 0.85
    static let ownShare = 0.6
    static let arrivingShare = 0.93
    static let sentWeight = 0.2
    static let usualSentWeight = 0.05
    static let queueGain = 3.67
    /// Per second and second of error, of the share.
    static let integralGain = 3.0
    static let mostError = 20e6
    static let leastOutput = 0.1
    /// Per update.
    static let tracking = 0.15
    static let raiseSettle: UInt64 = 500_000_000
    static let busyWeight = 0.2
    static let growth = 0.15
    static let emptyReports = 2
    static let emptyPatience = 6
    static let slowGrowth = 0.04
    static let fastGrowth = 0.1
    static let calmScale = 4e6
    static let errorWeight = 0.125
    static let noiseSlack = 7.92e6
    static let noiseScale = 166e6
    static let noiseSlackBefore = -5.62e6
    static let noiseScaleBefore = 70e6
    static let noiseGrowth = 0.0832

    // MARK: Draining

    static let firstDrain: UInt64 = 2_000_000_000
    static let drainInterval: UInt64 = 8_000_000_000
    static let drainAgain: UInt64 = 500_000_000
    static let drainLength: UInt64 = 100_000_000
    static let drainFactor = 0.5
    static let drainCheck: UInt64 = 500_000_000
    static let baseFound: Int64 = 1_000_000
    static let drainSettle: UInt64 = 500_000_000
    static let drainAftermath: UInt64 = 600_000_000

    // MARK: Loss

    static let acceptedLoss = 0.05
    static let lossMargin = 0.15
    static let lossWindow: UInt64 = 500_000_000
    static let lossPackets = 20
    static let lossUnchanged = 0.8
    static let lossHold: UInt64 = 1_000_000_000
    static let acceptedLife: UInt64 = 10_000_000_000

    // MARK: Competing traffic

    static let competitionQueue = 25e6
    static let drainingFactor = 0.6
    static let drainSettling = 100e6
    static let drainPatience = 1.5
    static let drainSlack = 250e6
    static let competitionMemory: UInt64 = 30_000_000_000
    static let competitionOver = 20e6
    static let competitionOverReports = 20
    static let competitionBeta = 0.8
    static let convergence = 0.85
    static let cubicScale = 0.4
    static let friendlyGain = 0.53
    static let leastWindow = 2.0
    static let mostWindow = 10_000.0
    static let testInterval: UInt64 = 10_000_000_000
    static let testLength: UInt64 = 400_000_000
    static let testFactor = 0.5

    // MARK: Probing

    static let startProbeRate = 6_000_000.0
    static let startProbePackets = 5
    static let startProbeBytes = 240
    static let probeGain = 3.0
    static let probeMargin = 1.5
    static let probeHeadroom = 0.9
    static let probeThrough = 0.8
    static let probeInterval: UInt64 = 1_000_000_000
    static let unusedShare = 0.6
    static let probeSpacing: UInt64 = 250_000_000
    static let mostProbeInterval: UInt64 = 8_000_000_000
    static let probeSeconds = 0.006
    static let probePacketSeconds = 0.003
    static let leastProbePackets = 4
    static let mostProbePackets = 20
    static let probeGap: Int64 = 20_000_000
    static let probeGaps = 2
    static let farAway = 2.0
    static let probePatience: UInt64 = 3_000_000_000

    // MARK: Pacing

    static let pacingFactor = 1.18
    static let pacerBurst: UInt64 = 5_000_000
    static let pacerFull: UInt64 = 300_000_000

    // MARK: Sharing

    /// Of 256.
    static let stepRoom: UInt64 = 13
    /// Temporal layers that a step may end with, from the lowest on, beside all of them.
    static let temporalSteps: UInt8 = 2
    /// The least part of a Layer's rate that such a step differs by.
    static let leastTemporalPart: UInt32 = 12
    static let stepProbation: UInt64 = 5_000_000_000
    static let stepPause: UInt64 = 1_000_000_000
    static let mostStepDoublings: UInt8 = 4
    static let shareInterval: UInt64 = 500_000_000
    static let leastShareInterval: UInt64 = 40_000_000
    static let shortPatience: UInt64 = 500_000_000
    static let cutFactor: UInt64 = 179
    static let longestWait: UInt64 = 1_000_000_000
    static let layerPatience: UInt64 = 3_000_000_000

    // MARK: Reports

    /// One each `tick`.
    static let pausedLooks: UInt8 = 6
    static let levelPatience: UInt64 = 1_000_000_000
    static let unstableLoss = 0.03
    static let poorLoss = 0.1
    static let reportedLossWeight = 0.125
    static let leastReportInterval: UInt64 = 1_000_000_000
    static let reportInterval: UInt64 = 5_000_000_000
    static let mostReportInterval: UInt64 = 30_000_000_000

    // MARK: Repair

    static let oneSoundLoss = 0.015
    static let twoSoundsLoss = 0.04
    static let redundancyPart: UInt64 = 3
    static let redundancyPatience: UInt64 = 5_000_000_000
    static let crowdedLoss: UInt64 = 2_000_000_000
    static let leastLateness: UInt64 = 5_000_000
    static let mostLateness: UInt64 = 250_000_000
    static let latenessLife: UInt64 = 2_000_000_000

    // MARK: Work

    /// Statuses of feedback in a `Session.tick`.
    static let statusesPerTick: UInt16 = 2_048
    static let paddingBytes = 224
    /// Of a packet beside its payload.
    static let paddingHeaders = 40
    static let mostPaddingPackets = 100
    static let tick: UInt64 = 200_000_000
    static let unansweredAfter: UInt64 = 2_000_000_000
}
