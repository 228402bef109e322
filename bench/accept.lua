-- What wrk posts: one body, signed once, under a delivery of its own each time. BENCH_BODY names its file,
-- BENCH_HEADERS the file of its headers (one `name: value` a line), BENCH_RUN is a number of this run.
local threads = 0
function setup(thread)
    threads = threads + 1
    thread:set("number", threads)
end

function init(args)
    local file = assert(io.open(os.getenv("BENCH_BODY"), "rb"))
    wrk.method, wrk.body = "POST", file:read("*a")
    file:close()
    for line in io.lines(os.getenv("BENCH_HEADERS")) do
        local name, value = line:match("^([^:]+): (.*)$")
        wrk.headers[name] = value
    end
    sent = 0
end

function request()
    sent = sent + 1
    wrk.headers["X-GitHub-Delivery"] = string.format("%s-%d-%d", os.getenv("BENCH_RUN"), number, sent)
    return wrk.format()
end

function done(summary, latency, requests)
    local errors = summary.errors
    print(string.format(
        'FOUND {"requests": %d, "seconds": %f, "p50": %f, "p99": %f, "not_2xx": %d, "broken": %d}',
        summary.requests, summary.duration / 1e6, latency:percentile(50) / 1000, latency:percentile(99) / 1000,
        errors.status, errors.connect + errors.read + errors.write + errors.timeout))
end
