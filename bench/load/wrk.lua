-- SPDX-License-Identifier: MIT
-- wrk.lua - makes wrk print its result as one line of JSON, percentiles included.

function done(summary, latency, requests)
   local e = summary.errors
   local errors = e.connect + e.read + e.write + e.status + e.timeout
   io.write(string.format(
      '{"messages": %d, "seconds": %.4f, "rate": %.1f, "p50_us": %.1f, "p99_us": %.1f, ' ..
      '"p999_us": %.1f, "errors": %d}\n',
      summary.requests, summary.duration / 1e6, summary.requests / (summary.duration / 1e6),
      latency:percentile(50), latency:percentile(99), latency:percentile(99.9), errors))
end
