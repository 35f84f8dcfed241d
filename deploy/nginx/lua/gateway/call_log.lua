-- Lines for the console's log of calls, which each worker collects and sends in batches.
--
-- A line refers to the `log` of its route, which is sent once in each batch.

local cjson = require "cjson.safe"
local console = require "gateway.console"

local PATH = "/internal/calls"
local EVERY_SECONDS, BATCH, MAX_LINES = 0.5, 1000, 25000

local M = {}
local batches, count, dropped, is_sending = {}, 0, 0, false

local function new_batch()
  return { routes = {}, lines = {}, places = {} }
end

function M.add(about, line)
  if count >= MAX_LINES then
    dropped = dropped + 1
    return
  end
  local batch = batches[#batches]
  if not batch or #batch.lines >= BATCH then
    batch = new_batch()
    batches[#batches + 1] = batch
  end
  local place = batch.places[about]
  if not place then
    batch.routes[#batch.routes + 1] = about
    place = #batch.routes
    batch.places[about] = place
  end
  line[#line + 1] = place
  batch.lines[#batch.lines + 1] = line
  count = count + 1
end

-- Send all lines; what the console has not taken is sent again later.
local function send()
  while #batches > 0 or dropped > 0 do
    local batch = table.remove(batches, 1) or new_batch()
    local lost = dropped
    if not console.ask(PATH, { routes = batch.routes, lines = batch.lines, dropped = lost }) then
      table.insert(batches, 1, batch)
      return
    end
    count, dropped = count - #batch.lines, dropped - lost
  end
end

local function send_alone()
  if is_sending then return end
  is_sending = true
  local ok, problem = pcall(send)
  is_sending = false
  if not ok then ngx.log(ngx.ERR, problem) end
end

function M.start() ngx.timer.every(EVERY_SECONDS, send_alone) end

return M
