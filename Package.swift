// swift-tools-version: 6.1
import PackageDescription

// SwiftPM cannot read DPDK's pkg-config file: its flags are given here by hand.
let dpdkFlags = [
    "-I/usr/include/dpdk", "-I/usr/include/x86_64-linux-gnu/dpdk", "-include", "rte_config.h",
    "-march=x86-64-v3",
]
let dpdkC: [CSetting] = [.unsafeFlags(dpdkFlags + ["-O2"])]
/// What a Swift target needs that imports CDPDK, itself or through Dataplane.
let dpdkSwift: [SwiftSetting] = [.unsafeFlags(dpdkFlags.flatMap { ["-Xcc", $0] })]

/// Only what makes the documentation's pages needs it: `NEEDLETAIL_DOCS=1 swift package generate-documentation`.
let documentation: [Package.Dependency] =
    Context.environment["NEEDLETAIL_DOCS"] == nil
    ? [] : [.package(url: "https://github.com/swiftlang/swift-docc-plugin", from: "1.5.0")]

let package = Package(
    name: "needletail",
    products: [
        .executable(name: "needletail", targets: ["needletail"]),
        // For benchmarks/, a package of its own.
        .library(name: "Dataplane", targets: ["Dataplane", "Wire"]),
        .library(name: "Agents", targets: ["Agents"]),
        .library(name: "QualityModel", targets: ["QualityModel"]),
    ],
    dependencies: [
        .package(url: "https://github.com/apple/swift-argument-parser", from: "1.8.2"),
        .package(url: "https://github.com/apple/swift-log", from: "1.16.2"),
        .package(url: "https://github.com/apple/swift-nio", from: "2.101.2"),
        .package(url: "https://github.com/apple/swift-nio-extras", from: "1.35.2"),
        .package(url: "https://github.com/apple/swift-nio-http2", from: "1.46.0"),
        .package(url: "https://github.com/groue/GRDB.swift", exact: "7.10.0"),
        .package(url: "https://github.com/hummingbird-project/hummingbird", from: "2.28.1", traits: []),
        .package(url: "https://github.com/jpsim/Yams", from: "6.2.2"),
        .package(url: "https://github.com/swift-server/swift-service-lifecycle", from: "2.13.0"),
    ] + documentation,
    targets: [
        .target(
            name: "CDPDK", path: "CShims/CDPDK", cSettings: dpdkC,
            linkerSettings: [
                "rte_eal", "rte_ethdev", "rte_mbuf", "rte_mempool", "rte_net", "rte_ring", "rte_bus_vdev",
            ].map { .linkedLibrary($0) }),
        .target(name: "CAesGcm", path: "CShims/CAesGcm"),
        .target(
            name: "CIPSecMB", path: "CShims/CIPSecMB", linkerSettings: [.linkedLibrary("IPSec_MB")]),
        .target(name: "CPacketSocket", path: "CShims/CPacketSocket"),
        .target(name: "CSRTP", path: "CShims/CSRTP", linkerSettings: [.linkedLibrary("srtp2")]),
        .target(
            name: "COpenSSL", path: "CShims/COpenSSL",
            linkerSettings: [.linkedLibrary("ssl"), .linkedLibrary("crypto")]),
        .target(name: "CAV", path: "CShims/CAV"),
        .target(name: "COpus", path: "CShims/COpus"),
        // Its headers lie beside each other in a folder of their own; pkg-config would say the same.
        .target(
            name: "CFreeType", path: "CShims/CFreeType", cSettings: [.unsafeFlags(["-I/usr/include/freetype2"])]),
        .target(name: "CZlib", path: "CShims/CZlib", linkerSettings: [.linkedLibrary("z")]),
        .target(name: "CHiredis", path: "CShims/CHiredis", linkerSettings: [.linkedLibrary("hiredis")]),

        .target(name: "Wire"),
        .target(name: "Mailbox", dependencies: ["Wire"]),
        .target(
            name: "Dataplane",
            dependencies: [
                "Wire", "Mailbox", "CAesGcm", "CDPDK", "CIPSecMB", "CPacketSocket", "CSRTP", "COpenSSL",
            ],
            swiftSettings: dpdkSwift),
        .target(name: "Agents", dependencies: ["Wire", "COpenSSL"]),
        .target(name: "Meetings"),
        .target(name: "Webhooks", dependencies: ["Agents", "Meetings"]),
        .target(
            name: "Store",
            dependencies: [
                "Meetings", "Webhooks", .product(name: "GRDB", package: "GRDB.swift"),
                .product(name: "Logging", package: "swift-log"),
            ]),
        .target(name: "Fleet", dependencies: ["Meetings"]),
        .target(
            name: "Redis",
            dependencies: [
                "Fleet", "Meetings", "CHiredis", "COpenSSL", .product(name: "Logging", package: "swift-log"),
            ]),
        .target(
            name: "Conference",
            dependencies: [
                "Wire", "Mailbox", "Agents", "Meetings", "Fleet", .product(name: "Logging", package: "swift-log"),
            ]),
        .target(name: "Recording", dependencies: ["Wire", "CAV"]),
        .target(name: "Composition", dependencies: ["Recording", "Wire", "CAV", "CFreeType", "COpus"]),
        .target(
            name: "Api",
            dependencies: [
                "Wire", "Mailbox", "Agents", "Meetings", "Conference", "Fleet", "Store", "CZlib",
                .product(name: "Hummingbird", package: "hummingbird"),
                .product(name: "Logging", package: "swift-log"),
                .product(name: "NIOCore", package: "swift-nio"),
                .product(name: "NIOPosix", package: "swift-nio"),
                .product(name: "NIOHTTP1", package: "swift-nio"),
                .product(name: "NIOHTTP2", package: "swift-nio-http2"),
                .product(name: "NIOHTTPTypes", package: "swift-nio-extras"),
                .product(name: "NIOHTTPTypesHTTP1", package: "swift-nio-extras"),
                .product(name: "NIOHTTPTypesHTTP2", package: "swift-nio-extras"),
                .product(name: "NIOTLS", package: "swift-nio"),
                .product(name: "NIOWebSocket", package: "swift-nio"),
                .product(name: "ServiceLifecycle", package: "swift-service-lifecycle"),
            ],
            resources: [.copy("Web"), .copy("Schemas")]),
        .executableTarget(
            name: "needletail",
            dependencies: [
                "Api", "Agents", "CSRTP", "Composition", "Conference", "Dataplane", "Fleet", "Mailbox", "Meetings",
                "Recording", "Redis", "Store", "Webhooks", "Wire",
                .product(name: "ArgumentParser", package: "swift-argument-parser"),
                .product(name: "Logging", package: "swift-log"),
                .product(name: "NIOCore", package: "swift-nio"),
                .product(name: "NIOPosix", package: "swift-nio"),
                .product(name: "NIOHTTP1", package: "swift-nio"),
                .product(name: "NIOWebSocket", package: "swift-nio"),
                .product(name: "ServiceLifecycle", package: "swift-service-lifecycle"),
                .product(name: "UnixSignals", package: "swift-service-lifecycle"),
                .product(name: "Yams", package: "Yams"),
            ],
            swiftSettings: dpdkSwift),

        // What the tests of several modules share.
        .target(name: "TestSupport", dependencies: ["COpenSSL"], path: "Tests/Support"),
        // The networks of benchmarks/quality, of which the tests run a short form.
        .target(
            name: "QualityModel", dependencies: ["Dataplane"], path: "benchmarks/Quality/Model",
            swiftSettings: dpdkSwift),
        .testTarget(name: "WireTests", dependencies: ["Wire", "TestSupport"]),
        .testTarget(name: "MailboxTests", dependencies: ["Mailbox"]),
        .testTarget(
            name: "NeedletailTests",
            dependencies: [
                "needletail", "Agents", "CSRTP", "Meetings", "Redis", "Store", "TestSupport", "Webhooks", "Wire",
                .product(name: "Logging", package: "swift-log"),
            ],
            swiftSettings: dpdkSwift),
        .testTarget(
            name: "DataplaneTests",
            dependencies: ["Dataplane", "CAesGcm", "COpenSSL", "CSRTP", "TestSupport", "Wire"],
            swiftSettings: dpdkSwift),
        .testTarget(name: "AgentsTests", dependencies: ["Agents", "TestSupport"]),
        .testTarget(name: "MeetingsTests", dependencies: ["Meetings"]),
        .testTarget(name: "WebhooksTests", dependencies: ["Meetings", "TestSupport", "Webhooks"]),
        // Writes until it is killed.
        .executableTarget(
            name: "StoreWriter",
            dependencies: ["Meetings", "Store", "Webhooks", .product(name: "Logging", package: "swift-log")],
            path: "Tests/StoreTests/Writer"),
        .testTarget(
            name: "StoreTests",
            dependencies: [
                "Meetings", "Store", "StoreWriter", "TestSupport", "Webhooks",
                .product(name: "GRDB", package: "GRDB.swift"),
                .product(name: "Logging", package: "swift-log"),
            ], exclude: ["Writer"]),
        // What the tests of recordings share with the program that is killed.
        .target(
            name: "RecordingFixture", dependencies: ["TestSupport", "Wire"], path: "Tests/RecordingTests/Fixture"),
        // Captures until it is killed.
        .executableTarget(
            name: "RecordingWriter",
            dependencies: ["Recording", "RecordingFixture", "Wire"],
            path: "Tests/RecordingTests/Writer"),
        .testTarget(
            name: "RecordingTests",
            dependencies: ["Recording", "RecordingFixture", "RecordingWriter", "TestSupport", "Wire"],
            exclude: ["Fixture", "Writer"]),
        .testTarget(
            name: "CompositionTests", dependencies: ["CAV", "Composition", "Recording", "TestSupport", "Wire"]),
        .testTarget(
            name: "FleetTests",
            dependencies: [
                "Fleet", "Meetings", "Redis", "TestSupport", .product(name: "Logging", package: "swift-log"),
            ]),
        .testTarget(
            name: "ConferenceTests",
            dependencies: [
                "Conference", "Agents", "Fleet", "Mailbox", "Meetings", "TestSupport", "Wire",
                .product(name: "Logging", package: "swift-log"),
            ]),
        .testTarget(
            name: "ApiTests",
            dependencies: [
                "Api", "Agents", "COpenSSL", "Conference", "Fleet", "Mailbox", "Meetings", "Store", "TestSupport",
                "Webhooks", "Wire",
                .product(name: "GRDB", package: "GRDB.swift"),
                .product(name: "Logging", package: "swift-log"),
                .product(name: "NIOEmbedded", package: "swift-nio"),
                .product(name: "NIOHPACK", package: "swift-nio-http2"),
            ]),
        .testTarget(
            name: "Simulation",
            dependencies: [
                "Agents", "Api", "Conference", "Dataplane", "Fleet", "Mailbox", "Meetings", "QualityModel", "Wire",
                .product(name: "Logging", package: "swift-log"),
                .product(name: "NIOCore", package: "swift-nio"),
                .product(name: "NIOWebSocket", package: "swift-nio"),
            ], swiftSettings: dpdkSwift),
        .testTarget(name: "Tidy"),
    ],
    swiftLanguageModes: [.v6]
)
