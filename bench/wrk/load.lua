-- What wrk cannot take from its command line: a request body, requests that differ, and one result line for machines.
--
-- BENCH_POST_BYTES  size of the request body; 0 or absent is a GET
-- BENCH_VARIED      number of different request heads to send in turn; 0 or absent sends one

local post_bytes = tonumber(os.getenv("BENCH_POST_BYTES") or "0")
local varied = tonumber(os.getenv("BENCH_VARIED") or "0")

if post_bytes > 0 then
  wrk.method = "POST"
  wrk.body = string.rep("b", post_bytes)
end

if varied > 0 then
  local requests, index = {}, 0

  -- Path, cookie, referrer and the number of fields differ; written once, so that sending stays cheap.
  function init()
    for i = 1, varied do
      local headers = {}
      for name, value in pairs(wrk.headers) do headers[name] = value end
      headers["Cookie"] = string.format("session=%032x; theme=%s; visit=%d", i * 2654435761, i % 2 == 0 and "dark" or "light", i)
      headers["Referer"] = "http://www.example.com/" .. string.rep("section/", i % 7) .. i
      for extra = 1, i % 4 do headers["X-Extra-" .. extra] = "value-" .. (i * extra) end
      requests[i] = wrk.format(nil, wrk.path .. "?item=" .. i .. "&page=" .. (i % 13), headers)
    end
  end

  function request()
    index = index % varied + 1
    return requests[index]
  end
end

function done(summary, latency)
  local errors = summary.errors
  io.write(string.format(
    "\nbench-result requests=%d duration_us=%d bytes=%d connect=%d read=%d write=%d status=%d timeout=%d p50_us=%d p99_us=%d max_us=%d\n",
    summary.requests, summary.duration, summary.bytes,
    errors.connect, errors.read, errors.write, errors.status, errors.timeout,
    latency:percentile(50), latency:percentile(99), latency.max
  ))
end
