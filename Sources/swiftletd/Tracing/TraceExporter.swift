import CRIProto
import GRPC
import Lifecycle
import Logging
import SwiftProtobuf
import SwiftletAPI
import Synchronization

/// Sends what operations did to an OpenTelemetry collector (OTLP/gRPC), in one task beside everything else: whatever a collector
/// does, pods are none the slower for it.
final class TraceExporter: OperationObserver {
    struct Timing: Sendable {
        /// Between the first operation of a batch and its export, so that one export carries several.
        var gathering = Duration.seconds(1)
        /// Of one export.
        var deadline = Duration.seconds(10)
        /// Of a connection: also bounds how much longer than its grace an end may take.
        var connecting = Duration.seconds(2)
        /// After a failure; doubled by each further one.
        var firstPause = Duration.seconds(1)
        var longestPause = Duration.seconds(60)
    }

    /// Operations in one export.
    private static let batchMax = 64
    /// Bytes of an answer that are read: it has a number and a sentence.
    private static let answerBytesMax = 64 << 10
    /// Characters of a collector's words that are logged.
    private static let wordsMax = 256

    let queue = SpanQueue()
    private let endpoint: ServerAddress
    private let builder: SpanBuilder
    private let timing: Timing
    private let log: Logger
    private let work = Mutex<Task<Void, Never>?>(nil)
    private let sleeper = Mutex<Task<Void, Never>?>(nil)

    init(to endpoint: ServerAddress, builder: SpanBuilder, timing: Timing = Timing(), log: Logger) {
        self.endpoint = endpoint
        self.builder = builder
        self.timing = timing
        self.log = log
    }

    func stageEnded(_ stage: OperationRecord.Stage, of operation: String) {}

    /// A caller that does not record its trace wants none of ours (W3C Trace Context, sampled flag).
    func ended(_ record: OperationRecord) {
        if record.caller?.isSampled != false { queue.add(record) }
    }

    func start() {
        work.withLock { work in
            work = work ?? Task(priority: .utility) { await self.run() }
        }
    }

    /// Sends what waits, as far as it goes within `grace`, and ends.
    func stop(within grace: Duration) async {
        queue.end()
        sleeper.withLock { $0?.cancel() }
        let work = work.withLock { $0 }
        let limit = Task {
            do { try await Task.sleep(for: grace) } catch { return }
            work?.cancel()
        }
        await work?.value
        limit.cancel()
    }

    // MARK: The task

    /// What is known of the collector between exports.
    private struct Course {
        var client: GRPCClient?
        var pause: Duration
        var isFailing = false
        /// Lost spans when the collector failed first.
        var lostBefore: UInt64 = 0
    }

    private enum Outcome {
        /// With the number of spans that it did not take, and why.
        case taken(rejected: Int, words: String)
        /// Another attempt may do better.
        case failed(String)
        case refused(String)
    }

    private func run() async {
        var course = Course(pause: timing.firstPause)
        while await queue.awaitArrival() {
            await pause(timing.gathering)
            await exportAll(&course)
        }
        // The end: what has come since, once.
        await exportAll(&course)
        await course.client?.close()
        queue.lost(queue.take(SpanQueue.waitingMax).reduce(0) { $0 + SpanBuilder.count($1) }, .end)
        if let lost = queue.counts.lost[.end], lost > 0 {
            log.warning("spans are lost with the daemon's end", metadata: ["spans": "\(lost)"])
        }
    }

    private func exportAll(_ course: inout Course) async {
        while case let records = queue.take(Self.batchMax), !records.isEmpty {
            await export(builder.request(records), spans: records.reduce(0) { $0 + SpanBuilder.count($1) }, &course)
            // At the end nothing is tried twice.
            if Task.isCancelled || (queue.hasEnded && course.isFailing) { return }
        }
    }

    /// Until the collector has the batch or refuses it; at the daemon's end once.
    private func export(_ request: OTLPExportTraceServiceRequest, spans: Int, _ course: inout Course) async {
        while true {
            switch await send(request, &course) {
            case .taken(let rejected, let words):
                queue.exported(spans - min(rejected, spans))
                guard rejected > 0 else { return succeeded(&course) }
                queue.lost(min(rejected, spans), .refused)
                return failed("the collector rejected \(min(rejected, spans)) spans: \(words)", &course)
            case .refused(let words):
                queue.lost(spans, .refused)
                failed(words, &course)
                return await backOff(&course)
            case .failed(let words):
                failed(words, &course)
                guard !queue.hasEnded, !Task.isCancelled else { return queue.lost(spans, .end) }
                await backOff(&course)
            }
        }
    }

    private func send(_ request: OTLPExportTraceServiceRequest, _ course: inout Course) async -> Outcome {
        let isReused = course.client != nil
        do {
            let client: GRPCClient
            if let known = course.client { client = known } else { client = try await connect() }
            course.client = client
            let response = try await client.unary(
                TraceServiceMethods.export.path, request, as: OTLPExportTraceServiceResponse.self,
                timeout: timing.deadline)
            let partial = response.partialSuccess
            return .taken(
                rejected: Int(clamping: max(0, partial.rejectedSpans)), words: Self.words(partial.errorMessage))
        } catch {
            await course.client?.close()
            course.client = nil
            guard let status = error as? GRPCStatus else { return .failed(Self.words("\(error)")) }
            // A connection may have ended while nothing was sent.
            if isReused, status.code == .unavailable { return await send(request, &course) }
            return Self.mayPass(status.code) ? .failed(Self.words("\(status)")) : .refused(Self.words("\(status)"))
        }
    }

    private func connect() async throws(ConnectError) -> GRPCClient {
        var settings = GRPCClientConfiguration()
        settings.connectTimeout = timing.connecting
        settings.responseBytesMax = Self.answerBytesMax
        settings.userAgent = "swiftlet/\(Version.current)"
        return try await GRPCClient(to: endpoint, configuration: settings)
    }

    /// OpenTelemetry Protocol, OTLP/gRPC Throttling and Failures: the codes after which a client tries again.
    private static func mayPass(_ code: GRPCStatus.Code) -> Bool {
        switch code {
        case .cancelled, .deadlineExceeded, .aborted, .outOfRange, .unavailable, .dataLoss, .resourceExhausted: true
        default: false
        }
    }

    // MARK: Saying so

    /// Says it once for as long as it lasts.
    private func failed(_ words: String, _ course: inout Course) {
        guard !course.isFailing else { return }
        course.isFailing = true
        course.lostBefore = queue.counts.allLost
        log.warning(
            "traces are not exported; spans that do not fit the queue are dropped",
            metadata: ["endpoint": "\(endpoint)", "error": "\(words)"])
    }

    private func succeeded(_ course: inout Course) {
        course.pause = timing.firstPause
        guard course.isFailing else { return }
        course.isFailing = false
        log.notice(
            "traces are exported again",
            metadata: ["endpoint": "\(endpoint)", "spans_dropped": "\(queue.counts.allLost - course.lostBefore)"])
    }

    /// One line of printable characters.
    private static func words(_ text: String) -> String {
        let words = text.unicodeScalars.prefix(wordsMax).map { scalar -> Character in
            scalar.value < 0x20 || scalar.value == 0x7f ? " " : Character(scalar)
        }
        return String(words)
    }

    // MARK: Waiting

    private func backOff(_ course: inout Course) async {
        await pause(course.pause)
        course.pause = min(course.pause * 2, timing.longestPause)
    }

    /// Until the time has passed or the daemon ends.
    private func pause(_ time: Duration) async {
        let nap = Task { do { try await Task.sleep(for: time) } catch { return } }
        sleeper.withLock { $0 = nap }
        if queue.hasEnded { nap.cancel() }
        await withTaskCancellationHandler {
            await nap.value
        } onCancel: {
            nap.cancel()
        }
    }
}

extension TraceExporter: MetricsSource {
    func write(to page: inout MetricsText) {
        let counts = queue.counts
        page.single(
            "swiftlet_trace_spans_exported_total", .counter, "Spans that the collector took.", "\(counts.exported)")
        page.family("swiftlet_trace_spans_dropped_total", .counter, "Spans that no collector got, by why.")
        for loss in SpanQueue.Loss.allCases {
            page.sample(
                "swiftlet_trace_spans_dropped_total", [("reason", loss.rawValue)], "\(counts.lost[loss] ?? 0)")
        }
    }
}
