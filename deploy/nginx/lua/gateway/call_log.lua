-- Lines for the console's log of calls: kept in shared memory, and sent in batches.

local cjson = require "cjson.safe"
local console = require "gateway.console"

local shared = ngx.shared.gateway_calls
local PATH = "/internal/calls"
local EVERY_SECONDS, BATCH, MAX_LINES = 0.5, 500, 50000

local M = {}
local unsent, is_sending

function M.add(line)
  local length = shared:llen("lines") or 0
  if length >= MAX_LINES or not shared:lpush("lines", cjson.encode(line)) then
    shared:incr("dropped", 1, 0)
  end
end

local function take()
  local lines = {}
  while #lines < BATCH do
    local line = shared:rpop("lines")
    if not line then break end
    lines[#lines + 1] = cjson.decode(line)
  end
  return lines
end

-- Send all lines; what the console has not taken is sent again later.
local function send()
  while true do
    if not unsent then
      local lines, dropped = take(), shared:get("dropped") or 0
      if #lines == 0 and dropped == 0 then return end
      if dropped > 0 then shared:incr("dropped", -dropped) end
      unsent = { calls = lines, dropped = dropped }
    end
    if not console.ask(PATH, unsent) then return end
    unsent = nil
  end
end

function M.send()
  if is_sending then return end
  is_sending = true
  local ok, problem = pcall(send)
  is_sending = false
  if not ok then ngx.log(ngx.ERR, problem) end
end

-- One worker sends; the others only add.
function M.start()
  if ngx.worker.id() ~= 0 then return end
  ngx.timer.every(EVERY_SECONDS, function() M.send() end)
end

return M
