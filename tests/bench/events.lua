-- Single events for wrk, each with an id of its own. Arguments: the key, and what ids begin with.
local threads = 0

function setup(thread)
   threads = threads + 1
   thread:set("number", threads)
end

function init(arguments)
   sent = 0
   prefix = arguments[2] .. "-" .. number .. "-"
   headers = {["Authorization"] = "Bearer " .. arguments[1], ["Content-Type"] = "application/json"}
end

function request()
   sent = sent + 1
   local body = '{"specversion":"1.0","id":"' .. prefix .. sent .. '","source":"gateway-1","type":"llm.call",'
      .. '"subject":"customer-' .. sent % 50 .. '","time":"2025-10-06T10:00:00Z",'
      .. '"data":{"model":"gpt-4o","provider":"openai","input_tokens":1200,"output_tokens":90,'
      .. '"cached_input_tokens":0,"duration_ms":845,"status":"success"}}'
   return wrk.format("POST", "/api/v1/events", headers, body)
end

function done(summary, latency, requests)
   local faults = summary.errors
   io.write(string.format(
      'bench {"requests": %d, "seconds": %f, "p99_ms": %f, "faults": %d}\n',
      summary.requests, summary.duration / 1000000, latency:percentile(99) / 1000,
      faults.connect + faults.read + faults.write + faults.timeout + faults.status))
end
