-- Request one URL, or alternate among many if it contains %d. Print one line of figures at the
-- end, with latencies in milliseconds.
local among, number, path = tonumber(os.getenv("AMONG") or "0"), 0, nil

request = function()
  if among == 0 then return wrk.format() end
  path = path or wrk.path
  number = (number + 1) % among
  return wrk.format(nil, (string.gsub(path, "%%d", number)))
end

done = function(summary, latency, requests)
  local errors = summary.errors
  local failed = errors.connect + errors.read + errors.write + errors.status + errors.timeout
  io.write(string.format("FIGURES %.1f %.3f %.3f %.3f %d\n",
    summary.requests / (summary.duration / 1e6), latency:percentile(50) / 1000,
    latency:percentile(95) / 1000, latency:percentile(99) / 1000, failed))
end
